#include "io/safetensors_header.h"

#include <limits>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>

namespace ferplus {
namespace {

struct DTypeRow {
  DType type;
  std::string_view name;
  std::size_t bytes;
};
constexpr std::array<DTypeRow, 13> kDTypes = {{{DType::u64, "U64", 8},
                                               {DType::i64, "I64", 8},
                                               {DType::f64, "F64", 8},
                                               {DType::f32, "F32", 4},
                                               {DType::u32, "U32", 4},
                                               {DType::i32, "I32", 4},
                                               {DType::bf16, "BF16", 2},
                                               {DType::f16, "F16", 2},
                                               {DType::u16, "U16", 2},
                                               {DType::i16, "I16", 2},
                                               {DType::i8, "I8", 1},
                                               {DType::u8, "U8", 1},
                                               {DType::boolean, "BOOL", 1}}};

// A strict reader of the one structure that the format allows. A document tree would keep the last
// of two equal names, and would take much more memory than the text.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
 public:
  HeaderReader(SafetensorsHeader& header, const std::string& file) : header_(header), file_(file) {}

  bool start_object(std::size_t) override {
    switch (place_) {
      case Place::begin:
        return enter(Place::top);
      case Place::tensor:
        return enter(Place::field);
      case Place::metadata:
        return enter(Place::metadata_key);
      default:
        unexpected("an object");
    }
  }

  bool key(string_t& name) override {
    switch (place_) {
      case Place::top:
        if (!names_.insert(name).second)
          fail(concat("the name ", printable(name), " occurs twice"));
        if (name == "__metadata__") return enter(Place::metadata);
        header_.tensors.emplace_back().name = name;
        return enter(Place::tensor);
      case Place::field:
        return enter(field(name));
      default:
        key_ = name;
        if (header_.metadata.contains(key_)) {
          fail(concat("the metadata name ", printable(key_), " occurs twice"));
        }
        return enter(Place::metadata_value);
    }
  }

  bool string(string_t& text) override {
    if (place_ == Place::metadata_value) {
      header_.metadata.emplace(std::move(key_), std::move(text));
      return enter(Place::metadata_key);
    }
    if (place_ != Place::dtype) unexpected("a string");
    for (const DTypeRow& row : kDTypes) {
      if (row.name == text) {
        tensor().type = row.type;
        return enter(Place::field);
      }
    }
    fail_tensor(concat("unknown dtype ", printable(text)));
  }

  bool start_array(std::size_t) override {
    if (place_ != Place::shape && place_ != Place::offsets) unexpected("an array");
    numbers_.clear();
    return enter(place_ == Place::shape ? Place::shape_numbers : Place::offset_numbers);
  }

  bool number_unsigned(number_unsigned_t number) override {
    if (place_ != Place::shape_numbers && place_ != Place::offset_numbers) unexpected("a number");
    const std::size_t most = place_ == Place::shape_numbers ? kMaxStoredRank : 2;
    if (numbers_.size() == most) {
      fail_tensor(place_ == Place::shape_numbers
                      ? concat("more than ", kMaxStoredRank, " dimensions")
                      : std::string("data_offsets has more than two numbers"));
    }
    numbers_.push_back(number);
    return true;
  }

  bool end_array() override {
    if (place_ == Place::shape_numbers) {
      std::vector<std::int64_t> shape;
      for (const std::uint64_t number : numbers_) {
        if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
          fail_tensor(concat("dimension ", number, " is too large"));
        }
        shape.push_back(static_cast<std::int64_t>(number));
      }
      tensor().shape = std::move(shape);
    } else {
      if (numbers_.size() != 2) {
        fail_tensor(concat("data_offsets has ", numbers_.size(), " numbers, expected two"));
      }
      tensor().offsets = {numbers_[0], numbers_[1]};
    }
    return enter(Place::field);
  }

  bool end_object() override {
    if (place_ == Place::metadata_key) return enter(Place::top);
    if (place_ == Place::top) return enter(Place::end);
    const char* missing = !tensor().type      ? "dtype"
                          : !tensor().shape   ? "shape"
                          : !tensor().offsets ? "data_offsets"
                                              : nullptr;
    if (missing != nullptr) fail_tensor(concat(missing, " is missing"));
    return enter(Place::top);
  }

