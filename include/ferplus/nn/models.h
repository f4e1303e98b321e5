// The networks that can be trained by name. To add one: a builder and its row in models.cpp.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include <ferplus/nn/network.h>

namespace ferplus {

// What a recipe may change of a model without changing its parameters' shapes.
struct ModelOptions {
  double conv_dropout = 0.25;  // after each block of convolutions
  double dense_dropout = 0.5;  // after each hidden dense layer
  double batch_norm_momentum = 0.1;
};

struct ModelInfo {
  std::string_view name;
  std::string_view description;  // what it is, in one line
  Network (*build)(const ModelOptions& options);
};

std::span<const ModelInfo> models();

// Whether models() has that name.
bool is_model(std::string_view name);

// Builds the model of that name: input [N, 64, 64, 1], output [N, kClasses] logits. Throws
// UsageError that names the nearest model.
Network build_model(std::string_view name, const ModelOptions& options = {});

// The model of models() with the same input and, dropout left out on both sides, the same layers,
// if there is one: its parameters and state are those of `network` under the model's names.
std::optional<Network> matching_model(const Network& network);

}  // namespace ferplus
