// Convolutions and poolings.
#include <algorithm>

#include "interop/onnx_graph.h"

namespace ferplus::interop {
namespace {

constexpr std::int64_t kMaxWindow = 256;

// A pair of attributes for rows and columns.
struct Pair {
  std::int64_t rows, columns;
};

Pair pair_attribute(const Node& node, const char* name, Pair fallback) {
  const auto values = node.integers(name);
  if (!values) return fallback;
  if (values->size() != 2) throw Error(concat("its ", name, " are not two numbers"));
  for (const std::int64_t v : *values) {
    if (v < 1 || v > kMaxWindow) {
      throw Error(concat("its ", name, " are not from 1 to ", kMaxWindow));
    }
  }
  return {(*values)[0], (*values)[1]};
}

std::int64_t stride_attribute(const Node& node) {
  const Pair strides = pair_attribute(node, "strides", {1, 1});
  if (strides.rows != strides.columns) {
    throw Error("its strides differ between rows and columns, which is not supported");
  }
  return strides.rows;
}

// Padding along one axis that gives ceil(size / stride) windows, in all.
Index same_padding(Index size, Index window, Index stride) {
  return std::max<Index>((size - 1) / stride * stride + window - size, 0);
}

Padding padding_attribute(const Node& node, const Shape& image, Pair window, std::int64_t stride) {
  const std::string automatic = node.text("auto_pad", "NOTSET");
  const auto pads = node.integers("pads");
  if (automatic == "SAME_UPPER" || automatic == "SAME_LOWER") {
    const Index rows = same_padding(image[1], window.rows, stride);
    const Index columns = same_padding(image[2], window.columns, stride);
    const Index top = automatic == "SAME_UPPER" ? rows / 2 : rows - rows / 2;
    const Index left = automatic == "SAME_UPPER" ? columns / 2 : columns - columns / 2;
    return {top, left, rows - top, columns - left};
  }
  if (automatic == "VALID" || (automatic == "NOTSET" && !pads)) return {};
  if (automatic != "NOTSET") throw Error(concat("its auto_pad '", automatic, "' is unknown"));
  if (pads->size() != 4) throw Error("its pads are not four numbers");
  for (const std::int64_t v : *pads) {
    if (v < 0 || v >= kMaxWindow) {
      throw Error(concat("its pads are not from 0 to ", kMaxWindow - 1));
    }
  }
  return {(*pads)[0], (*pads)[1], (*pads)[2], (*pads)[3]};
}

// What ceil_mode adds at the end of an axis.
Index ceil_padding(Index size, Index before, Index after, Index window, Index stride) {
  const Index rest = size + before + after - window;
  if (rest < 0 || rest % stride == 0) return 0;
  // A window that would begin behind the image is left out.
  return (rest / stride + 1) * stride < size + before ? stride - rest % stride : 0;
}

// The image that a window slides over, with what a Pad added.
Shape padded_image(const OperatorContext& c) {
  c.input.check_image();
  const Shape& image = c.chain.output();
  if (image.rank() != 4) throw Error("it follows a dense layer, which is not supported");
  const Padding& zeros = c.input.zeros;
  return {1, zeros.top + image[1] + zeros.bottom, zeros.left + image[2] + zeros.right, image[3]};
}

struct Pool {
  Pair window;
  std::int64_t stride;
  Padding padding;
  bool extended;  // by ceil_mode
};

Pool pool_attributes(const OperatorContext& c) {
  if (!c.node.integers("kernel_shape")) throw Error("it has no kernel_shape");
  const Pair window = pair_attribute(c.node, "kernel_shape", {1, 1});
  const Pair dilations = pair_attribute(c.node, "dilations", {1, 1});
  if (dilations.rows != 1 || dilations.columns != 1) throw Error("its dilations are not supported");
  const std::int64_t stride = stride_attribute(c.node);
  const Shape image = padded_image(c);
  Padding p = padding_attribute(c.node, image, window, stride);
  const Padding before = p;
  if (c.node.integer("ceil_mode", 0) != 0) {
    p.bottom += ceil_padding(image[1], p.top, p.bottom, window.rows, stride);
    p.right += ceil_padding(image[2], p.left, p.right, window.columns, stride);
  }
  return {window, stride, p, p != before};
}

// [K, C / group, R, S] as the full [K, C, side, side], zeros elsewhere.
std::vector<float> full_weights(const Constant& weights, std::int64_t channels, std::int64_t group,
                                Pair dilations, std::int64_t side) {
  const std::int64_t filters = weights.dims[0], depth = weights.dims[1];
  const std::int64_t rows = weights.dims[2], columns = weights.dims[3];
  std::vector<float> full(static_cast<std::size_t>(filters * channels * side * side), 0.0f);
  const float* from = weights.reals()->data();
  for (std::int64_t k = 0; k < filters; ++k) {
    const std::int64_t first_channel = k / (filters / group) * depth;
    for (std::int64_t c = 0; c < depth; ++c) {
      for (std::int64_t r = 0; r < rows; ++r) {
        for (std::int64_t s = 0; s < columns; ++s) {
          const std::int64_t to =
              ((k * channels + first_channel + c) * side + r * dilations.rows) * side +
              s * dilations.columns;
          full[static_cast<std::size_t>(to)] = *from++;
        }
      }
    }
  }
  return full;
}

}  // namespace

Activation pad_operator(const OperatorContext& c) {
  const auto pads = list_argument(c.node, "pads", c.optional(1));
  const std::size_t rank = c.input.rank();
  if (!pads || pads->size() != 2 * rank) throw Error("its pads are not two for each axis");
  const std::string mode = c.node.text("mode", "constant");
  const bool given = c.optional(2) != nullptr;
  if (given && c.weights(2).size() != 1) throw Error("it pads with more than one value");
  const float value = given ? c.weights(2).reals()->front() : c.node.real("value", 0);
  if (std::ranges::all_of(*pads, [](std::int64_t v) { return v == 0; })) return c.input;
  c.input.check_image();
  for (std::size_t i = 0; i < pads->size(); ++i) {
    if ((*pads)[i] < 0 || (*pads)[i] >= kMaxWindow || (i % rank < 2 && (*pads)[i] != 0)) {
      throw Error("its pads are not those of an image");
    }
  }
  if (mode != "constant" || value != 0) throw Error("it pads with something else than zeros");
  Activation result = c.input;
  result.zeros = {(*pads)[2], (*pads)[3], (*pads)[6], (*pads)[7]};
  return result;
}

Activation conv_operator(const OperatorContext& c) {
  if (c.input_place != 0) throw Error("its weights are no constant");
  const Shape image = padded_image(c);
  const Constant& weights = c.weights(1);
  const std::int64_t group = c.node.integer("group", 1);
  if (weights.dims.size() != 4 || weights.size() == 0 || group < 1 || group > image[3] ||
      weights.dims[1] * group != image[3] || weights.dims[0] % group != 0) {
    throw Error(concat("its weights of ", dims_text(weights.dims), " in ", group,
                       " groups do not fit an input of ", image[3], " channels"));
  }
  const Pair kernel{weights.dims[2], weights.dims[3]};
  const Pair stated = pair_attribute(c.node, "kernel_shape", kernel);
  if (stated.rows != kernel.rows || stated.columns != kernel.columns) {
    throw Error("its kernel_shape is not that of its weights");
  }
  if (kernel.rows > kMaxWindow || kernel.columns > kMaxWindow) {
    throw Error(concat("its kernel is larger than ", kMaxWindow));
  }
  const Pair dilations = pair_attribute(c.node, "dilations", {1, 1});
  const std::int64_t stride = stride_attribute(c.node);
  const Pair window{(kernel.rows - 1) * dilations.rows + 1,
                    (kernel.columns - 1) * dilations.columns + 1};
  Padding padding = padding_attribute(c.node, image, window, stride);
  const Padding& zeros = c.input.zeros;
  padding = {padding.top + zeros.top, padding.left + zeros.left, padding.bottom + zeros.bottom,
             padding.right + zeros.right};

  // A square kernel whose last rows or columns are zeros, over as much more padding.
  const std::int64_t side = std::max(window.rows, window.columns);
  if (side > kMaxWindow) throw Error(concat("its dilated kernel is larger than ", kMaxWindow));
  padding.bottom += side - window.rows;
  padding.right += side - window.columns;
  const Index rows = same_padding(c.chain.output()[1], side, stride);
  const Index columns = same_padding(c.chain.output()[2], side, stride);
  const Padding same{rows / 2, columns / 2, rows - rows / 2, columns - columns / 2};

  const std::int64_t filters = weights.dims[0];
  c.budget.spend(Dims{filters, image[3], side, side});
  c.chain.add(Conv2dOptions{.filters = filters,
                            .kernel = side,
                            .stride = stride,
                            .bias = false,
                            .padding = padding == same ? std::nullopt : std::optional(padding)},
              {full_weights(weights, image[3], group, dilations, side)});
  if (c.optional(2) != nullptr) {
    const Constant& bias = c.weights(2);
    if (static_cast<std::int64_t>(bias.size()) != filters) {
      throw Error(concat("its bias of ", dims_text(bias.dims), " is not one per filter"));
    }
    c.chain.shift({bias.reals()->begin(), bias.reals()->end()});
  }
  return c.output();
}

Activation max_pool_operator(const OperatorContext& c) {
  const Pool pool = pool_attributes(c);
  c.node.integer("storage_order", 0);  // of the second output, which nothing may use
  if (pool.window.rows != pool.window.columns) {
    throw Error("its windows are not square, which is not supported");
  }
  c.chain.add(
      MaxPoolOptions{.size = pool.window.rows, .stride = pool.stride, .padding = pool.padding}, {});
  return c.output();
}

Activation average_pool_operator(const OperatorContext& c) {
  const Pool pool = pool_attributes(c);
  const bool count_padding = c.node.integer("count_include_pad", 0) != 0;
  if (pool.extended && count_padding) {
    throw Error("its ceil_mode with count_include_pad is not supported");
  }
  // Zeros of a Pad count; with padding of the pooling's own they would have to be told apart.
  const bool after_pad = c.input.zeros != Padding{};
  if (after_pad && pool.padding != Padding{}) {
    throw Error("its padding after a Pad is not supported");
  }
  const Padding padding = after_pad ? c.input.zeros : pool.padding;
  c.chain.add(
      AveragePoolOptions{.height = pool.window.rows,
                         .width = pool.window.columns,
                         .stride = pool.stride,
                         .padding = padding,
                         .count_padding = after_pad || (count_padding && padding != Padding{})},
      {});
  return c.output();
}

Activation global_average_pool_operator(const OperatorContext& c) {
  const Shape image = padded_image(c);
  c.chain.add(AveragePoolOptions{.height = image[1], .width = image[2], .stride = 1}, {});
  return c.output();
}

}  // namespace ferplus::interop
