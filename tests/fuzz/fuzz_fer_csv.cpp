// Any two texts are a dataset or an Error. Whole rows have 2,304 pixels, too long for a fuzzer to
// find: the byte 0x01 in the pixel file stands for 2,300 pixels and a space.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <ferplus/core/error.h>
#include <ferplus/data/fer_csv.h>

namespace {

std::string expand(std::string_view text) {
  static const std::string many = [] {
    std::string pixels;
    for (int i = 0; i < 2300; ++i) pixels += std::to_string(i % 256) + ' ';
    return pixels;
  }();
  std::string result = "emotion,pixels,Usage\n";
  int left = 8;
  for (const char c : text) {
    if (c == '\x01' && left-- > 0) {
      result += many;
    } else {
      result += c;
    }
  }
  return result;
}

}  // namespace

// The first byte says whether the headers are put before the texts, which a zero byte separates.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool with_headers = (data[0] & 1) != 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::size_t cut = text.find('\0');
  std::string fer(text.substr(0, cut));
  std::string ferplus(cut == std::string_view::npos ? "" : text.substr(cut + 1));
  if (with_headers) {
    fer = expand(fer);
    ferplus =
        "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,"
        "NF\n" +
        ferplus;
  }
  // Exact heap blocks, so that reading past an end is seen.
  fer.shrink_to_fit();
  try {
    const ferplus::Dataset dataset = ferplus::parse_fer_csv(fer, "fer", ferplus, "ferplus");
    if (dataset.pixels.size() != dataset.samples.size() * ferplus::kFerPixels) std::abort();
  } catch (const ferplus::Error&) {
  }
  return 0;
}
