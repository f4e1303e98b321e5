// Which convolutions and passes of a network are measured.
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/nn/layers.h>
#include <ferplus/nn/tuning.h>

namespace ferplus {
namespace {

using Key = std::tuple<ConvPass, Index, Index, Index, Index>;

TEST(TuningTest, EveryPassOfEveryShapeOnceInOrder) {
  Network network("small", {1, 12, 10, 2});
  network.add("conv1", make_conv2d({.filters = 16}));
  network.add("relu1", make_relu());
  network.add("wide", make_conv2d({.filters = 16, .kernel = 5}));
  network.add("jump", make_conv2d({.filters = 32, .stride = 2}));
  network.add("conv2", make_conv2d({.filters = 32}));
  network.add("conv3", make_conv2d({.filters = 32}));
  network.add("fc", make_dense({.units = 8}));
  std::vector<std::size_t> done;
  const std::vector<TunedConv> rows =
      tune_convolutions(network, 2, [&](std::size_t count, std::size_t total) {
        EXPECT_EQ(total, 5U);
        done.push_back(count);
      });
  EXPECT_THAT(done, ::testing::ElementsAre(1, 2, 3, 4, 5));
  std::vector<Key> keys;
  for (const TunedConv& row : rows) {
    keys.emplace_back(row.pass, row.height, row.width, row.in_channels, row.out_channels);
  }
  // The first convolution's input needs no gradient; other kernels and strides are the rule's.
  EXPECT_THAT(keys, ::testing::ElementsAre(Key(ConvPass::forward, 12, 10, 2, 16),
                                           Key(ConvPass::backward_weights, 12, 10, 2, 16),
                                           Key(ConvPass::forward, 6, 5, 32, 32),
                                           Key(ConvPass::backward_data, 6, 5, 32, 32),
                                           Key(ConvPass::backward_weights, 6, 5, 32, 32)));
  EXPECT_NO_THROW(validate(ConvSelection{.tuned = rows}));
}

TEST(TuningTest, OnlyConvolutionsHaveAShape) {
  EXPECT_FALSE(make_dense({.units = 8})->convolution({1, 16}));
  const auto shape =
      make_conv2d({.filters = 7, .kernel = 3, .stride = 2})->convolution({4, 9, 8, 5});
  ASSERT_TRUE(shape);
  EXPECT_EQ(*shape, (ConvShape{.batch = 4,
                               .height = 9,
                               .width = 8,
                               .in_channels = 5,
                               .out_channels = 7,
                               .stride = 2,
                               .pad_top = 1,
                               .pad_left = 0,
                               .out_height = 5,
                               .out_width = 4}));
}

}  // namespace
}  // namespace ferplus