  bool null() override { unexpected("null"); }
  bool boolean(bool) override { unexpected("true or false"); }
  bool number_integer(number_integer_t number) override {
    unexpected(concat("the negative number ", number));
  }
  bool number_float(number_float_t, const string_t& text) override {
    unexpected(concat("the number ", printable(text)));
  }
  bool binary(binary_t&) override { unexpected("binary data"); }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    // Cut: the message repeats the offending token, however long.
    fail(concat("the header is not JSON at byte ", position, ": ",
                std::string_view(error.what()).substr(0, 200)));
  }

 private:
  // What is expected next.
  enum class Place {
    begin,
    top,
    tensor,
    field,
    dtype,
    shape,
    shape_numbers,
    offsets,
    offset_numbers,
    metadata,
    metadata_key,
    metadata_value,
    end
  };

  bool enter(Place place) {
    place_ = place;
    return true;
  }
  TensorEntry& tensor() { return header_.tensors.back(); }

  Place field(const std::string& name) {
    const bool again = (name == "dtype" && tensor().type) || (name == "shape" && tensor().shape) ||
                       (name == "data_offsets" && tensor().offsets);
    if (again) fail_tensor(concat(name, " occurs twice"));
    if (name == "dtype") return Place::dtype;
    if (name == "shape") return Place::shape;
    if (name == "data_offsets") return Place::offsets;
    fail_tensor(concat("unknown field ", printable(name)));
  }

  const char* expected() const {
    switch (place_) {
      case Place::tensor:
        return "expected an object with dtype, shape and data_offsets";
      case Place::dtype:
        return "dtype must be a string";
      case Place::shape:
      case Place::shape_numbers:
        return "shape must be an array of whole numbers from 0";
      case Place::offsets:
      case Place::offset_numbers:
        return "data_offsets must be an array of two whole numbers from 0";
      case Place::metadata:
        return "__metadata__ must be an object of strings";
      case Place::metadata_value:
        return "metadata must be strings";
      default:
        return "unexpected value";
    }
  }

  [[noreturn]] void unexpected(const std::string& found) {
    const std::string reason = concat(expected(), ", got ", found);
    if (place_ == Place::metadata_value) fail(concat(printable(key_), ": ", reason));
    if (place_ == Place::metadata) fail(reason);
    fail_tensor(reason);
  }
  [[noreturn]] void fail_tensor(const std::string& reason) {
    fail(concat("tensor ", printable(tensor().name), ": ", reason));
  }
  [[noreturn]] void fail(const std::string& reason) { throw file_error(file_, 0, reason); }

  SafetensorsHeader& header_;
  const std::string& file_;
  Place place_ = Place::begin;
  std::set<std::string> names_;
  std::string key_;
  std::vector<std::uint64_t> numbers_;
};

const DTypeRow& row_of(DType type) { return kDTypes.at(static_cast<std::size_t>(type)); }

}  // namespace

std::size_t dtype_bytes(DType type) { return row_of(type).bytes; }
std::string_view dtype_name(DType type) { return row_of(type).name; }

SafetensorsHeader parse_safetensors_header(std::string_view text, const std::string& file) {
  // As the format asks; the JSON library would also skip a byte order mark, and end at a zero byte.
  if (!text.starts_with('{')) throw file_error(file, 0, "the header does not begin with '{'");
  if (const std::size_t zero = text.find('\0'); zero != text.npos) {
    throw file_error(file, 0, concat("the header is not JSON at byte ", zero, ": a zero byte"));
  }
  SafetensorsHeader header;
  HeaderReader reader(header, file);
  nlohmann::json::sax_parse(text.begin(), text.end(), &reader);
  return header;
}

std::optional<std::uint64_t> tensor_bytes(DType type, std::span<const std::int64_t> shape) {
  std::uint64_t bytes = dtype_bytes(type);
  for (const std::int64_t dimension : shape) {
    if (dimension < 0) return std::nullopt;
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(dimension), &bytes)) {
      return std::nullopt;
    }
  }
  return bytes;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string text = "[";
  for (const std::int64_t dimension : shape) {
    if (text.size() > 1) text += ',';
    text += std::to_string(dimension);
  }
  return text + "]";
}

std::string printable(std::string_view text) {
  constexpr std::size_t kLongest = 80;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string result = "'";
  for (const char c : text.substr(0, kLongest)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f) {
      result += c;
    } else {
      result.append("\\x").append(1, kDigits[byte >> 4]).append(1, kDigits[byte & 15]);
    }
  }
  result += text.size() > kLongest ? "…'" : "'";
  return result;
}

}  // namespace ferplus
