// A network ready for inference: batch-norm folded, weights packed as the kernels read them.
#pragma once

#include <memory>
#include <vector>

#include <ferplus/core/buffer.h>
#include <ferplus/nn/fold.h>
#include <ferplus/nn/network.h>

namespace ferplus {

// Weights packed once for the ISA and the convolution algorithms (kernels/conv2d.h) in use at
// construction; a Session refuses it after these have changed. Immutable: sessions and threads may
// share it. Refers to `network` and `parameters`, which must outlive it.
class PreparedModel {
 public:
  PreparedModel(const Network& network, const Parameters& parameters,
                Precision precision = Precision::fp32);

  // Those that run: without the batch-norm that was folded.
  const Network& network() const { return *network_; }
  const Parameters& parameters() const { return *parameters_; }
  Precision precision() const { return precision_; }
  const KernelChoice& kernels() const { return kernels_; }
  // Packed weights of an entry of fused_layers; not to be read if the layer has none.
  const void* weights(std::size_t layer) const;

 private:
  std::unique_ptr<const FoldedNetwork> folded_;  // if there was something to fold
  const Network* network_;
  const Parameters* parameters_;
  Precision precision_;
  KernelChoice kernels_;
  std::vector<std::size_t> offsets_;
  Buffer<std::byte> packed_;
};

}  // namespace ferplus
