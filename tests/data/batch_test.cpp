#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/data/batch.h>
#include <ferplus/data/folder.h>

#include "data/allocations.h"
#include "data/fixtures.h"

namespace ferplus {
namespace {

struct Batch {
  std::vector<float> input, targets;
  std::vector<std::uint32_t> draw_keys;
  std::vector<std::size_t> samples;

  explicit Batch(Index size)
      : input(static_cast<std::size_t>(size) * kInputPixels),
        targets(static_cast<std::size_t>(size) * kClasses),
        draw_keys(static_cast<std::size_t>(size)),
        samples(static_cast<std::size_t>(size)) {}
  bool operator==(const Batch&) const = default;

  Index load(BatchLoader& loader, std::uint32_t epoch, Index batch) {
    const Index size = loader.batch_size();
    loader.load(epoch, batch, {input.data(), {size, kInputSide, kInputSide, 1}},
                {targets.data(), {size, kClasses}}, draw_keys);
    const Index images = loader.batch_images(batch);
    for (Index n = 0; n < images; ++n) {
      samples[static_cast<std::size_t>(n)] = loader.sample_index(batch, n);
    }
    return images;
  }
};

std::vector<Batch> all_batches(const Dataset& dataset, LabelMode mode, const BatchOptions& options,
                               std::uint32_t epochs = 2) {
  BatchLoader loader(dataset, select(dataset, Split::train, mode), options);
  std::vector<Batch> batches;
  for (std::uint32_t epoch = 0; epoch < epochs; ++epoch) {
    for (Index b = 0; b < loader.batches(); ++b) {
      batches.emplace_back(options.batch_size).load(loader, epoch, b);
    }
  }
  return batches;
}

TEST(Batch, CsvAndFoldersGiveEqualBits) {
  const TemporaryFolder folder;
  const Dataset csv = parse(random_csv(90));
  write_folders(csv, folder.path(), false);
  const Dataset folders = load_folders(folder.path());
  for (const LabelModeInfo& mode : label_modes()) {
    const BatchOptions options{.batch_size = 16, .seed = 5, .shuffle = Shuffle::every_epoch};
    EXPECT_TRUE(all_batches(csv, mode.mode, options) == all_batches(folders, mode.mode, options))
        << mode.name;
  }
}

TEST(Batch, ThreadsDoNotMatter) {
  const Dataset dataset = parse(random_csv(60));
  const BatchOptions options{.batch_size = 9, .seed = 5};
  const auto expected = all_batches(dataset, LabelMode::probability, options);
  for (const int threads : {1, 2, 4}) {
    const Threads use(threads);
    EXPECT_TRUE(all_batches(dataset, LabelMode::probability, options) == expected) << threads;
  }
}

TEST(Batch, AnyBatchCanBeTheFirst) {
  const Dataset dataset = parse(random_csv(60));
  for (const Shuffle shuffle : {Shuffle::once, Shuffle::every_epoch}) {
    const BatchOptions options{.batch_size = 8, .seed = 9, .shuffle = shuffle};
    const auto run = all_batches(dataset, LabelMode::probability, options, 4);
    BatchLoader resumed(dataset, select(dataset, Split::train, LabelMode::probability), options);
    Batch batch(8);
    batch.load(resumed, 3, 2);
    EXPECT_TRUE(batch == run[static_cast<std::size_t>(3 * resumed.batches() + 2)]);
  }
}

TEST(Batch, AnEpochShowsEveryImageOnceAndTheLastBatchMayBeShort) {
  const Dataset dataset = parse(random_csv(60));
  const Selection selection = select(dataset, Split::train, LabelMode::crossentropy);
  for (const Shuffle shuffle : {Shuffle::once, Shuffle::every_epoch}) {
    BatchLoader loader(dataset, selection, {.batch_size = 7, .seed = 1, .shuffle = shuffle});
    std::vector<std::vector<std::size_t>> orders;
    for (std::uint32_t epoch = 0; epoch < 2; ++epoch) {
      auto& order = orders.emplace_back();
      for (Index b = 0; b < loader.batches(); ++b) {
        Batch batch(7);
        const Index count = batch.load(loader, epoch, b);
        EXPECT_EQ(count, b + 1 < loader.batches() ? 7 : (loader.images() - 1) % 7 + 1);
        order.insert(order.end(), batch.samples.begin(), batch.samples.begin() + count);
      }
      auto sorted = order;
      std::sort(sorted.begin(), sorted.end());
      EXPECT_EQ(sorted, selection.samples);
    }
    EXPECT_NE(orders[0], selection.samples);
    EXPECT_EQ(orders[0] == orders[1], shuffle != Shuffle::every_epoch);
  }
}

TEST(Batch, TrainingDistortsByThePublishedKeys) {
  const Dataset dataset = parse(random_csv(200));
  const BatchOptions options{.batch_size = 4, .seed = 77, .shuffle = Shuffle::once};
  // A split whose samples begin late: keys begin at 0.
  BatchLoader loader(dataset, select(dataset, Split::public_test, LabelMode::probability), options);
  Batch batch(4);
  batch.load(loader, 6, 2);
  for (std::size_t n = 0; n < 4; ++n) {
    const Sample& sample = dataset.samples[batch.samples[n]];
    EXPECT_EQ(batch.draw_keys[n], sample.draw_key);
    RandomSequence distortions(
        {.seed = 77, .stream = Stream::distortion, .epoch = 6, .sample = sample.draw_key});
    RandomSequence labels(
        {.seed = 77, .stream = Stream::label, .epoch = 6, .sample = sample.draw_key});
    std::vector<float> expected(kInputPixels);
    make_input(dataset.image(sample), sample.face, draw_distortion(distortions, {}),
               Preprocessing::ferplus, expected);
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(),
                           batch.input.begin() + static_cast<std::ptrdiff_t>(n * kInputPixels)));
    const LabelModeInfo& mode = label_mode(LabelMode::probability);
    const Target target = mode.draw_target(mode.target(sample.votes).value(), labels);
    EXPECT_TRUE(std::equal(target.begin(), target.end(),
                           batch.targets.begin() + static_cast<std::ptrdiff_t>(n * kClasses)));
  }
}

