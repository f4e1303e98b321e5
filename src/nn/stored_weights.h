// Floats as the bytes of a tensor in a file, and back.
#pragma once

#include <span>
#include <string>

#include <ferplus/core/buffer.h>
#include <ferplus/io/safetensors.h>

namespace ferplus {

// As they are, or for 16 bits rounded to nearest even: then throws Error that names the tensor if a
// value is not finite or beyond what the type holds. REQUIRES: type is f32, f16 or bf16.
Buffer<std::byte> encode_weights(std::span<const float> values, DType type,
                                 const std::string& name);

// Whether decode_weights knows the type: f32, f16 or bf16.
bool is_weight_type(DType type);

// What decode_weights makes of what encode_weights writes. Throws Error also if type is f32 and a
// value not finite.
void round_weights(std::span<float> values, DType type, const std::string& name);

// Exact. REQUIRES: is_weight_type(tensor.type), as many values as the tensor has.
void decode_weights(const StoredTensor& tensor, std::span<float> values);

}  // namespace ferplus
