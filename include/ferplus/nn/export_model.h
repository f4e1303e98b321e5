// Model files to use and to hand on: batch-norm folded, weights of 16 bits.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include <ferplus/nn/model_file.h>

namespace ferplus {

// "f32", "f16" or "bf16". Throws UsageError for any other name.
DType weight_type_from_name(std::string_view name);

struct ModelExportReport {
  std::string network;  // of the file
  std::size_t bytes = 0;
  // Largest difference between a logit of the model and of what the file holds, over
  // `compared_images` random inputs.
  double largest_difference = 0;
  int compared_images = 0;
};

// Writes `model` as a model file (nn/model_file.h), atomically, with its batch-norm folded into the
// weights (nn/fold.h), so that what is rounded is what is used, and those as TensorSet::add rounds
// them. Logits are compared before anything is written. A folded vgg13_bn is a vgg13; a network
// that folding makes unlike any of models.h is called NAME_folded. Metadata stay, but for those of
// the content and those by which a run goes on from its checkpoint. Throws Error that names a
// tensor with a value beyond what the type holds; if logits differ by more than 1e-4 (f32), 1e-2
// (f16) or 5e-2 (bf16) of the largest, or are not finite.
ModelExportReport export_model(const std::filesystem::path& path, const Model& model,
                               DType weights);

}  // namespace ferplus
