// The chain of layers that an imported graph becomes.
#pragma once

#include <optional>
#include <vector>

#include <ferplus/data/transform.h>
#include <ferplus/nn/fold.h>
#include <ferplus/nn/layers.h>

namespace ferplus::interop {

// Layers are appended one by one, their arrays in file layout (FileLayout, nn/layer.h). What cannot
// follow is an Error that names no place.
class Chain {
 public:
  explicit Chain(const Shape& input) : output_(input) {}

  std::size_t size() const { return layers_.size(); }
  // Of the last layer, batch 1.
  const Shape& output() const { return output_; }

  // `arrays` in the order of the layer's parameters, then of its state.
  void add(LayerOptions options, std::vector<std::vector<float>> arrays);

  // x + value, x·value, x / value per channel (`values` has one entry per channel or a single one):
  // taken into the bias of a convolution or dense layer just before, else a layer of its own.
  void shift(const std::vector<double>& values);
  void scale(const std::vector<double>& values);
  void divide(const std::vector<double>& values);

  // The graph takes gray 0 … 255: what comes first is changed so that the network takes
  // Preprocessing::raw instead.
  void take_raw_input();

  // With batch-norm folded. A network that is one of models.h but for dropout is that one; any
  // other is called `name`, its layers "conv1", "relu1", ….
  FoldedNetwork build(const std::string& name) const;

 private:
  // (x - mean)·weight + bias per channel: a batch-norm whose statistics are given.
  struct Affine {
    std::vector<double> mean, weight, bias;
  };
  struct ChainLayer {
    LayerOptions options;
    std::vector<std::vector<float>> arrays;
    std::optional<Affine> affine;  // instead of the arrays
  };

  Affine& affine();
  std::vector<double> spread(const std::vector<double>& values) const;

  Shape output_;
  std::vector<ChainLayer> layers_;
};

}  // namespace ferplus::interop
