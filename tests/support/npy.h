// Reads the .npy arrays that golden outputs are stored in: little-endian, C order, version 1.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace ferplus {

template <typename Value>
struct NpyArray {
  std::vector<std::size_t> shape;
  std::vector<Value> values;

  // The values of entry i of the first dimension.
  const Value* entry(std::size_t i) const { return values.data() + i * (values.size() / shape[0]); }
};

template <typename Value>
NpyArray<Value> read_npy(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.size() < 10 || bytes.compare(0, 8, std::string("\x93NUMPY\x01\x00", 8)) != 0) {
    throw std::runtime_error(path.string() + ": not a version 1 .npy file");
  }
  const auto low = static_cast<unsigned char>(bytes[8]),
             high = static_cast<unsigned char>(bytes[9]);
  const std::size_t data = 10 + low + 256U * high;
  const std::string header = bytes.substr(10, data - 10);
  const std::string type = sizeof(Value) == 1 ? "'|u1'" : sizeof(Value) == 4 ? "'<f4'" : "'<f8'";
  if (header.find(type) == std::string::npos ||
      header.find("'fortran_order': False") == std::string::npos) {
    throw std::runtime_error(path.string() + ": unexpected layout " + header);
  }
  NpyArray<Value> array;
  const std::size_t open = header.find("'shape': (") + 10;
  std::istringstream dimensions(header.substr(open, header.find(')', open) - open));
  std::size_t count = 1;
  for (std::string dimension; std::getline(dimensions, dimension, ',');) {
    if (dimension.find_first_not_of(' ') == std::string::npos) continue;
    array.shape.push_back(std::stoul(dimension));
    count *= array.shape.back();
  }
  if (bytes.size() != data + count * sizeof(Value)) {
    throw std::runtime_error(path.string() + ": wrong length");
  }
  array.values.resize(count);
  std::memcpy(array.values.data(), bytes.data() + data, count * sizeof(Value));
  return array;
}

}  // namespace ferplus
