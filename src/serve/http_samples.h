// Pictures to try a model on.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "serve/http_message.h"

namespace ferplus::serve {

struct SamplePicture {
  std::string type;  // media type
  std::shared_ptr<const std::string> bytes;
};

// By file name. The PNG and JPEG files of `folder`, which are decoded once to see that they can be;
// an empty path: a synthetic face of each class. Throws Error that names the folder or file; more
// than 100 files, or one of more than `most_bytes`, are an error.
std::map<std::string, SamplePicture> load_samples(const std::filesystem::path& folder,
                                                  std::size_t most_bytes);

}  // namespace ferplus::serve
