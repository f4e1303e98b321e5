#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include <ferplus/data/face_crop.h>
#include <ferplus/detect/face_detector.h>
#include <ferplus/detect/tilt.h>
#include <ferplus/io/image.h>

namespace ferplus {
namespace {

constexpr int kPatchSide = 200;
constexpr int kBoxInPatch = 100;  // pixels of the box's side
constexpr int kSteps = 10;        // to each side
constexpr double kStepDegrees = 5;
constexpr double kNotFound = -1;  // below every score that is looked for

// The surroundings of a box, small enough that sampling skips nothing.
struct Neighbourhood {
  GrayImage shrunk;
  ImageView image;
  double middle_x, middle_y, box_side;

  Neighbourhood(ImageView original, const Rectangle& box)
      : image(original),
        middle_x((box.left + box.right) / 2.0),
        middle_y((box.top + box.bottom) / 2.0),
        box_side(((box.right - box.left) + (box.bottom - box.top)) / 2.0) {
    if (box_side <= 2 * kBoxInPatch) return;
    const double scale = kBoxInPatch / box_side;
    shrunk.width = std::max(1, static_cast<int>(std::lround(original.width * scale)));
    shrunk.height = std::max(1, static_cast<int>(std::lround(original.height * scale)));
    shrunk.pixels.resize(static_cast<std::size_t>(shrunk.width) *
                         static_cast<std::size_t>(shrunk.height));
    area_average(original, {0, 0, original.width, original.height}, shrunk.width, shrunk.height,
                 shrunk.pixels);
    image = shrunk.view();
    middle_x *= scale;
    middle_y *= scale;
    box_side *= scale;
  }

  // Bilinear, edges repeated.
  double at(double x, double y) const {
    x = std::clamp(x, 0.0, image.width - 1.0);
    y = std::clamp(y, 0.0, image.height - 1.0);
    const int x0 = static_cast<int>(x), y0 = static_cast<int>(y);
    const int x1 = std::min(x0 + 1, image.width - 1), y1 = std::min(y0 + 1, image.height - 1);
    const auto pixel = [&](int column, int row) {
      return static_cast<double>(
          image.pixels[static_cast<std::ptrdiff_t>(row) * image.width + column]);
    };
    const double part_x = x - x0, part_y = y - y0;
    return (1 - part_y) * ((1 - part_x) * pixel(x0, y0) + part_x * pixel(x1, y0)) +
           part_y * ((1 - part_x) * pixel(x0, y1) + part_x * pixel(x1, y1));
  }
};

// The box in the middle, its surroundings turned against the clock by `degrees`.
GrayImage turned(const Neighbourhood& around, double degrees) {
  GrayImage patch{std::vector<std::uint8_t>(std::size_t{kPatchSide} * kPatchSide), kPatchSide,
                  kPatchSide};
  const double angle = degrees * std::numbers::pi / 180, scale = around.box_side / kBoxInPatch;
  const double cosine = scale * std::cos(angle), sine = scale * std::sin(angle);
  std::uint8_t* to = patch.pixels.data();
  for (int row = 0; row < kPatchSide; ++row) {
    for (int column = 0; column < kPatchSide; ++column) {
      const double x = column - (kPatchSide - 1) / 2.0, y = row - (kPatchSide - 1) / 2.0;
      const double gray = around.at(around.middle_x - 0.5 + cosine * x - sine * y,
                                    around.middle_y - 0.5 + sine * x + cosine * y);
      *to++ = static_cast<std::uint8_t>(gray + 0.5);
    }
  }
  return patch;
}

// Of the upright classifiers, for the face in the middle.
double upright_score(FaceDetector& detector, const GrayImage& patch) {
  double best = kNotFound;
  for (const DetectedFace& face : detector.detect(patch.view())) {
    const bool tilted = face.pose == FacePose::tilted_left || face.pose == FacePose::tilted_right;
    const bool in_the_middle = face.box.left < kPatchSide / 2 && face.box.right > kPatchSide / 2 &&
                               face.box.top < kPatchSide / 2 && face.box.bottom > kPatchSide / 2;
    if (!tilted && in_the_middle) best = std::max(best, face.score);
  }
  return best;
}

}  // namespace

std::optional<double> estimate_tilt(ImageView image, const Rectangle& box) {
  const auto detector =
      make_face_detector({.smallest_face = kBoxInPatch * 4 / 5, .least_score = kNotFound / 2});
  const Neighbourhood around(image, box);
  std::array<double, 2 * kSteps + 1> scores;
  for (int step = -kSteps; step <= kSteps; ++step) {
    scores[static_cast<std::size_t>(step + kSteps)] =
        upright_score(*detector, turned(around, step * kStepDegrees));
  }
  const double best = *std::ranges::max_element(scores);
  if (best == kNotFound) return std::nullopt;
  // Scores jump from step to step with the detector's grid: the middle of all that come close.
  constexpr double kClose = 0.5;
  double weights = 0, sum = 0;
  for (int step = -kSteps; step <= kSteps; ++step) {
    const double weight =
        std::max(0.0, scores[static_cast<std::size_t>(step + kSteps)] - (best - kClose));
    weights += weight;
    sum += weight * step * kStepDegrees;
  }
  return sum / weights;
}

}  // namespace ferplus
