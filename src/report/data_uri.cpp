#include "report/data_uri.h"

#include <algorithm>
#include <cstdint>

#include <ferplus/io/png.h>

namespace ferplus::report {

std::string base64(std::span<const char> bytes) {
  constexpr const char* kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::span<const char> three =
        bytes.subspan(i, std::min<std::size_t>(3, bytes.size() - i));
    std::uint32_t bits = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      bits = bits << 8 | (k < three.size() ? static_cast<unsigned char>(three[k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += k <= three.size() ? kDigits[bits >> (18 - 6 * k) & 63] : '=';
    }
  }
  return text;
}

std::string png_data_uri(const GrayImage& image) {
  return "data:image/png;base64," +
         base64(encode_png(image.pixels.data(), image.width, image.height, "a face of the report"));
}

}  // namespace ferplus::report
