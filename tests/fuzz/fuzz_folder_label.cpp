// Any text is a list of labels or an Error.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include <ferplus/core/error.h>
#include <ferplus/data/folder.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto labels =
        ferplus::parse_folder_labels({reinterpret_cast<const char*>(data), size}, "label.csv");
    if (labels.empty()) std::abort();
    for (const ferplus::FolderLabel& label : labels) {
      const ferplus::Rectangle& face = label.face;
      if (label.name.empty() || label.name.find('/') != std::string::npos) std::abort();
      if (face.left < 0 || face.top < 0 || face.left >= face.right || face.top >= face.bottom) {
        std::abort();
      }
    }
  } catch (const ferplus::Error&) {
  }
  return 0;
}
