// What runs leave behind, read back.
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/train/run_record.h>

#include "support/temporary_folder.h"

namespace ferplus {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
namespace fs = std::filesystem;

std::string row(int epoch, double accuracy) {
  return to_json(EpochMetrics{.epoch = epoch,
                              .train_loss = 1.5,
                              .train_accuracy = 0.5,
                              .final_train_loss = 1.25,
                              .public_loss = 1,
                              .public_accuracy = accuracy,
                              .learning_rate = 0.05,
                              .seconds = 90,
                              .images_per_second = 300,
                              .wall_time = 1.7e9})
             .dump() +
         '\n';
}

class RunRecordTest : public testing::Test {
 protected:
  RunRecordTest() {
    RunConfig config;
    config.recipe.epochs = 3;
    write_config(folder_ / "config.json", config);
  }
  void write_summary(int epochs, bool finished) {
    const RunSummary summary{.epochs = epochs,
                             .finished = finished,
                             .best_epoch = 0,
                             .public_accuracy = 0.75,
                             .private_accuracy = 0.7};
    write_text(folder_ / "summary.json", to_json(summary).dump());
  }
  RunRecord record() const { return read_run({folder_.path()}); }
  std::string complaint(const std::string& metrics) const {
    write_text(folder_ / "metrics.jsonl", metrics);
    return message_of<Error>([&] { record(); });
  }

  TemporaryFolder folder_;
};

TEST_F(RunRecordTest, ReadsWhatIsWritten) {
  write_text(folder_ / "metrics.jsonl", row(0, 0.5) + row(1, 0.75) + row(2, 0.75));
  write_summary(3, true);
  const RunRecord run = record();
  ASSERT_THAT(run.epochs, SizeIs(3));
  EXPECT_EQ(to_json(run.epochs[1]).dump() + '\n', row(1, 0.75));
  ASSERT_NE(run.best(), nullptr);
  EXPECT_EQ(run.best()->epoch, 1);  // the first of equals
  EXPECT_EQ(run.seconds(), 270);
  EXPECT_TRUE(run.finished());
  EXPECT_EQ(run.summary->private_accuracy, 0.7);
}

TEST_F(RunRecordTest, ARunUnderWay) {
  EXPECT_THAT(record().epochs, IsEmpty());
  EXPECT_EQ(record().best(), nullptr);
  write_text(folder_ / "metrics.jsonl", row(0, 0.5) + row(1, 0.75).substr(0, 40));
  EXPECT_THAT(record().epochs, SizeIs(1));
  EXPECT_FALSE(record().finished());
  // Of a run that stopped on purpose, of an older and of a shorter one.
  write_summary(1, false);
  EXPECT_TRUE(record().summary);
  write_summary(2, false);
  EXPECT_FALSE(record().summary);
  write_summary(1, true);
  EXPECT_FALSE(record().summary);
}

TEST_F(RunRecordTest, RowsOfOlderRunsLackFigures) {
  write_text(folder_ / "metrics.jsonl",
             "{\"epoch\":0,\"train_loss\":2,\"train_accuracy\":0.3,\"public_loss\":1.5,"
             "\"public_accuracy\":0.4,\"learning_rate\":0.0024,\"seconds\":157,"
             "\"images_per_second\":177.7}\n");
  ASSERT_THAT(record().epochs, SizeIs(1));
  EXPECT_FALSE(record().epochs[0].final_train_loss);
  EXPECT_FALSE(record().epochs[0].wall_time);
}

TEST_F(RunRecordTest, DamagedLinesAreNamed) {
  EXPECT_THAT(complaint(row(0, 0.5) + "{\"epoch\": 1,\n"), HasSubstr("metrics.jsonl:2: "));
  EXPECT_THAT(complaint(row(0, 0.5) + "\n"), HasSubstr("metrics.jsonl:2: "));
  EXPECT_THAT(complaint("[]\n"), AllOf(HasSubstr("metrics.jsonl:1: "), HasSubstr("object")));
  EXPECT_THAT(complaint(row(0, 0.5) + row(2, 0.5)),
              AllOf(HasSubstr("metrics.jsonl:2: "), HasSubstr("expected epoch 1, got 2")));
  std::string without = row(0, 0.5);
  without.replace(without.find("public_loss"), 6, "pubic_");
  EXPECT_THAT(complaint(without),
              AllOf(HasSubstr("metrics.jsonl:1: "), HasSubstr("'public_loss' is missing")));
  std::string text = row(0, 0.5);
  text.replace(text.find("0.05"), 4, "\"<b>\"");
  EXPECT_THAT(complaint(text), HasSubstr("'learning_rate' is no number: \"<b>\""));
  EXPECT_THAT(complaint("{\"epoch\": 1e999}\n"), HasSubstr("metrics.jsonl:1: "));
}

TEST_F(RunRecordTest, EachFigureHasItsRange) {
  const auto with = [](const std::string& key, const std::string& value) {
    json object = json::parse(row(0, 0.5));
    object[key] = json::parse(value);
    return object.dump() + '\n';
  };
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"epoch", "4294967296"},      {"epoch", "-1"},           {"epoch", "0.0"},
      {"epoch", "1e300"},           {"train_accuracy", "7.5"}, {"train_accuracy", "-0.1"},
      {"public_accuracy", "1.001"}, {"seconds", "-600"},       {"seconds", "1e300"},
      {"train_loss", "null"},       {"wall_time", "true"}};
  for (const auto& [key, value] : cases) {
    EXPECT_THAT(complaint(with(key, value)),
                AllOf(HasSubstr("metrics.jsonl:1: "), HasSubstr("'" + key + "'")))
        << value;
  }
  write_text(folder_ / "metrics.jsonl", with("seconds", "0"));
  EXPECT_THAT(record().epochs, SizeIs(1));
}

