// Stochastic gradient descent with momentum, Nesterov's or CNTK's if wanted, and weight decay that
// is part of the gradient (L2), and the exponential average of the weights.
#pragma once

#include <ferplus/nn/network.h>

namespace ferplus {

// g ← s·(gradient + weight_decay·w), s = 1 - μ with unit gain (as CNTK), else 1; decay for weights
// only, neither biases nor batch-norm;
// v ← μ·v + g;
// w ← w - rate·(nesterov ? g + μ·v : v).
// A batch shorter than `batch` has μ = momentum^(images / batch), as CNTK's per-sample momentum.
struct SgdOptions {
  double momentum = 0.9;
  bool unit_gain = true;
  bool nesterov = false;
  double weight_decay = 0;
  Index batch = 32;
};

// average ← d·average + (1 - d)·value, over parameters and batch-norm statistics, with
// d = min(decay, steps/(9 + steps)): the first value starts the average, and the first steps do not
// weigh for ever. Sgd::step updates it.
class WeightAverage {
 public:
  WeightAverage(const Network& network, double decay) : decay_(decay), average_(network) {}

  Parameters& average() { return average_; }
  const Parameters& average() const { return average_; }
  // d after `steps` earlier updates.
  double decay(std::int64_t steps) const;

 private:
  double decay_;
  Parameters average_;
};

// Not thread-safe; parallel inside; element by element, so bits do not depend on threads.
class Sgd {
 public:
  Sgd(const Network& network, const SgdOptions& options);

  // One step from the mean gradients over `images` images, and in the same pass over memory one of
  // the average (may be null); `steps_before` counts the steps of the run so far.
  // REQUIRES: 1 ≤ images ≤ options.batch.
  void step(Parameters& parameters, const Parameters& gradients, double learning_rate, Index images,
            WeightAverage* average, std::int64_t steps_before);

  // v; for checkpoints.
  Parameters& velocity() { return velocity_; }
  const Parameters& velocity() const { return velocity_; }

 private:
  struct Chunk {
    std::size_t begin, end;
    bool decays;
  };
  SgdOptions options_;
  std::vector<Chunk> chunks_;
  Parameters velocity_;
};

}  // namespace ferplus
