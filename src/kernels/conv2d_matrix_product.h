// Convolution as a product of the patch matrix, gathered block by block, with the weights. Every
// shape and pass; no approximation beyond the rounding of a dot product.
#pragma once

#include <ferplus/kernels/conv2d.h>

namespace ferplus {

ConvAlgorithm conv2d_matrix_product();

}  // namespace ferplus
