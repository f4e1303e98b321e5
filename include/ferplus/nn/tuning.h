// Which convolution algorithms train a network fastest on this machine.
#pragma once

#include <vector>

#include <ferplus/core/progress.h>
#include <ferplus/kernels/conv2d.h>
#include <ferplus/nn/network.h>

namespace ferplus {

// Measures (kernels/conv2d_measure.h) every pass of training of every convolution with 3x3 kernels,
// stride 1 and padding that keeps the size, on `batch` images; the first layer's input needs no
// gradient. Each shape and pass once, in the order of the network. For ConvSelection::tuned.
// `progress` counts these.
std::vector<TunedConv> tune_convolutions(const Network& network, Index batch,
                                         const Progress& progress = {});

}  // namespace ferplus
