#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/core/text.h>
#include <ferplus/data/face_crop.h>
#include <ferplus/detect/face_detector.h>
#include <ferplus/detect/tilt.h>
#include <ferplus/io/image.h>
#include <ferplus/io/png.h>
#include <ferplus/nn/photograph.h>

#include "commands.h"
#include "detection_options.h"
#include "diagnosis.h"
#include "general_options.h"
#include "help.h"
#include "model_options.h"
#include "output.h"
#include "prediction_output.h"
#include "table.h"
#include "validators.h"

namespace ferplus::tool {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::filesystem::path image, model, input;
  int face = 0;  // from 1; 0: the largest
  bool no_detect = false, json = false;
  DetectorOptions detector;
  GeneralOptions general;
};

// All that is known of one face.
struct Patient {
  int width = 0, height = 0;  // of the photograph
  std::size_t number = 0;     // of the face among those found, from 1
  std::optional<DetectedFace> detection;
  Rectangle crop;
  std::vector<std::uint8_t> input;  // warped
  std::string model;                // empty if there is none
  Preprocessing preprocessing = Preprocessing::ferplus;
  Examination examination;
};

std::size_t choose(const std::vector<DetectedFace>& faces, int number) {
  if (number > static_cast<int>(faces.size())) {
    throw UsageError(concat("there is no face ", number, ": ", faces.size(), " found"));
  }
  if (number > 0) return static_cast<std::size_t>(number - 1);
  const auto largest = std::ranges::max_element(
      faces, {}, [](const DetectedFace& face) { return face.box.right - face.box.left; });
  return static_cast<std::size_t>(largest - faces.begin());
}

void look_for_face(const Options& options, ImageView image, Patient& patient) {
  patient.crop = {0, 0, image.width, image.height};
  if (options.no_detect) return;
  const bool is_asked_for = options.face != 0 || options.detector.smallest_face != 0;
  if (!detection_available() && !is_asked_for) return;
  const auto faces = make_face_detector(options.detector)->detect(image);
  patient.examination.searched = true;
  patient.examination.faces = faces.size();
  if (faces.empty() && options.face == 0) return;
  const std::size_t chosen = choose(faces, options.face);
  patient.number = chosen + 1;
  patient.detection = faces[chosen];
  patient.crop = frame_face(faces[chosen].box, image.width, image.height);
  patient.examination.tilt = estimate_tilt(image, faces[chosen].box);
}

Patient examine_image(const Options& options, const std::optional<std::filesystem::path>& model) {
  const GrayImage photograph = read_image(options.image);
  const ImageView image = photograph.view();
  Patient patient;
  patient.width = image.width;
  patient.height = image.height;
  look_for_face(options, image, patient);
  const Rectangle& crop = patient.crop;
  patient.examination.size = std::min(crop.right - crop.left, crop.bottom - crop.top);
  const FaceImage face(image, crop);
  patient.input.resize(kInputPixels);
  warp(face.image(), face.face(), {}, patient.input);
  patient.examination.quality = measure_quality(patient.input);
  if (model) {
    patient.model = model->string();
    Predictor predictor(load_model(*model));
    patient.preprocessing = predictor.model().preprocessing();
    patient.examination.probabilities = predictor.predict(image, crop);
  }
  return patient;
}

// The network's input as gray: of normalised faces, three deviations to either side of the mean.
void write_input(const std::filesystem::path& path, const Patient& patient) {
  std::vector<std::uint8_t> picture = patient.input;
  if (patient.preprocessing == Preprocessing::ferplus) {
    std::vector<float> normalized(kInputPixels);
    normalize(patient.input, normalized);
    std::ranges::transform(normalized, picture.begin(), [](float value) {
      return static_cast<std::uint8_t>(std::clamp(128 + value * (127.0F / 3), 0.0F, 255.0F));
    });
  }
  write_png(path, picture.data(), kInputSide, kInputSide);
}

