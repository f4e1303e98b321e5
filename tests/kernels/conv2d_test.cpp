#include <algorithm>
#include <limits>
#include <map>

#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/core/parallel.h>
#include <ferplus/kernels/conv2d.h>
#include <ferplus/kernels/cpu.h>

#include "kernels/conv2d_choices.h"
#include "kernels/conv2d_reference.h"
#include "kernels/conv2d_runner.h"

namespace ferplus {
namespace {

using test::ConvOperands;
using test::ConvResults;

constexpr int kShapes = 1000;
constexpr double kBiasTolerance = 1e-6;

// Shape number `index` of a fixed random sequence with any padding below the kernel's size and
// batches that cross micro-batches. Even numbers: odd sizes, 1 … 70 channels, kernels 1, 3 and 5,
// strides 1 and 2. Odd numbers: what the specialised algorithms support, kernels of 3x3 with stride
// 1 and either 1 … 4 channels in or multiples of 16.
ConvShape random_shape(int index) {
  RandomSequence random(
      {.seed = 20, .stream = Stream::synth, .sample = static_cast<std::uint32_t>(index)});
  const auto between = [&](Index low, Index high) {
    return low + static_cast<Index>(random.below(static_cast<std::uint32_t>(high - low + 1)));
  };
  const auto any_channels = [&] { return random.coin() ? between(1, 70) : 16 * between(1, 4); };
  const bool special = index % 2 != 0;
  for (;;) {
    ConvShape s;
    s.batch = between(1, 20);
    s.height = between(1, 19);
    s.width = between(1, 19);
    if (special) {
      s.in_channels = between(1, 4) * (between(1, 4) == 1 ? 1 : 16);
      s.out_channels = 16 * between(1, 5);
    } else {
      s.in_channels = any_channels();
      s.out_channels = any_channels();
      s.kernel_height = 1 + 2 * between(0, 2);
      s.kernel_width = random.coin() ? s.kernel_height : 1 + 2 * between(0, 2);
      s.stride = between(1, 2);
    }
    s.pad_top = between(0, s.kernel_height - 1);
    s.pad_left = between(0, s.kernel_width - 1);
    const Index pad_bottom = between(0, s.kernel_height - 1);
    const Index pad_right = between(0, s.kernel_width - 1);
    const Index rows = s.height + s.pad_top + pad_bottom - s.kernel_height;
    const Index columns = s.width + s.pad_left + pad_right - s.kernel_width;
    if (rows < 0 || columns < 0) continue;
    s.out_height = rows / s.stride + 1;
    s.out_width = columns / s.stride + 1;
    if (index % 4 == 1) s.precision = Precision::bf16;
    if (s.flops() < (special ? 4e6 : 1e6)) return s;
  }
}

class Conv2d : public ::testing::Test {
 protected:
  ~Conv2d() override {
    set_thread_count(threads_);
    set_conv_algorithm("auto");
  }

