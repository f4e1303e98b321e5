#include <cstring>
#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/io/safetensors.h>

#include "support/temporary_folder.h"

namespace ferplus {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string length_prefix(std::uint64_t length) {
  std::string bytes;
  for (int i = 0; i < 8; ++i) bytes += static_cast<char>(length >> (8 * i));
  return bytes;
}

std::string file_of(const std::string& header, std::size_t data_bytes) {
  return length_prefix(header.size()) + header + std::string(data_bytes, '\0');
}

// A file of one tensor whose JSON value is `entry`.
std::string one_tensor(const std::string& entry, std::size_t data_bytes) {
  return file_of("{\"t\":" + entry + "}", data_bytes);
}

template <typename Value>
StoredTensor stored(DType type, std::vector<std::int64_t> shape, const std::vector<Value>& values) {
  return {type, std::move(shape), std::as_bytes(std::span(values))};
}

// From the reference's own tests (safetensors/src/tensor.rs, test_serialization; its Python
// bindings' test_simple.py, where the header is padded).
TEST(Safetensors, WritesTheBytesOfTheReference) {
  const TemporaryFolder folder;
  const std::vector<float> values = {0, 1, 2, 3, 4, 5};
  write_safetensors(folder / "a", {{"attn.0", stored(DType::f32, {1, 2, 3}, values)}}, {});
  EXPECT_EQ(
      read_text(folder / "a"),
      std::string("@\0\0\0\0\0\0\0", 8) +
          R"({"attn.0":{"dtype":"F32","shape":[1,2,3],"data_offsets":[0,24]}})" +
          std::string("\0\0\0\0\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40\0\0\xa0\x40", 24));

  const std::vector<std::int32_t> zeros(4);
  write_safetensors(folder / "b", {{"test", stored(DType::i32, {2, 2}, zeros)}}, {});
  EXPECT_EQ(read_text(folder / "b"),
            std::string("@\0\0\0\0\0\0\0", 8) +
                R"({"test":{"dtype":"I32","shape":[2,2],"data_offsets":[0,16]}}    )" +
                std::string(16, '\0'));
}

TEST(Safetensors, RoundTrip) {
  const TemporaryFolder folder;
  const std::vector<float> weights = {1.5F, -0.0F, std::numeric_limits<float>::infinity(), 1e-42F};
  const std::vector<std::uint8_t> bytes = {7, 0, 255};
  const std::vector<std::int64_t> step = {-5};
  const std::vector<double> none;
  const std::map<std::string, StoredTensor> tensors = {
      {"bytes", stored(DType::u8, {3}, bytes)},
      {"empty", stored(DType::f64, {4, 0, 2}, none)},
      {"odd \"name\"\n", stored(DType::f32, {2, 1, 2}, weights)},
      {"größe", stored(DType::i64, {}, step)}};
  const std::map<std::string, std::string> metadata = {{"format", "1"}, {"json", R"({"a":[1]})"}};
  write_safetensors(folder / "file", tensors, metadata);

  SafetensorsFile loaded(folder / "file");
  const SafetensorsFile file = std::move(loaded);
  EXPECT_EQ(file.metadata(), metadata);
  ASSERT_EQ(file.tensors().size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    const StoredTensor* found = file.find(name);
    ASSERT_NE(found, nullptr) << name;
    EXPECT_EQ(found->type, tensor.type);
    EXPECT_EQ(found->shape, tensor.shape);
    ASSERT_EQ(found->bytes.size(), tensor.bytes.size());
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(found->bytes.data()) % dtype_bytes(found->type), 0U);
    if (!tensor.bytes.empty()) {
      EXPECT_EQ(std::memcmp(found->bytes.data(), tensor.bytes.data(), tensor.bytes.size()), 0);
    }
  }
  EXPECT_EQ(file.find("absent"), nullptr);
}

TEST(Safetensors, DTypes) {
  for (int i = 0; i <= static_cast<int>(DType::boolean); ++i) {
    const auto type = static_cast<DType>(i);
    const std::string bytes = one_tensor("{\"dtype\":\"" + std::string(dtype_name(type)) +
                                             "\",\"shape\":[1],\"data_offsets\":[0," +
                                             std::to_string(dtype_bytes(type)) + "]}",
                                         dtype_bytes(type));
    EXPECT_EQ(SafetensorsFile(as_bytes(bytes), "file").tensors().at("t").type, type);
  }
  EXPECT_EQ(dtype_name(DType::bf16), "BF16");
  EXPECT_EQ(dtype_bytes(DType::bf16), 2U);
  EXPECT_EQ(dtype_bytes(DType::f64), 8U);
}

TEST(Safetensors, ReadsAnyOrderOfTheData) {
  const std::string bytes = file_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[1,3]},)"
                                    R"("b":{"data_offsets":[0,1],"shape":[],"dtype":"I8"}} )",
                                    3);
  const SafetensorsFile file(as_bytes(bytes), "file");
  EXPECT_EQ(file.find("a")->bytes.data() - file.find("b")->bytes.data(), 1);
}

