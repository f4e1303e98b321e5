#include <algorithm>
#include <memory>
#include <ostream>
#include <string>
#include <unordered_set>
#include <vector>

#include <fmt/format.h>

#include <ferplus/core/error.h>
#include <ferplus/core/text.h>
#include <ferplus/detect/face_detector.h>
#include <ferplus/io/file.h>
#include <ferplus/io/image.h>
#include <ferplus/io/png.h>
#include <ferplus/nn/photograph.h>

#include "annotate.h"
#include "commands.h"
#include "compute_options.h"
#include "detection_options.h"
#include "general_options.h"
#include "help.h"
#include "image_list.h"
#include "interrupt.h"
#include "model_options.h"
#include "output.h"
#include "prediction_output.h"
#include "progress.h"

namespace ferplus::tool {
namespace {

struct Options {
  std::filesystem::path model;
  std::vector<std::string> images;
  bool detect = false;
  DetectorOptions detector;
  bool json = false;
  ComputeOptions compute;
  std::string csv, jsonl;
  std::filesystem::path copies;
  GeneralOptions general;
};

void check(const Options& options) {
  const int on_standard_output = (options.json ? 1 : 0) + (options.csv == kStandardOutput ? 1 : 0) +
                                 (options.jsonl == kStandardOutput ? 1 : 0);
  if (on_standard_output > 1) {
    throw UsageError("only one of --json, --jsonl - and --csv - can go to standard output");
  }
  check_outputs({options.csv, options.jsonl});
  if (!options.detect && options.detector.smallest_face != 0) {
    throw UsageError("--smallest-face is for --detect, which is not given");
  }
}

// Half of FER2013's.
constexpr int kLeastSide = 24;

// Photographs are 4:3 and wider.
bool may_be_cut_out_face(const GrayImage& image) {
  const auto [shorter, longer] = std::minmax(image.width, image.height);
  return shorter >= kLeastSide && 4 * shorter > 3 * longer;
}

// Copies with what was found drawn into them, each under a name of its own.
class Copies {
 public:
  // Copies replace none of `pictures`.
  Copies(std::filesystem::path folder, const std::vector<std::filesystem::path>& pictures)
      : folder_(std::move(folder)) {
    if (folder_.empty()) return;
    for (const auto& picture : pictures) pictures_.insert(plain(picture).string());
  }

  void write(const ImageFile& file, const std::vector<FacePrediction>& faces) {
    ColorImage image = read_color_image(file.path);
    if (faces.empty()) draw_note(image, "no face");
    for (std::size_t i = 0; i < faces.size(); ++i) {
      const FacePrediction& face = faces[i];
      const std::size_t first = ranked(face.probabilities).front();
      draw_face(image, face.detection ? face.detection->box : face.crop,
                fmt::format("{} {} {:.0f} %", i + 1, kClassNames[first],
                            100 * face.probabilities[first]));
    }
    const std::filesystem::path path = folder_ / name_of(file);
    if (pictures_.contains(plain(path).string())) {
      throw Error(concat(path.string(), " is one of the pictures, so that the copy of ",
                         file.path.string(), " is not written: choose another --out-dir"));
    }
    make_folder(path.parent_path());
    write_png(path, image);
  }

 private:
  // Pictures of one name from several folders are numbered.
  std::filesystem::path name_of(const ImageFile& file) {
    const std::string stem = file.relative.string();
    std::string name = stem + ".png";
    for (int number = 2; !taken_.insert(name).second; ++number) {
      name = fmt::format("{}-{}.png", stem, number);
    }
    return name;
  }

  std::filesystem::path folder_;
  std::unordered_set<std::string> pictures_, taken_;
};

class Prediction {
 public:
  Prediction(const Options& options, Predictor& predictor, FaceDetector* detector,
             ImageList& images)
      : options_(options),
        predictor_(predictor),
        detector_(detector),
        images_(images),
        copies_(options.copies, images.paths()) {}

  // Opens the outputs one within the other: each file appears when all is done.
  int run() {
    if (options_.json) writers_.push_back(json_writer(print, false));
    if (!options_.json && options_.csv.empty() && options_.jsonl.empty()) {
      writers_.push_back(line_writer(print, images_.path_width(), detector_ != nullptr));
    }
    const auto json_lines = [](Sink sink) { return json_writer(std::move(sink), true); };
    with_output(options_.csv, csv_writer,
                [&] { with_output(options_.jsonl, json_lines, [&] { predict_all(); }); });
    if (interrupt_flag()) return interrupt_exit_code();
    return failed_ > 0 ? kExitFailure : kExitSuccess;
  }

 private:
  template <typename MakeWriter, typename Next>
  void with_output(const std::string& file, MakeWriter&& make_writer, Next&& next) {
    if (file.empty()) {
      next();
    } else if (file == kStandardOutput) {
      writers_.push_back(make_writer(print));
      next();
    } else {
      write_file_atomically(file, [&](std::ostream& out) {
        writers_.push_back(make_writer([&out](std::string_view text) { out << text; }));
        next();
      });
    }
  }

