// The trained model that comes with ferplus.
#pragma once

#include <filesystem>
#include <optional>

namespace ferplus {

// The first of:
// - what the environment variable FERPLUS_MODEL names, there or not, if it is set and not empty;
// - share/ferplus/models/ferplus.safetensors of the prefix that this code lies in, as the shared
//   library's or else the program's file (so a moved prefix works), or of the build folder;
// - the same of the prefix that this build was configured for; if ferplus is built within another
//   project, data/models/ferplus.safetensors of its sources.
// Nothing if there is none. Thread-safe as long as nobody changes the environment.
std::optional<std::filesystem::path> find_bundled_model();

// The same, for load_model. Throws Error that says where it was looked for.
std::filesystem::path bundled_model_path();

}  // namespace ferplus
