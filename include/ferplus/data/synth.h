// Synthetic faces: drawn 48×48 faces whose brows, eyes, nose and mouth express the eight classes,
// with ten simulated taggers who confuse what people confuse. For tests and demonstrations: what a
// network learns from them says nothing about real faces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include <ferplus/data/dataset.h>

namespace ferplus {

struct SynthOptions {
  // Rows, at least 10: the first eight tenths training, then a tenth public, the rest private.
  // About one in a hundred has no image name (not a face), like in the real files.
  std::size_t count = 3500;
  std::uint64_t seed = 1;
};
inline constexpr std::size_t kMaxSynthCount = 1'000'000;

// All three splits in memory, equal to what loading the files of write_synth gives but for
// `source`. A row is a function of seed and row number alone: neither count (but for its split and
// name) nor threads matter. Same bits with the same binary and instruction set; else pixels may
// differ by rounding. Throws UsageError if count is out of range.
Dataset synthesize(const SynthOptions& options);

// fer2013.csv and fer2013new.csv in `directory`, which is created if it is missing, in the formats
// of the real files; the emotion column is the class that is meant, in FER2013's numbering
// (contempt as neutral). Files of these names are replaced. Throws Error.
void write_synth(const SynthOptions& options, const std::filesystem::path& directory);

}  // namespace ferplus
