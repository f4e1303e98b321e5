// Convolution of 1 to 4 channels with 3x3 kernels and stride 1, such as a network's first layer,
// whose time is that of moving the output: no patches are gathered. Forward and weight gradient.
#pragma once

#include <ferplus/kernels/conv2d.h>

namespace ferplus {

ConvAlgorithm conv2d_direct();

}  // namespace ferplus