std::string to_json(const Options& options, const Patient& patient,
                    const std::vector<Reason>& reasons) {
  const Examination& found = patient.examination;
  ordered_json json = {{"image", options.image.string()},
                       {"width", patient.width},
                       {"height", patient.height},
                       {"searched", found.searched}};
  if (found.searched) json["faces"] = found.faces;
  if (patient.detection) json["face"] = patient.number;
  if (found.tilt) json["tilt"] = *found.tilt;
  json.update(face_json(patient.crop, patient.detection));
  json["size"] = found.size;
  json["laplacian_variance"] = found.quality.laplacian_variance;
  json["sharpness"] = found.quality.sharpness();
  json["contrast"] = found.quality.contrast;
  json["brightness"] = found.quality.brightness;
  json["clipped"] = found.quality.clipped;
  json["preprocessing"] = preprocessing_name(patient.preprocessing);
  if (found.probabilities) {
    json["model"] = patient.model;
    json["predictions"] = predictions_json(*found.probabilities);
  }
  json["trust"] = trust_name(verdict(reasons));
  json["reasons"] = ordered_json::array();
  for (const Reason& reason : reasons) json["reasons"].push_back(reason.text);
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

std::string face_text(const Patient& patient) {
  if (!patient.examination.searched) return "not looked for";
  if (!patient.detection) return "none found";
  const Rectangle& box = patient.detection->box;
  return fmt::format("number {} of {}, ({}, {}) to ({}, {}), {}", patient.number,
                     patient.examination.faces, box.left, box.top, box.right, box.bottom,
                     pose_name(patient.detection->pose));
}

std::string range_text(const Range& range, const char* format) {
  return fmt::format("{} to {}", fmt::format(fmt::runtime(format), range.low),
                     fmt::format(fmt::runtime(format), range.high));
}

std::string to_text(const Options& options, const Patient& patient,
                    const std::vector<Reason>& reasons) {
  const Examination& found = patient.examination;
  const FaceQuality& quality = found.quality;
  std::string text = fmt::format("{}: {}x{} pixels; face: {}\n\n", harmless(options.image.string()),
                                 patient.width, patient.height, face_text(patient));
  Table table({{"what the network would see", Table::Align::left},
               {"here"},
               {"98 % of training faces", Table::Align::left}});
  table.add_row({"size in pixels", std::to_string(found.size), "48"});
  if (found.tilt) {
    table.add_row({"tilt in degrees, clockwise", fmt::format("{:.0f}", *found.tilt),
                   "turned by -20 to 20 in training"});
  }
  table.add_row({"sharpness (Laplacian variance / contrast²)",
                 fmt::format("{:.3f}", quality.sharpness()),
                 range_text(kUsualSharpness, "{:.3f}")});
  table.add_row(
      {"variance of the Laplacian", fmt::format("{:.0f}", quality.laplacian_variance), ""});
  table.add_row({"contrast in gray levels", fmt::format("{:.1f}", quality.contrast),
                 range_text(kUsualContrast, "{:.1f}")});
  table.add_row({"mean gray", fmt::format("{:.0f}", quality.brightness),
                 range_text(kUsualBrightness, "{:.0f}")});
  table.add_row({"pure black or white", fmt::format("{:.1f} %", 100 * quality.clipped),
                 fmt::format("up to {:.1f} %", 100 * kUsualClipped.high)});
  text += table.to_string();
  if (found.probabilities) {
    const std::size_t first = ranked(*found.probabilities).front();
    text += fmt::format("\nanswer: {}, {:.1f} % ({})\n", kClassNames[first],
                        100 * (*found.probabilities)[first], votes_text(*found.probabilities));
  }
  const Trust trust = verdict(reasons);
  text += fmt::format("\ntrust: {}\n", trust == Trust::with_care ? "with care" : trust_name(trust));
  for (const Reason& reason : reasons) text += fmt::format("- {}\n", reason.text);
  return text;
}

int run(const Options& options) {
  apply(options.general);
  if (options.no_detect && (options.face != 0 || options.detector.smallest_face != 0)) {
    throw UsageError("--face and --smallest-face choose among faces found, not with --no-detect");
  }
  const auto model = given_or_bundled_if_any(options.model, options.general);
  check_binary_output(options.input, {options.image, model.value_or("")});
  const Patient patient = examine_image(options, model);
  const std::vector<Reason> reasons = examine(patient.examination);
  if (!options.input.empty()) write_input(options.input, patient);
  const std::string text =
      options.json ? to_json(options, patient, reasons) : to_text(options, patient, reasons);
  print(text);
  return kExitSuccess;
}

}  // namespace

Run setup_doctor(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  set_help(app,
           {.usage = "IMAGE [--model M] [--input FILE.png] [--json]",
            .details =
                "Says what a network would see of a picture: the face that predict --detect finds, "
                "its size, tilt, sharpness, contrast and clipped share beside those of FER2013's "
                "training faces, the model's answer, and whether to trust it, with the reasons. "
                "Where there is no model the input is that of FER+ preprocessing.",
            .example = "ferplus doctor photo.jpg --input seen.png"});
  app.add_option("image", options->image, "A PNG or JPEG file, whatever its name")
      ->required()
      ->type_name("IMAGE")
      ->group("Input");
  app.add_option("--face", options->face,
                 "Examine this face, counted from the left; by default the largest")
      ->type_name("N")
      ->check(whole_number(1, 1'000'000))
      ->group("Input");
  app.add_flag("--no-detect", options->no_detect, "Take the whole picture for the face")
      ->group("Input");
  add_smallest_face_option(app, options->detector);
  add_model_option(app, options->model);
  app.add_option("--input", options->input, "Write the network's 64x64 input as a picture to FILE")
      ->type_name("FILE.png")
      ->group("Output");
  app.add_flag("--json", options->json, "Print JSON, for programs")->group("Output");
  add_general_options(app, options->general);
  return [options] { return run(*options); };
}

}  // namespace ferplus::tool
