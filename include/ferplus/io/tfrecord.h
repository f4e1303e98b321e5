// TFRecord, the framing of TensorFlow's and TensorBoard's files: a file is a sequence of records,
// each of which is
//   length of the data     8 bytes, little-endian
//   masked CRC of those    4 bytes, little-endian
//   data
//   masked CRC of the data 4 bytes, little-endian
// (tensorflow/core/lib/io/record_writer.h). masked = rotate_right(crc, 15) + 0xa282ead8 mod 2³².
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ferplus {

// CRC-32C (Castagnoli): polynomial 0x1edc6f41 reflected, begun with and xored by all ones, as in
// RFC 3720, appendix B.4.
std::uint32_t crc32c(std::string_view bytes);

// One record that holds `data`.
std::string tf_record(std::string_view data);

}  // namespace ferplus
