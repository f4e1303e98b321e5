// Any bytes are a safetensors file or an Error, nothing else.
#include <cstdint>
#include <cstdlib>
#include <span>

#include <ferplus/core/error.h>
#include <ferplus/io/safetensors.h>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    const ferplus::SafetensorsFile file(bytes, "fuzz");
    std::size_t covered = 0;
    for (const auto& [name, tensor] : file.tensors()) {
      for (const std::byte value : tensor.bytes) covered += value == value ? 1 : 0;
    }
    if (covered > size || file.metadata().size() > size) std::abort();
    if (file.find("no such tensor \xff") != nullptr) std::abort();
  } catch (const ferplus::Error&) {
  }
  return 0;
}
