// What a layer is. A layer owns its options only: it is immutable, thread-safe and may be shared by
// networks. Values, gradients, activations and scratch memory belong to others (Parameters,
// Session) and reach it as views.
//
// Backward is the derivative of forward: given dL/d(output) it writes dL/d(input) and dL/d(each
// parameter). Activations are channels-last, [N, H, W, C], or [N, features].
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ferplus/core/random.h>
#include <ferplus/core/tensor.h>
#include <ferplus/kernels/conv2d.h>

namespace ferplus {

// Of a pass. inference: dropout is the identity, batch-norm uses its running statistics, nothing is
// saved.
enum class Phase { inference, training };
// Of a pass, and what weights are packed for (Layer::prepare).
enum class Direction { forward, backward };

// How a parameter's values are laid out in a file (PyTorch's way), as against in memory.
enum class FileLayout {
  same,
  convolution,  // memory [R, S, C, K], file [K, C, R, S]
  dense,        // memory [H·W·C, K] (rows in H, W, C order), file [K, C·H·W]
};

enum class InitialValue { zeros, constant, random };

// One parameter (or one array of untrained state, as batch-norm's running statistics).
struct ParameterSpec {
  std::string name;  // within its layer: "weight"; a Network prefixes the layer's name and a dot
  Shape shape;       // in memory
  InitialValue initial = InitialValue::zeros;
  double constant = 1;            // for InitialValue::constant
  bool decays = false;            // weight decay applies
  Index fan_in = 0, fan_out = 0;  // for InitialValue::random
  FileLayout layout = FileLayout::same;
  Shape dense_input{};  // FileLayout::dense: {H, W, C} or {features}
};

// What a layer needs for inputs of one shape. Bytes are for the whole batch of that shape.
struct LayerPlan {
  Shape output;
  std::vector<ParameterSpec> parameters{};
  std::vector<ParameterSpec> state{};
  // output and input are one buffer, and so are their gradients.
  bool in_place = false;
  std::size_t saved_bytes = 0;    // from forward to backward, training only
  std::size_t scratch_bytes = 0;  // within one call; for thread_count() threads
  std::size_t prepared_forward_bytes = 0, prepared_backward_bytes = 0;
};

// Keys the random draws of one batch: image n draws from (seed, stream, epoch, keys[n]).
struct DrawContext {
  std::uint64_t seed = 0;
  std::uint32_t epoch = 0;
  std::span<const std::uint32_t> keys;
};

struct ForwardArguments {
  Phase phase;
  ConstTensorView input;
  TensorView output;
  std::span<const ConstTensorView> parameters;
  std::span<const TensorView> state;  // training updates running statistics
  const void* prepared;               // what prepare(…, Direction::forward, …) wrote
  void* saved;                        // null at inference
  void* scratch;
  DrawContext draws;
};

struct BackwardArguments {
  ConstTensorView input;       // of forward; for an in-place layer its output
  ConstTensorView output;      // of forward; later in-place layers may have changed it (see ReLU)
  TensorView output_gradient;  // may be overwritten
  TensorView input_gradient;   // data is null where nobody wants it (the first layer)
  std::span<const ConstTensorView> parameters;
  std::span<const TensorView> parameter_gradients;  // overwritten
  const void* prepared;  // what prepare(…, Direction::backward, …) wrote
  const void* saved;
  void* scratch;
  // The gradient of a ReLU that ends a layer is applied once: by the next layer if that can
  // (can_apply_input_relu_gradient), which saves a pass over memory, else by the layer itself. The
  // flags tell each side.
  bool apply_input_relu_gradient = false;  // input is a ReLU's: write the gradient before it
  // output_gradient is already the one before this layer's own ReLU.
  bool output_relu_gradient_applied = false;
};

// What may follow a layer within the layer itself, so that its output is written once: a ReLU, then
// a 2×2 max-pooling of stride 2.
struct Tail {
  bool relu = false;
  bool pool = false;
  bool operator==(const Tail&) const = default;
};

struct LayerOptions;  // layers.h

class Layer {
 public:
  virtual ~Layer() = default;
  // As in the layer table (layers.h): "conv2d".
  virtual std::string_view kind() const = 0;
  // All that the layer is: make_layer (layers.h) builds the same one from them.
  virtual LayerOptions options() const = 0;
  // One line for `info`: "conv2d 3x3, 64 filters".
  virtual std::string describe() const = 0;
  // What a convolution computes for an input of this shape; nothing for other layers.
  virtual std::optional<ConvShape> convolution(const Shape& /*input*/) const {
    return std::nullopt;
  }
  // `input` includes the batch. Throws Error if the layer cannot take that shape.
  virtual LayerPlan plan(const Shape& input, Phase phase) const = 0;
  // This layer as the tail of another, or nothing if it cannot be one.
  virtual std::optional<Tail> as_tail() const { return std::nullopt; }
  // A layer with the same parameters that does this one's work and then the tail's, for inputs of
  // this shape; null if there is none. Equal to the two one after the other within rounding.
  virtual std::unique_ptr<Layer> with_tail(const Tail& /*tail*/, const Shape& /*input*/) const {
    return nullptr;
  }
  // See BackwardArguments.
  virtual bool ends_with_relu() const { return false; }
  virtual bool can_apply_input_relu_gradient() const { return false; }
  // This layer with operands of its products rounded; null if it has none to round.
  virtual std::unique_ptr<Layer> with_precision(Precision /*precision*/) const { return nullptr; }
  // Packs weights; does nothing for layers without prepared bytes. `input` as for plan.
  virtual void prepare(const Shape& /*input*/, Direction /*direction*/,
                       std::span<const ConstTensorView> /*parameters*/, void* /*prepared*/) const {}
  // Neither allocates nor throws.
  virtual void forward(const ForwardArguments& arguments) const = 0;
  virtual void backward(const BackwardArguments& arguments) const = 0;
};

}  // namespace ferplus
