#include "nn/stored_weights.h"

#include <cassert>
#include <cmath>
#include <cstdint>
#include <cstring>

#include <ferplus/core/error.h>
#include <ferplus/core/half.h>

namespace ferplus {
namespace {

using FromFloat = std::uint16_t (*)(float);
using ToFloat = float (*)(std::uint16_t);

struct Narrow {
  FromFloat from_float;
  ToFloat to_float;
};

Narrow narrow(DType type) {
  assert(type == DType::f16 || type == DType::bf16);
  return type == DType::f16 ? Narrow{half_from_float, float_from_half}
                            : Narrow{bfloat16_from_float, float_from_bfloat16};
}

}  // namespace

bool is_weight_type(DType type) {
  return type == DType::f32 || type == DType::f16 || type == DType::bf16;
}

Buffer<std::byte> encode_weights(std::span<const float> values, DType type,
                                 const std::string& name) {
  Buffer<std::byte> bytes(values.size() * dtype_bytes(type));
  if (type == DType::f32) {
    std::memcpy(bytes.data(), values.data(), values.size_bytes());
    return bytes;
  }
  const Narrow format = narrow(type);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t rounded = format.from_float(values[i]);
    if (!std::isfinite(format.to_float(rounded))) {
      throw Error(concat("tensor '", name, "' has the value ", values[i], ", which ",
                         dtype_name(type), " cannot hold"));
    }
    std::memcpy(bytes.data() + i * sizeof rounded, &rounded, sizeof rounded);
  }
  return bytes;
}

void round_weights(std::span<float> values, DType type, const std::string& name) {
  for (const float value : values) {
    if (!std::isfinite(value)) throw Error(concat("tensor '", name, "' has the value ", value));
  }
  const Buffer<std::byte> bytes = encode_weights(values, type, name);
  decode_weights({.type = type, .shape = {}, .bytes = bytes.span()}, values);
}

void decode_weights(const StoredTensor& tensor, std::span<float> values) {
  assert(tensor.bytes.size() == values.size() * dtype_bytes(tensor.type));
  if (tensor.type == DType::f32) {
    std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
    return;
  }
  const Narrow format = narrow(tensor.type);
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint16_t bits = 0;  // the bytes of a safetensors file need not be aligned
    std::memcpy(&bits, tensor.bytes.data() + i * sizeof bits, sizeof bits);
    values[i] = format.to_float(bits);
  }
}

}  // namespace ferplus