TEST(Safetensors, NoTensorsAtAll) {
  const std::string bytes = file_of("{}", 0);
  EXPECT_TRUE(SafetensorsFile(as_bytes(bytes), "file").tensors().empty());
}

struct Malformed {
  const char* what;
  std::string bytes;
  const char* message;
};

std::vector<Malformed> malformed_files() {
  const std::string f32 = R"({"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
  const auto pair = [](const char* first, const char* second) {
    return concat(R"({"a":{"dtype":"U8","shape":[4],"data_offsets":)", first,
                  R"(},"b":{"dtype":"U8","shape":[4],"data_offsets":)", second, "}}");
  };
  return {
      {"empty", "", "not a safetensors file: 0 bytes"},
      {"seven bytes", std::string(7, '\0'), "not a safetensors file: 7 bytes"},
      {"text", "hello world, hello", "a header of 8031924123371070824 bytes, at most"},
      {"header over the limit", length_prefix(kMaxSafetensorsHeader + 1), "a header of 100000001"},
      {"header past the end", length_prefix(3) + "{}", "a header of 3 bytes, but 2 follow"},
      {"length of all ones", std::string(8, '\xff') + "{}", "18446744073709551615"},
      {"empty header", file_of("", 0), "the header does not begin with '{'"},
      {"cut JSON", file_of(R"({"t":{)", 0), "the header is not JSON at byte 7"},
      {"more after JSON", file_of("{}{}", 0), "the header is not JSON at byte 3"},
      {"zero padding", file_of(std::string("{}\0", 3), 0), "the header is not JSON"},
      {"not UTF-8", file_of("{\"\xff\":{}}", 0), "the header is not JSON"},
      {"an array", file_of("[]", 0), "the header does not begin with '{'"},
      {"byte order mark", file_of("\xef\xbb\xbf{}", 0), "the header does not begin with '{'"},
      {"a number", file_of("17", 0), "the header does not begin with '{'"},
      {"deep nesting", file_of("{\"t\":" + std::string(100000, '['), 0), "got an array"},
      {"tensor not an object", one_tensor("5", 0), "tensor 't': expected an object with dtype"},
      {"null tensor", one_tensor("null", 0), "tensor 't': expected an object with dtype"},
      {"name twice", file_of("{\"t\":" + f32 + ",\"t\":" + f32 + "}", 8), "'t' occurs twice"},
      {"metadata twice", file_of(R"({"__metadata__":{},"__metadata__":{}})", 0), "occurs twice"},
      {"metadata name twice", file_of(R"({"__metadata__":{"k":"","k":""}})", 0),
       "the metadata name 'k' occurs twice"},
      {"metadata not strings", file_of(R"({"__metadata__":{"k":1}})", 0),
       "'k': metadata must be strings, got a number"},
      {"metadata nested", file_of(R"({"__metadata__":{"k":{}}})", 0), "metadata must be strings"},
      {"metadata a string", file_of(R"({"__metadata__":"k"})", 0), "must be an object of strings"},
      {"unknown dtype", one_tensor(R"({"dtype":"F33","shape":[],"data_offsets":[0,4]})", 4),
       "tensor 't': unknown dtype 'F33'"},
      {"dtype a number", one_tensor(R"({"dtype":1})", 0), "dtype must be a string, got a number"},
      {"dtype twice", one_tensor(R"({"dtype":"F32","dtype":"F32"})", 0), "dtype occurs twice"},
      {"unknown field", one_tensor(R"({"strides":[]})", 0), "unknown field 'strides'"},
      {"no dtype", one_tensor(R"({"shape":[2],"data_offsets":[0,8]})", 8), "dtype is missing"},
      {"no shape", one_tensor(R"({"dtype":"F32","data_offsets":[0,8]})", 8), "shape is missing"},
      {"no offsets", one_tensor(R"({"dtype":"F32","shape":[2]})", 8), "data_offsets is missing"},
      {"negative dimension", one_tensor(R"({"shape":[-1]})", 0), "got the negative number -1"},
      {"fraction", one_tensor(R"({"shape":[1.5]})", 0), "got the number '1.5'"},
      {"exponent", one_tensor(R"({"shape":[1e3]})", 0), "got the number '1e3'"},
      {"dimension of text", one_tensor(R"({"shape":["2"]})", 0), "got a string"},
      {"nested shape", one_tensor(R"({"shape":[[2]]})", 0), "got an array"},
      {"dimension over 64 bits", one_tensor(R"({"shape":[18446744073709551616]})", 0),
       "shape must be an array of whole numbers from 0, got the number"},
      {"dimension over 63 bits",
       one_tensor(R"({"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,0]})", 0),
       "dimension 9223372036854775808 is too large"},
      {"product over 64 bits",
       one_tensor(R"({"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]})", 0),
       "shape [4294967296,4294967296] is too large"},
      {"bytes over 64 bits",
       one_tensor(R"({"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]})", 0),
       "is too large"},
      {"too many dimensions",
       one_tensor(
           R"({"shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]})", 0),
       "more than 32 dimensions"},
      {"one offset", one_tensor(R"({"data_offsets":[0]})", 0), "data_offsets has 1 numbers"},
      {"three offsets", one_tensor(R"({"data_offsets":[0,1,2]})", 0), "more than two numbers"},
      {"offsets reversed", one_tensor(R"({"dtype":"U8","shape":[1],"data_offsets":[2,1]})", 2),
       "data_offsets [2,1] end before they begin"},
      {"past the end", one_tensor(f32, 7), "exceed the 7 bytes of data; the file may be cut short"},
      {"far past the end",
       one_tensor(R"({"dtype":"U8","shape":[1],"data_offsets":[0,18446744073709551615]})", 1),
       "exceed the 1 bytes of data"},
      {"too few bytes", one_tensor(R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})", 4),
       "F32 [2] takes 8 bytes, but data_offsets [0,4] have 4"},
      {"overlap", file_of(pair("[0,4]", "[2,6]"), 6), "tensor 'b': data_offsets [2,6] overlap"},
      {"same place", file_of(pair("[0,4]", "[0,4]"), 4), "tensor 'b': data_offsets [0,4] overlap"},
      {"hole", file_of(pair("[0,4]", "[5,9]"), 9), "leave a hole: the tensor before ends at 4"},
      {"hole at the start", one_tensor(R"({"dtype":"U8","shape":[1],"data_offsets":[1,2]})", 2),
       "leave a hole"},
      {"more data", one_tensor(f32, 9), "the tensors end at byte 8 of 9 bytes of data"},
  };
}

