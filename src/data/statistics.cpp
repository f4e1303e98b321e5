#include <algorithm>
#include <cstring>
#include <functional>
#include <span>
#include <string_view>

#include <ferplus/core/parallel.h>
#include <ferplus/data/statistics.h>

namespace ferplus {
namespace {

struct PixelHash {
  std::size_t hash = 0, sample = 0;
};

std::size_t bytes_of(ImageView image) {
  return static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
}

// Only sorts images into candidates: equality is decided by their bytes.
std::size_t hash_image(ImageView image) {
  const auto* pixels = reinterpret_cast<const char*>(image.pixels);
  return std::hash<std::string_view>()({pixels, bytes_of(image)});
}

int compare(ImageView a, ImageView b) {
  if (a.width != b.width) return a.width < b.width ? -1 : 1;
  if (a.height != b.height) return a.height < b.height ? -1 : 1;
  return std::memcmp(a.pixels, b.pixels, bytes_of(a));
}

// Calls visit(samples) for every group of two or more identical images, samples rising.
template <typename Visit>
void for_each_group(const Dataset& dataset, const Visit& visit) {
  std::vector<PixelHash> hashes(dataset.samples.size());
  parallel_for(static_cast<Index>(hashes.size()), [&](Index i) {
    const auto sample = static_cast<std::size_t>(i);
    hashes[sample] = {hash_image(dataset.image(dataset.samples[sample])), sample};
  });
  const auto image = [&](const PixelHash& h) { return dataset.image(dataset.samples[h.sample]); };
  std::sort(hashes.begin(), hashes.end(), [&](const PixelHash& a, const PixelHash& b) {
    if (a.hash != b.hash) return a.hash < b.hash;
    const int order = compare(image(a), image(b));
    return order != 0 ? order < 0 : a.sample < b.sample;
  });
  std::vector<std::size_t> group;
  for (std::size_t first = 0; first < hashes.size();) {
    group.assign(1, hashes[first].sample);
    std::size_t next = first + 1;
    while (next < hashes.size() && hashes[next].hash == hashes[first].hash &&
           compare(image(hashes[next]), image(hashes[first])) == 0) {
      group.push_back(hashes[next++].sample);
    }
    if (group.size() > 1) visit(std::span<const std::size_t>(group));
    first = next;
  }
}

std::size_t members(const Dataset& dataset, std::span<const std::size_t> group, Split split) {
  return static_cast<std::size_t>(std::count_if(group.begin(), group.end(), [&](std::size_t i) {
    return dataset.samples[i].split == split;
  }));
}

void count(const std::optional<Target>& target, ModeStatistics& mode) {
  if (!target) {
    ++mode.dropped;
    return;
  }
  ++mode.kept;
  const float largest = std::ranges::max(*target);
  for (std::size_t k = 0; k < kClasses; ++k) mode.per_class[k] += (*target)[k] == largest;
}

}  // namespace

DatasetStatistics statistics(const Dataset& dataset) {
  DatasetStatistics result;
  for (std::size_t s = 0; s < kSplits; ++s) {
    result.splits[s].rows = dataset.rows[s];
    result.splits[s].modes.resize(label_modes().size());
  }
  for (const Sample& sample : dataset.samples) {
    SplitStatistics& split = result.splits[static_cast<std::size_t>(sample.split)];
    ++split.images;
    for (std::size_t m = 0; m < split.modes.size(); ++m) {
      count(label_modes()[m].target(sample.votes), split.modes[m]);
    }
  }
  DuplicateStatistics& duplicates = result.duplicates;
  for_each_group(dataset, [&](std::span<const std::size_t> group) {
    ++duplicates.groups;
    duplicates.images += group.size();
    const std::size_t train = members(dataset, group, Split::train);
    const std::size_t public_test = members(dataset, group, Split::public_test);
    const std::size_t private_test = members(dataset, group, Split::private_test);
    if (std::max({train, public_test, private_test}) < group.size()) {
      ++duplicates.cross_split_groups;
    }
    if (train > 0) {
      duplicates.public_with_train_twin += public_test;
      duplicates.private_with_train_twin += private_test;
    }
  });
  return result;
}

std::vector<std::size_t> samples_with_train_twin(const Dataset& dataset, Split split) {
  std::vector<std::size_t> twins;
  for_each_group(dataset, [&](std::span<const std::size_t> group) {
    const std::size_t train = members(dataset, group, Split::train);
    if (train < (split == Split::train ? 2U : 1U)) return;
    for (std::size_t i : group) {
      if (dataset.samples[i].split == split) twins.push_back(i);
    }
  });
  std::sort(twins.begin(), twins.end());
  return twins;
}

std::vector<std::size_t> train_samples_with_test_twin(const Dataset& dataset) {
  std::vector<std::size_t> leaks;
  for_each_group(dataset, [&](std::span<const std::size_t> group) {
    if (members(dataset, group, Split::train) == group.size()) return;
    for (std::size_t i : group) {
      if (dataset.samples[i].split == Split::train) leaks.push_back(i);
    }
  });
  std::sort(leaks.begin(), leaks.end());
  return leaks;
}

}  // namespace ferplus
