#include "algorithm_report.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <ferplus/kernels/conv2d.h>
#include <ferplus/kernels/cpu.h>

#include "table.h"

namespace ferplus::tool {
namespace {

struct ConvEntry {
  std::string name;
  ConvShape shape;
  bool first;  // its input needs no gradient
};

// Convolutions as sessions run them, with what they take along.
std::vector<ConvEntry> convolutions(const Network& network, Precision precision) {
  std::vector<ConvEntry> found;
  const std::vector<Network::Entry> layers = fused_layers(network, precision);
  for (const Network::Entry& entry : layers) {
    if (const auto shape = entry.layer->convolution(entry.input)) {
      found.push_back({entry.name, *shape, &entry == &layers.front()});
    }
  }
  return found;
}

std::vector<ConvPass> passes(Precision precision) {
  if (precision != Precision::fp32) return {ConvPass::forward};
  return {kAllConvPasses.begin(), kAllConvPasses.end()};
}

std::optional<ConvChoice> choice(const ConvEntry& entry, ConvPass pass) {
  if (entry.first && pass == ConvPass::backward_data) return std::nullopt;
  return explain_conv_algorithm(entry.shape, pass);
}

constexpr std::pair<std::string_view, std::string_view> kReasons[] = {
    {"measured", "the built-in table of measurements for this instruction set and shape"},
    {"rule", "fewest multiplications, not measured: the table lacks this instruction set or shape"},
    {"autotuned", "measured by train --autotune, from the run's config.json"},
    {"forced", "--algorithm, or the next algorithm that can run this shape and pass"},
    {"precision", "the bfloat16 form of the fastest algorithm"}};

}  // namespace

nlohmann::ordered_json algorithms_json(const Network& network, Precision precision) {
  nlohmann::ordered_json json = {{"network", network.name()},
                                 {"precision", precision_name(precision)},
                                 {"isa", isa_name()},
                                 {"supported_isas", supported_isas()},
                                 {"native_bf16", has_native_bf16()},
                                 {"layers", nlohmann::ordered_json::array()}};
  for (const ConvEntry& entry : convolutions(network, precision)) {
    nlohmann::ordered_json layer = {
        {"name", entry.name},
        {"height", entry.shape.height},
        {"width", entry.shape.width},
        {"in_channels", entry.shape.in_channels},
        {"out_channels", entry.shape.out_channels},
        {"kernel", {entry.shape.kernel_height, entry.shape.kernel_width}},
        {"passes", nlohmann::ordered_json::array()}};
    for (ConvPass pass : passes(precision)) {
      const auto chosen = choice(entry, pass);
      if (!chosen) continue;
      layer["passes"].push_back({{"pass", conv_pass_name(pass)},
                                 {"algorithm", chosen->algorithm.name},
                                 {"reason", chosen->reason}});
    }
    json["layers"].push_back(std::move(layer));
  }
  return json;
}

std::string algorithms_text(const Network& network, Precision precision) {
  std::vector<Table::Column> columns = {{"layer", Table::Align::left}, {"H x W x C -> K"}};
  for (ConvPass pass : passes(precision)) {
    columns.push_back({std::string(conv_pass_name(pass)), Table::Align::left});
  }
  Table table(std::move(columns));
  std::vector<std::string_view> reasons;
  for (const ConvEntry& entry : convolutions(network, precision)) {
    const ConvShape& s = entry.shape;
    std::vector<std::string> cells = {
        entry.name,
        fmt::format("{} x {} x {} -> {}", s.height, s.width, s.in_channels, s.out_channels)};
    for (ConvPass pass : passes(precision)) {
      const auto chosen = choice(entry, pass);
      cells.push_back(chosen ? fmt::format("{} ({})", chosen->algorithm.name, chosen->reason)
                             : "not needed");
      if (chosen) reasons.push_back(chosen->reason);
    }
    table.add_row(std::move(cells));
  }
  std::string text = fmt::format(
      "{} in {}, instruction set {} (this machine runs {}), bfloat16 {}\n\n{}\n", network.name(),
      precision_name(precision), isa_name(), fmt::join(supported_isas(), ", "),
      has_native_bf16() ? "native" : "widened to float, so no faster", table.to_string());
  for (const auto& [reason, meaning] : kReasons) {
    if (std::ranges::find(reasons, reason) == reasons.end()) continue;
    text += fmt::format("{}: {}\n", reason, meaning);
  }
  return text;
}

}  // namespace ferplus::tool
