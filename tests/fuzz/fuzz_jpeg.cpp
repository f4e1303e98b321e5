// Any bytes are a JPEG image, in gray and in colour, or an Error, nothing else.
#include <cstdint>
#include <cstdlib>
#include <span>

#include <ferplus/core/error.h>
#include <ferplus/io/image.h>

namespace {

template <typename Image>
void check(const Image& image, std::size_t channels) {
  const auto pixels =
      static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
  if (image.pixels.size() != channels * pixels) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  if (ferplus::image_format(bytes) != ferplus::ImageFormat::jpeg) return 0;
  try {
    check(ferplus::read_image(bytes, "fuzz"), 1);
    check(ferplus::read_color_image(bytes, "fuzz"), 3);
  } catch (const ferplus::Error&) {
  }
  return 0;
}