// Every ingredient at once, each with draws of its own.
BatchOptions with_everything() {
  return {.batch_size = 9,
          .seed = 5,
          .shuffle = Shuffle::every_epoch,
          .alternate_flip = true,
          .erasing = {.probability = 0.5},
          .label_smoothing = 0.1,
          .class_balance = 0.5,
          .mixup = 0.4};
}

TEST(Batch, EverythingAtOnceIsAsReproducible) {
  const TemporaryFolder folder;
  const Dataset dataset = parse(random_csv(60));
  const auto expected = all_batches(dataset, LabelMode::probability, with_everything(), 3);
  for (const int threads : {2, 4}) {
    const Threads use(threads);
    EXPECT_TRUE(all_batches(dataset, LabelMode::probability, with_everything(), 3) == expected);
  }
  write_folders(dataset, folder.path(), false);
  EXPECT_TRUE(all_batches(load_folders(folder.path()), LabelMode::probability, with_everything(),
                          3) == expected);
  BatchLoader resumed(dataset, select(dataset, Split::train, LabelMode::probability),
                      with_everything());
  Batch batch(9);
  batch.load(resumed, 2, 1);
  EXPECT_TRUE(batch == expected[static_cast<std::size_t>(2 * resumed.batches() + 1)]);
}

TEST(Batch, ErasingLeavesTheDrawsOfOthersAlone) {
  const Dataset dataset = parse(random_csv(80));
  const BatchOptions plain{.batch_size = 8, .seed = 5};
  BatchOptions erasing = plain;
  erasing.erasing.probability = 0.4;
  auto expected = all_batches(dataset, LabelMode::probability, plain, 1);
  int erased = 0;
  for (Batch& batch : expected) {
    for (std::size_t n = 0; n < 8; ++n) {
      RandomSequence random({.seed = 5,
                             .stream = Stream::erasing,
                             .sample = dataset.samples[batch.samples[n]].draw_key});
      const Rectangle rectangle = draw_erasing(random, erasing.erasing);
      erased += rectangle != Rectangle{};
      erase(rectangle, std::span(batch.input).subspan(n * kInputPixels, kInputPixels));
    }
  }
  EXPECT_GT(erased, 10);
  EXPECT_TRUE(all_batches(dataset, LabelMode::probability, erasing, 1) == expected);
}

TEST(Batch, AlternatingFlipsMirrorEveryOtherEpoch) {
  const Dataset dataset = parse(random_csv(120));
  BatchOptions options{.batch_size = 100,
                       .seed = 5,
                       .distortion = {.shift = 0, .angle = 0, .skew = 0, .scale = 1},
                       .alternate_flip = true};
  const auto epochs = all_batches(dataset, LabelMode::crossentropy, options, 4);
  ASSERT_EQ(epochs.size(), 4U);
  const Selection selection = select(dataset, Split::train, LabelMode::crossentropy);
  std::size_t mirrored_first = 0;
  for (std::size_t n = 0; n < selection.size(); ++n) {
    const Sample& sample = dataset.samples[epochs[0].samples[n]];
    std::array<std::vector<float>, 2> faces_of;
    for (const bool flip : {false, true}) {
      faces_of[flip].resize(kInputPixels);
      make_input(dataset.image(sample), sample.face, {.flip = flip}, Preprocessing::ferplus,
                 faces_of[flip]);
    }
    const auto shown = [&](std::size_t epoch) {
      const auto begin =
          epochs[epoch].input.begin() + static_cast<std::ptrdiff_t>(n * kInputPixels);
      return std::vector<float>(begin, begin + kInputPixels);
    };
    const bool first = shown(0) == faces_of[true];
    mirrored_first += first;
    for (std::size_t epoch = 0; epoch < 4; ++epoch) {
      ASSERT_EQ(shown(epoch), faces_of[first != (epoch % 2 == 1)]) << n << " " << epoch;
    }
  }
  const auto images = static_cast<double>(selection.size());
  EXPECT_NEAR(static_cast<double>(mirrored_first), images / 2, 2 * std::sqrt(images));
  options.distortion.flip = false;
  const auto never = all_batches(dataset, LabelMode::crossentropy, options, 2);
  EXPECT_EQ(never[0].input, never[1].input);
}

