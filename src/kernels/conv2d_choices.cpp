// Made by `ferplus_bench --choices`: do not edit. Batch 32, one thread, the best of several
// rounds in turns.
#include "kernels/conv2d_choices.h"

namespace ferplus {
namespace {

constexpr MeasuredChoice kChoices[] = {
    {"avx512", ConvPass::forward, 64, 64, 1, 64, "direct"},
    {"avx512", ConvPass::forward, 64, 64, 64, 64, "winograd4"},
    {"avx512", ConvPass::forward, 32, 32, 64, 128, "winograd4"},
    {"avx512", ConvPass::forward, 32, 32, 128, 128, "winograd4"},
    {"avx512", ConvPass::forward, 16, 16, 128, 256, "winograd4"},
    {"avx512", ConvPass::forward, 16, 16, 256, 256, "winograd4"},
    {"avx512", ConvPass::forward, 8, 8, 256, 256, "winograd4"},
    {"avx512", ConvPass::backward_data, 64, 64, 64, 64, "winograd4"},
    {"avx512", ConvPass::backward_data, 32, 32, 64, 128, "winograd4"},
    {"avx512", ConvPass::backward_data, 32, 32, 128, 128, "winograd4"},
    {"avx512", ConvPass::backward_data, 16, 16, 128, 256, "winograd4"},
    {"avx512", ConvPass::backward_data, 16, 16, 256, 256, "winograd4"},
    {"avx512", ConvPass::backward_data, 8, 8, 256, 256, "winograd4"},
    {"avx512", ConvPass::backward_weights, 64, 64, 1, 64, "direct"},
    {"avx512", ConvPass::backward_weights, 64, 64, 64, 64, "winograd4"},
    {"avx512", ConvPass::backward_weights, 32, 32, 64, 128, "winograd4"},
    {"avx512", ConvPass::backward_weights, 32, 32, 128, 128, "winograd4"},
    {"avx512", ConvPass::backward_weights, 16, 16, 128, 256, "winograd4"},
    {"avx512", ConvPass::backward_weights, 16, 16, 256, 256, "winograd4"},
    {"avx512", ConvPass::backward_weights, 8, 8, 256, 256, "winograd4"},
    {"avx2", ConvPass::forward, 64, 64, 1, 64, "direct"},
    {"avx2", ConvPass::forward, 64, 64, 64, 64, "winograd4"},
    {"avx2", ConvPass::forward, 32, 32, 64, 128, "winograd4"},
    {"avx2", ConvPass::forward, 32, 32, 128, 128, "winograd4"},
    {"avx2", ConvPass::forward, 16, 16, 128, 256, "winograd4"},
    {"avx2", ConvPass::forward, 16, 16, 256, 256, "winograd4"},
    {"avx2", ConvPass::forward, 8, 8, 256, 256, "winograd4"},
    {"avx2", ConvPass::backward_data, 64, 64, 64, 64, "winograd4"},
    {"avx2", ConvPass::backward_data, 32, 32, 64, 128, "winograd4"},
    {"avx2", ConvPass::backward_data, 32, 32, 128, 128, "winograd4"},
    {"avx2", ConvPass::backward_data, 16, 16, 128, 256, "winograd4"},
    {"avx2", ConvPass::backward_data, 16, 16, 256, 256, "winograd4"},
    {"avx2", ConvPass::backward_data, 8, 8, 256, 256, "winograd4"},
    {"avx2", ConvPass::backward_weights, 64, 64, 1, 64, "direct"},
    {"avx2", ConvPass::backward_weights, 64, 64, 64, 64, "winograd4"},
    {"avx2", ConvPass::backward_weights, 32, 32, 64, 128, "winograd4"},
    {"avx2", ConvPass::backward_weights, 32, 32, 128, 128, "winograd4"},
    {"avx2", ConvPass::backward_weights, 16, 16, 128, 256, "winograd4"},
    {"avx2", ConvPass::backward_weights, 16, 16, 256, 256, "winograd4"},
    {"avx2", ConvPass::backward_weights, 8, 8, 256, 256, "winograd4"},
    {"baseline", ConvPass::forward, 64, 64, 1, 64, "direct"},
    {"baseline", ConvPass::forward, 64, 64, 64, 64, "winograd4"},
    {"baseline", ConvPass::forward, 32, 32, 64, 128, "winograd4"},
    {"baseline", ConvPass::forward, 32, 32, 128, 128, "winograd4"},
    {"baseline", ConvPass::forward, 16, 16, 128, 256, "winograd4"},
    {"baseline", ConvPass::forward, 16, 16, 256, 256, "winograd4"},
    {"baseline", ConvPass::forward, 8, 8, 256, 256, "winograd4"},
    {"baseline", ConvPass::backward_data, 64, 64, 64, 64, "winograd4"},
    {"baseline", ConvPass::backward_data, 32, 32, 64, 128, "winograd4"},
    {"baseline", ConvPass::backward_data, 32, 32, 128, 128, "winograd4"},
    {"baseline", ConvPass::backward_data, 16, 16, 128, 256, "winograd4"},
    {"baseline", ConvPass::backward_data, 16, 16, 256, 256, "winograd4"},
    {"baseline", ConvPass::backward_data, 8, 8, 256, 256, "winograd4"},
    {"baseline", ConvPass::backward_weights, 64, 64, 1, 64, "direct"},
    {"baseline", ConvPass::backward_weights, 64, 64, 64, 64, "winograd4"},
    {"baseline", ConvPass::backward_weights, 32, 32, 64, 128, "winograd4"},
    {"baseline", ConvPass::backward_weights, 32, 32, 128, 128, "winograd4"},
    {"baseline", ConvPass::backward_weights, 16, 16, 128, 256, "winograd4"},
    {"baseline", ConvPass::backward_weights, 16, 16, 256, 256, "winograd4"},
    {"baseline", ConvPass::backward_weights, 8, 8, 256, 256, "winograd4"},
};

}  // namespace

std::span<const MeasuredChoice> measured_choices() { return kChoices; }

}  // namespace ferplus