  void predict_all() {
    ProgressBar bar({.label = "predicting",
                     .total = images_.total(),
                     .quiet = options_.general.quiet || images_.total() == 1});
    std::uint64_t done = 0;
    while (!interrupt_flag()) {
      const std::optional<ImageFile> file = images_.next();
      if (!file) break;
      refuse_output(file->path);
      const ImagePrediction prediction = predict(*file);
      for (const auto& writer : writers_) writer->write(prediction);
      bar.update(++done, counts());
    }
    for (const auto& writer : writers_) writer->finish();
    bar.finish(counts());
    if (unlike_faces_ > 0 && !options_.general.quiet) {
      Console::standard_error().line(
          fmt::format("ferplus: {} of {} pictures are far from square or less than {} pixels wide "
                      "or high; without --detect each must be one cut-out face",
                      unlike_faces_, done, kLeastSide));
    }
  }

  // Of a list on standard input nobody knew before what it names.
  void refuse_output(const std::filesystem::path& picture) const {
    for (const std::string& output : {options_.csv, options_.jsonl}) {
      if (output.empty() || output == kStandardOutput) continue;
      if (is_same_file(output, picture)) {
        throw UsageError(concat(output, " is one of the pictures: write elsewhere"));
      }
    }
  }

  ImagePrediction predict(const ImageFile& file) {
    ImagePrediction prediction{.image = file.path.string(), .faces = {}, .error = {}};
    try {
      const GrayImage image = read_image(file.path);
      if (detector_ == nullptr && !may_be_cut_out_face(image)) ++unlike_faces_;
      prediction.faces = predict_faces(image.view(), predictor_, detector_);
      if (!options_.copies.empty()) copies_.write(file, prediction.faces);
      faces_ += prediction.faces.size();
      if (prediction.faces.empty()) ++without_face_;
    } catch (const Error& error) {
      prediction.faces.clear();
      prediction.error = error.what();
      ++failed_;
      Console::standard_error().line(fmt::format("ferplus: error: {}", harmless(error.what())));
    }
    return prediction;
  }

  std::string counts() const {
    std::string text;
    if (detector_ != nullptr) text = fmt::format("{} faces, {} without", faces_, without_face_);
    if (failed_ > 0) text += fmt::format("{}{} failed", text.empty() ? "" : ", ", failed_);
    return text;
  }

  const Options& options_;
  Predictor& predictor_;
  FaceDetector* detector_;
  ImageList& images_;
  Copies copies_;
  std::vector<std::unique_ptr<PredictionWriter>> writers_;
  std::uint64_t faces_ = 0, without_face_ = 0, failed_ = 0, unlike_faces_ = 0;
};

int run(const Options& options) {
  apply(options.general);
  check(options);
  const std::filesystem::path model = given_or_bundled(options.model, options.general);
  const auto detector = options.detect ? make_face_detector(options.detector) : nullptr;
  Predictor predictor(load_model(model), apply(options.compute));
  ImageList images(options.images);
  std::vector<std::filesystem::path> inputs = images.paths();
  inputs.push_back(model);
  check_outputs({options.csv, options.jsonl}, inputs);
  install_interrupt_handlers();
  return Prediction(options, predictor, detector.get(), images).run();
}

}  // namespace

Run setup_predict(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  set_help(app,
           {.usage = "[--model M] IMAGE… [--detect] [--json | --csv FILE | --jsonl FILE]",
            .details =
                "Without --detect each image is one face that fills the picture, as in FER2013. "
                "With it faces are found first and numbered from left to right; a picture without "
                "one is no_face. Faces of more than 48 pixels a side are averaged down to them "
                "first, which is what the network was trained on.\n"
                "The answer is how ten taggers would have voted on the apparent expression, not "
                "what a person feels. Probabilities are those of the votes once ferplus calibrate "
                "has seen the model.\n"
                "IMAGE is a PNG or JPEG file, whatever its name; a folder, for all files in it and "
                "below it that end in .png or .jpg; a quoted pattern; or -, for a list on standard "
                "input, a path a line. An image that cannot be read is reported and passed over, "
                "and the exit code is 1.",
            .example = "ferplus predict face.png --json\n"
                       "ferplus predict --model runs/first/best.safetensors photos --detect "
                       "--csv faces.csv --out-dir seen\n"
                       "find . -name '*.jpg' | ferplus predict --model best.safetensors - "
                       "--detect --jsonl -"});
  add_model_option(app, options->model);
  app.add_option("images", options->images, "Pictures: files, folders, patterns, - for a list")
      ->required()
      ->type_name("IMAGE")
      ->group("Input");
  app.add_flag("--detect", options->detect, "Find faces first; needs a build with dlib")
      ->group("Input");
  add_smallest_face_option(app, options->detector);
  app.add_flag("--json", options->json,
               "Print all eight probabilities, votes and boxes as a JSON array")
      ->group("Output");
  app.add_option("--csv", options->csv, "Write a row a face to FILE, - for standard output")
      ->type_name("FILE")
      ->group("Output");
  app.add_option("--jsonl", options->jsonl,
                 "Write a JSON object a line and face to FILE, - for standard output")
      ->type_name("FILE")
      ->group("Output");
  app.add_option("--out-dir", options->copies,
                 "Write a copy of each picture to DIR, with boxes, numbers and answers in it, as "
                 "NAME.png below the same folders; copies of that name are replaced")
      ->type_name("DIR")
      ->group("Output");
  add_compute_options(app, options->compute);
  add_general_options(app, options->general);
  return [options] { return run(*options); };
}

}  // namespace ferplus::tool
