#include <gtest/gtest.h>

#include <ferplus/data/synth.h>
#include <ferplus/nn/models.h>
#include <ferplus/train/robustness.h>

namespace ferplus {
namespace {

TEST(Robustness, EachRowIsAnEvaluationOfCorruptedImages) {
  const Dataset dataset = synthesize({.count = 300, .seed = 3});
  const Network network = build_model("vgg_mini");
  Parameters parameters(network);
  initialize(network, parameters, Initialization::he_normal, 4);
  const PreparedModel model(network, parameters);
  const Evaluation clean = evaluate(dataset, model, {.without_twins = true});
  std::size_t last = 0, whole = 0;
  const auto rows = robustness(dataset, model, clean, [&](std::size_t done, std::size_t total) {
    EXPECT_GT(done, last);
    last = done;
    whole = total;
  });
  EXPECT_EQ(last, whole);
  ASSERT_EQ(rows.size(), corruptions().size());
  int changed = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].corruption, &corruptions()[i]);
    const Dataset worse = corrupted(dataset, clean.samples, corruptions()[i]);
    EXPECT_EQ(rows[i].classification.confusion,
              evaluate(worse, model, {}).classification.confusion);
    changed += rows[i].classification.confusion != clean.classification.confusion;
  }
  EXPECT_GT(changed, 10);
}

}  // namespace
}  // namespace ferplus
