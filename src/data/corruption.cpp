#include <algorithm>
#include <array>
#include <cmath>

#include <ferplus/core/error.h>
#include <ferplus/data/corruption.h>
#include <ferplus/data/face_crop.h>
#include <ferplus/data/transform.h>

namespace ferplus {
namespace {

std::uint8_t gray(double value) {
  return static_cast<std::uint8_t>(std::clamp(std::floor(value + 0.5), 0.0, 255.0));
}

// Each pixel by itself.
template <typename Change>
GrayImage changed(ImageView image, const Rectangle& face, Change change) {
  GrayImage result = cut_out(image, face);
  for (std::uint8_t& pixel : result.pixels) pixel = gray(change(static_cast<double>(pixel)));
  return result;
}

// The mean of `count` values `step` apart around place i, weighted; those outside are the nearest.
double weighted(const double* values, int i, int count, int step, std::span<const double> weights) {
  const int radius = static_cast<int>(weights.size() / 2);
  double sum = 0;
  for (int d = -radius; d <= radius; ++d) {
    sum += weights[static_cast<std::size_t>(d + radius)] *
           values[std::clamp(i + d, 0, count - 1) * step];
  }
  return sum;
}

GrayImage blur(ImageView image, const Rectangle& face, double sigma, RandomSequence&) {
  GrayImage result = cut_out(image, face);
  const int width = result.width, height = result.height;
  const int radius = static_cast<int>(std::ceil(3 * sigma));
  std::vector<double> weights;
  double total = 0;
  for (int d = -radius; d <= radius; ++d) {
    total += weights.emplace_back(std::exp(-d * d / (2 * sigma * sigma)));
  }
  for (double& weight : weights) weight /= total;
  const std::vector<double> from(result.pixels.begin(), result.pixels.end());
  std::vector<double> across(from.size());
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      across[static_cast<std::size_t>(y * width + x)] =
          weighted(from.data() + y * width, x, width, 1, weights);
    }
  }
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      result.pixels[static_cast<std::size_t>(y * width + x)] =
          gray(weighted(across.data() + x, y, height, width, weights));
    }
  }
  return result;
}

GrayImage rotate(ImageView image, const Rectangle& face, double degrees, RandomSequence& random) {
  GrayImage result{std::vector<std::uint8_t>(kInputPixels), kInputSide, kInputSide};
  warp(image, face, {.angle = random.coin() ? degrees : -degrees}, result.pixels);
  return result;
}

GrayImage brighten(ImageView image, const Rectangle& face, double factor, RandomSequence&) {
  return changed(image, face, [&](double value) { return factor * value; });
}

GrayImage flatten(ImageView image, const Rectangle& face, double factor, RandomSequence&) {
  constexpr double kMiddle = 127.5;
  return changed(image, face, [&](double value) { return kMiddle + factor * (value - kMiddle); });
}

GrayImage add_noise(ImageView image, const Rectangle& face, double sigma, RandomSequence& random) {
  return changed(image, face, [&](double value) { return value + sigma * random.normal(); });
}

// Edges as shares of the face's sides.
GrayImage cover(ImageView image, const Rectangle& face, double left, double top, double right,
                double bottom) {
  GrayImage result = cut_out(image, face);
  const auto at = [](double share, int size) {
    return static_cast<int>(std::lround(share * size));
  };
  const int first = at(left, result.width), last = at(right, result.width);
  for (int y = at(top, result.height); y < at(bottom, result.height); ++y) {
    std::fill_n(result.pixels.begin() + y * result.width + first, last - first, std::uint8_t{0});
  }
  return result;
}

GrayImage cover_eyes(ImageView image, const Rectangle& face, double, RandomSequence&) {
  return cover(image, face, 0, 0.25, 1, 0.5);
}

GrayImage cover_mouth(ImageView image, const Rectangle& face, double, RandomSequence&) {
  return cover(image, face, 0, 0.65, 1, 0.9);
}

GrayImage cover_half(ImageView image, const Rectangle& face, double, RandomSequence&) {
  return cover(image, face, 0, 0, 0.5, 1);
}

GrayImage shrink(ImageView image, const Rectangle& face, double side, RandomSequence&) {
  GrayImage result{{},
                   std::min(face.right - face.left, static_cast<int>(side)),
                   std::min(face.bottom - face.top, static_cast<int>(side))};
  result.pixels.resize(static_cast<std::size_t>(result.width * result.height));
  area_average(image, face, result.width, result.height, result.pixels);
  return result;
}

constexpr std::array<Corruption, 21> kCorruptions{{
    {"blur", "sigma 0.5 px", blur, 0.5},    {"blur", "sigma 1 px", blur, 1},
    {"blur", "sigma 1.5 px", blur, 1.5},    {"blur", "sigma 2 px", blur, 2},
    {"rotation", "15°", rotate, 15},        {"rotation", "30°", rotate, 30},
    {"rotation", "45°", rotate, 45},        {"brightness", "x 1.5", brighten, 1.5},
    {"brightness", "x 2", brighten, 2},     {"darkness", "x 0.5", brighten, 0.5},
    {"darkness", "x 0.25", brighten, 0.25}, {"contrast", "x 0.5", flatten, 0.5},
    {"contrast", "x 0.25", flatten, 0.25},  {"noise", "sigma 10", add_noise, 10},
    {"noise", "sigma 20", add_noise, 20},   {"occlusion", "eyes", cover_eyes, 0},
    {"occlusion", "mouth", cover_mouth, 0}, {"occlusion", "left half", cover_half, 0},
    {"size", "32 px", shrink, 32},          {"size", "24 px", shrink, 24},
    {"size", "16 px", shrink, 16},
}};

}  // namespace

std::span<const Corruption> corruptions() { return kCorruptions; }

Dataset corrupted(const Dataset& dataset, std::span<const std::size_t> samples,
                  const Corruption& corruption) {
  Dataset result;
  result.source = concat(dataset.source, ", ", corruption.kind, " ", corruption.level);
  for (const std::size_t index : samples) {
    Sample sample = dataset.samples[index];
    RandomSequence random({.stream = Stream::corruption, .sample = sample.draw_key});
    const GrayImage worse =
        corruption.apply(dataset.image(sample), sample.face, corruption.amount, random);
    sample.face = {0, 0, worse.width, worse.height};
    sample.width = worse.width;
    sample.height = worse.height;
    sample.pixel_offset = result.pixels.size();
    result.pixels.insert(result.pixels.end(), worse.pixels.begin(), worse.pixels.end());
    ++result.rows[static_cast<std::size_t>(sample.split)];
    result.samples.push_back(std::move(sample));
  }
  return result;
}

}  // namespace ferplus
