// Which convolution algorithm is the fastest here and now.
#pragma once

#include <ferplus/kernels/conv2d.h>

namespace ferplus {

// Runs every algorithm that supports the shape and pass on random operands of shape.batch images,
// on the ISA in use, on one thread and by that thread's own processor time: what else runs on the
// machine disturbs it least. They take turns and the best turn of each counts; one that is far
// behind gets no further turn. The only algorithm there is wins without a run.
//
// Not to be called while a parallel_for runs. Takes about as long as ten turns of the fastest.
const ConvAlgorithm& fastest_conv_algorithm(const ConvShape& shape, ConvPass pass);

}  // namespace ferplus
