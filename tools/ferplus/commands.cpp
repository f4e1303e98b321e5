#include "commands.h"

#include <array>

namespace ferplus::tool {
namespace {

constexpr std::array kCommands = {
    Command{"prepare", "Write the two CSVs as folders of PNG images with a label.csv each",
            setup_prepare},
    Command{"synth", "Draw synthetic faces with simulated votes, as the two CSVs", setup_synth},
    Command{"inspect", "Count images kept and dropped per split, mode and class, and duplicates",
            setup_inspect},
    Command{"targets", "Write the training target of every row for one mode", setup_targets},
    Command{"train", "Train a network, or go on with a run", setup_train},
    Command{"sweep", "Train networks, recipes, modes and seeds, and sum up", setup_sweep},
    Command{"evaluate", "Measure one model or several on a split", setup_evaluate},
    Command{"calibrate", "Fit a model's probabilities to the votes", setup_calibrate},
    Command{"report", "Show runs and what their models do as one HTML page", setup_report},
    Command{"predict", "Say what expression a face shows", setup_predict},
    Command{"serve", "Answer over HTTP: a page and interfaces for programs", setup_serve},
    Command{"doctor", "Say what a network would see of a picture, and whether to trust it",
            setup_doctor},
    Command{"info", "Show a model's layers, parameters and metadata", setup_info},
    Command{"export", "Write a model as ONNX, or with weights of 16 bits", setup_export},
    Command{"import", "Read an ONNX network as a model", setup_import},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

}  // namespace ferplus::tool
