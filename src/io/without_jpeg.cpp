// In place of jpeg_read.cpp where the build has no libjpeg.
#include <ferplus/core/error.h>
#include <ferplus/io/image.h>

#include "io/decode.h"

namespace ferplus {

bool jpeg_available() { return false; }

Pixels decode_jpeg(std::span<const std::byte>, const std::string& name, int, int&) {
  throw file_error(name, 0,
                   "is a JPEG image, and this ferplus was built without JPEG: install libjpeg-dev "
                   "and build again, or convert the image to PNG");
}

}  // namespace ferplus
