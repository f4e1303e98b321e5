#include "data/synth_canvas.h"

#include <vector>

namespace ferplus {

Canvas::Canvas(const Pose& pose) : pixel_(1 / pose.pixels_per_unit) {
  const double cosine = std::cos(pose.angle) * pixel_, sine = std::sin(pose.angle) * pixel_;
  for (int row = 0; row < kSynthSide; ++row) {
    for (int column = 0; column < kSynthSide; ++column) {
      const double x = column + 0.5 - kSynthSide / 2.0 - pose.shift.x;
      const double y = row + 0.5 - kSynthSide / 2.0 - pose.shift.y;
      const auto i = static_cast<std::size_t>(row * kSynthSide + column);
      flat_[i] = {cosine * x + sine * y, cosine * y - sine * x};
      const double bulge =
          std::max(0.0, 1 - 0.6 * (flat_[i].x * flat_[i].x + flat_[i].y * flat_[i].y));
      turned_[i] = {flat_[i].x - pose.turn.x * bulge, flat_[i].y - pose.turn.y * bulge};
    }
  }
}

double ellipse(Point p, Point centre, double half_width, double half_height) {
  const double x = (p.x - centre.x) / half_width, y = (p.y - centre.y) / half_height;
  const double radius = length(x, y);
  if (radius < 1e-6) return -std::min(half_width, half_height);
  // First order: value over length of the gradient.
  const double gradient = length(x / half_width, y / half_height) / radius;
  return (radius - 1) / gradient;
}

Stroke::Stroke(Point from, Point through, Point to, double middle, double ends) {
  low_ = high_ = from;
  for (std::size_t i = 0; i < kPoints; ++i) {
    const double t = static_cast<double>(i) / (kPoints - 1);
    const double a = (1 - t) * (1 - 2 * t), b = 4 * t * (1 - t), c = t * (2 * t - 1);
    points_[i] = {a * from.x + b * through.x + c * to.x, a * from.y + b * through.y + c * to.y};
    radii_[i] = ends + (middle - ends) * b;
    low_ = {std::min(low_.x, points_[i].x), std::min(low_.y, points_[i].y)};
    high_ = {std::max(high_.x, points_[i].x), std::max(high_.y, points_[i].y)};
  }
}

double Stroke::operator()(Point p) const {
  // Outside its box any value will do that is past the edge of what is painted.
  constexpr double kFar = 0.18;
  if (p.x < low_.x - kFar || p.x > high_.x + kFar || p.y < low_.y - kFar || p.y > high_.y + kFar) {
    return kFar;
  }
  double nearest = kFar;
  for (std::size_t i = 0; i + 1 < kPoints; ++i) {
    const Point a = points_[i], along{points_[i + 1].x - a.x, points_[i + 1].y - a.y};
    const double squared = along.x * along.x + along.y * along.y + 1e-12;
    const double t =
        std::clamp(((p.x - a.x) * along.x + (p.y - a.y) * along.y) / squared, 0.0, 1.0);
    const double distance = length(p.x - a.x - t * along.x, p.y - a.y - t * along.y);
    nearest = std::min(nearest, distance - (radii_[i] + t * (radii_[i + 1] - radii_[i])));
  }
  return nearest;
}

void blur(std::span<double> tones, double sigma) {
  const int reach = static_cast<int>(std::ceil(3 * sigma));
  if (reach < 1) return;
  std::vector<double> weights;
  double sum = 0;
  for (int k = -reach; k <= reach; ++k) {
    weights.push_back(std::exp(-0.5 * k * k / (sigma * sigma)));
    sum += weights.back();
  }
  const auto convolve = [&](int along, int across) {
    for (int line = 0; line < kSynthSide; ++line) {
      std::array<double, kSynthSide> source;
      for (int i = 0; i < kSynthSide; ++i) {
        source[static_cast<std::size_t>(i)] =
            tones[static_cast<std::size_t>(line * across + i * along)];
      }
      for (int i = 0; i < kSynthSide; ++i) {
        double value = 0;
        for (int k = -reach; k <= reach; ++k) {
          value += weights[static_cast<std::size_t>(k + reach)] *
                   source[static_cast<std::size_t>(std::clamp(i + k, 0, kSynthSide - 1))];
        }
        tones[static_cast<std::size_t>(line * across + i * along)] = value / sum;
      }
    }
  };
  convolve(1, kSynthSide);
  convolve(kSynthSide, 1);
}

}  // namespace ferplus
