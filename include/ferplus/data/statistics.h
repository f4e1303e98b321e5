// What a dataset holds: images kept and dropped per split, mode and class, and identical images.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include <ferplus/data/dataset.h>
#include <ferplus/data/label_mode.h>

namespace ferplus {

struct ModeStatistics {
  std::size_t kept = 0, dropped = 0;
  // Kept images by the class of their target's largest value. One whose largest value several
  // classes share, as all that multi_target admits do, counts for each.
  std::array<std::size_t, kClasses> per_class{};
};

struct SplitStatistics {
  std::size_t rows = 0, images = 0;
  std::vector<ModeStatistics> modes;  // in the order of label_modes()
};

// Images that equal others pixel for pixel (rows without an image do not count).
struct DuplicateStatistics {
  std::size_t groups = 0, images = 0;  // groups of two or more, and their members
  std::size_t cross_split_groups = 0;  // groups with members in more than one split
  std::size_t public_with_train_twin = 0, private_with_train_twin = 0;  // images
};

struct DatasetStatistics {
  std::array<SplitStatistics, kSplits> splits{};  // by Split; zeros for one that is not there
  DuplicateStatistics duplicates;
};

DatasetStatistics statistics(const Dataset& dataset);

// The samples of `split` (indices, rising) that equal another sample, of the training split, pixel
// for pixel. Exact: bytes are compared.
std::vector<std::size_t> samples_with_train_twin(const Dataset& dataset, Split split);
// The training samples that equal one of the public or private split: what leaks into training.
std::vector<std::size_t> train_samples_with_test_twin(const Dataset& dataset);

}  // namespace ferplus
