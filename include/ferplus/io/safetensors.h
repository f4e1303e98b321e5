// The safetensors format (huggingface/safetensors): eight bytes of little-endian header length, a
// JSON header {"name": {"dtype", "shape", "data_offsets"}, "__metadata__": {string: string}}, then
// the data. Read and written with every length checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ferplus {

enum class DType : std::uint8_t { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean };
std::size_t dtype_bytes(DType type);
std::string_view dtype_name(DType type);  // "F32"

// Bytes that somebody else owns, row-major, little-endian.
struct StoredTensor {
  DType type = DType::f32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
};

// A file in memory (mapped). Move-only; tensors stay valid as long as it lives. Thread-safe to read.
class SafetensorsFile {
 public:
  // Throws Error that names the file and the defect: truncated, header too long or not JSON, unknown
  // dtype, offsets that overlap, leave holes, exceed the file or disagree with shape and dtype.
  explicit SafetensorsFile(const std::filesystem::path& path);
  // The same on bytes that must outlive the object; `name` is for messages. What the fuzzer calls.
  SafetensorsFile(std::span<const std::byte> bytes, const std::string& name);
  ~SafetensorsFile();
  SafetensorsFile(SafetensorsFile&&) noexcept;
  SafetensorsFile& operator=(SafetensorsFile&&) noexcept;

  const std::map<std::string, StoredTensor>& tensors() const;
  const std::map<std::string, std::string>& metadata() const;
  // Null if there is no tensor of that name.
  const StoredTensor* find(std::string_view name) const;

 private:
  struct Contents;
  Contents* contents_;
};

// Writes atomically (io/file.h); tensors are stored in the order of their names, 8-byte aligned by
// padding the header with spaces. Throws Error.
void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, StoredTensor>& tensors,
                       const std::map<std::string, std::string>& metadata);

}  // namespace ferplus
