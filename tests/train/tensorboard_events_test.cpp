// Event files, read back with protobuf; and what training writes of them.
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/io/tfrecord.h>
#include <ferplus/train/run_folder.h>
#include <ferplus/train/tensorboard.h>
#include <ferplus/train/trainer.h>

#include "support/temporary_folder.h"
#include "tensorboard_event.pb.h"
#include "train/short_run.h"

namespace ferplus {
namespace {

using tensorboard::Event;
using testing::ElementsAre;
using testing::SizeIs;

// The messages of an event file. A frame with a wrong length or CRC fails the test.
std::vector<Event> read_events(const std::filesystem::path& path) {
  const std::string file = read_text(path);
  std::vector<Event> events;
  constexpr std::size_t kHead = 12, kTail = 4;
  for (std::size_t at = 0; at < file.size();) {
    std::uint64_t size = 0;
    if (file.size() - at < kHead + kTail) {
      ADD_FAILURE() << "a frame is cut off";
      return events;
    }
    std::memcpy(&size, file.data() + at, sizeof size);
    if (size > file.size() - at - kHead - kTail) {
      ADD_FAILURE() << "a frame of " << size << " bytes at " << at;
      return events;
    }
    const std::string data = file.substr(at + kHead, size);
    EXPECT_EQ(file.substr(at, kHead + size + kTail), tf_record(data));
    EXPECT_TRUE(events.emplace_back().ParseFromString(data));
    at += kHead + size + kTail;
  }
  return events;
}

EpochMetrics metrics_of(int epoch) {
  return {.epoch = epoch,
          .train_loss = 1.5 - epoch,
          .train_accuracy = 0.25,
          .public_loss = 1.25,
          .public_accuracy = 0.5,
          .learning_rate = 0.0625,
          .seconds = 10,
          .images_per_second = 320,
          .wall_time = 1.7e9 + epoch};
}

std::vector<EpochMetrics> epochs(int count) {
  std::vector<EpochMetrics> rows;
  for (int epoch = 0; epoch < count; ++epoch) rows.push_back(metrics_of(epoch));
  return rows;
}

class EventsTest : public testing::Test {
 protected:
  std::filesystem::path file() const { return RunFolder{folder_.path()}.events(); }
  std::vector<std::int64_t> steps() const {
    std::vector<std::int64_t> found;
    for (const Event& event : read_events(file())) found.push_back(event.step());
    return found;
  }

  TemporaryFolder folder_;
};

TEST_F(EventsTest, HoldVersionThenScalars) {
  write_events({folder_.path()}, epochs(1));
  append_events({folder_.path()}, metrics_of(1));
  const auto events = read_events(file());
  ASSERT_THAT(events, SizeIs(3));
  EXPECT_EQ(events[0].file_version(), "brain.Event:2");
  EXPECT_GT(events[0].wall_time(), 1.7e9);
  EXPECT_EQ(events[2].step(), 2);
  EXPECT_EQ(events[2].wall_time(), 1.7e9 + 1);
  std::vector<std::pair<std::string, float>> scalars;
  for (const auto& value : events[2].summary().value()) {
    scalars.emplace_back(value.tag(), value.simple_value());
  }
  EXPECT_THAT(
      scalars,
      ElementsAre(std::pair("loss/train", 0.5f), std::pair("loss/public", 1.25f),
                  std::pair("accuracy/train", 0.25f), std::pair("accuracy/public", 0.5f),
                  std::pair("learning_rate", 0.0625f), std::pair("images_per_second", 320.0f)));
}

// Readers take a scalar without a value for no scalar.
TEST_F(EventsTest, ZeroIsAFigure) {
  EpochMetrics nothing_right = metrics_of(0);
  nothing_right.public_accuracy = 0;
  write_events({folder_.path()}, {{nothing_right}});
  const auto events = read_events(file());
  const auto& accuracy = events.at(1).summary().value(3);
  EXPECT_EQ(accuracy.tag(), "accuracy/public");
  EXPECT_EQ(accuracy.value_case(), tensorboard::Summary::Value::kSimpleValue);
}

TEST_F(EventsTest, WritingAgainKeepsWhatIsThere) {
  write_events({folder_.path()}, epochs(3));
  const std::string three = read_text(file());
  write_events({folder_.path()}, epochs(3));
  EXPECT_EQ(read_text(file()), three);
  // An epoch that will be done again, whole or cut off, goes; the file stays the same one.
  const std::filesystem::path link = folder_ / "link";
  std::filesystem::create_hard_link(file(), link);
  for (const std::size_t more : {three.size() - 20, std::size_t{5}}) {
    write_text(file(), three + three.substr(0, more));
    write_events({folder_.path()}, epochs(3));
    EXPECT_EQ(read_text(file()), three);
    EXPECT_EQ(read_text(link), three);
  }
  write_events({folder_.path()}, epochs(2));
  EXPECT_THAT(steps(), ElementsAre(0, 1, 2));
  // What is missing is filled in; what is damaged is written anew.
  write_events({folder_.path()}, epochs(4));
  EXPECT_THAT(steps(), ElementsAre(0, 1, 2, 3, 4));
  for (const std::size_t place : {3, 15, 80}) {
    std::string damaged = three;
    damaged[place] ^= 1;
    write_text(file(), damaged);
    write_events({folder_.path()}, epochs(3));
    EXPECT_THAT(steps(), ElementsAre(0, 1, 2, 3)) << place;
  }
}

class TrainedEventsTest : public EventsTest {
 protected:
  void run(Recorder& recorder, bool resume, bool tensorboard = true) {
    train(faces(), short_run(),
          {.folder = folder_.path(), .resume = resume, .tensorboard = tensorboard}, recorder);
  }
  // The file says of every epoch what metrics.jsonl does, once.
  void expect_whole() {
    const auto rows = read_metrics(folder_ / "metrics.jsonl");
    const auto events = read_events(file());
    ASSERT_THAT(rows, SizeIs(3));
    ASSERT_THAT(events, SizeIs(4));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      EXPECT_EQ(events[i + 1].step(), static_cast<int>(i) + 1);
      EXPECT_EQ(events[i + 1].wall_time(), rows[i].wall_time);
      EXPECT_EQ(events[i + 1].summary().value(0).simple_value(),
                static_cast<float>(rows[i].train_loss));
    }
  }
};

TEST_F(TrainedEventsTest, EveryEpochOnce) {
  Recorder recorder;
  run(recorder, false);
  expect_whole();
}

TEST_F(TrainedEventsTest, ResumedAfterACrashWithoutDuplicates) {
  Recorder first(5);  // in the second epoch
  run(first, false);
  const std::string older = read_text(folder_ / "last.safetensors");
  Recorder second(4);  // in the third
  run(second, true);
  ASSERT_THAT(steps(), ElementsAre(0, 1, 2));
  write_text(folder_ / "last.safetensors", older);  // as if killed before the checkpoint
  Recorder third;
  run(third, true);
  expect_whole();
}

TEST_F(TrainedEventsTest, AskedForLaterHasTheEarlierEpochs) {
  Recorder first(5);
  run(first, false, false);
  EXPECT_FALSE(std::filesystem::exists(file()));
  Recorder second;
  run(second, true);
  expect_whole();
}

}  // namespace
}  // namespace ferplus
