// What a model gets wrong, as files to look at.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include <ferplus/data/dataset.h>
#include <ferplus/train/evaluate.h>

namespace ferplus {

// The images, into Evaluation::samples, that are predicted wrongly: the most confident first, of
// equals the first in the data.
std::vector<std::size_t> mistakes(const Evaluation& evaluation);

// Into `folder`, which is created if missing:
//   images.csv                 every image: row, image, the ten votes, class, predicted, confidence
//                              (the prediction's probability, tempered if the model has a
//                              temperature), correct (1 or 0)
//   happiness-as-neutral.png   per confusion with at least one image, those images as the network
//                              sees them, 64×64 before normalisation, the most confident first,
//                              row by row
//   happiness-as-neutral.csv   what they are: tile (from 0), row, image, votes, confidence
//   index.csv                  class, predicted, images, pictures, sheet; most images first
// A sheet holds at most kMostTiles pictures, its CSV every image. index.csv is written last.
//
// Throws Error if the folder has anything in it, unless `force`: then this function's files in it
// are removed first, also those of confusions that no longer occur, and other files stay.
void write_error_report(const Dataset& dataset, const Evaluation& evaluation,
                        const std::filesystem::path& folder, bool force);

// Throws what write_error_report would throw about the folder, before there is anything to write.
void check_error_folder(const std::filesystem::path& folder, bool force);

inline constexpr std::size_t kMostTiles = 40'000;

}  // namespace ferplus
