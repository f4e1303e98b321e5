#include <algorithm>
#include <array>
#include <iterator>
#include <span>
#include <utility>

#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/train/origins.h>
#include <ferplus/train/run_config.h>
#include <ferplus/train/training_set.h>

namespace ferplus {
namespace {

using nlohmann::json;
using Metadata = std::map<std::string, std::string>;

// What run_config_from_metadata reads, and the fingerprint of the training set that it led to.
constexpr std::array kOriginKeys = {"mode",     "preprocessing", "seed", "drop_leaks",
                                    "hold_out", "limit",         "data"};

std::optional<Metadata> origin(const Metadata& metadata) {
  Metadata run;
  for (const char* key : kOriginKeys) {
    const auto entry = metadata.find(key);
    if (entry == metadata.end()) return std::nullopt;
    run.insert(*entry);
  }
  return run;
}

// The runs before the one that wrote these metadata, the first one first; nothing if they are not
// known.
std::optional<std::vector<Metadata>> runs_before(const Metadata& metadata) {
  if (!metadata.contains("from")) return std::vector<Metadata>{};
  const auto origins = metadata.find("origins");
  if (origins == metadata.end()) return std::nullopt;
  std::vector<Metadata> runs;
  try {
    runs = json::parse(origins->second).get<std::vector<Metadata>>();
  } catch (const json::exception&) {
    return std::nullopt;
  }
  const auto whole = [](const Metadata& run) { return origin(run).has_value(); };
  if (runs.empty() || !std::ranges::all_of(runs, whole)) return std::nullopt;
  return runs;
}

// In order. Throws Error: of other data.
std::vector<std::size_t> left_aside(const Dataset& dataset, const Metadata& metadata,
                                    RunConfig config) {
  const auto data = metadata.find("data");
  const bool known = data != metadata.end();
  const auto other_data = [&] {
    return Error(concat(dataset.source, ": the model was trained on other images or votes than ",
                        "these: give the data that it was trained on"));
  };
  const std::size_t limit = std::exchange(config.limit, 0);
  TrainingSet set;
  try {
    set = training_set(dataset, config);
  } catch (const Error&) {
    if (known) throw other_data();
    throw;
  }
  const std::vector<std::size_t>& rest = set.training.samples;
  const std::size_t trained = limit > 0 ? std::min(limit, rest.size()) : rest.size();
  if (known && data->second != fingerprint(dataset, std::span(rest).first(trained))) {
    throw other_data();
  }
  std::vector<std::size_t> samples = std::move(set.held_out.samples);
  samples.insert(samples.end(), rest.begin() + static_cast<std::ptrdiff_t>(trained), rest.end());
  std::ranges::sort(samples);
  return samples;
}

}  // namespace

std::optional<std::vector<std::size_t>> untrained_samples(const Dataset& dataset,
                                                          const Metadata& metadata) {
  constexpr std::array kOfARun = {"from", "hold_out", "data"};
  if (std::ranges::none_of(kOfARun, [&](auto* key) { return metadata.contains(key); })) {
    return std::nullopt;
  }
  RunConfig config;
  try {
    config = run_config_from_metadata(metadata);
  } catch (const std::exception&) {
    throw Error(
        "the model's metadata are damaged, so that it is not known which images it was "
        "trained on: calibrate with --split public");
  }
  std::vector<std::size_t> samples = left_aside(dataset, metadata, config);
  const auto unknown = [&] {
    return Error(concat(dataset.source, ": which of these images '", config.from,
                        "' was trained on, with which the model's run began, is not known: ",
                        "calibrate with --split public"));
  };
  const std::optional<std::vector<Metadata>> runs = runs_before(metadata);
  if (!runs) throw unknown();
  for (const Metadata& run : *runs) {
    std::vector<std::size_t> others, both;
    try {
      others = left_aside(dataset, run, run_config_from_metadata(run));
    } catch (const std::exception&) {
      throw unknown();
    }
    std::ranges::set_intersection(samples, others, std::back_inserter(both));
    samples = std::move(both);
  }
  return samples;
}

std::string origins_after(const Metadata& metadata) {
  std::optional<std::vector<Metadata>> runs = runs_before(metadata);
  const std::optional<Metadata> last = origin(metadata);
  if (!runs || !last) return {};
  if (std::ranges::find(*runs, *last) == runs->end()) runs->push_back(*last);
  return json(*runs).dump();
}

}  // namespace ferplus
