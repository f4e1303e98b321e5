#include <ferplus/io/tfrecord.h>

namespace ferplus {
namespace {

void append_little_endian(std::string& bytes, std::uint64_t value, int count) {
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> 8 * i & 0xff);
}

void append_masked_crc(std::string& record, std::string_view bytes) {
  constexpr std::uint32_t kDelta = 0xa282ead8;
  const std::uint32_t crc = crc32c(bytes);
  append_little_endian(record, static_cast<std::uint32_t>((crc >> 15 | crc << 17) + kDelta), 4);
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  constexpr std::uint32_t kReflectedPolynomial = 0x82f63b78;
  std::uint32_t crc = 0xffffffff;
  for (const char byte : bytes) {
    crc ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? kReflectedPolynomial : 0);
  }
  return ~crc;
}

std::string tf_record(std::string_view data) {
  std::string record;
  append_little_endian(record, data.size(), 8);
  append_masked_crc(record, record);
  record += data;
  append_masked_crc(record, data);
  return record;
}

}  // namespace ferplus
