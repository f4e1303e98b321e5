#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/nn/architecture.h>
#include <ferplus/nn/layers.h>

#include "core/json_text.h"

namespace ferplus {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t kMaxLayers = 1000;
// Far above any real network's, and small enough that sizes computed from them do not overflow.
constexpr Index kMaxWindow = 256, kMaxUnits = Index{1} << 20, kMaxActivations = Index{1} << 40;

template <typename Options, typename Wanted>
concept OptionsOf = std::same_as<std::remove_const_t<Options>, Wanted>;

// visit(name, member) for every field of a layer's options, read or written.
template <typename Visit>
void visit_fields(OptionsOf<Conv2dOptions> auto& o, Visit visit) {
  visit("filters", o.filters);
  visit("kernel", o.kernel);
  visit("stride", o.stride);
  visit("bias", o.bias);
  visit("relu", o.tail.relu);
  visit("padding", o.padding);
}
template <typename Visit>
void visit_fields(OptionsOf<MaxPoolOptions> auto& o, Visit visit) {
  visit("size", o.size);
  visit("stride", o.stride);
  visit("relu", o.relu);
  visit("padding", o.padding);
}
template <typename Visit>
void visit_fields(OptionsOf<AveragePoolOptions> auto& o, Visit visit) {
  visit("height", o.height);
  visit("width", o.width);
  visit("stride", o.stride);
  visit("padding", o.padding);
  visit("count_padding", o.count_padding);
}
template <typename Visit>
void visit_fields(OptionsOf<DenseOptions> auto& o, Visit visit) {
  visit("units", o.units);
  visit("bias", o.bias);
}
template <typename Visit>
void visit_fields(OptionsOf<ReluOptions> auto&, Visit) {}
template <typename Visit>
void visit_fields(OptionsOf<DropoutOptions> auto& o, Visit visit) {
  visit("rate", o.rate);
  visit("stream", o.stream);
}
template <typename Visit>
void visit_fields(OptionsOf<BatchNormOptions> auto& o, Visit visit) {
  visit("momentum", o.momentum);
  visit("epsilon", o.epsilon);
  visit("initial_weight", o.initial_weight);
  visit("tail_relu", o.tail.relu);
  visit("tail_pool", o.tail.pool);
}

ordered_json to_json(const Padding& p) { return {p.top, p.left, p.bottom, p.right}; }
ordered_json to_json(const std::optional<Padding>& p) {
  return p ? to_json(*p) : ordered_json("same");
}
template <typename Value>
ordered_json to_json(const Value& value) {
  return value;
}

// Checked conversions from what a file says.
Index whole_number(const json& value, Index most) {
  if (!value.is_number_integer() || value < 0 || value > most) {
    throw Error(concat("expected a whole number from 0 to ", most, ", got ", quoted(value)));
  }
  return value.get<Index>();
}
void read(const json& value, Index& to) { to = whole_number(value, kMaxUnits); }
void read(const json& value, unsigned& to) {
  to = static_cast<unsigned>(whole_number(value, kMaxUnits));
}
void read(const json& value, bool& to) {
  if (!value.is_boolean()) throw Error(concat("expected true or false, got ", quoted(value)));
  to = value.get<bool>();
}
void read(const json& value, double& to) {
  if (!value.is_number() || !std::isfinite(value.get<double>())) {
    throw Error(concat("expected a number, got ", quoted(value)));
  }
  to = value.get<double>();
}
void read(const json& value, Padding& to) {
  if (!value.is_array() || value.size() != 4) {
    throw Error(concat("expected [top, left, bottom, right], got ", quoted(value)));
  }
  to = {whole_number(value[0], kMaxWindow), whole_number(value[1], kMaxWindow),
        whole_number(value[2], kMaxWindow), whole_number(value[3], kMaxWindow)};
}
void read(const json& value, std::optional<Padding>& to) {
  to.reset();
  if (value != "same") read(value, to.emplace());
}

void check_windows(const LayerOptions& options) {
  const auto check = [](Index size, Index stride) {
    if (size > kMaxWindow || stride > kMaxWindow) {
      throw Error(concat("windows and strides above ", kMaxWindow, " are not supported"));
    }
  };
  if (const auto* conv = std::get_if<Conv2dOptions>(&options)) check(conv->kernel, conv->stride);
  if (const auto* pool = std::get_if<MaxPoolOptions>(&options)) check(pool->size, pool->stride);
  if (const auto* pool = std::get_if<AveragePoolOptions>(&options)) {
    check(std::max(pool->height, pool->width), pool->stride);
  }
}

template <std::size_t... I>
std::vector<LayerOptions> one_of_each(std::index_sequence<I...>) {
  return {std::variant_alternative_t<I, LayerOptions::variant>{}...};
}

// Options that all have the default values, of the layer of that kind.
LayerOptions options_of_kind(const std::string& kind) {
  constexpr auto kCount = std::variant_size_v<LayerOptions::variant>;
  for (const LayerOptions& options : one_of_each(std::make_index_sequence<kCount>())) {
    if (make_layer(options)->kind() == kind) return options;
  }
  throw Error(concat("there is no layer of kind '", kind, "'"));
}

LayerOptions options_from(const json& layer) {
  LayerOptions options = options_of_kind(layer.at("kind").get<std::string>());
  std::size_t fields = 2;  // name and kind
  std::visit(
      [&](auto& o) {
        visit_fields(o, [&](const char* name, auto& member) {
          ++fields;
          try {
            read(layer.at(name), member);
          } catch (const Error& error) {
            throw Error(concat(name, ": ", error.what()));
          }
        });
      },
      options);
  if (layer.size() != fields) throw Error("it has fields that its kind does not have");
  check_windows(options);
  return options;
}

bool pools_within(const LayerOptions& options) {
  const auto* conv = std::get_if<Conv2dOptions>(&options);
  return conv != nullptr && conv->tail.pool;
}

}  // namespace

