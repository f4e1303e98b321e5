#include <array>
#include <string>

#include <ferplus/core/error.h>
#include <ferplus/kernels/conv2d.h>
#include <ferplus/kernels/cpu.h>

#include "kernels/blocks.h"
#include "kernels/conv2d_choices.h"
#include "kernels/conv2d_direct.h"
#include "kernels/conv2d_matrix_product.h"
#include "kernels/conv2d_winograd.h"

namespace ferplus {
namespace {

const ConvAlgorithm* forced_algorithm = nullptr;

// Fewer channels than this on either side do not pay for transforming them.
constexpr Index kMinWinogradChannels = 32;
// What the transforms add to the multiplications of a product.
constexpr double kTransformCost = 1.25;

const ConvAlgorithm& next_supporting(const ConvAlgorithm& first, const ConvShape& shape,
                                     ConvPass pass) {
  const ConvAlgorithm* algorithm = &first;
  while (!algorithm->supports(shape, pass)) ++algorithm;
  return *algorithm;
}

const ConvAlgorithm* find_measured(const ConvShape& shape, ConvPass pass) {
  const ConvShape keyed{.batch = shape.batch,
                        .height = shape.height,
                        .width = shape.width,
                        .in_channels = shape.in_channels,
                        .out_channels = shape.out_channels,
                        .out_height = shape.height,
                        .out_width = shape.width,
                        .precision = shape.precision};
  if (shape != keyed) return nullptr;
  for (const MeasuredChoice& choice : measured_choices()) {
    if (choice.pass == pass && choice.height == shape.height && choice.width == shape.width &&
        choice.in_channels == shape.in_channels && choice.out_channels == shape.out_channels &&
        choice.isa == isa_name()) {
      return &conv_algorithm(choice.algorithm);
    }
  }
  return nullptr;
}

// Multiplications for a pair of channels, relative to those of a matrix product.
double cost(const ConvShape& shape, Index tile) {
  const Index tiles = ceil_divide(shape.out_height, tile) * ceil_divide(shape.out_width, tile);
  const Index of_tiles = tiles * (tile + 2) * (tile + 2);
  return kTransformCost * static_cast<double>(of_tiles) /
         static_cast<double>(9 * shape.out_height * shape.out_width);
}

std::string_view name_by_rule(const ConvShape& shape, ConvPass pass) {
  if (conv_algorithm("direct").supports(shape, pass)) return "direct";
  if (!conv_algorithm("winograd4").supports(shape, pass) ||
      shape.in_channels < kMinWinogradChannels || shape.out_channels < kMinWinogradChannels) {
    return "matrix_product";
  }
  const double cost4 = cost(shape, 4), cost2 = cost(shape, 2);
  if (cost4 <= cost2) return cost4 < 1.0 ? "winograd4" : "matrix_product";
  return cost2 < 1.0 ? "winograd2" : "matrix_product";
}

}  // namespace

std::span<const ConvAlgorithm> conv_algorithms() {
  // Fastest first, the one that supports everything last.
  static const std::array<ConvAlgorithm, 5> algorithms{conv2d_direct(), conv2d_winograd4_bf16(),
                                                       conv2d_winograd4(), conv2d_winograd2(),
                                                       conv2d_matrix_product()};
  return algorithms;
}

const ConvAlgorithm& conv_algorithm(std::string_view name) {
  for (const ConvAlgorithm& algorithm : conv_algorithms()) {
    if (algorithm.name == name) return algorithm;
  }
  std::string names;
  for (const ConvAlgorithm& algorithm : conv_algorithms()) {
    names += names.empty() ? "" : ", ";
    names += algorithm.name;
  }
  throw UsageError(concat("there is no convolution algorithm '", name, "'; choose one of ", names));
}

ConvChoice explain_conv_algorithm(const ConvShape& shape, ConvPass pass) {
  if (forced_algorithm != nullptr) {
    return {next_supporting(*forced_algorithm, shape, pass), "forced"};
  }
  const ConvAlgorithm* measured = find_measured(shape, pass);
  const ConvAlgorithm& algorithm =
      measured != nullptr ? *measured : conv_algorithm(name_by_rule(shape, pass));
  const ConvAlgorithm& narrow = conv_algorithm("winograd4_bf16");
  if (algorithm.name == "winograd4" && narrow.supports(shape, pass)) return {narrow, "precision"};
  return {algorithm, measured != nullptr ? "measured" : "rule"};
}

const ConvAlgorithm& choose_conv_algorithm(const ConvShape& shape, ConvPass pass) {
  return explain_conv_algorithm(shape, pass).algorithm;
}

void set_conv_algorithm(std::string_view name) {
  forced_algorithm = name == "auto" ? nullptr : &conv_algorithm(name);
}

}  // namespace ferplus
