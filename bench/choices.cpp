#include "choices.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <vector>

#include <time.h>

#include <ferplus/core/buffer.h>
#include <ferplus/core/parallel.h>
#include <ferplus/kernels/conv2d.h>
#include <ferplus/kernels/cpu.h>

#include "kernels/conv2d_choices.h"
#include "layers.h"
#include "report.h"

namespace ferplus::bench {
namespace {

// Time of the calling thread: what else runs on the machine disturbs it least.
double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

constexpr std::string_view kPassNames[kConvPasses] = {"forward", "backward_data",
                                                      "backward_weights"};

struct Candidate {
  const ConvAlgorithm* algorithm;
  Buffer<std::byte> prepared, workspace;
  double seconds = std::numeric_limits<double>::infinity();
};

const ConvAlgorithm& measure(const ConvShape& shape, ConvPass pass) {
  const auto input = random_buffer(shape.input_size(), 1);
  const auto output = random_buffer(shape.output_size(), 2);
  const auto weights = random_buffer(shape.weights_size(), 3);
  const auto bias = random_buffer(shape.out_channels, 4);
  Buffer<float> result(static_cast<std::size_t>(
      std::max({shape.input_size(), shape.output_size(), shape.weights_size()})));
  Buffer<float> bias_gradient(bias.size());
  std::vector<Candidate> candidates;
  for (const ConvAlgorithm& algorithm : conv_algorithms()) {
    if (!algorithm.supports(shape, pass)) continue;
    candidates.push_back({&algorithm, Buffer<std::byte>(algorithm.prepared_bytes(shape, pass)),
                          Buffer<std::byte>(algorithm.workspace_bytes(shape, pass, 1))});
    algorithm.prepare(shape, pass, weights.data(), candidates.back().prepared.data());
  }
  // In turns, and the best of each, so that a slower moment of the machine meets all.
  constexpr int kRounds = 7;
  for (int round = 0; candidates.size() > 1 && round < kRounds; ++round) {
    for (Candidate& c : candidates) {
      const double start = thread_seconds();
      switch (pass) {
        case ConvPass::forward:
          c.algorithm->forward(shape, input.data(), c.prepared.data(),
                               {.bias = bias.data(), .relu = true}, result.data(),
                               c.workspace.data());
          break;
        case ConvPass::backward_data:
          c.algorithm->backward_data(shape, {output.data()}, c.prepared.data(), result.data(),
                                     c.workspace.data());
          break;
        case ConvPass::backward_weights:
          c.algorithm->backward_weights(shape, input.data(), {output.data()}, result.data(),
                                        bias_gradient.data(), c.workspace.data());
          break;
      }
      c.seconds = std::min(c.seconds, thread_seconds() - start);
    }
  }
  return *std::min_element(
              candidates.begin(), candidates.end(),
              [](const Candidate& a, const Candidate& b) { return a.seconds < b.seconds; })
              ->algorithm;
}

void print_row(std::string_view isa, ConvPass pass, Index height, Index width, Index in_channels,
               Index out_channels, std::string_view algorithm) {
  const std::string_view pass_name = kPassNames[static_cast<int>(pass)];
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
  set_thread_count(1);
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
    for (ConvPass pass : {ConvPass::forward, ConvPass::backward_data, ConvPass::backward_weights}) {
      ConvShape before;
      for (const ConvLayer& layer : kConvLayers) {
        const ConvShape shape = layer.shape(kBatch);
        // The first layer's input needs no gradient.
        if (shape == before || (pass == ConvPass::backward_data && shape.in_channels == 1))
          continue;
        print_row(isa, pass, shape.height, shape.width, shape.in_channels, shape.out_channels,
                  measure(shape, pass).name);
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
