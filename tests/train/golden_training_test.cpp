// Losses and ten optimizer steps of a small network against an independent float64 reference
// (tools/make_golden_network.py). The bounds are within three times of what was measured.
#include <gtest/gtest.h>

#include <ferplus/train/loss.h>
#include <ferplus/train/optimizer.h>

#include "nn/golden_network.h"

namespace ferplus {
namespace {

struct Case {
  const char* name;
  LossKind loss;
  const char* loss_name;
  const char* targets;
  SgdOptions sgd;
  double rate;
  double loss_bound, weights_bound;  // relative: of any of the ten losses, of any array
};

void PrintTo(const Case& test_case, std::ostream* out) { *out << test_case.name; }

class GoldenTraining : public testing::TestWithParam<Case> {};

TEST_P(GoldenTraining, LossGradientsAndTenSteps) {
  const Case& c = GetParam();
  const GoldenNetwork golden;
  constexpr Index kBatch = GoldenNetwork::kBatch;
  Parameters parameters = golden.parameters("initial.");
  Parameters gradients(golden.network());
  Session session(golden.network(), kBatch, Phase::training);
  Sgd sgd(golden.network(), c.sgd);
  const std::vector<float> target_values = golden.floats(c.targets);
  const ConstTensorView targets{target_values.data(), {kBatch, kClasses}};
  Buffer<float> gradient_values(target_values.size());
  const TensorView logits_gradient{gradient_values.data(), {kBatch, kClasses}};

  const std::vector<double> expected = golden.doubles(std::string(c.name) + ".losses");
  ASSERT_EQ(expected.size(), std::size_t{GoldenNetwork::kSteps});
  double worst = 0;
  for (std::size_t step = 0; step < GoldenNetwork::kSteps; ++step) {
    golden.load_input(session);
    const ConstTensorView logits =
        session.forward_training(kBatch, parameters, GoldenNetwork::draws());
    const double loss = softmax_loss(c.loss, logits, targets, logits_gradient) / kBatch;
    session.backward(logits_gradient, parameters, gradients);
    if (step == 0) {
      const std::string name = c.loss_name;
      EXPECT_NEAR(loss, golden.doubles(name + ".loss")[0], 3e-7 * loss);
      const Parameters wanted = golden.parameters(name + ".gradient.", /*with_state=*/false);
      EXPECT_LE(worst_error(golden.network(), gradients.values(), wanted.values(),
                            golden.network().parameters()),
                1.8e-6);
    }
    worst = std::max(worst, std::abs(loss / expected[step] - 1));
    sgd.step(parameters, gradients, c.rate, kBatch, nullptr, 0);
  }
  RecordProperty("losses", std::to_string(worst * 1e9) + "e-9");
  EXPECT_LE(worst, c.loss_bound);

  const Parameters final = golden.parameters(std::string(c.name) + ".");
  const double weights = worst_error(golden.network(), parameters.values(), final.values(),
                                     golden.network().parameters());
  const double state =
      worst_error(golden.network(), parameters.state(), final.state(), golden.network().state());
  RecordProperty("weights", std::to_string(weights * 1e9) + "e-9");
  RecordProperty("state", std::to_string(state * 1e9) + "e-9");
  EXPECT_LE(weights, c.weights_bound);
  EXPECT_LE(state, c.weights_bound);
}

INSTANTIATE_TEST_SUITE_P(
    Optimizers, GoldenTraining,
    testing::Values(Case{"unit_gain",
                         LossKind::cross_entropy,
                         "cross_entropy",
                         "targets",
                         {.momentum = 0.9, .unit_gain = true, .batch = GoldenNetwork::kBatch},
                         0.2,
                         2e-7,
                         4.5e-7},
                    Case{"nesterov",
                         LossKind::max_target,
                         "max_target",
                         "multi_targets",
                         {.momentum = 0.9,
                          .unit_gain = false,
                          .nesterov = true,
                          .weight_decay = 0.005,
                          .batch = GoldenNetwork::kBatch},
                         0.02,
                         4e-6,
                         4.5e-7}),
    [](const auto& parameter) { return std::string(parameter.param.name); });

}  // namespace
}  // namespace ferplus
