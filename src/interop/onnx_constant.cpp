// Constant folding: the operators that exporters put between shapes and weights.
#include "interop/onnx_constant.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

namespace ferplus::interop {
namespace {

constexpr std::int64_t kMaxStep = std::int64_t{1} << 31;

struct Fold {
  const Node& node;
  const std::vector<const Constant*>& inputs;
  Budget& budget;

  const Constant& input(std::size_t i) const {
    if (i >= inputs.size() || inputs[i] == nullptr) throw Error("it lacks an input");
    return *inputs[i];
  }
  const Constant* optional_input(std::size_t i) const {
    return i < inputs.size() ? inputs[i] : nullptr;
  }
};

const std::vector<std::int64_t>& integers_of(const Constant& constant) {
  if (constant.integers() == nullptr) throw Error("it needs integers, not floats");
  return *constant.integers();
}

// For lists of integers and sizes: at most one axis.
void check_list(const Constant& constant) {
  if (constant.dims.size() > 1) {
    throw Error(concat("it is supported on lists only, not on ", dims_text(constant.dims)));
  }
}

Constant with_dims(const Fold& fold, Dims dims) {
  Constant result = fold.input(0);
  fold.budget.spend(static_cast<std::int64_t>(result.size()));
  result.dims = std::move(dims);
  return result;
}

// Values of `from` at the places that `place(i)` says.
template <typename Place>
Constant gathered(const Constant& from, Dims dims, std::size_t count, Place place) {
  Constant result{.dims = std::move(dims), .values = {}};
  std::visit(
      [&](const auto& values) {
        auto& to = result.values.emplace<std::decay_t<decltype(values)>>(count);
        for (std::size_t i = 0; i < count; ++i) to[i] = values[place(i)];
      },
      from.values);
  return result;
}

Constant constant(const Fold& fold) {
  const onnx::TensorProto* tensor = fold.node.tensor("value");
  if (tensor != nullptr) {
    Constant result = read_tensor(*tensor);
    fold.budget.spend(static_cast<std::int64_t>(result.size()));
    return result;
  }
  if (const auto list = fold.node.integers("value_ints")) {
    fold.budget.spend(static_cast<std::int64_t>(list->size()));
    return {.dims = {static_cast<std::int64_t>(list->size())}, .values = *list};
  }
  for (const auto& attribute : fold.node.proto().attribute()) {
    if (attribute.name() == "value_int") {
      return {.dims = {}, .values = std::vector{fold.node.integer("value_int", 0)}};
    }
    if (attribute.name() == "value_float") {
      return {.dims = {}, .values = std::vector{fold.node.real("value_float", 0)}};
    }
  }
  throw Error("it has no value of a supported kind");
}

Constant identity(const Fold& fold) { return with_dims(fold, fold.input(0).dims); }

Constant shape(const Fold& fold) {
  Dims dims = fold.input(0).dims;
  const auto rank = static_cast<std::int64_t>(dims.size());
  const auto place = [&](std::int64_t at) {
    return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  const std::int64_t begin = place(fold.node.integer("start", 0));
  const std::int64_t end = std::max(begin, place(fold.node.integer("end", rank)));
  dims = Dims(dims.begin() + begin, dims.begin() + end);
  return {.dims = {end - begin}, .values = std::move(dims)};
}

Constant cast(const Fold& fold) {
  const Constant& from = fold.input(0);
  const std::int64_t to = fold.node.integer("to", 0);
  fold.budget.spend(static_cast<std::int64_t>(from.size()));
  if (to == onnx::TensorProto::FLOAT) {
    if (from.reals() != nullptr) return from;
    const auto& values = integers_of(from);
    std::vector<float> result(values.size());
    std::ranges::transform(values, result.begin(), [](auto v) { return static_cast<float>(v); });
    return {.dims = from.dims, .values = std::move(result)};
  }
  if (to != onnx::TensorProto::INT64 && to != onnx::TensorProto::INT32) {
    throw Error("it casts to a type other than float, int64 and int32");
  }
  if (from.reals() == nullptr) return from;
  std::vector<std::int64_t> result;
  for (const float v : *from.reals()) {
    if (!(std::abs(v) < 1e9f)) throw Error("it casts a value that is too large for an integer");
    result.push_back(static_cast<std::int64_t>(v));
  }
  return {.dims = from.dims, .values = std::move(result)};
}

Constant gather(const Fold& fold) {
  const Constant& data = fold.input(0);
  check_list(data);
  normalized_axis(fold.node.integer("axis", 0), data.dims.size());
  const auto& places = integers_of(fold.input(1));
  fold.budget.spend(static_cast<std::int64_t>(places.size()));
  for (const std::int64_t place : places) normalized_axis(place, data.size());
  return gathered(data, fold.input(1).dims, places.size(),
                  [&](std::size_t i) { return normalized_axis(places[i], data.size()); });
}

Constant concatenated(const Fold& fold) {
  Constant result = fold.input(0);
  normalized_axis(fold.node.integer("axis", 1), result.dims.size());
  for (std::size_t i = 0; i < fold.inputs.size(); ++i) {
    const Constant& part = fold.input(i);
    check_list(part);
    fold.budget.spend(static_cast<std::int64_t>(part.size()));
    if (part.values.index() != result.values.index() || part.dims.size() != 1) {
      throw Error("it joins arrays that do not fit together");
    }
    if (i == 0) continue;
    std::visit(
        [&](auto& to) {
          const auto& from = std::get<std::decay_t<decltype(to)>>(part.values);
          to.insert(to.end(), from.begin(), from.end());
        },
        result.values);
  }
  result.dims = {static_cast<std::int64_t>(result.size())};
  return result;
}

Dims strides_of(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (std::size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

// An array of `dims` whose entry [i, j, …] is that of `from` at first + i·strides[0] + j·strides[1]
// ….
Constant strided(const Constant& from, const Dims& dims, std::int64_t first, const Dims& strides) {
  const auto count = static_cast<std::size_t>(element_count(dims).value_or(0));
  return gathered(from, dims, count, [&](std::size_t i) {
    std::int64_t place = first;
    auto left = static_cast<std::int64_t>(i);
    for (std::size_t axis = dims.size(); axis-- > 0; left /= dims[axis]) {
      place += left % dims[axis] * strides[axis];
    }
    return static_cast<std::size_t>(place);
  });
}

Constant slice(const Fold& fold) {
  const Constant& data = fold.input(0);
  const auto argument = [&](const char* name, std::size_t i) {
    return list_argument(fold.node, name, fold.optional_input(i));
  };
  const auto starts = argument("starts", 1), ends = argument("ends", 2);
  if (!starts || !ends || starts->size() != ends->size()) throw Error("its ranges do not fit");
  Dims axes(starts->size());
  std::iota(axes.begin(), axes.end(), 0);
  axes = argument("axes", 3).value_or(axes);
  const Dims steps = argument("steps", 4).value_or(Dims(starts->size(), 1));
  if (axes.size() != starts->size() || steps.size() != starts->size()) {
    throw Error("its ranges do not fit");
  }
  Dims dims = data.dims, strides = strides_of(dims);
  std::vector<bool> cut(dims.size(), false);
  std::int64_t first = 0;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const std::size_t axis = normalized_axis(axes[i], dims.size());
    const std::int64_t size = dims[axis], step = steps[i];
    if (cut[axis] || step == 0 || step < -kMaxStep || step > kMaxStep)
      throw Error("its ranges do not fit");
    cut[axis] = true;
    // Going back, the place before the first is where it ends.
    const std::int64_t least = step < 0 ? -1 : 0, most = step < 0 ? size - 1 : size;
    const auto place = [&](std::int64_t at) {
      return at < 0 ? std::max(at < -size ? least : at + size, least) : std::min(at, most);
    };
    const std::int64_t begin = std::max<std::int64_t>(place((*starts)[i]), 0);
    const std::int64_t length = (place((*ends)[i]) - begin) * (step < 0 ? -1 : 1);
    dims[axis] = length <= 0 ? 0 : (length - 1) / std::abs(step) + 1;
    first += begin * strides[axis];
    strides[axis] *= dims[axis] > 1 ? step : 1;
  }
  fold.budget.spend(dims);
  return strided(data, dims, first, strides);
}

Constant filled(const Fold& fold) {
  const Dims dims = integers_of(fold.input(0));
  const auto count = element_count(dims);
  if (!count || dims.size() > kMaxRank) {
    throw Error(concat("it makes an impossible shape, ", dims_text(dims)));
  }
  fold.budget.spend(*count);
  const onnx::TensorProto* tensor = fold.node.tensor("value");
  const Constant value = tensor == nullptr ? Constant{.dims = {1}, .values = std::vector<float>{0}}
                                           : read_tensor(*tensor);
  if (value.size() != 1) throw Error("it is filled with more than one value");
  return gathered(value, dims, static_cast<std::size_t>(*count), [](std::size_t) { return 0; });
}

Constant transposed(const Fold& fold) {
  const Constant& from = fold.input(0);
  const std::size_t rank = from.dims.size();
  Dims order(rank);
  std::iota(order.rbegin(), order.rend(), 0);
  order = fold.node.integers("perm").value_or(order);
  Dims sorted = order;
  std::ranges::sort(sorted);
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (sorted.size() != rank || sorted[i] != static_cast<std::int64_t>(i)) {
      throw Error("its perm is no permutation of the axes");
    }
  }
  fold.budget.spend(static_cast<std::int64_t>(from.size()));
  const Dims from_strides = strides_of(from.dims);
  Dims dims, strides;
  for (const std::int64_t axis : order) {
    dims.push_back(from.dims[static_cast<std::size_t>(axis)]);
    strides.push_back(from_strides[static_cast<std::size_t>(axis)]);
  }
  return strided(from, dims, 0, strides);
}

Constant reshape(const Fold& fold) {
  const auto target = list_argument(fold.node, "shape", fold.optional_input(1));
  if (!target) throw Error("it does not say to which shape");
  const bool allow_zero = fold.node.integer("allowzero", 0) != 0;
  return with_dims(fold, reshaped(fold.input(0).dims, *target, allow_zero));
}

Constant squeeze(const Fold& fold) {
  return with_dims(
      fold, squeezed(fold.input(0).dims, list_argument(fold.node, "axes", fold.optional_input(1))));
}

Constant unsqueeze(const Fold& fold) {
  const auto axes = list_argument(fold.node, "axes", fold.optional_input(1));
  if (!axes) throw Error("it does not say which axes");
  return with_dims(fold, unsqueezed(fold.input(0).dims, *axes));
}

Constant flatten(const Fold& fold) {
  return with_dims(fold, flattened(fold.input(0).dims, fold.node.integer("axis", 1)));
}

// Element by element; a single value meets every element of the other side.
Constant arithmetic(const Fold& fold) {
  const Constant &a = fold.input(0), &b = fold.input(1);
  const bool spread_a = a.size() == 1 && a.dims.size() <= b.dims.size();
  const bool spread_b = b.size() == 1 && b.dims.size() <= a.dims.size();
  if (a.values.index() != b.values.index() || (a.dims != b.dims && !spread_a && !spread_b)) {
    throw Error(concat("it combines constants of shapes ", dims_text(a.dims), " and ",
                       dims_text(b.dims), ", which is not supported"));
  }
  const std::size_t count = spread_a ? b.size() : a.size();
  fold.budget.spend(static_cast<std::int64_t>(count));
  const char op = fold.node.op()[0];  // Add, Sub, Mul, Div
  Constant result{.dims = spread_a ? b.dims : a.dims, .values = {}};
  std::visit(
      [&](const auto& x) {
        using Values = std::decay_t<decltype(x)>;
        using Value = typename Values::value_type;
        const Values& y = std::get<Values>(b.values);
        Values& to = result.values.emplace<Values>(count);
        for (std::size_t i = 0; i < count; ++i) {
          const Value left = x[spread_a ? 0 : i], right = y[spread_b ? 0 : i];
          if constexpr (std::is_integral_v<Value>) {
            // Shapes: sums and products of what fits into 31 bits do not overflow.
            const auto fits = [](Value v) { return v > -(Value{1} << 31) && v < Value{1} << 31; };
            if (!fits(left) || !fits(right) || (op == 'D' && right == 0)) {
              throw Error("it computes with integers that are too large, or divides by 0");
            }
          }
          to[i] = op == 'A'   ? left + right
                  : op == 'S' ? left - right
                  : op == 'M' ? left * right
                              : left / right;
        }
      },
      a.values);
  return result;
}

using Folder = Constant (*)(const Fold&);
const std::map<std::string, Folder>& folders() {
  static const std::map<std::string, Folder> kFolders = {
      {"Constant", constant}, {"Identity", identity},      {"Shape", shape},
      {"Cast", cast},         {"Gather", gather},          {"Concat", concatenated},
      {"Slice", slice},       {"ConstantOfShape", filled}, {"Transpose", transposed},
      {"Reshape", reshape},   {"Squeeze", squeeze},        {"Unsqueeze", unsqueeze},
      {"Flatten", flatten},   {"Add", arithmetic},         {"Sub", arithmetic},
      {"Mul", arithmetic},    {"Div", arithmetic}};
  return kFolders;
}

}  // namespace

std::optional<Dims> list_argument(const Node& node, const char* attribute, const Constant* input) {
  if (input == nullptr) return node.integers(attribute);
  check_list(*input);
  return integers_of(*input);
}

bool folds_constants(const std::string& op) { return folders().contains(op); }

Constant fold_constants(const Node& node, const std::vector<const Constant*>& inputs,
                        Budget& budget) {
  return folders().at(node.op())({node, inputs, budget});
}

}  // namespace ferplus::interop
