#include "network_steps.h"

#include <algorithm>

#include <ferplus/data/synth.h>
#include <ferplus/nn/models.h>
#include <ferplus/train/loss.h>

namespace ferplus::bench {
namespace {

// Enough for any batch, and none of it short.
Dataset faces_for(Index batch) {
  return synthesize({.count = static_cast<std::size_t>(4 * batch + 64)});
}

Parameters initialized(const Network& network) {
  Parameters parameters(network);
  initialize(network, parameters, Initialization::he_normal, 1);
  return parameters;
}

}  // namespace

TrainingStep::TrainingStep(const std::string& network, Index batch, Precision precision)
    : batch_(batch),
      dataset_(faces_for(batch)),
      loader_(dataset_, select(dataset_, Split::train, LabelMode::majority), {.batch_size = batch}),
      network_(build_model(network)),
      parameters_(initialized(network_)),
      gradients_(network_),
      optimizer_(network_, {}),
      session_(network_, batch, Phase::training, precision),
      targets_(static_cast<std::size_t>(batch * kClasses)),
      logits_gradient_(targets_.size()),
      draw_keys_(static_cast<std::size_t>(batch), 7) {}

void TrainingStep::run() {
  const TensorView targets{targets_.data(), {batch_, kClasses}};
  const TensorView logits_gradient{logits_gradient_.data(), {batch_, kClasses}};
  const Index whole_batches = loader_.images() / batch_;
  loader_.load(0, step_ % whole_batches, session_.input(batch_), targets);
  const ConstTensorView logits =
      session_.forward_training(batch_, parameters_, {1, step_, draw_keys_});
  softmax_loss(LossKind::cross_entropy, logits, targets, logits_gradient);
  session_.backward(logits_gradient, parameters_, gradients_);
  optimizer_.step(parameters_, gradients_, 1e-4, batch_, nullptr, 0);
  ++step_;
}

Inference::Inference(const std::string& network, Index batch, Precision precision)
    : batch_(batch),
      network_(build_model(network)),
      parameters_(initialized(network_)),
      prepared_(network_, parameters_, precision),
      session_(prepared_, batch),
      images_(static_cast<std::size_t>(session_.input(batch).elements())) {
  RandomSequence random({.seed = 1, .stream = Stream::synth});
  for (float& value : images_) value = static_cast<float>(random.normal());
}

const float* Inference::run() {
  std::copy(images_.begin(), images_.end(), session_.input(batch_).data);
  return session_.forward(batch_, prepared_).data;
}

}  // namespace ferplus::bench