TEST_F(RunRecordTest, ADamagedSummaryIsNamed) {
  const RunSummary sound{.epochs = 2,
                         .finished = true,
                         .best_epoch = 1,
                         .public_accuracy = 0.75,
                         .private_accuracy = 0.7};
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"epochs", "true"},        {"epochs", "1.9"},          {"epochs", "4294967297"},
      {"epochs", "0"},           {"best_epoch", "-99.7"},    {"best_epoch", "-1"},
      {"best_epoch", "2"},       {"finished", "1"},          {"public_accuracy", "-3"},
      {"public_accuracy", "[]"}, {"private_accuracy", "42"}, {"private_accuracy", "\"x\""}};
  for (const auto& [key, value] : cases) {
    json object = to_json(sound);
    object[key] = json::parse(value);
    write_text(folder_ / "summary.json", object.dump());
    EXPECT_THAT(message_of<Error>([&] { record(); }),
                AllOf(HasSubstr("summary.json"), HasSubstr("'" + key + "'")))
        << value;
  }
  write_text(folder_ / "summary.json", "[]");
  EXPECT_THAT(message_of<Error>([&] { record(); }), HasSubstr("summary.json"));
}

TEST_F(RunRecordTest, NestedAndLongValuesAreCutInMessages) {
  constexpr std::size_t kDepth = 300'000;
  const std::string deep = std::string(kDepth, '[') + std::string(kDepth, ']');
  const std::string figure = "{\"epoch\": 0, \"train_loss\": ";
  EXPECT_THAT(complaint(figure + deep + "}\n"), HasSubstr("'train_loss' is no number: array"));
  EXPECT_THAT(complaint(deep + "\n"), HasSubstr("expected a JSON object"));
  const std::string long_text = complaint(figure + '"' + std::string(kDepth, 'x') + "\"}\n");
  EXPECT_THAT(long_text, HasSubstr("'train_loss' is no number: \"xxx"));
  EXPECT_LT(long_text.size(), 300u);
  // Cut between characters of two bytes.
  std::string umlauts = "\"x";
  for (int i = 0; i < 100; ++i) umlauts += "ä";
  EXPECT_THAT(complaint(figure + umlauts + "\"}\n"), HasSubstr("ä…"));
  for (const char* key : {"network", "seed", "drop_leaks", "limit", "algorithms", "format"}) {
    const std::string value = key == std::string("algorithms") ? "[" + deep + "]" : deep;
    write_text(folder_ / "config.json", std::string("{\"") + key + "\": " + value + "}");
    const std::string message = message_of<Error>([&] { record(); });
    EXPECT_THAT(message, AllOf(HasSubstr("config.json"), HasSubstr("got array"))) << key;
    EXPECT_LT(message.size(), 300u);
  }
  write_text(folder_ / "config.json", "{\"recipe\": {\"epochs\": " + deep + "}}");
  EXPECT_THAT(message_of<Error>([&] { record(); }), HasSubstr("got array"));
}

TEST_F(RunRecordTest, ALineWithoutItsNewlineIsNeitherReadNorKept) {
  const fs::path metrics = folder_ / "metrics.jsonl";
  std::string torn = row(1, 0.75);
  torn.pop_back();
  write_text(metrics, row(0, 0.5) + torn);
  EXPECT_THAT(read_metrics(metrics), SizeIs(1));
  EXPECT_THAT(message_of<Error>([&] { cut_metrics(metrics, 2); }), HasSubstr("metrics.jsonl:2: "));
  EXPECT_EQ(read_text(metrics), row(0, 0.5) + torn);
  cut_metrics(metrics, 1);
  EXPECT_EQ(read_text(metrics), row(0, 0.5));
  cut_metrics(metrics, 0);
  EXPECT_EQ(read_text(metrics), "");
  fs::remove(metrics);
  cut_metrics(metrics, 0);
  EXPECT_THAT(message_of<Error>([&] { cut_metrics(metrics, 1); }), HasSubstr("metrics.jsonl"));
}

TEST_F(RunRecordTest, AConfigurationWithoutItsFormatIsNoRuns) {
  write_text(folder_ / "config.json", "{}");
  EXPECT_THAT(message_of<Error>([&] { record(); }),
              AllOf(HasSubstr("config.json"), HasSubstr("format")));
}

TEST_F(RunRecordTest, FoldersOfRuns) {
  EXPECT_THAT(run_folders(folder_.path()), ElementsAre(folder_.path()));
  TemporaryFolder sweep;
  EXPECT_THAT(message_of<Error>([&] { run_folders(sweep.path()); }), HasSubstr("config.json"));
  EXPECT_THAT(message_of<Error>([&] { run_folders(sweep / "missing"); }), HasSubstr("missing"));
  for (const char* name : {"b", "a", "c"}) fs::create_directory(sweep / name);
  for (const char* name : {"b", "a"}) write_config(sweep / name / "config.json", {});
  write_text(sweep / "summary.json", "{}");
  EXPECT_THAT(run_folders(sweep.path()), ElementsAre(sweep / "a", sweep / "b"));
  fs::create_symlink("loop", sweep / "loop");
  EXPECT_THAT(message_of<Error>([&] { run_folders(sweep.path()); }), HasSubstr("loop"));
  EXPECT_THAT(message_of<Error>([&] { run_folders(sweep / "loop"); }), HasSubstr("loop"));
}

}  // namespace
}  // namespace ferplus
