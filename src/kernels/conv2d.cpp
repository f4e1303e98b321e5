#include <array>
#include <string_view>
#include <vector>

#include <ferplus/core/error.h>
#include <ferplus/core/names.h>
#include <ferplus/kernels/conv2d.h>
#include <ferplus/kernels/cpu.h>

#include "kernels/blocks.h"
#include "kernels/conv2d_choices.h"
#include "kernels/conv2d_direct.h"
#include "kernels/conv2d_matrix_product.h"
#include "kernels/conv2d_winograd.h"

namespace ferplus {
namespace {

ConvSelection selection;
const ConvAlgorithm* forced_algorithm = nullptr;  // of that selection

constexpr std::array<std::string_view, kConvPasses> kPassNames{"forward", "backward_data",
                                                               "backward_weights"};

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

// The convolution of that input and output with 3x3 kernels, stride 1 and padding that keeps the
// size.
ConvShape same_size_3x3(const ConvShape& shape) {
  return {.batch = shape.batch,
          .height = shape.height,
          .width = shape.width,
          .in_channels = shape.in_channels,
          .out_channels = shape.out_channels,
          .out_height = shape.height,
          .out_width = shape.width,
          .precision = shape.precision};
}

const ConvAlgorithm* find_tuned(const ConvShape& shape, ConvPass pass) {
  for (const TunedConv& row : selection.tuned) {
    if (row.applies_to(shape, pass)) return &conv_algorithm(row.algorithm);
  }
  return nullptr;
}

const ConvAlgorithm* find_measured(const ConvShape& shape, ConvPass pass) {
  if (shape != same_size_3x3(shape)) return nullptr;
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
  std::vector<std::string_view> names;
  for (const ConvAlgorithm& algorithm : conv_algorithms()) names.push_back(algorithm.name);
  throw UsageError(unknown_name("convolution algorithm", name, names));
}

std::string_view conv_pass_name(ConvPass pass) { return kPassNames[static_cast<int>(pass)]; }

ConvPass conv_pass_from_name(std::string_view name) {
  for (ConvPass pass : kAllConvPasses) {
    if (conv_pass_name(pass) == name) return pass;
  }
  throw UsageError(unknown_name("pass", name, {kPassNames.begin(), kPassNames.end()}));
}

ConvChoice explain_conv_algorithm(const ConvShape& shape, ConvPass pass) {
  if (forced_algorithm != nullptr) {
    return {next_supporting(*forced_algorithm, shape, pass), "forced"};
  }
  const ConvAlgorithm* algorithm = find_tuned(shape, pass);
  std::string_view reason = "autotuned";
  if (algorithm == nullptr) {
    algorithm = find_measured(shape, pass);
    reason = "measured";
  }
  if (algorithm == nullptr) {
    algorithm = &conv_algorithm(name_by_rule(shape, pass));
    reason = "rule";
  }
  const ConvAlgorithm& narrow = conv_algorithm("winograd4_bf16");
  if (algorithm->name == "winograd4" && narrow.supports(shape, pass)) return {narrow, "precision"};
  return {*algorithm, reason};
}

const ConvAlgorithm& choose_conv_algorithm(const ConvShape& shape, ConvPass pass) {
  return explain_conv_algorithm(shape, pass).algorithm;
}

ConvShape TunedConv::shape(Index batch) const {
  return same_size_3x3({.batch = batch,
                        .height = height,
                        .width = width,
                        .in_channels = in_channels,
                        .out_channels = out_channels});
}

bool TunedConv::applies_to(const ConvShape& other, ConvPass other_pass) const {
  ConvShape own = shape(other.batch);
  own.precision = other.precision;
  return pass == other_pass && own == other;
}

void validate(const ConvSelection& candidate) {
  if (candidate.algorithm != "auto") conv_algorithm(candidate.algorithm);
  for (const TunedConv& row : candidate.tuned) {
    if (!conv_algorithm(row.algorithm).supports(row.shape(1), row.pass)) {
      throw UsageError(concat("convolution algorithm '", row.algorithm, "' cannot run the ",
                              conv_pass_name(row.pass), " pass of ", row.height, "x", row.width,
                              " with ", row.in_channels, " channels in and ", row.out_channels,
                              " out"));
    }
  }
}

const ConvSelection& conv_selection() { return selection; }

void set_conv_selection(ConvSelection wanted) {
  validate(wanted);
  selection = std::move(wanted);
  forced_algorithm = selection.algorithm == "auto" ? nullptr : &conv_algorithm(selection.algorithm);
}

void set_conv_algorithm(std::string_view name) {
  ConvSelection wanted = selection;
  wanted.algorithm = name;
  set_conv_selection(std::move(wanted));
}

}  // namespace ferplus
