#include <algorithm>
#include <ostream>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/io/file.h>
#include <ferplus/io/safetensors.h>

#include "io/safetensors_header.h"

namespace ferplus {
namespace {

std::string build_header(std::span<const std::pair<const std::string, StoredTensor>* const> order,
                         const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t offset = 0;
  for (const auto* named : order) {
    const StoredTensor& tensor = named->second;
    nlohmann::ordered_json& entry = header[named->first];
    entry["dtype"] = dtype_name(tensor.type);
    entry["shape"] = tensor.shape;
    entry["data_offsets"] = {offset, offset + tensor.bytes.size()};
    offset += tensor.bytes.size();
  }
  std::string text = header.dump();
  text.resize((text.size() + kLengthBytes - 1) / kLengthBytes * kLengthBytes, ' ');
  return text;
}

void require_storable(const std::filesystem::path& path, const std::string& name,
                      const StoredTensor& tensor) {
  const auto fail = [&](const std::string& reason) {
    throw file_error(path, 0, concat("cannot store tensor ", printable(name), ": ", reason));
  };
  if (name.empty() || name == "__metadata__") fail("the name is empty or reserved");
  if (tensor.shape.size() > kMaxStoredRank) {
    fail(concat("more than ", kMaxStoredRank, " dimensions"));
  }
  const std::optional<std::uint64_t> bytes = tensor_bytes(tensor.type, tensor.shape);
  if (!bytes || *bytes != tensor.bytes.size()) {
    fail(concat(dtype_name(tensor.type), " ", shape_text(tensor.shape), " does not take ",
                tensor.bytes.size(), " bytes"));
  }
}

}  // namespace

void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, StoredTensor>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<const std::pair<const std::string, StoredTensor>*> order;
  for (const auto& named : tensors) {
    require_storable(path, named.first, named.second);
    order.push_back(&named);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto* a, const auto* b) { return a->second.type < b->second.type; });
  std::string header;
  try {
    header = build_header(order, metadata);
  } catch (const nlohmann::json::exception& error) {
    throw file_error(path, 0, concat("cannot store a name or metadata: ", error.what()));
  }
  if (header.size() > kMaxSafetensorsHeader) {
    throw file_error(path, 0, concat("the header would take ", header.size(), " bytes"));
  }
  write_file_atomically(path, [&](std::ostream& out) {
    for (std::size_t i = 0; i < kLengthBytes; ++i) {
      out.put(static_cast<char>(header.size() >> (8 * i) & 0xff));
    }
    out << header;
    for (const auto* named : order) {
      const std::span<const std::byte> bytes = named->second.bytes;
      out.write(reinterpret_cast<const char*>(bytes.data()),
                static_cast<std::streamsize>(bytes.size()));
    }
  });
}

}  // namespace ferplus
