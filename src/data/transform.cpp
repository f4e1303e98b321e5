#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>
#include <numbers>

#include <ferplus/core/error.h>
#include <ferplus/core/names.h>
#include <ferplus/data/transform.h>

namespace ferplus {
namespace {

constexpr std::size_t kSide = kInputSide;

// in = out · matrix + offset, in (y, x) row vectors.
struct Affine {
  double yy, yx, xy, xx;  // matrix[from][to]
  double offset_y, offset_x;

  double y(double out_y, double out_x) const { return offset_y + out_y * yy + out_x * xy; }
  double x(double out_y, double out_x) const { return offset_x + out_y * yx + out_x * xx; }
};

Affine input_from_output(const Rectangle& face, const Distortion& d) {
  const double angle = d.angle * std::numbers::pi / 180.0;
  const double cosine = std::cos(angle), sine = std::sin(angle);
  const double side = kInputSide - 1;
  const double stretch_y = d.scale_y * (face.bottom - face.top - 1) / side;
  const double stretch_x = d.scale_x * (face.right - face.left - 1) / side;
  // R · [[1, skew_y], [0, 1]], then · [[1, 0], [skew_x, 1]], then · diag(stretch).
  const double a = cosine, b = cosine * d.skew_y - sine;
  const double c = sine, e = sine * d.skew_y + cosine;
  Affine t{};
  t.yy = (a + b * d.skew_x) * stretch_y;
  t.yx = b * stretch_x;
  t.xy = (c + e * d.skew_x) * stretch_y;
  t.xx = e * stretch_x;
  const double out_y = kInputSide / 2.0 + d.shift_y, out_x = kInputSide / 2.0 + d.shift_x;
  t.offset_y = (face.top + face.bottom) / 2.0 - (out_y * t.yy + out_x * t.xy);
  t.offset_x = (face.left + face.right) / 2.0 - (out_y * t.yx + out_x * t.xx);
  return t;
}

// std::floor is a library call on baseline x86-64.
int floor_to_int(double value) {
  const int truncated = static_cast<int>(value);
  return truncated - (value < truncated ? 1 : 0);
}

// d c b a | a b c d | d c b a, for any distance outside.
int mirror(int index, int size) {
  const int period = 2 * size;
  const int inside = ((index % period) + period) % period;
  return inside < size ? inside : period - 1 - inside;
}

std::uint8_t round_to_gray(double value) { return static_cast<std::uint8_t>(value + 0.5); }

// The sum of the reference, in its order, so that rounding agrees.
double interpolate(std::uint8_t p00, std::uint8_t p01, std::uint8_t p10, std::uint8_t p11,
                   double part_y, double part_x) {
  const double rest_y = 1.0 - part_y, rest_x = 1.0 - part_x;
  return p00 * rest_y * rest_x + p01 * rest_y * part_x + p10 * part_y * rest_x +
         p11 * part_y * part_x;
}

// A copy of the part of the image that a warp reads, mirrored where it lies outside: the inner loop
// then needs no bounds. Faces far larger than the output do not fit and take the slow way.
struct Window {
  static constexpr int kSidePixels = 128;
  int top = 0, left = 0, height = 0, width = 0;
  std::array<std::uint8_t, kSidePixels * kSidePixels> pixels;

  bool cover(const Affine& t) {
    constexpr double kLast = kInputSide - 1;
    const std::array<double, 4> ys{t.y(0, 0), t.y(0, kLast), t.y(kLast, 0), t.y(kLast, kLast)};
    const std::array<double, 4> xs{t.x(0, 0), t.x(0, kLast), t.x(kLast, 0), t.x(kLast, kLast)};
    const auto [low_y, high_y] = std::minmax_element(ys.begin(), ys.end());
    const auto [low_x, high_x] = std::minmax_element(xs.begin(), xs.end());
    if (!(*high_y - *low_y < kSidePixels - 6) || !(*high_x - *low_x < kSidePixels - 6))
      return false;
    // One pixel more on each side: rounding may carry an inner point past the corners.
    top = floor_to_int(*low_y) - 1;
    left = floor_to_int(*low_x) - 1;
    height = floor_to_int(*high_y) + 3 - top;
    width = floor_to_int(*high_x) + 3 - left;
    return true;
  }

