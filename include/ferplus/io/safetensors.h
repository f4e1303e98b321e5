// The safetensors format (huggingface/safetensors): eight bytes of little-endian header length, a
// JSON header {"name": {"dtype", "shape", "data_offsets"}, "__metadata__": {string: string}}, then
// the data. Read and written with every length checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ferplus {

// In the order in which the reference stores tensors; never wider after narrower.
enum class DType : std::uint8_t {
  u64,
  i64,
  f64,
  f32,
  u32,
  i32,
  bf16,
  f16,
  u16,
  i16,
  i8,
  u8,
  boolean
};
std::size_t dtype_bytes(DType type);
std::string_view dtype_name(DType type);  // "F32"

// Longest header that is read (the reference's limit), and most dimensions of a tensor.
inline constexpr std::size_t kMaxSafetensorsHeader = 100'000'000;
inline constexpr std::size_t kMaxStoredRank = 32;

// Bytes that somebody else owns, row-major, little-endian. Tensors of files that write_safetensors
// wrote start at multiples of their element's size; other programs' files promise nothing, so copy
// with std::memcpy.
struct StoredTensor {
  DType type = DType::f32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
};

// A file in memory (mapped). Move-only; tensors stay valid as long as it lives, moved or not.
// Thread-safe to read. A moved-from object may only be destroyed or assigned to.
class SafetensorsFile {
 public:
  // Throws Error that names the file and the defect: truncated, header too long or not JSON,
  // unknown dtype, names given twice, metadata that are not strings, offsets that overlap, leave
  // holes, exceed the file or disagree with shape and dtype.
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
  std::unique_ptr<Contents> contents_;
};

// Writes atomically (io/file.h), laid out as the reference implementation does: by dtype, widest
// first, then by name; the data 8-byte aligned by padding the header with spaces. Throws Error if
// bytes disagree with shape and dtype, a name is empty or reserved or not UTF-8, or the header
// would be too long to read back.
void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, StoredTensor>& tensors,
                       const std::map<std::string, std::string>& metadata);

}  // namespace ferplus
