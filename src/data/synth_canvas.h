// A 48×48 gray canvas that is painted with shapes given as signed distances. Coverage falls off
// linearly over one pixel at a shape's edge, so edges are smooth without supersampling.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ferplus {

inline constexpr int kSynthSide = 48;

struct Point {
  double x = 0, y = 0;
};

// std::hypot, which guards against overflow, takes most of the time.
inline double length(double x, double y) { return std::sqrt(x * x + y * y); }

// From the canvas to the coordinates of shapes: origin in the middle of the face, x to the right, y
// down, one unit about half the height of a face.
struct Pose {
  double pixels_per_unit = 21;
  double angle = 0;  // radians
  Point shift;       // pixels
  // How far the middle of a face, which bulges towards the viewer, moves when the head turns.
  Point turn;  // units
};

class Canvas {
 public:
  explicit Canvas(const Pose& pose);

  double pixel() const { return pixel_; }
  std::span<double> tones() { return tones_; }
  std::span<const double> tones() const { return tones_; }

  // Tones are 0 (black) to 1. `distance(point)` is negative inside, in units; `blur` widens the
  // edge, in units. `flat` shapes ignore `turn`: what lies behind the face.
  struct Paint {
    double tone = 0, opacity = 1, blur = 0;
    bool flat = false;
  };
  template <typename Distance>
  void paint(const Paint& paint, Distance&& distance) {
    blend(paint, distance, [&](double tone) { return paint.tone - tone; });
  }
  // Multiplies tones by `tone` instead of replacing them: folds and shadows.
  template <typename Distance>
  void shade(const Paint& paint, Distance&& distance) {
    blend(paint, distance, [&](double tone) { return tone * (paint.tone - 1); });
  }
  // For each pixel, tone = function(point, tone).
  template <typename Function>
  void map(Function&& function) {
    for (std::size_t i = 0; i < tones_.size(); ++i) tones_[i] = function(flat_[i], tones_[i]);
  }

 private:
  template <typename Distance, typename Change>
  void blend(const Paint& paint, Distance&& distance, Change&& change) {
    const double edge = pixel_ + paint.blur;
    const auto& points = paint.flat ? flat_ : turned_;
    for (std::size_t i = 0; i < tones_.size(); ++i) {
      const double coverage = std::min(0.5 - distance(points[i]) / edge, 1.0);
      if (coverage > 0) tones_[i] += coverage * paint.opacity * change(tones_[i]);
    }
  }

  static constexpr std::size_t kPixels = std::size_t{kSynthSide} * kSynthSide;
  double pixel_;
  std::array<double, kPixels> tones_{};
  std::array<Point, kPixels> flat_, turned_;
};

// Signed distances. That of the ellipse is exact on its edge and close to it only.
inline double circle(Point p, Point centre, double radius) {
  return length(p.x - centre.x, p.y - centre.y) - radius;
}
double ellipse(Point p, Point centre, double half_width, double half_height);

// A curve through three points (quadratic in its parameter), as thick as `middle` in the middle and
// `ends` at its ends.
class Stroke {
 public:
  Stroke(Point from, Point through, Point to, double middle, double ends);
  double operator()(Point p) const;

 private:
  static constexpr std::size_t kPoints = 9;
  std::array<Point, kPoints> points_;
  std::array<double, kPoints> radii_;
  Point low_, high_;
};

// Convolves with a Gaussian of `sigma` pixels, edges repeated.
void blur(std::span<double> tones, double sigma);

}  // namespace ferplus