  void fill(ImageView image) {
    std::array<int, kSidePixels> columns;
    for (int x = 0; x < width; ++x) {
      columns[static_cast<std::size_t>(x)] = mirror(left + x, image.width);
    }
    const int inner_begin = std::clamp(-left, 0, width);
    const int inner_end = std::clamp(image.width - left, inner_begin, width);
    for (int y = 0; y < height; ++y) {
      const std::uint8_t* from =
          image.pixels + static_cast<std::ptrdiff_t>(mirror(top + y, image.height)) * image.width;
      std::uint8_t* to = pixels.data() + static_cast<std::ptrdiff_t>(y) * kSidePixels;
      for (int x = 0; x < inner_begin; ++x) to[x] = from[columns[static_cast<std::size_t>(x)]];
      if (inner_end > inner_begin) {
        std::memcpy(to + inner_begin, from + left + inner_begin,
                    static_cast<std::size_t>(inner_end - inner_begin));
      }
      for (int x = inner_end; x < width; ++x) to[x] = from[columns[static_cast<std::size_t>(x)]];
    }
  }
};

void warp_within(const Window& window, const Affine& t, std::uint8_t* output) {
  for (int row = 0; row < kInputSide; ++row) {
    const double row_y = t.offset_y + row * t.yy, row_x = t.offset_x + row * t.yx;
    for (int column = 0; column < kInputSide; ++column) {
      const double in_y = row_y + column * t.xy, in_x = row_x + column * t.xx;
      const int y = floor_to_int(in_y), x = floor_to_int(in_x);
      const std::uint8_t* p =
          window.pixels.data() + (y - window.top) * Window::kSidePixels + (x - window.left);
      *output++ = round_to_gray(interpolate(p[0], p[1], p[Window::kSidePixels],
                                            p[Window::kSidePixels + 1], in_y - y, in_x - x));
    }
  }
}

void warp_anywhere(ImageView image, const Affine& t, std::uint8_t* output) {
  for (int row = 0; row < kInputSide; ++row) {
    const double row_y = t.offset_y + row * t.yy, row_x = t.offset_x + row * t.yx;
    for (int column = 0; column < kInputSide; ++column) {
      const double in_y = row_y + column * t.xy, in_x = row_x + column * t.xx;
      const int y = floor_to_int(in_y), x = floor_to_int(in_x);
      const std::uint8_t* upper =
          image.pixels + static_cast<std::ptrdiff_t>(mirror(y, image.height)) * image.width;
      const std::uint8_t* lower =
          image.pixels + static_cast<std::ptrdiff_t>(mirror(y + 1, image.height)) * image.width;
      const int x0 = mirror(x, image.width), x1 = mirror(x + 1, image.width);
      *output++ = round_to_gray(
          interpolate(upper[x0], upper[x1], lower[x0], lower[x1], in_y - y, in_x - x));
    }
  }
}

}  // namespace

Distortion draw_distortion(RandomSequence& random, const DistortionLimits& limits) {
  Distortion d;
  d.shift_y = kInputSide * limits.shift * random.uniform(-1.0, 1.0);
  d.shift_x = kInputSide * limits.shift * random.uniform(-1.0, 1.0);
  d.angle = limits.angle * random.uniform(-1.0, 1.0);
  d.skew_y = limits.skew * random.uniform(-1.0, 1.0);
  d.skew_x = limits.skew * random.uniform(-1.0, 1.0);
  d.scale_y = random.uniform(1.0, limits.scale);
  if (random.coin()) d.scale_y = 1.0 / d.scale_y;
  d.scale_x = random.uniform(1.0, limits.scale);
  if (random.coin()) d.scale_x = 1.0 / d.scale_x;
  d.flip = limits.flip && random.coin();
  return d;
}

void warp(ImageView image, const Rectangle& face, const Distortion& distortion,
          std::span<std::uint8_t> output) {
  assert(output.size() == kInputPixels);
  const Affine transform = input_from_output(face, distortion);
  Window window;
  if (window.cover(transform)) {
    window.fill(image);
    warp_within(window, transform, output.data());
  } else {
    warp_anywhere(image, transform, output.data());
  }
  if (distortion.flip) {
    for (std::size_t y = 0; y < kSide; ++y) {
      std::reverse(output.data() + y * kSide, output.data() + (y + 1) * kSide);
    }
  }
}

Rectangle draw_erasing(RandomSequence& random, const ErasingLimits& limits) {
  constexpr double kSmallestArea = 0.02, kSmallestAspect = 0.3;
  if (random.uniform() >= limits.probability) return {};
  const double area = random.uniform(kSmallestArea, limits.largest_area);
  const double aspect =
      std::exp(random.uniform(std::log(kSmallestAspect), -std::log(kSmallestAspect)));
  const auto side = [](double share) {
    return std::clamp(static_cast<int>(std::lround(kInputSide * std::sqrt(share))), 1, kInputSide);
  };
  const int height = side(area * aspect), width = side(area / aspect);
  const auto place = [&](int size) {
    return static_cast<int>(random.below(static_cast<std::uint32_t>(kInputSide - size + 1)));
  };
  const int top = place(height), left = place(width);
  return {.left = left, .top = top, .right = left + width, .bottom = top + height};
}

void erase(const Rectangle& rectangle, std::span<float> input) {
  assert(input.size() == kInputPixels && rectangle.right <= kInputSide &&
         rectangle.bottom <= kInputSide);
  for (int y = rectangle.top; y < rectangle.bottom; ++y) {
    float* row = input.data() + y * kInputSide;
    std::fill(row + rectangle.left, row + rectangle.right, 0.0F);
  }
}

void normalize(std::span<const std::uint8_t> face, std::span<float> output) {
  assert(face.size() == kInputPixels && output.size() == kInputPixels);
  // Four histograms, so that runs of one gray value do not wait for one counter.
  std::array<std::array<std::int32_t, 256>, 4> histograms{};
  for (std::size_t i = 0; i < kInputPixels; i += 4) {
    for (std::size_t lane = 0; lane < 4; ++lane) ++histograms[lane][face[i + lane]];
  }
  std::array<std::int32_t, 256> cdf;
  std::array<double, 256> equalized;
  std::int32_t reached = 0;
  for (std::size_t gray = 0; gray < 256; ++gray) {
    for (const auto& histogram : histograms) reached += histogram[gray];
    cdf[gray] = reached;
    equalized[gray] = 2.0 * reached / kInputPixels - 1.0;
  }

  // The moments of the cdf about the centre are whole numbers (of half pixels), hence exact: a flat
  // image has residuals of exactly 0.
  std::int64_t moment = 0, moment_x = 0, moment_y = 0;
  for (std::size_t y = 0; y < kSide; ++y) {
    std::int32_t row = 0, row_x = 0;
    for (std::size_t x = 0; x < kSide; ++x) {
      const std::int32_t value = cdf[face[y * kSide + x]];
      row += value;
      row_x += value * (2 * static_cast<std::int32_t>(x) - (kInputSide - 1));
    }
    moment += row;
    moment_x += row_x;
    moment_y += std::int64_t{row} * (2 * static_cast<std::int64_t>(y) - (kInputSide - 1));
  }
  constexpr double kSumOfSquares = 1397760;  // Σ x_c² = Σ y_c² over the 64×64 centred pixels
  const double mean = 2.0 * static_cast<double>(moment) / kInputPixels / kInputPixels - 1.0;
  const double slope_x = static_cast<double>(moment_x) / kInputPixels / kSumOfSquares;
  const double slope_y = static_cast<double>(moment_y) / kInputPixels / kSumOfSquares;

  constexpr double kCentre = (kInputSide - 1) / 2.0;
  std::array<double, kSide> plane_x;
  for (std::size_t x = 0; x < kSide; ++x) {
    plane_x[x] = slope_x * (static_cast<double>(x) - kCentre);
  }
  std::array<double, kInputPixels> residuals;
  std::array<double, 4> squares{};
  for (std::size_t y = 0; y < kSide; ++y) {
    const double row_plane = mean + slope_y * (static_cast<double>(y) - kCentre);
    for (std::size_t x = 0; x < kSide; x += 4) {
      for (std::size_t lane = 0; lane < 4; ++lane) {
        const std::size_t i = y * kSide + x + lane;
        const double residual = equalized[face[i]] - row_plane - plane_x[x + lane];
        residuals[i] = residual;
        squares[lane] += residual * residual;
      }
    }
  }
  const double deviation =
      std::sqrt((squares[0] + squares[1] + squares[2] + squares[3]) / kInputPixels);
  const double scale = deviation > 1e-6 ? 1.0 / deviation : 1.0;
  for (std::size_t i = 0; i < kInputPixels; ++i) {
    output[i] = static_cast<float>(residuals[i] * scale);
  }
}

std::string_view preprocessing_name(Preprocessing preprocessing) {
  return preprocessing == Preprocessing::raw ? "raw" : "ferplus";
}

Preprocessing preprocessing_from_name(std::string_view name) {
  constexpr std::array<std::string_view, 2> kNames{"ferplus", "raw"};
  if (name == kNames[0]) return Preprocessing::ferplus;
  if (name == kNames[1]) return Preprocessing::raw;
  throw UsageError(unknown_name("preprocessing", name, {kNames.begin(), kNames.end()}));
}

void make_input(ImageView image, const Rectangle& face, const Distortion& distortion,
                Preprocessing preprocessing, std::span<float> output) {
  std::array<std::uint8_t, kInputPixels> warped;
  warp(image, face, distortion, warped);
  if (preprocessing == Preprocessing::ferplus) {
    normalize(warped, output);
  } else {
    std::transform(warped.begin(), warped.end(), output.begin(), [](std::uint8_t gray) {
      return (static_cast<float>(gray) - kRawOffset) / kRawDivisor;
    });
  }
}

}  // namespace ferplus
