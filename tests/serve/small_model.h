// A network with random weights, as a model.
#pragma once

#include <utility>

#include <ferplus/nn/model_file.h>

namespace ferplus {

inline Model small_model() {
  Network network = build_model("vgg_mini");
  Parameters parameters(network);
  initialize(network, parameters, Initialization::he_normal, 3);
  return {std::move(network),
          std::move(parameters),
          {{"network", "vgg_mini"}, {"preprocessing", "ferplus"}, {"content_hash", "0123"}}};
}

}  // namespace ferplus
