#include <algorithm>

#include <ferplus/core/buffer.h>
#include <ferplus/core/eigen.h>
#include <ferplus/core/error.h>
#include <ferplus/core/parallel.h>
#include <ferplus/kernels/gemm.h>
#include <ferplus/nn/layers.h>

namespace ferplus {
namespace {

Index features(const Shape& input) { return input[0] == 0 ? 0 : input.elements() / input[0]; }

class Dense final : public Layer {
 public:
  explicit Dense(const DenseOptions& options) : options_(options) {
    if (options.units < 1) throw UsageError("dense needs at least one unit");
  }

  std::string_view kind() const override { return "dense"; }
  LayerOptions options() const override { return options_; }
  std::string describe() const override { return concat("dense ", options_.units); }

  std::unique_ptr<Layer> with_precision(Precision precision) const override {
    DenseOptions options = options_;
    options.precision = precision;
    return make_dense(options);
  }

  LayerPlan plan(const Shape& input, Phase phase) const override {
    const Index inputs = features(input), units = options_.units;
    LayerPlan plan;
    plan.output = {input[0], units};
    const Shape dense_input =
        input.rank() == 4 ? Shape{input[1], input[2], input[3]} : Shape{inputs};
    plan.parameters = {{.name = "weight",
                        .shape = {inputs, units},
                        .initial = InitialValue::random,
                        .decays = true,
                        .fan_in = inputs,
                        .fan_out = units,
                        .layout = FileLayout::dense,
                        .dense_input = dense_input}};
    if (options_.bias) plan.parameters.push_back({.name = "bias", .shape = {units}});
    plan.prepared_forward_bytes = packed_bytes(inputs, units, precision(inputs));
    plan.scratch_bytes = gemm_workspace_bytes(thread_count());
    if (phase == Phase::training) {
      plan.scratch_bytes = std::max(BackwardScratch(input[0], inputs, units).bytes,
                                    gemm_transposed_workspace_bytes(input[0], thread_count()));
    }
    return plan;
  }

  void prepare(const Shape&, Direction direction, std::span<const ConstTensorView> parameters,
               void* prepared) const override {
    if (direction == Direction::backward) return;
    const Index inputs = parameters[0].shape[0], units = options_.units;
    if (precision(inputs) == Precision::bf16) {
      pack_bf16(inputs, units, parameters[0].data, units, prepared);
    } else {
      pack(inputs, units, parameters[0].data, units, Transposed::no, prepared);
    }
  }

  void forward(const ForwardArguments& a) const override {
    const Index inputs = features(a.input.shape);
    gemm(a.input.batch(), options_.units, inputs, a.input.data, inputs, a.prepared, a.output.data,
         options_.units, a.scratch,
         {.bias = options_.bias ? a.parameters[1].data : nullptr, .precision = precision(inputs)});
  }

  void backward(const BackwardArguments& a) const override {
    const Index inputs = features(a.input.shape), units = options_.units;
    const Index batch = a.input.batch();
    gemm_transposed(inputs, units, batch, a.input.data, inputs, a.output_gradient.data, units,
                    a.parameter_gradients[0].data, units, a.scratch);
    if (options_.bias) sum_rows(a.output_gradient, a.parameter_gradients[1].data);
    if (!a.input_gradient) return;
    // Computed transposed, as weight · output_gradientᵀ: of the factors that could be packed,
    // output_gradientᵀ (units × batch) is smaller than weightᵀ (units × inputs).
    const BackwardScratch scratch(batch, inputs, units);
    auto* const packed = static_cast<std::byte*>(a.scratch);
    auto* const transposed = reinterpret_cast<float*>(packed + scratch.transposed_offset);
    pack(units, batch, a.output_gradient.data, units, Transposed::yes, packed);
    gemm(inputs, batch, units, a.parameters[0].data, units, packed, transposed, batch,
         packed + scratch.workspace_offset);
    transpose(inputs, batch, transposed, batch, a.input_gradient.data, inputs);
  }

 private:
  Precision precision(Index inputs) const {
    return takes_bf16(inputs) ? options_.precision : Precision::fp32;
  }

  // What the scratch of backward holds, in bytes from its beginning.
  struct BackwardScratch {
    BackwardScratch(Index batch, Index inputs, Index units)
        : transposed_offset(align_up(packed_bytes(units, batch))),
          workspace_offset(transposed_offset +
                           align_up(static_cast<std::size_t>(inputs * batch) * sizeof(float))),
          bytes(workspace_offset + gemm_workspace_bytes(thread_count())) {}

    // Behind the packed output_gradientᵀ: input_gradientᵀ, and what the product needs.
    std::size_t transposed_offset, workspace_offset, bytes;
  };

  static void sum_rows(ConstTensorView rows, float* sums) {
    const auto matrix = as_matrix(rows);
    parallel_for(matrix.cols(), [&](Index column) {
      sums[column] = tree_sum(matrix.rows(), [&](Index row) { return matrix(row, column); });
    });
  }

  DenseOptions options_;
};

}  // namespace

std::unique_ptr<Layer> make_dense(const DenseOptions& options) {
  return std::make_unique<Dense>(options);
}

}  // namespace ferplus
