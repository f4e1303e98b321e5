// Tensors of a file, and the arithmetic of their shapes.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "interop/onnx_constant.h"

namespace ferplus::interop {
namespace {

constexpr std::int64_t kMaxElements = std::int64_t{1} << 40;

// The values of raw little-endian bytes, or of a typed field.
template <typename Stored, typename Value, typename Field>
std::vector<Value> values_of(const onnx::TensorProto& tensor, const Field& field,
                             std::size_t count) {
  static_assert(std::endian::native == std::endian::little);
  const std::string& raw = tensor.raw_data();
  const std::size_t available =
      tensor.has_raw_data() ? raw.size() / sizeof(Stored) : static_cast<std::size_t>(field.size());
  if (available != count || (tensor.has_raw_data() && raw.size() != count * sizeof(Stored))) {
    throw Error(concat("tensor '", tensor.name(), "' has ", available,
                       " values of data, its shape ",
                       dims_text({tensor.dims().begin(), tensor.dims().end()}), " needs ", count));
  }
  if (!tensor.has_raw_data()) return {field.begin(), field.end()};
  std::vector<Value> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    Stored stored;
    std::memcpy(&stored, raw.data() + i * sizeof(Stored), sizeof stored);
    values[i] = static_cast<Value>(stored);
  }
  return values;
}

}  // namespace

std::string dims_text(const Dims& dims) {
  std::string text;
  for (const std::int64_t d : dims) {
    if (!text.empty()) text += 'x';
    text += std::to_string(d);
  }
  return text.empty() ? "scalar" : text;
}

std::optional<std::int64_t> element_count(const Dims& dims) {
  std::int64_t product = 1;  // without the zeros, so that parts of dims do not overflow either
  bool empty = false;
  for (const std::int64_t d : dims) {
    if (d < 0 || d > kMaxElements / product) return std::nullopt;
    product *= std::max<std::int64_t>(d, 1);
    empty = empty || d == 0;
  }
  return empty ? 0 : product;
}

void Budget::spend(std::int64_t values) {
  if (values > left_) throw Error("it makes arrays far larger than the file");
  left_ -= values;
}

void Budget::spend(const Dims& dims) { spend(element_count(dims).value_or(kMaxElements)); }

Constant read_tensor(const onnx::TensorProto& tensor) {
  const auto refuse = [&](const std::string& reason) -> Error {
    return Error(concat("tensor '", tensor.name(), "' ", reason));
  };
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL || tensor.external_data_size() > 0) {
    throw refuse("keeps its data in another file: save the model as one file");
  }
  if (tensor.has_segment()) throw refuse("is a part of a tensor, which is not supported");
  Constant constant{.dims = {tensor.dims().begin(), tensor.dims().end()}, .values = {}};
  const auto count = element_count(constant.dims);
  if (!count || constant.dims.size() > kMaxRank) {
    throw refuse(concat("has an impossible shape, ", dims_text(constant.dims)));
  }
  const auto size = static_cast<std::size_t>(*count);
  switch (tensor.data_type()) {
    case onnx::TensorProto::FLOAT:
      constant.values = values_of<float, float>(tensor, tensor.float_data(), size);
      if (!std::ranges::all_of(*constant.reals(), [](float v) { return std::isfinite(v); })) {
        throw refuse("has values that are not finite");
      }
      break;
    case onnx::TensorProto::INT64:
      constant.values = values_of<std::int64_t, std::int64_t>(tensor, tensor.int64_data(), size);
      break;
    case onnx::TensorProto::INT32:
      constant.values = values_of<std::int32_t, std::int64_t>(tensor, tensor.int32_data(), size);
      break;
    case onnx::TensorProto::BOOL:
      constant.values = values_of<std::uint8_t, std::int64_t>(tensor, tensor.int32_data(), size);
      break;
    default:
      throw refuse(concat("is of type ",
                          onnx::TensorProto::DataType_IsValid(tensor.data_type())
                              ? onnx::TensorProto::DataType_Name(
                                    static_cast<onnx::TensorProto::DataType>(tensor.data_type()))
                              : std::to_string(tensor.data_type()),
                          "; float, int64, int32 and bool are supported"));
  }
  return constant;
}

std::size_t normalized_axis(std::int64_t axis, std::size_t rank) {
  const auto signed_rank = static_cast<std::int64_t>(rank);
  if (axis < -signed_rank || axis >= signed_rank) {
    throw Error(concat("it has no axis ", axis, " among ", rank));
  }
  return static_cast<std::size_t>(axis < 0 ? axis + signed_rank : axis);
}

Dims reshaped(const Dims& dims, Dims target, bool allow_zero) {
  const auto refuse = [&] {
    return Error(concat("it cannot reshape ", dims_text(dims), " to ", dims_text(target)));
  };
  if (target.size() > kMaxRank) throw refuse();
  std::optional<std::size_t> rest;
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (target[i] == 0 && !allow_zero) {
      if (i >= dims.size()) throw refuse();
      target[i] = dims[i];
    } else if (target[i] == -1) {
      if (rest) throw refuse();
      rest = i;
    }
  }
  const std::int64_t total = element_count(dims).value_or(-1);
  if (rest) {
    target[*rest] = 1;
    const auto others = element_count(target);
    if (!others || *others == 0) throw refuse();
    target[*rest] = total / *others;
  }
  if (element_count(target) != total) throw refuse();
  return target;
}

Dims squeezed(const Dims& dims, const std::optional<Dims>& axes) {
  std::vector<bool> drop(dims.size(), false);
  for (std::size_t i = 0; i < dims.size(); ++i) drop[i] = !axes && dims[i] == 1;
  for (const std::int64_t axis : axes.value_or(Dims{})) {
    const std::size_t i = normalized_axis(axis, dims.size());
    if (dims[i] != 1) throw Error(concat("it squeezes axis ", axis, " of ", dims_text(dims)));
    drop[i] = true;
  }
  Dims result;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (!drop[i]) result.push_back(dims[i]);
  }
  return result;
}

Dims unsqueezed(const Dims& dims, const Dims& axes) {
  const std::size_t rank = dims.size() + axes.size();
  if (rank > kMaxRank) throw Error("it makes too many axes");
  std::vector<bool> added(rank, false);
  for (const std::int64_t axis : axes) {
    const std::size_t i = normalized_axis(axis, rank);
    if (added[i]) throw Error(concat("it adds axis ", axis, " twice"));
    added[i] = true;
  }
  Dims result;
  std::size_t next = 0;
  for (std::size_t i = 0; i < rank; ++i) result.push_back(added[i] ? 1 : dims[next++]);
  return result;
}

Dims flattened(const Dims& dims, std::int64_t axis) {
  const std::size_t cut = axis == static_cast<std::int64_t>(dims.size())
                              ? dims.size()
                              : normalized_axis(axis, dims.size());
  Dims result = {1, 1};
  for (std::size_t i = 0; i < dims.size(); ++i) result[i < cut ? 0 : 1] *= dims[i];
  return result;
}

}  // namespace ferplus::interop
