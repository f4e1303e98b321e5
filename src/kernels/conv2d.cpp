#include <array>
#include <string>

#include <ferplus/core/error.h>
#include <ferplus/kernels/conv2d.h>

#include "kernels/conv2d_matrix_product.h"
#include "kernels/conv2d_winograd.h"

namespace ferplus {

std::span<const ConvAlgorithm> conv_algorithms() {
  // Fastest first, the one that supports everything last.
  static const std::array<ConvAlgorithm, 3> algorithms{conv2d_winograd4(), conv2d_winograd2(),
                                                       conv2d_matrix_product()};
  return algorithms;
}

const ConvAlgorithm& conv_algorithm(std::string_view name) {
  std::string names;
  for (const ConvAlgorithm& algorithm : conv_algorithms()) {
    if (algorithm.name == name) return algorithm;
    names += names.empty() ? "" : ", ";
    names += algorithm.name;
  }
  throw UsageError(concat("there is no convolution algorithm '", name, "'; choose one of ", names));
}

const ConvAlgorithm& choose_conv_algorithm(const ConvShape& shape, ConvPass pass) {
  for (const ConvAlgorithm& algorithm : conv_algorithms()) {
    if (algorithm.supports(shape, pass)) return algorithm;
  }
  return conv_algorithms().back();
}

}  // namespace ferplus
