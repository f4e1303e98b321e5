// Arrays that are known when a graph is imported, and what operators make of them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "interop/onnx_node.h"

namespace ferplus::interop {

using Dims = std::vector<std::int64_t>;
inline constexpr std::size_t kMaxRank = 8;

// "64x1x3x3".
std::string dims_text(const Dims& dims);
// Product of dims; nullopt if one is negative or those above 0 have a product above 2^40.
std::optional<std::int64_t> element_count(const Dims& dims);

// Row-major. Integers of any width, and truth values, are int64.
struct Constant {
  Dims dims;
  std::variant<std::vector<float>, std::vector<std::int64_t>> values;

  const std::vector<float>* reals() const { return std::get_if<0>(&values); }
  const std::vector<std::int64_t>* integers() const { return std::get_if<1>(&values); }
  std::size_t size() const { return reals() != nullptr ? reals()->size() : integers()->size(); }
};

// How many values importing may compute, so that a small file cannot fill the memory.
class Budget {
 public:
  explicit Budget(std::int64_t values) : left_(values) {}
  // Throws Error, without naming a place, if fewer are left.
  void spend(std::int64_t values);
  // For an array of these dims.
  void spend(const Dims& dims);

 private:
  std::int64_t left_;
};

// Throws Error, without naming a place: data that is outside the file, missing, too long or too
// short for its dims, or of a type other than float, int64, int32 and bool.
Constant read_tensor(const onnx::TensorProto& tensor);

// The axes in [0, rank), counted from the end if negative. Throws Error.
std::size_t normalized_axis(std::int64_t axis, std::size_t rank);
// Dims after a Reshape to `target` (0 copies unless allow_zero, -1 takes the rest). Throws Error.
Dims reshaped(const Dims& dims, Dims target, bool allow_zero);
// Dims after Squeeze, Unsqueeze and Flatten. Throw Error.
Dims squeezed(const Dims& dims, const std::optional<Dims>& axes);
Dims unsqueezed(const Dims& dims, const Dims& axes);
Dims flattened(const Dims& dims, std::int64_t axis);

// Where an operator keeps a list of integers: in an attribute, or since some opset in an input.
std::optional<Dims> list_argument(const Node& node, const char* attribute, const Constant* input);

// Whether fold_constants knows the operator.
bool folds_constants(const std::string& op);
// What a node with constant inputs (null where left out) makes. Throws Error, naming no place.
Constant fold_constants(const Node& node, const std::vector<const Constant*>& inputs,
                        Budget& budget);

}  // namespace ferplus::interop
