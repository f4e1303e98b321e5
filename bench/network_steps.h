// Whole networks as benchmarks run them: a training step from the images of a batch to the updated
// weights, and inference.
#pragma once

#include <string>
#include <vector>

#include <ferplus/data/batch.h>
#include <ferplus/nn/session.h>
#include <ferplus/train/optimizer.h>

namespace ferplus::bench {

class TrainingStep {
 public:
  TrainingStep(const std::string& network, Index batch, Precision precision);
  // Distorts and normalises a batch, forward, loss, backward, update.
  void run();

 private:
  Index batch_;
  Dataset dataset_;
  BatchLoader loader_;
  Network network_;
  Parameters parameters_, gradients_;
  Sgd optimizer_;
  Session session_;
  std::vector<float> targets_, logits_gradient_;
  std::vector<std::uint32_t> draw_keys_;
  std::uint32_t step_ = 0;
};

class Inference {
 public:
  Inference(const std::string& network, Index batch, Precision precision);
  // Copies a batch in and computes its logits.
  const float* run();

 private:
  Index batch_;
  Network network_;
  Parameters parameters_;
  PreparedModel prepared_;
  Session session_;
  std::vector<float> images_;
};

}  // namespace ferplus::bench
