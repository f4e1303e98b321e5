#include <algorithm>

#include <ferplus/core/error.h>
#include <ferplus/data/selection.h>

namespace ferplus {

Selection select(const Dataset& dataset, Split split, LabelMode mode, std::size_t limit) {
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
    if (selection.size() == limit) break;
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

}  // namespace ferplus
