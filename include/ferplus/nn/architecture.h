// A network written down: the list of its layers with all their options as JSON, for model files
// whose network is none of the table in models.h.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <ferplus/nn/network.h>

namespace ferplus {

// [{"name": "conv1", "kind": "conv2d", "filters": 64, …}, …], each with every field of its options
// (layers.h).
std::string layer_list(const Network& network);

// The network that layer_list wrote. `input` as for Network. Throws Error that names the layer and
// the field if `json` is anything else, or if the network has more than `max_parameters` values in
// its parameters and state.
Network network_from_layer_list(std::string name, const Shape& input, std::string_view json,
                                std::size_t max_parameters);

}  // namespace ferplus
