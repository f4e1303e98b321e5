#include <algorithm>
#include <bit>
#include <optional>
#include <utility>

#include <ferplus/core/error.h>
#include <ferplus/io/file.h>
#include <ferplus/io/safetensors.h>

#include "io/safetensors_header.h"

namespace ferplus {

static_assert(std::endian::native == std::endian::little,
              "safetensors data are little-endian and used in place");

struct SafetensorsFile::Contents {
  std::optional<MappedFile> map;
  std::map<std::string, StoredTensor> tensors;
  std::map<std::string, std::string> metadata;
};

namespace {

std::uint64_t read_length(std::span<const std::byte> bytes) {
  std::uint64_t length = 0;
  for (std::size_t i = kLengthBytes; i-- > 0;) {
    length = length << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  }
  return length;
}

// Throws Error unless the tensors cover `data` from its first byte to its last, each once.
void place_tensors(std::vector<TensorEntry> entries, std::span<const std::byte> data,
                   const std::string& file, std::map<std::string, StoredTensor>& tensors) {
  std::stable_sort(entries.begin(), entries.end(), [](const TensorEntry& a, const TensorEntry& b) {
    return *a.offsets < *b.offsets;
  });
  std::uint64_t covered = 0;
  for (TensorEntry& entry : entries) {
    const auto [begin, end] = *entry.offsets;
    const auto fail = [&](const std::string& reason) {
      throw file_error(file, 0, concat("tensor ", printable(entry.name), ": ", reason));
    };
    const std::string place = concat("data_offsets [", begin, ",", end, "]");
    if (begin > end) fail(concat(place, " end before they begin"));
    if (end > data.size()) {
      fail(concat(place, " exceed the ", data.size(), " bytes of data; the file may be cut short"));
    }
    if (begin < covered) fail(concat(place, " overlap the tensor before, which ends at ", covered));
    if (begin > covered) {
      fail(concat(place, " leave a hole: the tensor before ends at ", covered));
    }
    const std::optional<std::uint64_t> bytes = tensor_bytes(*entry.type, *entry.shape);
    if (!bytes) fail(concat("shape ", shape_text(*entry.shape), " is too large"));
    if (*bytes != end - begin) {
      fail(concat(dtype_name(*entry.type), " ", shape_text(*entry.shape), " takes ", *bytes,
                  " bytes, but ", place, " have ", end - begin));
    }
    covered = end;
    tensors.emplace(std::move(entry.name),
                    StoredTensor{*entry.type, std::move(*entry.shape),
                                 data.subspan(static_cast<std::size_t>(begin),
                                              static_cast<std::size_t>(end - begin))});
  }
  if (covered != data.size()) {
    throw file_error(file, 0,
                     concat("the tensors end at byte ", covered, " of ", data.size(),
                            " bytes of data; the rest belongs to none"));
  }
}

}  // namespace

SafetensorsFile::SafetensorsFile(std::span<const std::byte> bytes, const std::string& name)
    : contents_(std::make_unique<Contents>()) {
  if (bytes.size() < kLengthBytes) {
    throw file_error(name, 0,
                     concat("not a safetensors file: ", bytes.size(),
                            " bytes, expected at least the eight of the header's length"));
  }
  const std::uint64_t length = read_length(bytes);
  if (length > kMaxSafetensorsHeader) {
    throw file_error(name, 0,
                     concat("not a safetensors file: a header of ", length, " bytes, at most ",
                            kMaxSafetensorsHeader, " are read"));
  }
  const std::span<const std::byte> rest = bytes.subspan(kLengthBytes);
  if (length > rest.size()) {
    throw file_error(name, 0,
                     concat("a header of ", length, " bytes, but ", rest.size(),
                            " follow; the file is cut short"));
  }
  const auto header_bytes = static_cast<std::size_t>(length);
  SafetensorsHeader header =
      parse_safetensors_header({reinterpret_cast<const char*>(rest.data()), header_bytes}, name);
  contents_->metadata = std::move(header.metadata);
  place_tensors(std::move(header.tensors), rest.subspan(header_bytes), name, contents_->tensors);
}

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) {
  MappedFile map(path);
  *this = SafetensorsFile(map.bytes(), path.string());
  contents_->map = std::move(map);
}

SafetensorsFile::~SafetensorsFile() = default;
SafetensorsFile::SafetensorsFile(SafetensorsFile&&) noexcept = default;
SafetensorsFile& SafetensorsFile::operator=(SafetensorsFile&&) noexcept = default;

const std::map<std::string, StoredTensor>& SafetensorsFile::tensors() const {
  return contents_->tensors;
}
const std::map<std::string, std::string>& SafetensorsFile::metadata() const {
  return contents_->metadata;
}

const StoredTensor* SafetensorsFile::find(std::string_view name) const {
  const auto found = contents_->tensors.find(std::string(name));
  return found == contents_->tensors.end() ? nullptr : &found->second;
}

}  // namespace ferplus
