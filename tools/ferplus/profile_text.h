// A profile of training for people to read.
#pragma once

#include <string>

#include <ferplus/train/profile.h>

namespace ferplus::tool {

// Milliseconds of a step and shares of it: making the batch, each layer and pass in the order of
// the network, what follows; then the evaluations.
std::string profile_text(const Profile& profile);

}  // namespace ferplus::tool
