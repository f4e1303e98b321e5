// The generator of src/kernels/conv2d_choices.cpp.
#pragma once

namespace ferplus::bench {

// Measures every algorithm on every ISA of this machine, pass and convolution of VGG13, and prints
// the file: rows of other ISAs as they are in this build.
void print_conv_choices();

}  // namespace ferplus::bench
