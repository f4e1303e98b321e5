#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <ferplus/core/error.h>
#include <ferplus/core/random.h>
#include <ferplus/data/selection.h>

namespace ferplus {

Selection select(const Dataset& dataset, Split split, LabelMode mode) {
  const LabelModeInfo& info = label_mode(mode);
  Selection selection{.split = split, .mode = mode, .samples = {}, .targets = {}};
  std::size_t images = 0;
  for (std::size_t i = 0; i < dataset.samples.size(); ++i) {
    const Sample& sample = dataset.samples[i];
    if (sample.split != split) continue;
    ++images;
    const std::optional<Target> target = info.target(sample.votes);
    if (!target) continue;
    selection.samples.push_back(i);
    selection.targets.push_back(*target);
  }
  if (images == 0) {
    throw Error(concat(dataset.source, ": the ", split_name(split), " split has no images"));
  }
  if (selection.samples.empty()) {
    throw Error(concat(dataset.source, ": mode ", info.name, " keeps none of the ", images,
                       " images of the ", split_name(split), " split"));
  }
  return selection;
}

Selection without(const Selection& selection, std::span<const std::size_t> excluded) {
  Selection rest{.split = selection.split, .mode = selection.mode, .samples = {}, .targets = {}};
  for (std::size_t i = 0; i < selection.size(); ++i) {
    if (std::binary_search(excluded.begin(), excluded.end(), selection.samples[i])) continue;
    rest.samples.push_back(selection.samples[i]);
    rest.targets.push_back(selection.targets[i]);
  }
  return rest;
}

Selection first(Selection selection, std::size_t limit) {
  if (limit > 0 && limit < selection.size()) {
    selection.samples.resize(limit);
    selection.targets.resize(limit);
  }
  return selection;
}

HoldOut hold_out(const Dataset& dataset, const Selection& selection, std::size_t count,
                 std::uint64_t seed) {
  if (count >= selection.size()) {
    throw UsageError(concat("hold_out: ", count, " images cannot be held out of the ",
                            selection.size(), " of the ", split_name(selection.split),
                            " split that mode ", label_mode(selection.mode).name,
                            " keeps: nothing would be left"));
  }
  using Ticket = std::pair<double, std::size_t>;  // the image's draw, its position
  std::vector<Ticket> tickets;
  for (std::size_t i = 0; i < selection.size(); ++i) {
    RandomSequence random({.seed = seed,
                           .stream = Stream::hold_out,
                           .sample = dataset.samples[selection.samples[i]].draw_key});
    tickets.emplace_back(random.uniform(), i);
  }
  std::sort(tickets.begin(), tickets.end());
  std::vector<bool> held(selection.size());
  for (std::size_t i = 0; i < count; ++i) held[tickets[i].second] = true;
  HoldOut result;
  for (Selection* part : {&result.rest, &result.held_out}) {
    part->split = selection.split;
    part->mode = selection.mode;
  }
  for (std::size_t i = 0; i < selection.size(); ++i) {
    Selection& part = held[i] ? result.held_out : result.rest;
    part.samples.push_back(selection.samples[i]);
    part.targets.push_back(selection.targets[i]);
  }
  return result;
}

std::vector<double> balancing_weights(const Selection& selection, double exponent) {
  std::array<double, kClasses> size{};
  for (const Target& target : selection.targets) {
    for (std::size_t k = 0; k < kClasses; ++k) size[k] += static_cast<double>(target[k]);
  }
  std::vector<double> weights;
  double total = 0;
  for (const Target& target : selection.targets) {
    double weight = 0;
    for (std::size_t k = 0; k < kClasses; ++k) {
      if (target[k] > 0) weight += static_cast<double>(target[k]) * std::pow(size[k], -exponent);
    }
    weights.push_back(weight);
    total += weight;
  }
  const double mean = total / static_cast<double>(weights.size());
  for (double& weight : weights) weight /= mean;
  return weights;
}

}  // namespace ferplus
