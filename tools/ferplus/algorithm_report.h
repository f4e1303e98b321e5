// Which convolution algorithm runs in which layer and pass, and why.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include <ferplus/nn/network.h>

namespace ferplus::tool {

// What sessions of this network would run now (explain_conv_algorithm): all passes in fp32, the
// forward pass alone in other precisions, which do not train.
nlohmann::ordered_json algorithms_json(const Network& network, Precision precision);
std::string algorithms_text(const Network& network, Precision precision);

}  // namespace ferplus::tool
