// TFRecord framing against values from outside.
#include <string>

#include <gtest/gtest.h>

#include <ferplus/io/tfrecord.h>

namespace ferplus {
namespace {

TEST(Crc32cTest, ValuesOfRfc3720) {
  EXPECT_EQ(crc32c(""), 0u);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);  // the catalogue's check value
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  std::string rising;
  for (char c = 0; c < 32; ++c) rising += c;
  EXPECT_EQ(crc32c(rising), 0x46dd794eu);
}

std::string hexadecimal(const std::string& bytes) {
  std::string digits;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    digits += "0123456789abcdef"[byte >> 4];
    digits += "0123456789abcdef"[byte & 15];
  }
  return digits;
}

// With masked_crc32c of tensorboard 2.21.
TEST(TfRecordTest, IsWhatTensorBoardWrites) {
  EXPECT_EQ(hexadecimal(tf_record("foo")), "0300000000000000b099490e666f6f618abefe");
  EXPECT_EQ(hexadecimal(tf_record("")), "000000000000000029039807d8ea82a2");
  EXPECT_EQ(hexadecimal(tf_record("ferplus")), "0700000000000000bbd79f11666572706c7573e91c91c8");
}

}  // namespace
}  // namespace ferplus
