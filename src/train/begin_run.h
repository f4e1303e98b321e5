// How a run begins: with drawn weights, with those of a model, or where it stopped before.
#pragma once

#include <string>

#include <ferplus/train/checkpoint.h>
#include <ferplus/train/trainer.h>

namespace ferplus {

// Leaves in `state`, which holds drawn weights and the fingerprint of the data, where training
// is to go on, and in options.folder what a run of `config` has there before its next step. Returns
// what the user should know, or an empty text. Throws Error: a folder that holds another run, or,
// to resume, none, one with other settings, or one of other data.
std::string begin_run(const TrainOptions& options, const RunConfig& config, const Network& network,
                      Index steps_per_epoch, TrainingState& state);

}  // namespace ferplus
