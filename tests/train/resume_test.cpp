// However a run is cut up, and on however many threads, it ends in the same bits.
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/data/folder.h>

#include "nn/threads.h"
#include "train/short_run.h"

namespace ferplus {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// One run on one thread without interruption, which all others must equal.
class ResumeTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    whole_ = new TemporaryFolder;
    Recorder recorder;
    const TrainResult result = train(faces(), short_run(), {.folder = whole_->path()}, recorder);
    ASSERT_TRUE(result.finished);
    ASSERT_THAT(recorder.steps, SizeIs(9));
  }
  static void TearDownTestSuite() {
    delete whole_;
    whole_ = nullptr;
  }

  TrainResult run(Recorder& recorder, bool resume, std::int64_t checkpoint_every = 0,
                  int stop_after = 0) {
    return train(faces(), short_run(),
                 {.folder = folder_.path(),
                  .resume = resume,
                  .stop_after = stop_after,
                  .checkpoint_every = checkpoint_every},
                 recorder);
  }

  void expect_equal_to_whole() {
    EXPECT_THAT(differences(whole_->path(), folder_.path()), IsEmpty());
  }

  static inline TemporaryFolder* whole_ = nullptr;
  TemporaryFolder folder_;
};

class Interrupted : public ResumeTest, public testing::WithParamInterface<std::size_t> {};

TEST_P(Interrupted, ThenResumedEqualsUninterrupted) {
  Recorder first(GetParam());
  const TrainResult result = run(first, false);
  EXPECT_TRUE(result.interrupted);
  EXPECT_FALSE(result.finished);
  EXPECT_THAT(first.steps, SizeIs(GetParam()));
  Recorder second;
  EXPECT_TRUE(run(second, true).finished);
  EXPECT_THAT(second.steps, SizeIs(9 - GetParam())) << "no step is done twice";
  expect_equal_to_whole();
}

// Within the first epoch, at the end of one before it is evaluated, within the last, at the end.
INSTANTIATE_TEST_SUITE_P(After, Interrupted, testing::Values(1, 3, 5, 9));

TEST_F(ResumeTest, AfterEveryStep) {
  for (std::size_t i = 0; i < 9; ++i) {
    Recorder recorder(1);
    ASSERT_TRUE(run(recorder, i > 0).interrupted);
  }
  Recorder recorder;
  ASSERT_TRUE(run(recorder, true).finished);
  EXPECT_THAT(recorder.steps, IsEmpty());
  expect_equal_to_whole();
}

TEST_F(ResumeTest, StoppedAfterAnEpochWithoutCompressing) {
  Recorder first;
  const TrainResult result = run(first, false, 0, 2);
  EXPECT_FALSE(result.interrupted);
  EXPECT_FALSE(result.finished);
  EXPECT_EQ(result.epochs, 2);
  Recorder second;
  run(second, true);
  expect_equal_to_whole();
}

// A killed process leaves its folder as it is at that moment.
TEST_F(ResumeTest, KilledBetweenCheckpoints) {
  TemporaryFolder running;
  Recorder first;
  first.during_step = [&](std::size_t steps) {
    if (steps != 6) return;
    for (const auto& entry : fs::directory_iterator(running.path())) {
      fs::copy(entry, folder_.path() / entry.path().filename());
    }
  };
  train(faces(), short_run(), {.folder = running.path(), .checkpoint_every = 2}, first);
  EXPECT_THAT(differences(whole_->path(), running.path()), IsEmpty())
      << "checkpoints must not change the run";
  Recorder second;
  run(second, true);
  EXPECT_THAT(second.steps, SizeIs(9 - 4)) << "from the checkpoint of step 4";
  expect_equal_to_whole();
}

TEST_F(ResumeTest, KilledAfterMetricsBeforeTheCheckpoint) {
  Recorder first(5);
  run(first, false);
  const std::string older = read_text(folder_ / "last.safetensors");
  Recorder second;
  run(second, true, 0, 2);
  ASSERT_THAT(metrics_lines(folder_.path()), SizeIs(2));
  write_text(folder_ / "last.safetensors", older);  // of epoch 1, step 2
  Recorder third;
  run(third, true);
  EXPECT_THAT(third.steps, SizeIs(4));
  expect_equal_to_whole();
}

TEST_F(ResumeTest, KilledBeforeTheFirstCheckpoint) {
  Recorder first(1);
  run(first, false);
  fs::remove(folder_ / "last.safetensors");
  Recorder second;
  run(second, true);
  EXPECT_THAT(second.steps, SizeIs(9));
  expect_equal_to_whole();
}

TEST_F(ResumeTest, KilledAgainAndAgainBeforeTheFirstCheckpoint) {
  for (bool resume : {false, true, true}) {
    Recorder killed(1);
    run(killed, resume);
    fs::remove(folder_ / "last.safetensors");
    ASSERT_FALSE(fs::exists(folder_ / "metrics.jsonl"));
  }
  Recorder last;
  run(last, true);
  EXPECT_THAT(last.steps, SizeIs(9));
  expect_equal_to_whole();
}

TEST_F(ResumeTest, KilledBetweenTheFirstMetricsAndTheirCheckpoint) {
  Recorder first;
  std::string at_start;
  first.during_step = [&](std::size_t steps) {
    if (steps == 1) at_start = read_text(folder_ / "last.safetensors");
  };
  run(first, false, 0, 1);
  ASSERT_FALSE(at_start.empty());
  write_text(folder_ / "last.safetensors", at_start);
  Recorder second;
  run(second, true);
  EXPECT_THAT(second.steps, SizeIs(9));
  expect_equal_to_whole();
}