TEST(Safetensors, RejectsMalformedFiles) {
  for (const Malformed& malformed : malformed_files()) {
    SCOPED_TRACE(malformed.what);
    const std::string message =
        message_of<Error>([&] { SafetensorsFile(as_bytes(malformed.bytes), "model.safetensors"); });
    EXPECT_THAT(message, StartsWith("model.safetensors: "));
    EXPECT_THAT(message, HasSubstr(malformed.message));
  }
}

TEST(Safetensors, MessagesStayShortAndPrintable) {
  const std::string bytes = file_of("{\"" + std::string(50000, 'n') + "\x7f\":7}", 0);
  const std::string message = message_of<Error>([&] { SafetensorsFile(as_bytes(bytes), "file"); });
  EXPECT_LT(message.size(), 300U);
}

TEST(Safetensors, EveryTruncationIsAnError) {
  const TemporaryFolder folder;
  const std::vector<float> values = {1, 2, 3};
  write_safetensors(folder / "file", {{"w", stored(DType::f32, {3}, values)}}, {{"k", "v"}});
  const std::string bytes = read_text(folder / "file");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const std::string cut = bytes.substr(0, size);
    EXPECT_THROW(SafetensorsFile(as_bytes(cut), "file"), Error) << size;
  }
}

TEST(Safetensors, FileErrorsNameThePath) {
  const TemporaryFolder folder;
  write_text(folder / "bad", "x");
  EXPECT_THAT(message_of<Error>([&] { SafetensorsFile(folder / "bad"); }),
              StartsWith((folder / "bad").string() + ": not a safetensors file"));
  EXPECT_THROW(SafetensorsFile(folder / "none"), Error);
}

TEST(Safetensors, RefusesToWriteWhatItCouldNotRead) {
  const TemporaryFolder folder;
  const std::vector<float> values = {1, 2};
  const auto write = [&](const std::string& name, const StoredTensor& tensor,
                         const std::map<std::string, std::string>& metadata) {
    return message_of<Error>([&] {
      write_safetensors(folder / "file", {{name, tensor}}, metadata);
    });
  };
  const StoredTensor good = stored(DType::f32, {2}, values);
  EXPECT_THAT(write("", good, {}), HasSubstr("the name is empty or reserved"));
  EXPECT_THAT(write("__metadata__", good, {}), HasSubstr("the name is empty or reserved"));
  EXPECT_THAT(write("w", stored(DType::f32, {3}, values), {}),
              HasSubstr("F32 [3] does not take 8 bytes"));
  EXPECT_THAT(write("w", stored(DType::f32, {-2}, values), {}), HasSubstr("does not take"));
  EXPECT_THAT(write("w", stored(DType::f32, std::vector<std::int64_t>(33, 1), values), {}),
              HasSubstr("more than 32 dimensions"));
  EXPECT_THAT(write("\xff", good, {}), HasSubstr("cannot store a name or metadata"));
  EXPECT_THAT(write("w", good, {{"k", "\xff"}}), HasSubstr("cannot store a name or metadata"));
  EXPECT_EQ(folder.entries(), 0);
}

}  // namespace
}  // namespace ferplus
