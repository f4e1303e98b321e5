// Ways in which a picture of a face can be worse than FER2013's own, to measure what a model bears.
// After Hendrycks and Dietterich, "Benchmarking neural network robustness to common corruptions and
// perturbations", ICLR 2019, for faces of 48×48 pixels.
#pragma once

#include <span>
#include <string_view>

#include <ferplus/core/random.h>
#include <ferplus/data/dataset.h>
#include <ferplus/io/image.h>

namespace ferplus {

struct Corruption {
  std::string_view kind;   // "blur"
  std::string_view level;  // "sigma 1 px"
  // The face rectangle of a picture, worse; random draws from `random` alone. Of the face's size,
  // but that `size` makes it smaller and `rotation` has kInputSide pixels a side.
  GrayImage (*apply)(ImageView image, const Rectangle& face, double amount, RandomSequence& random);
  double amount;  // for apply
};

// A kind's levels stand together, from the mildest on (occlusions in no order):
//   blur        Gaussian, edges repeated
//   rotation    to either side by chance, edges mirrored
//   brightness  gray levels times a factor, cut at 255
//   darkness    the same with factors below 1
//   contrast    distances to mid-gray times a factor
//   noise       Gaussian, independent for each pixel
//   occlusion   black over the full width of the eyes or the mouth of an upright face, or its left
//               half
//   size        averaged down to fewer pixels
std::span<const Corruption> corruptions();

// The samples alone, corrupted, in that order: whole pictures are faces. Draws are keyed by
// Sample::draw_key, so that a sample is corrupted the same way whatever the others are. REQUIRES:
// indices into dataset.samples whose face rectangles lie within their images.
Dataset corrupted(const Dataset& dataset, std::span<const std::size_t> samples,
                  const Corruption& corruption);

}  // namespace ferplus
