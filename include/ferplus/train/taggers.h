// How well people agree with each other, beside how well a model agrees with them.
#pragma once

#include <cstddef>
#include <span>

#include <ferplus/data/label_mode.h>

namespace ferplus {

// Of the images with at least two votes. All ten columns count as votes: a tagger may say unknown
// or not a face, which no model can.
//
// people: of each image leave out one tagger, drawn uniformly; how often that tagger's choice is
// the plurality of the others' choices. Where m choices share the lead, hitting one counts 1/m.
// That is
//   mean over images of Σ_c v_c/N · [c leads v − e_c] / m(v − e_c),   N = Σ_c v_c.
// model: how often a tagger so drawn chose what the model predicts, mean of v_predicted/N. No model
// can do better than `best`, the mean of max_{c<8} v_c/N.
//
// People and model face the same taggers on the same images, so the two compare: people is what the
// crowd's own plurality scores at the model's task. Images that a protocol keeps for their
// agreement make all three look better than on all images.
struct TaggerAgreement {
  std::size_t images = 0;
  double people = 0, model = 0, best = 0;  // 0 without images
};

// REQUIRES: spans of equal size; predictions in [0, kClasses).
TaggerAgreement agree_with_taggers(std::span<const Votes> votes, std::span<const int> predictions);

}  // namespace ferplus