TEST(Batch, TargetsAreSmoothedThenWeighed) {
  const Dataset dataset = parse(random_csv(60));
  const Selection selection = select(dataset, Split::train, LabelMode::crossentropy);
  const std::vector<double> weights = balancing_weights(selection, 0.5);
  BatchLoader loader(dataset, selection,
                     {.batch_size = 5, .label_smoothing = 0.2, .class_balance = 0.5});
  Batch batch(5);
  batch.load(loader, 0, 2);
  for (std::size_t n = 0; n < 5; ++n) {
    const auto position = static_cast<std::size_t>(
        std::ranges::find(selection.samples, batch.samples[n]) - selection.samples.begin());
    for (std::size_t k = 0; k < kClasses; ++k) {
      const double target = static_cast<double>(selection.targets[position][k]);
      EXPECT_NEAR(batch.targets[n * kClasses + k], weights[position] * (0.8 * target + 0.025),
                  1e-6);
    }
  }
}

TEST(Batch, MixupMixesPairs) {
  const Dataset dataset = parse(random_csv(60));
  const Selection selection = select(dataset, Split::train, LabelMode::crossentropy);
  BatchOptions options{.batch_size = 7, .seed = 3, .shuffle = Shuffle::every_epoch};
  BatchLoader plain_loader(dataset, selection, options);
  options.mixup = 0.3;
  BatchLoader mixing_loader(dataset, selection, options);
  Batch plain(7), mixed(7);
  plain.load(plain_loader, 4, 1);
  mixed.load(mixing_loader, 4, 1);
  EXPECT_EQ(plain.samples, mixed.samples);
  for (std::size_t n = 0; n < 7; ++n) {
    const std::size_t partner = n == 6 ? 6 : n % 2 == 0 ? n + 1 : n - 1;
    RandomSequence random({.seed = 3,
                           .stream = Stream::mixing,
                           .epoch = 4,
                           .sample = dataset.samples[plain.samples[n]].draw_key});
    const double share = random.beta(0.3);
    const auto expect_mixture = [&](const std::vector<float>& before,
                                    const std::vector<float>& after, std::size_t size) {
      for (std::size_t i = 0; i < size; ++i) {
        const auto own = static_cast<double>(before[n * size + i]);
        const auto other = static_cast<double>(before[partner * size + i]);
        ASSERT_NEAR(after[n * size + i], share * own + (1 - share) * other, 1e-5) << n;
      }
    };
    expect_mixture(plain.input, mixed.input, kInputPixels);
    expect_mixture(plain.targets, mixed.targets, kClasses);
  }
}

TEST(Batch, PlainEpochsHaveWholeFacesAlone) {
  const Dataset dataset = parse(random_csv(60));
  const BatchOptions plain{.batch_size = 9, .seed = 5, .shuffle = Shuffle::every_epoch};
  BatchOptions options = plain;
  options.erasing.probability = 1;
  options.mixup = 0.4;
  options.plain_from = 2;
  const auto expected = all_batches(dataset, LabelMode::crossentropy, plain, 4);
  const auto found = all_batches(dataset, LabelMode::crossentropy, options, 4);
  const std::size_t batches = expected.size() / 4;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(found[i] == expected[i], i >= 2 * batches) << i;
  }
}

TEST(Batch, LoadingAllocatesNothing) {
  const Dataset dataset = parse(random_csv(60));
  BatchLoader loader(dataset, select(dataset, Split::train, LabelMode::probability),
                     with_everything());
  Batch batch(9);
  batch.load(loader, 0, 0);
  const std::size_t before = allocations();
  for (std::uint32_t epoch = 0; epoch < 3; ++epoch) batch.load(loader, epoch, 1);
  EXPECT_EQ(allocations(), before);
}

TEST(Batch, ABatchHasAnImage) {
  const Dataset dataset = parse(random_csv(5));
  EXPECT_THROW(BatchLoader(dataset, {}, {.batch_size = 0}), UsageError);
  EXPECT_EQ(BatchLoader(dataset, {}, {}).batches(), 0);
}

}  // namespace
}  // namespace ferplus
