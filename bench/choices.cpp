#include "choices.h"

#include <algorithm>
#include <cstdio>

#include <ferplus/kernels/conv2d_measure.h>
#include <ferplus/kernels/cpu.h>

#include "kernels/conv2d_choices.h"
#include "layers.h"

namespace ferplus::bench {
namespace {

void print_row(std::string_view isa, ConvPass pass, Index height, Index width, Index in_channels,
               Index out_channels, std::string_view algorithm) {
  const std::string_view pass_name = conv_pass_name(pass);
  std::printf("    {\"%.*s\", ConvPass::%.*s, %d, %d, %d, %d, \"%.*s\"},\n",
              static_cast<int>(isa.size()), isa.data(), static_cast<int>(pass_name.size()),
              pass_name.data(), static_cast<int>(height), static_cast<int>(width),
              static_cast<int>(in_channels), static_cast<int>(out_channels),
              static_cast<int>(algorithm.size()), algorithm.data());
  std::fflush(stdout);
}

}  // namespace

void print_conv_choices() {
  constexpr Index kBatch = 32;
  std::printf(
      "// Made by `ferplus_bench --choices`: do not edit. Batch %d, one thread, the best of "
      "several\n"
      "// rounds in turns.\n"
      "#include \"kernels/conv2d_choices.h\"\n\n"
      "namespace ferplus {\nnamespace {\n\nconstexpr MeasuredChoice kChoices[] = {\n",
      static_cast<int>(kBatch));
  const auto here = supported_isas();
  for (const MeasuredChoice& row : measured_choices()) {
    if (std::find(here.begin(), here.end(), row.isa) != here.end()) continue;
    print_row(row.isa, row.pass, row.height, row.width, row.in_channels, row.out_channels,
              row.algorithm);
  }
  for (std::string_view isa : here) {
    set_isa(isa);
    for (ConvPass pass : kAllConvPasses) {
      ConvShape before;
      for (const ConvLayer& layer : kConvLayers) {
        const ConvShape shape = layer.shape(kBatch);
        // The first layer's input needs no gradient.
        if (shape == before || (pass == ConvPass::backward_data && shape.in_channels == 1))
          continue;
        print_row(isa, pass, shape.height, shape.width, shape.in_channels, shape.out_channels,
                  fastest_conv_algorithm(shape, pass).name);
        before = shape;
      }
    }
  }
  std::printf(
      "};\n\n}  // namespace\n\n"
      "std::span<const MeasuredChoice> measured_choices() { return kChoices; }\n\n"
      "}  // namespace ferplus\n");
}

}  // namespace ferplus::bench
