// Any bytes are an image or an Error, nothing else.
#include <cstdint>
#include <cstdlib>
#include <span>

#include <ferplus/core/error.h>
#include <ferplus/io/png.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const ferplus::GrayImage image =
        ferplus::read_png(std::as_bytes(std::span(data, size)), "fuzz");
    const auto pixels =
        static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
    if (image.pixels.size() != pixels) std::abort();
    // The same file, turned as its EXIF says.
    const ferplus::ColorImage color =
        ferplus::read_color_image(std::as_bytes(std::span(data, size)), "fuzz");
    if (color.pixels.size() != 3 * pixels) std::abort();
  } catch (const ferplus::Error&) {
  }
  return 0;
}
