#include "interop/onnx_activation.h"

#include <algorithm>
#include <numeric>

namespace ferplus::interop {
namespace {

std::vector<Factor> factor(Axis axis, std::int64_t size) {
  if (size == 1) return {};
  return {{axis, size}};
}

}  // namespace

Activation Activation::of_layer(const Shape& shape, std::int64_t batch) {
  Activation result;
  result.axes_ = {factor(Axis::n, batch), factor(Axis::c, shape[shape.rank() - 1])};
  if (shape.rank() == 4) {
    result.axes_.push_back(factor(Axis::h, shape[1]));
    result.axes_.push_back(factor(Axis::w, shape[2]));
  }
  return result;
}

Activation Activation::channels_last(const Shape& shape, std::int64_t batch) {
  return of_layer(shape, batch).transposed(Dims{0, 2, 3, 1});
}

Dims Activation::dims() const {
  Dims result;
  for (const auto& axis : axes_) {
    std::int64_t size = 1;
    for (const Factor& f : axis) size *= f.size;
    result.push_back(size);
  }
  return result;
}

Activation Activation::reshaped(const Dims& dims) const {
  std::vector<Factor> factors;
  for (const auto& axis : axes_) factors.insert(factors.end(), axis.begin(), axis.end());
  Activation result = *this;
  result.axes_.clear();
  std::size_t next = 0;
  for (const std::int64_t size : dims) {
    auto& axis = result.axes_.emplace_back();
    for (std::int64_t product = 1; product < size;) {
      if (next == factors.size() || size % (product * factors[next].size) != 0) {
        throw Error(concat("it regroups axes of ", dims_text(this->dims()), " as ", dims_text(dims),
                           ", which is not supported"));
      }
      product *= factors[next].size;
      axis.push_back(factors[next++]);
    }
  }
  return result;
}

Activation Activation::transposed(const std::optional<Dims>& order) const {
  Dims places(rank());
  std::iota(places.rbegin(), places.rend(), 0);
  if (order) places = *order;
  Activation result = *this;
  std::vector<bool> used(rank(), false);
  if (places.size() != rank()) throw Error("its perm is no permutation of the axes");
  for (std::size_t i = 0; i < rank(); ++i) {
    const std::size_t from = normalized_axis(places[i], rank());
    if (used[from]) throw Error("its perm is no permutation of the axes");
    used[from] = true;
    result.axes_[i] = axes_[from];
  }
  return result;
}

bool Activation::is_channels(std::size_t axis) const {
  const auto& factors = axes_[axis];
  return factors.empty() || (factors.size() == 1 && factors[0].axis == Axis::c);
}

void Activation::check_image() const {
  constexpr Axis kOrder[] = {Axis::n, Axis::c, Axis::h, Axis::w};
  bool fits = rank() == 4;
  for (std::size_t i = 0; fits && i < 4; ++i) {
    fits = axes_[i].empty() || (axes_[i].size() == 1 && axes_[i][0].axis == kOrder[i]);
  }
  if (!fits) {
    throw Error(
        concat("its input of ", dims_text(dims()), " is not batch, channels, rows, columns"));
  }
}

const std::vector<Factor>& Activation::features() const {
  const bool fits =
      rank() == 2 && (axes_[0].empty() || (axes_[0].size() == 1 && axes_[0][0].axis == Axis::n)) &&
      std::ranges::none_of(axes_[1], [](const Factor& f) { return f.axis == Axis::n; });
  if (!fits) throw Error(concat("its input of ", dims_text(dims()), " is not batch, features"));
  return axes_[1];
}

}  // namespace ferplus::interop