// While epoch `epoch` is evaluated, `name` becomes a folder with something in it, so that it cannot
// be written: the run ends there, as if it had been killed.
void cannot_write(const fs::path& folder, const std::string& name, int epoch, Recorder& recorder) {
  recorder.during_evaluation = [=, &recorder] {
    if (std::ssize(recorder.epochs) != epoch || fs::is_directory(folder / name)) return;
    if (fs::exists(folder / name)) fs::rename(folder / name, folder / "aside");
    fs::create_directories(folder / name / "in the way");
  };
}

TEST_F(ResumeTest, AFileOfAnEpochThatCannotBeWrittenLosesNothing) {
  Recorder whole;
  TemporaryFolder other;
  const TrainResult done = train(faces(), short_run(), {.folder = other.path()}, whole);
  for (const std::string name : {"metrics.jsonl", "best.safetensors", "last.safetensors"}) {
    Recorder first, second;
    cannot_write(folder_.path(), name, done.best_epoch, first);
    EXPECT_THROW(run(first, false), Error) << name;
    fs::remove_all(folder_ / name);
    if (fs::exists(folder_ / "aside")) fs::rename(folder_ / "aside", folder_ / name);
    run(second, true);
    expect_equal_to_whole();
    for (const auto& entry : fs::directory_iterator(folder_.path())) fs::remove_all(entry);
  }
}

TEST_F(ResumeTest, WithoutItsCheckpointWhatARunLeftIsKept) {
  Recorder first, second;
  run(first, false, 0, 1);
  const std::string best = read_text(folder_ / "best.safetensors");
  fs::remove(folder_ / "last.safetensors");
  EXPECT_THAT(message_of<Error>([&] { run(second, true); }),
              HasSubstr("what the run left is kept"));
  EXPECT_EQ(read_text(folder_ / "best.safetensors"), best);
}

TEST_F(ResumeTest, EpochsThatAreDoneCannotBeCut) {
  Recorder first, second;
  run(first, false);
  RunConfig shorter = short_run();
  shorter.recipe.epochs = 2;
  EXPECT_THAT(message_of<Error>([&] {
                train(faces(), shorter, {.folder = folder_.path(), .resume = true}, second);
              }),
              HasSubstr("cannot be cut to 2"));
}

// The best model is of an epoch that the checkpoint does not know; at other rates it might not be
// the best any more.
TEST_F(ResumeTest, EpochsStayUntilTheBestModelsEpochIsDone) {
  Recorder first(1);
  run(first, false);
  const std::string older = read_text(folder_ / "last.safetensors");
  Recorder second;
  run(second, true, 0, 1);
  write_text(folder_ / "last.safetensors", older);
  RunConfig longer = short_run();
  longer.recipe.epochs += 2;
  Recorder third;
  EXPECT_THAT(message_of<Error>([&] {
                train(faces(), longer, {.folder = folder_.path(), .resume = true}, third);
              }),
              testing::HasSubstr("best.safetensors"));
}

TEST_F(ResumeTest, FinishedRunDoesNothingMore) {
  Recorder first;
  const TrainResult done = run(first, false);
  Recorder second;
  const TrainResult again = run(second, true);
  EXPECT_THAT(second.steps, IsEmpty());
  EXPECT_TRUE(again.finished);
  EXPECT_EQ(again.best_epoch, done.best_epoch);
  EXPECT_EQ(again.private_accuracy, done.private_accuracy);
  expect_equal_to_whole();
}

TEST_F(ResumeTest, AnyNumberOfThreads) {
  for (int count : {2, 4}) {
    const Threads threads(count);
    TemporaryFolder folder;
    Recorder recorder;
    train(faces(), short_run(), {.folder = folder.path()}, recorder);
    EXPECT_THAT(differences(whole_->path(), folder.path()), IsEmpty()) << count << " threads";
  }
}

TEST_F(ResumeTest, FoldersInsteadOfCsv) {
  // A row without an image before others, which the folders do not have.
  ASSERT_NE(faces().samples[10].row, faces().samples[10].draw_key);
  TemporaryFolder data;
  write_folders(faces(), data.path(), false);
  const Dataset loaded = load_folders(data.path());
  Recorder recorder;
  train(loaded, short_run(), {.folder = folder_.path()}, recorder);
  expect_equal_to_whole();
}

TEST_F(ResumeTest, ExtendsAFinishedRunAndSaysWhatThatDoes) {
  Recorder first;
  run(first, false);
  const std::vector<std::string> before = metrics_lines(folder_.path());
  RunConfig longer = short_run();
  longer.recipe.epochs = 5;
  Recorder second;
  const TrainResult result =
      train(faces(), longer, {.folder = folder_.path(), .resume = true}, second);
  EXPECT_TRUE(result.finished);
  EXPECT_EQ(result.epochs, 5);
  EXPECT_THAT(second.messages, testing::Contains(HasSubstr("5 epochs instead of 3")));
  ASSERT_THAT(second.steps, SizeIs(6));
  // Nine of fifteen steps are done: the schedule's rate there, not that of a new or ended one.
  const double phase = (9.0 / 15 - 0.25) / 0.75;
  EXPECT_NEAR(second.steps[0].learning_rate, 0.06 * 0.5 * (1 + std::cos(M_PI * phase)), 1e-12);
  const std::vector<std::string> after = metrics_lines(folder_.path());
  ASSERT_THAT(after, SizeIs(5));
  EXPECT_TRUE(std::equal(before.begin(), before.end(), after.begin()));
  RunConfig stored;
  read_config(folder_ / "config.json", stored);
  EXPECT_EQ(stored.recipe.epochs, 5);
}

}  // namespace
}  // namespace ferplus
