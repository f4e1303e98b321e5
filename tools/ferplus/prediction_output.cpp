#include "prediction_output.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ferplus/core/text.h>
#include <ferplus/data/csv.h>

#include "table.h"

namespace ferplus::tool {
namespace {

using nlohmann::ordered_json;

constexpr const char* kOk = "ok";
constexpr const char* kNoFace = "no_face";
constexpr const char* kError = "error";

// Of a picture without faces.
const char* status(const ImagePrediction& prediction) {
  return prediction.error.empty() ? kNoFace : kError;
}

const Rectangle& box_of(const FacePrediction& face) {
  return face.detection ? face.detection->box : face.crop;
}

std::string padded(const std::string& text, std::size_t width) {
  const std::size_t used = display_width(text);
  return used < width ? text + std::string(width - used, ' ') : text;
}

class LineWriter final : public PredictionWriter {
 public:
  LineWriter(Sink sink, std::size_t path_width, bool detected)
      : sink_(std::move(sink)),
        path_width_(std::max(path_width, std::string_view("image").size())),
        detected_(detected) {}

  void write(const ImagePrediction& prediction) override {
    if (!prediction.error.empty()) return;
    if (!std::exchange(begun_, true)) {
      line("image", "face", "expression", "probability", "of ten taggers would say");
    }
    if (prediction.faces.empty()) line(prediction.image, "-", kNoFace, "", "");
    for (std::size_t i = 0; i < prediction.faces.size(); ++i) {
      const Probabilities& probabilities = prediction.faces[i].probabilities;
      const std::size_t first = ranked(probabilities).front();
      line(prediction.image, std::to_string(i + 1), std::string(kClassNames[first]),
           fmt::format("{:.1f} %", 100 * probabilities[first]), votes_text(probabilities));
    }
  }

 private:
  void line(const std::string& image, const std::string& face, const std::string& expression,
            const std::string& probability, const std::string& votes) {
    std::string text = padded(harmless(image), path_width_) + "  ";
    if (detected_) text += fmt::format("{:>4}  ", face);
    text += fmt::format("{:<10}  {:>11}  {}", expression, probability, votes);
    text.erase(text.find_last_not_of(' ') + 1);
    sink_(text + '\n');
  }

  Sink sink_;
  std::size_t path_width_;
  bool detected_, begun_ = false;
};

class CsvWriter final : public PredictionWriter {
 public:
  explicit CsvWriter(Sink sink) : sink_(std::move(sink)) {
    std::string header = "image,status,face,faces,expression,probability";
    for (const std::string_view name : kClassNames) header += fmt::format(",{}", name);
    sink_(header + ",left,top,right,bottom,score,error\n");
  }

  void write(const ImagePrediction& prediction) override {
    const std::string image = csv_field(prediction.image);
    if (prediction.faces.empty()) {
      const std::string commas(kClasses + 8, ',');
      sink_(fmt::format("{},{},,0{}{}\n", image, status(prediction), commas,
                        csv_field(prediction.error)));
    }
    for (std::size_t i = 0; i < prediction.faces.size(); ++i) {
      const FacePrediction& face = prediction.faces[i];
      const std::size_t first = ranked(face.probabilities).front();
      std::string row = fmt::format("{},{},{},{},{},{}", image, kOk, i + 1, prediction.faces.size(),
                                    kClassNames[first], face.probabilities[first]);
      for (const float probability : face.probabilities) row += fmt::format(",{}", probability);
      const Rectangle& box = box_of(face);
      row += fmt::format(",{},{},{},{},", box.left, box.top, box.right, box.bottom);
      if (face.detection) row += fmt::format("{:.4f}", face.detection->score);
      sink_(row + ",\n");
    }
  }

 private:
  Sink sink_;
};

class JsonWriter final : public PredictionWriter {
 public:
  JsonWriter(Sink sink, bool lines) : sink_(std::move(sink)), lines_(lines) {
    if (!lines_) sink_("[\n");
  }

  void write(const ImagePrediction& prediction) override {
    if (prediction.faces.empty()) {
      ordered_json json = {{"image", prediction.image}, {"status", status(prediction)}};
      if (prediction.error.empty()) {
        json["faces"] = 0;
      } else {
        json["error"] = prediction.error;
      }
      put(json);
    }
    for (std::size_t i = 0; i < prediction.faces.size(); ++i) {
      ordered_json json = {{"image", prediction.image},
                           {"status", kOk},
                           {"face", i + 1},
                           {"faces", prediction.faces.size()}};
      json.update(to_json(prediction.faces[i]));
      put(json);
    }
  }

  void finish() override {
    if (lines_) return;
    if (!last_.empty()) sink_(last_ + '\n');
    sink_("]\n");
  }

 private:
  void put(const ordered_json& json) {
    // Paths need not be UTF-8.
    const std::string text = json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
    if (lines_) {
      sink_(text + '\n');
    } else {
      // Only the next one knows of the comma, and whole lines share a terminal with the progress.
      if (!last_.empty()) sink_(last_ + ",\n");
      last_ = "  " + text;
    }
  }

  Sink sink_;
  bool lines_;
  std::string last_;  // of the array, not yet put out
};

}  // namespace

std::string votes_text(const Probabilities& probabilities) {
  const auto votes = expected_votes(probabilities);
  std::string text;
  for (const std::size_t k : ranked(probabilities)) {
    if (votes[k] == 0) continue;
    if (!text.empty()) text += ", ";
    text += fmt::format("{} {}", votes[k], kClassNames[k]);
  }
  return text;
}

std::unique_ptr<PredictionWriter> line_writer(Sink sink, std::size_t path_width, bool detected) {
  return std::make_unique<LineWriter>(std::move(sink), path_width, detected);
}

std::unique_ptr<PredictionWriter> csv_writer(Sink sink) {
  return std::make_unique<CsvWriter>(std::move(sink));
}

std::unique_ptr<PredictionWriter> json_writer(Sink sink, bool lines) {
  return std::make_unique<JsonWriter>(std::move(sink), lines);
}

}  // namespace ferplus::tool