std::string layer_list(const Network& network) {
  ordered_json list = ordered_json::array();
  for (const Network::Entry& entry : network.layers()) {
    if (const LayerOptions options = entry.layer->options(); pools_within(options)) {
      throw UsageError(concat("layer ", entry.name,
                              ": a convolution that pools has no place in a "
                              "file: let a max_pool follow it"));
    }
    ordered_json layer = {{"name", entry.name}, {"kind", entry.layer->kind()}};
    std::visit(
        [&](const auto& options) {
          visit_fields(options, [&](const char* name, const auto& member) {
            layer[name] = to_json(member);
          });
        },
        entry.layer->options());
    list.push_back(std::move(layer));
  }
  return list.dump();
}

Network network_from_layer_list(std::string name, const Shape& input, std::string_view text,
                                std::size_t max_parameters) {
  const json list = json::parse(text, nullptr, false);
  if (!list.is_array() || list.empty() || list.size() > kMaxLayers) {
    throw Error(concat("a list of layers is a JSON array of 1 to ", kMaxLayers, " objects"));
  }
  Network network(std::move(name), input);
  for (std::size_t i = 0; i < list.size(); ++i) {
    try {
      network.add(list[i].at("name").get<std::string>(), make_layer(options_from(list[i])));
    } catch (const json::exception& error) {
      throw Error(concat("layer ", i + 1, ": ", error.what()));
    } catch (const Error& error) {
      throw Error(concat("layer ", i + 1, ": ", error.what()));
    }
    std::size_t values = 0;
    for (const auto arrays : {network.parameters(), network.state()}) {
      for (const Network::Array& array : arrays) {
        values += static_cast<std::size_t>(array.spec.shape.elements());
      }
    }
    if (network.output().elements() > kMaxActivations) {
      throw Error(concat("layer ", i + 1, ": its output of ", network.output().to_string(),
                         " values an image is too large"));
    }
    if (values > max_parameters) {
      throw Error(concat("layer ", i + 1, ": the network has more than the ", max_parameters,
                         " values that there are"));
    }
  }
  return network;
}

}  // namespace ferplus
