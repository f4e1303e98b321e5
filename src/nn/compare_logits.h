// Whether two models say the same: what exports check themselves with.
#pragma once

#include <ferplus/nn/model_file.h>

namespace ferplus {

inline constexpr int kComparedImages = 8;

struct LogitComparison {
  double largest_difference = 0;  // between a logit of one and the other
  double largest_logit = 0;       // of the first
  bool finite = true;             // all of them
};

// Runs both on kComparedImages random inputs of the kind that a model's preprocessing makes: the
// same for both if that is the same. The other's logits are multiplied by `scale` before.
LogitComparison compare_logits(const Model& model, const Model& other, double scale = 1);

}  // namespace ferplus
