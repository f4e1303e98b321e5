// What comes before the measured table: forced and tuned algorithms, and the measuring.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/core/parallel.h>
#include <ferplus/kernels/conv2d_measure.h>

#include "kernels/operands.h"
#include "support/temporary_folder.h"

namespace ferplus {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;

// In the measured table, where the algorithm is never the matrix product.
const TunedConv kTuned{.pass = ConvPass::forward,
                       .height = 32,
                       .width = 32,
                       .in_channels = 64,
                       .out_channels = 128,
                       .algorithm = "matrix_product"};

class ConvSelectionTest : public ::testing::Test {
 private:
  ScopedConvSelection restore_{ConvSelection()};
};

TEST_F(ConvSelectionTest, PassesHaveNames) {
  for (ConvPass pass : kAllConvPasses) EXPECT_EQ(conv_pass_from_name(conv_pass_name(pass)), pass);
  EXPECT_EQ(conv_pass_name(ConvPass::backward_data), "backward_data");
  EXPECT_THAT(message_of<UsageError>([] { conv_pass_from_name("forwards"); }),
              HasSubstr("forward?"));
}

TEST_F(ConvSelectionTest, TunedComesBeforeTheTableForItsPassAndShapeAndAnyBatch) {
  const test::RestoreIsa restore;
  set_isa("baseline");  // runs everywhere and has been measured
  const ConvShape shape = kTuned.shape(1);
  EXPECT_EQ(explain_conv_algorithm(shape, ConvPass::forward).reason, "measured");
  set_conv_selection({.tuned = {kTuned}});
  for (Index batch : {1, 7, 32}) {
    const ConvChoice choice = explain_conv_algorithm(kTuned.shape(batch), ConvPass::forward);
    EXPECT_EQ(choice.algorithm.name, "matrix_product");
    EXPECT_EQ(choice.reason, "autotuned");
  }
  EXPECT_EQ(explain_conv_algorithm(shape, ConvPass::backward_data).reason, "measured");
  std::vector<ConvShape> others(6, shape);
  others[0].height = others[0].out_height = 16;
  others[1].width = others[1].out_width = 16;
  others[2].in_channels = 128;
  others[3].out_channels = 64;
  others[4].stride = 2;
  others[5].pad_left = 0;
  for (std::size_t i = 0; i < others.size(); ++i) {
    EXPECT_NE(explain_conv_algorithm(others[i], ConvPass::forward).reason, "autotuned") << i;
  }
  set_conv_selection({});
  EXPECT_EQ(explain_conv_algorithm(shape, ConvPass::forward).reason, "measured");
}

TEST_F(ConvSelectionTest, ForcedComesBeforeTuned) {
  set_conv_selection({.tuned = {kTuned}});
  set_conv_algorithm("winograd2");
  const ConvChoice forced = explain_conv_algorithm(kTuned.shape(1), ConvPass::forward);
  EXPECT_EQ(forced.algorithm.name, "winograd2");
  EXPECT_EQ(forced.reason, "forced");
  set_conv_algorithm("auto");
  EXPECT_EQ(explain_conv_algorithm(kTuned.shape(1), ConvPass::forward).reason, "autotuned");
}

TEST_F(ConvSelectionTest, PrecisionReplacesTunedWinogradOnly) {
  ConvShape shape = kTuned.shape(1);
  shape.precision = Precision::bf16;
  TunedConv winograd = kTuned;
  winograd.algorithm = "winograd4";
  set_conv_selection({.tuned = {winograd}});
  EXPECT_EQ(explain_conv_algorithm(shape, ConvPass::forward).reason, "precision");
  set_conv_selection({.tuned = {kTuned}});
  EXPECT_EQ(explain_conv_algorithm(shape, ConvPass::forward).reason, "autotuned");
}

TEST_F(ConvSelectionTest, ImpossibleSelectionsAreRefusedAndChangeNothing) {
  set_conv_selection({.tuned = {kTuned}});
  const ConvSelection before = conv_selection();
  TunedConv unknown = kTuned, impossible = kTuned;
  unknown.algorithm = "magic";
  impossible.algorithm = "direct";  // for few channels
  EXPECT_THAT(message_of<UsageError>([&] { set_conv_selection({.tuned = {unknown}}); }),
              HasSubstr("'magic'"));
  EXPECT_THAT(message_of<UsageError>([&] {
                set_conv_selection({.tuned = {kTuned, impossible}});
              }),
              AllOf(HasSubstr("direct"), HasSubstr("forward"), HasSubstr("32x32")));
  EXPECT_THROW(set_conv_selection({.algorithm = "magic"}), UsageError);
  EXPECT_EQ(conv_selection(), before);
  {
    const ScopedConvSelection scope({.algorithm = "matrix_product"});
    EXPECT_EQ(explain_conv_algorithm(kTuned.shape(1), ConvPass::forward).reason, "forced");
  }
  EXPECT_EQ(conv_selection(), before);
}

TEST_F(ConvSelectionTest, MeasuringFindsAnAlgorithmThatCanAndLeavesThreadsAlone) {
  const int threads = thread_count();
  set_thread_count(3);
  for (ConvPass pass : kAllConvPasses) {
    for (Index channels : {1, 32}) {
      const ConvShape shape{.batch = 2,
                            .height = 12,
                            .width = 12,
                            .in_channels = channels,
                            .out_channels = 32,
                            .out_height = 12,
                            .out_width = 12};
      EXPECT_TRUE(fastest_conv_algorithm(shape, pass).supports(shape, pass));
      EXPECT_EQ(thread_count(), 3);
    }
  }
  set_thread_count(threads);
}

// The matrix product multiplies 2.25 and 4 times as often as they do.
TEST_F(ConvSelectionTest, MeasuringFindsWinogradForManyChannels) {
  const ConvShape shape{.batch = 4,
                        .height = 16,
                        .width = 16,
                        .in_channels = 256,
                        .out_channels = 256,
                        .out_height = 16,
                        .out_width = 16};
  EXPECT_THAT(fastest_conv_algorithm(shape, ConvPass::forward).name,
              AnyOf("winograd4", "winograd2"));
}

}  // namespace
}  // namespace ferplus
