// What `predict` says of each picture: lines for people, CSV, JSON.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ferplus/nn/photograph.h>

namespace ferplus::tool {

// One picture: its faces from left to right, none of them if a search found none, or why it could
// not be used.
struct ImagePrediction {
  std::string image;
  std::vector<FacePrediction> faces;
  std::string error;
};

// "6 happiness, 3 neutral, 1 sadness": of ten taggers.
std::string votes_text(const Probabilities& probabilities);

// Takes text as it comes.
using Sink = std::function<void(std::string_view)>;

// Not thread-safe.
class PredictionWriter {
 public:
  virtual ~PredictionWriter() = default;
  virtual void write(const ImagePrediction& prediction) = 0;
  // After the last one.
  virtual void finish() {}
};

// A line a face, in columns; pictures that could not be used are left to the error messages.
// `path_width`: of the column of paths, which longer ones overflow.
std::unique_ptr<PredictionWriter> line_writer(Sink sink, std::size_t path_width, bool detected);

// A row a face, and one for a picture without: image, status (ok, no_face, error), face (from 1),
// faces, expression, probability, the eight probabilities, left, top, right, bottom (of the box
// found, or the whole picture), score, error.
std::unique_ptr<PredictionWriter> csv_writer(Sink sink);

// The same as JSON objects: image, status; of a face its number, how many there are, box and crop
// [left, top, right, bottom], score and pose, and the eight predictions, most probable first.
// Lines: an object a line. Otherwise one array.
std::unique_ptr<PredictionWriter> json_writer(Sink sink, bool lines);

}  // namespace ferplus::tool