 private:
  test::RestoreIsa restore_;
  int threads_ = thread_count();
};

TEST_F(Conv2d, EveryAlgorithmAndIsaMatchesTheDefinition) {
  std::map<std::string_view, double> worst;  // error of each algorithm
  for (int index = 0; index < kShapes; ++index) {
    const ConvShape shape = random_shape(index);
    const ConvOperands operands(shape, static_cast<std::uint64_t>(index));
    auto reference = test::conv2d_reference(shape, operands.input, operands.weights, operands.bias,
                                            operands.output_gradient);
    const bool relu = index % 2 == 0;
    if (relu) {
      for (double& value : reference.output) value = std::max(value, 0.0);
    }
    for (std::string_view isa : supported_isas()) {
      set_isa(isa);
      for (const ConvAlgorithm& algorithm : conv_algorithms()) {
        SCOPED_TRACE(::testing::Message() << algorithm.name << " on " << isa << ", shape " << index
                                          << ": " << ::testing::PrintToString(shape));
        const ConvResults results = test::run_conv2d(algorithm, operands, relu);
        const auto error = [&](const std::vector<float>& values, const std::vector<double>& truth) {
          const double found = test::relative_error(values, truth, reference.terms(truth));
          worst[algorithm.name] = std::max(worst[algorithm.name], found);
          return found;
        };
        if (!results.output.empty()) {
          ASSERT_LE(error(results.output, reference.output), algorithm.tolerance);
        }
        if (!results.input_gradient.empty()) {
          ASSERT_LE(error(results.input_gradient, reference.input_gradient), algorithm.tolerance);
          std::vector<float> expected = results.input_gradient;
          for (std::size_t i = 0; i < expected.size(); ++i) {
            if (!(operands.input[i] > 0)) expected[i] = 0;
          }
          ASSERT_TRUE(test::same_bits(results.before_relu, expected));
        }
        if (!results.weights_gradient.empty()) {
          ASSERT_LE(error(results.weights_gradient, reference.weights_gradient),
                    algorithm.tolerance);
          const double pixels = static_cast<double>(shape.output_size() / shape.out_channels);
          ASSERT_LE(test::relative_error(results.bias_gradient, reference.bias_gradient, pixels),
                    kBiasTolerance);
        }
        ASSERT_TRUE(results.nothing_overrun);
      }
    }
  }
  for (const auto& [name, error] : worst) {
    RecordProperty("worst_" + std::string(name), std::to_string(error * 1e9) + "e-9");
  }
}

TEST_F(Conv2d, BitsDoNotDependOnTheNumberOfThreads) {
  for (int index = 0; index < kShapes; index += 7) {
    const ConvShape shape = random_shape(index);
    const ConvOperands operands(shape, static_cast<std::uint64_t>(index));
    for (std::string_view isa : supported_isas()) {
      set_isa(isa);
      for (const ConvAlgorithm& algorithm : conv_algorithms()) {
        set_thread_count(1);
        const ConvResults one = test::run_conv2d(algorithm, operands, true);
        for (int threads : {2, 4}) {
          set_thread_count(threads);
          ASSERT_EQ(test::run_conv2d(algorithm, operands, true), one)
              << algorithm.name << " on " << isa << ", " << threads << " threads, "
              << ::testing::PrintToString(shape);
        }
      }
    }
  }
}

TEST_F(Conv2d, AnImageDoesNotDependOnItsNeighbours) {
  set_thread_count(1);  // the test above has the others
  for (int index = 0; index < kShapes; index += 7) {
    const ConvShape shape = random_shape(index);
    const ConvOperands operands(shape, static_cast<std::uint64_t>(index));
    ConvShape single = shape;
    single.batch = 1;
    const auto slice = [](const std::vector<float>& values, Index size, Index n) {
      return std::vector<float>(values.begin() + n * size, values.begin() + (n + 1) * size);
    };
    for (std::string_view isa : supported_isas()) {
      set_isa(isa);
      for (const ConvAlgorithm& algorithm : conv_algorithms()) {
        const ConvResults all = test::run_conv2d(algorithm, operands, false);
        for (Index n = 0; n < shape.batch; n += 3) {
          ConvOperands one(single, 0);
          one.input = slice(operands.input, single.input_size(), n);
          one.output_gradient = slice(operands.output_gradient, single.output_size(), n);
          one.weights = operands.weights;
          one.bias = operands.bias;
          const ConvResults alone = test::run_conv2d(algorithm, one, false);
          ASSERT_TRUE(all.output.empty() ||
                      test::same_bits(alone.output, slice(all.output, single.output_size(), n)))
              << algorithm.name << " on " << isa << ", image " << n << " of "
              << ::testing::PrintToString(shape);
          ASSERT_TRUE(all.input_gradient.empty() ||
                      test::same_bits(alone.input_gradient,
                                      slice(all.input_gradient, single.input_size(), n)))
              << algorithm.name << " on " << isa << ", image " << n << " of "
              << ::testing::PrintToString(shape);
        }
      }
    }
  }
}

// Groups of kMicroBatch images are summed by themselves and joined by tree_combine.
TEST_F(Conv2d, WeightGradientIsTheTreeOfMicroBatches) {
  // The last one has slices enough to be tasks of the whole batch each.
  constexpr Index kChannels[][2] = {{9, 11}, {3, 16}, {16, 48}, {240, 144}};
  for (const auto& [in_channels, out_channels] : kChannels) {
    ConvShape whole{.batch = 45, .height = 5, .width = 6, .out_height = 5, .out_width = 6};
    whole.in_channels = in_channels;
    whole.out_channels = out_channels;
    const ConvOperands operands(whole, 7);
    for (const ConvAlgorithm& algorithm : conv_algorithms()) {
      if (!algorithm.supports(whole, ConvPass::backward_weights)) continue;
      SCOPED_TRACE(::testing::Message() << algorithm.name << ", " << in_channels << " channels");
      std::vector<ConvResults> parts;
      for (Index first = 0; first < whole.batch; first += kMicroBatch) {
        ConvShape shape = whole;
        shape.batch = std::min(kMicroBatch, whole.batch - first);
        ConvOperands part(shape, 0);
        part.weights = operands.weights;
        std::copy_n(operands.input.begin() + first * shape.input_size() / shape.batch,
                    shape.input_size(), part.input.begin());
        std::copy_n(operands.output_gradient.begin() + first * shape.output_size() / shape.batch,
                    shape.output_size(), part.output_gradient.begin());
        parts.push_back(test::run_conv2d(algorithm, part, false));
      }
      tree_combine(static_cast<Index>(parts.size()), 1, [&](Index to, Index from) {
        ConvResults &left = parts[static_cast<std::size_t>(to)],
                    &right = parts[static_cast<std::size_t>(from)];
        for (std::size_t i = 0; i < left.weights_gradient.size(); ++i) {
          left.weights_gradient[i] += right.weights_gradient[i];
        }
        for (std::size_t i = 0; i < left.bias_gradient.size(); ++i) {
          left.bias_gradient[i] += right.bias_gradient[i];
        }
      });
      const ConvResults all = test::run_conv2d(algorithm, operands, false);
      EXPECT_TRUE(test::same_bits(all.weights_gradient, parts[0].weights_gradient));
      EXPECT_TRUE(test::same_bits(all.bias_gradient, parts[0].bias_gradient));
    }
  }
}

// One that every algorithm supports at least the forward pass of, for some number of channels in.
ConvShape small_shape(Index in_channels) {
  return {.batch = 2,
          .height = 4,
          .width = 5,
          .in_channels = in_channels,
          .out_channels = 16,
          .out_height = 4,
          .out_width = 5};
}

TEST_F(Conv2d, ReluKeepsNaNs) {
  int checked = 0;
  for (Index in_channels : {3, 16}) {
    ConvOperands operands(small_shape(in_channels), 1);
    std::fill(operands.input.begin(), operands.input.end(),
              std::numeric_limits<float>::quiet_NaN());
    for (std::string_view isa : supported_isas()) {
      set_isa(isa);
      for (const ConvAlgorithm& algorithm : conv_algorithms()) {
        for (float value : test::run_conv2d(algorithm, operands, true).output) {
          ASSERT_TRUE(std::isnan(value)) << algorithm.name << " on " << isa;
          ++checked;
        }
      }
    }
  }
  EXPECT_GT(checked, 0);
}

TEST_F(Conv2d, BiasAndItsGradientMayBeNull) {
  for (Index in_channels : {3, 16}) {
    const ConvShape shape = small_shape(in_channels);
    ConvOperands operands(shape, 2);
    std::fill(operands.bias.begin(), operands.bias.end(), 0.0f);
    for (const ConvAlgorithm& algorithm : conv_algorithms()) {
      SCOPED_TRACE(algorithm.name);
      const ConvResults with = test::run_conv2d(algorithm, operands, false);
      if (algorithm.supports(shape, ConvPass::forward)) {
        test::Scratch prepared(algorithm.prepared_bytes(shape, ConvPass::forward));
        test::Scratch workspace(
            algorithm.workspace_bytes(shape, ConvPass::forward, thread_count()));
        algorithm.prepare(shape, ConvPass::forward, operands.weights.data(), prepared.data());
        auto output = test::poisoned(shape.output_size());
        algorithm.forward(shape, operands.input.data(), prepared.data(), {}, output.data(),
                          workspace.data());
        EXPECT_TRUE(test::same_bits(output, with.output));
      }
      if (algorithm.supports(shape, ConvPass::backward_weights)) {
        test::Scratch workspace(
            algorithm.workspace_bytes(shape, ConvPass::backward_weights, thread_count()));
        auto gradient = test::poisoned(shape.weights_size());
        algorithm.backward_weights(shape, operands.input.data(), {operands.output_gradient.data()},
                                   gradient.data(), nullptr, workspace.data());
        EXPECT_TRUE(test::same_bits(gradient, with.weights_gradient));
      }
    }
  }
}

TEST_F(Conv2d, TheLastAlgorithmSupportsEverything) {
  for (int index = 0; index < kShapes; ++index) {
    for (ConvPass pass : {ConvPass::forward, ConvPass::backward_data, ConvPass::backward_weights}) {
      EXPECT_TRUE(conv_algorithms().back().supports(random_shape(index), pass));
    }
  }
}

TEST_F(Conv2d, TheChoiceSupportsTheShapeAndIgnoresTheBatch) {
  for (int index = 0; index < kShapes; ++index) {
    ConvShape shape = random_shape(index);
    for (ConvPass pass : {ConvPass::forward, ConvPass::backward_data, ConvPass::backward_weights}) {
      const ConvAlgorithm& chosen = choose_conv_algorithm(shape, pass);
      EXPECT_TRUE(chosen.supports(shape, pass));
      shape.batch = 1;
      EXPECT_EQ(choose_conv_algorithm(shape, pass).name, chosen.name);
    }
  }
}

TEST_F(Conv2d, WorkspaceDoesNotShrinkWithTheBatchNorPreparedWeightsDependOnIt) {
  for (const ConvAlgorithm& algorithm : conv_algorithms()) {
    for (ConvPass pass : {ConvPass::forward, ConvPass::backward_data, ConvPass::backward_weights}) {
      ConvShape shape{.height = 8,
                      .width = 8,
                      .in_channels = 64,
                      .out_channels = 64,
                      .out_height = 8,
                      .out_width = 8};
      if (!algorithm.supports(shape, pass)) continue;
      std::size_t workspace = 0;
      const std::size_t prepared = algorithm.prepared_bytes(shape, pass);
      for (shape.batch = 1; shape.batch < 70; ++shape.batch) {
        const std::size_t bytes = algorithm.workspace_bytes(shape, pass, 2);
        EXPECT_GE(bytes, workspace);
        workspace = bytes;
        EXPECT_EQ(algorithm.prepared_bytes(shape, pass), prepared);
      }
    }
  }
}

TEST_F(Conv2d, TheMeasuredTableNamesAlgorithmsThatSupportTheirShapes) {
  ASSERT_FALSE(measured_choices().empty());
  for (const MeasuredChoice& row : measured_choices()) {
    const ConvShape shape{.height = row.height,
                          .width = row.width,
                          .in_channels = row.in_channels,
                          .out_channels = row.out_channels,
                          .out_height = row.height,
                          .out_width = row.width};
    EXPECT_TRUE(conv_algorithm(row.algorithm).supports(shape, row.pass))
        << row.algorithm << " for " << ::testing::PrintToString(shape);
    const auto isas = supported_isas();
    if (std::find(isas.begin(), isas.end(), row.isa) == isas.end()) continue;
    set_isa(row.isa);
    const ConvChoice choice = explain_conv_algorithm(shape, row.pass);
    EXPECT_EQ(choice.algorithm.name, row.algorithm);
    EXPECT_EQ(choice.reason, "measured");
  }
}

TEST_F(Conv2d, ARuleChoosesForShapesNotMeasured) {
  ConvShape shape{.height = 24,
                  .width = 24,
                  .in_channels = 96,
                  .out_channels = 96,
                  .out_height = 24,
                  .out_width = 24};
  const auto choice = [&](ConvPass pass) { return explain_conv_algorithm(shape, pass); };
  EXPECT_EQ(choice(ConvPass::forward).reason, "rule");
  EXPECT_EQ(choice(ConvPass::forward).algorithm.name, "winograd4");
  shape.height = shape.width = shape.out_height = shape.out_width = 2;
  EXPECT_EQ(choice(ConvPass::forward).algorithm.name, "winograd2");
  shape.height = shape.width = shape.out_height = shape.out_width = 1;
  EXPECT_EQ(choice(ConvPass::forward).algorithm.name, "matrix_product");
  shape = {.height = 24,
           .width = 24,
           .in_channels = 3,
           .out_channels = 96,
           .out_height = 24,
           .out_width = 24};
  EXPECT_EQ(choice(ConvPass::forward).algorithm.name, "direct");
  EXPECT_EQ(choice(ConvPass::backward_data).algorithm.name, "matrix_product");
}

TEST_F(Conv2d, AForcedAlgorithmRunsWhereItCanAndElseTheNextOne) {
  const ConvShape winograd_shape = small_shape(16), few_channels = small_shape(3);
  set_conv_algorithm("winograd2");
  EXPECT_EQ(choose_conv_algorithm(winograd_shape, ConvPass::forward).name, "winograd2");
  EXPECT_EQ(choose_conv_algorithm(few_channels, ConvPass::forward).name, "matrix_product");
  EXPECT_EQ(explain_conv_algorithm(few_channels, ConvPass::forward).reason, "forced");
  set_conv_algorithm("direct");
  EXPECT_EQ(choose_conv_algorithm(few_channels, ConvPass::forward).name, "direct");
  EXPECT_EQ(choose_conv_algorithm(few_channels, ConvPass::backward_data).name, "matrix_product");
  EXPECT_EQ(choose_conv_algorithm(winograd_shape, ConvPass::forward).name, "winograd4");
  set_conv_algorithm("auto");
  EXPECT_EQ(explain_conv_algorithm(few_channels, ConvPass::forward).reason, "rule");
  EXPECT_THROW(set_conv_algorithm("magic"), UsageError);
  EXPECT_EQ(explain_conv_algorithm(few_channels, ConvPass::forward).reason, "rule");
}

TEST_F(Conv2d, UnknownAlgorithmIsAnErrorThatNamesTheKnownOnes) {
  EXPECT_EQ(conv_algorithm("matrix_product").name, "matrix_product");
  try {
    conv_algorithm("magic");
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("'magic'"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("matrix_product"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace ferplus
