// train, evaluate, predict and info on synthetic faces: the whole path, files and exit codes. That
// training learns is tested in tests/train and by tools/quickstart.sh.
#include <csignal>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cli/command.h"

namespace ferplus {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kRows = "160";

// One data set and one run of two epochs for all tests, which only read them.
class TrainedRun : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    ASSERT_EQ(run_ferplus({"synth", "-o", *folder_ / "faces", "--count", kRows}).exit_code, 0);
    const CommandResult trained = train("run", {"--epochs", "2"});
    ASSERT_EQ(trained.exit_code, 0) << trained.err;
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static std::vector<std::string> data() {
    return {"--fer", *folder_ / "faces/fer2013.csv", "--ferplus",
            *folder_ / "faces/fer2013new.csv"};
  }
  static std::vector<std::string> train_arguments(const std::string& name,
                                                  const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"train",         "-m",        "majority", "-o",
                                          *folder_ / name, "--network", "vgg_mini"};
    for (const auto& words : {data(), more}) {
      arguments.insert(arguments.end(), words.begin(), words.end());
    }
    return arguments;
  }
  static CommandResult train(const std::string& name, const std::vector<std::string>& more) {
    return run_ferplus(train_arguments(name, more));
  }
  static CommandResult evaluate(const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"evaluate", "--model", model()};
    for (const auto& words : {data(), more}) {
      arguments.insert(arguments.end(), words.begin(), words.end());
    }
    return run_ferplus(arguments);
  }
  static std::string model() { return *folder_ / "run/best.safetensors"; }

  static inline std::unique_ptr<TemporaryFolder> folder_;
};

TEST_F(TrainedRun, LeavesItsFiles) {
  for (const char* name :
       {"config.json", "metrics.jsonl", "train.log", "best.safetensors", "last.safetensors"}) {
    EXPECT_TRUE(std::filesystem::exists(*folder_ / "run" / name)) << name;
  }
  const auto lines = lines_of(read_text(*folder_ / "run/metrics.jsonl"));
  ASSERT_EQ(lines.size(), 2U);
  for (const std::string& line : lines) {
    const json metrics = json::parse(line);
    for (const char* key : {"epoch", "train_loss", "train_accuracy", "public_loss",
                            "public_accuracy", "learning_rate", "seconds", "images_per_second"}) {
      EXPECT_TRUE(metrics.at(key).is_number()) << key;
    }
  }
  EXPECT_THAT(read_text(*folder_ / "run/train.log"), HasSubstr("epoch 2"));
}

TEST_F(TrainedRun, IsNotOverwritten) {
  const CommandResult again = train("run", {"--epochs", "1"});
  EXPECT_NE(again.exit_code, 0);
  EXPECT_THAT(again.err, HasSubstr("--resume"));
  EXPECT_EQ(lines_of(read_text(*folder_ / "run/metrics.jsonl")).size(), 2U);
}

TEST_F(TrainedRun, ItsConfigRepeatsIt) {
  const CommandResult repeated =
      run_ferplus({"train", "--config", *folder_ / "run/config.json", "-o", *folder_ / "repeated"});
  ASSERT_EQ(repeated.exit_code, 0) << repeated.err;
  EXPECT_EQ(read_text(*folder_ / "repeated/last.safetensors"),
            read_text(*folder_ / "run/last.safetensors"));
}

TEST_F(TrainedRun, QuietTrainingIsSilent) {
  const CommandResult quiet = train("quiet", {"--epochs", "1", "--limit", "32", "--quiet"});
  EXPECT_EQ(quiet.exit_code, 0);
  EXPECT_EQ(quiet.err + quiet.out, "");
}

TEST_F(TrainedRun, InterruptedSavesAndResumesToTheSameBits) {
  const std::vector<std::string> length = {"--epochs", "4", "--limit", "64"};
  ASSERT_EQ(train("whole", length).exit_code, 0);
  for (const int signal_number : {SIGINT, SIGTERM}) {
    const std::string name = signal_number == SIGINT ? "sigint" : "sigterm";
    const CommandResult stopped = interrupt_ferplus(
        train_arguments(name, length), *folder_ / name / "metrics.jsonl", signal_number);
    ASSERT_EQ(stopped.exit_code, 128 + signal_number) << stopped.err;
    EXPECT_THAT(stopped.err, HasSubstr("--resume"));
    const CommandResult resumed = run_ferplus({"train", "--resume", "-o", *folder_ / name});
    ASSERT_EQ(resumed.exit_code, 0) << resumed.err;
    for (const char* file : {"best.safetensors", "last.safetensors", "summary.json"}) {
      EXPECT_EQ(read_text(*folder_ / name / file), read_text(*folder_ / "whole" / file)) << file;
    }
    EXPECT_EQ(lines_of(read_text(*folder_ / name / "metrics.jsonl")).size(), 4U);
  }
}

TEST_F(TrainedRun, EvaluateWritesAllFigures) {
  const std::string figures = *folder_ / "public.json", rows = *folder_ / "public.csv";
  const CommandResult result =
      evaluate({"--split", "public", "--json", figures, "--predictions", rows});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("accuracy"), HasSubstr("contempt")));
  const json found = json::parse(read_text(figures));
  const int images = found.at("images").get<int>();
  EXPECT_GT(images, 0);
  int counted = 0, right = 0;
  const json& confusion = found.at("confusion");
  ASSERT_EQ(confusion.size(), 8U);
  for (std::size_t i = 0; i < 8; ++i) {
    ASSERT_EQ(confusion[i].size(), 8U);
    right += confusion[i][i].get<int>();
    for (const json& count : confusion[i]) counted += count.get<int>();
  }
  EXPECT_EQ(counted, images);
  EXPECT_NEAR(found.at("accuracy").get<double>(), static_cast<double>(right) / images, 1e-9);
  EXPECT_EQ(lines_of(read_text(rows)).size(), static_cast<std::size_t>(images) + 1);
}

TEST_F(TrainedRun, EvaluateKnowsProtocolsAndTwins) {
  const std::string figures = *folder_ / "protocols.json";
  const auto found = [&](std::vector<std::string> more) {
    more.insert(more.end(), {"--json", figures});
    EXPECT_EQ(evaluate(more).exit_code, 0);
    return json::parse(read_text(figures));
  };
  const json all = found({"--split", "private", "--protocol", "argmax"});
  const json agreed = found({"--split", "private", "--protocol", "paper"});
  EXPECT_EQ(all.at("protocol"), "argmax");
  EXPECT_GT(all.at("images"), agreed.at("images")) << "those without a majority too";
  EXPECT_EQ(agreed.at("without_twins"), false);
  EXPECT_EQ(found({"--split", "public", "--without-twins"}).at("without_twins"), true);
}

TEST_F(TrainedRun, EvaluateMeasuresRobustness) {
  const std::string figures = *folder_ / "worse.json";
  const CommandResult result = evaluate({"--split", "public", "--robustness", "--json", figures});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("points lost"), HasSubstr("occlusion")));
  const json found = json::parse(read_text(figures));
  const json& rows = found.at("robustness");
  ASSERT_EQ(rows.size(), 21U);
  EXPECT_EQ(rows.front().at("corruption"), "blur");
  EXPECT_EQ(rows.back().at("level"), "16 px");
  for (const json& row : rows) EXPECT_EQ(row.at("images"), found.at("images"));
  EXPECT_EQ(evaluate({"--model", model(), "--split", "public", "--robustness"}).exit_code, 2);
}

TEST_F(TrainedRun, EvaluateAveragesViews) {
  std::vector<double> cross_entropies;
  for (const char* views : {"none", "flip", "10crop"}) {
    const std::string figures = *folder_ / "views.json";
    const CommandResult result = evaluate({"--split", "public", "--tta", views, "--json", figures});
    ASSERT_EQ(result.exit_code, 0) << result.err;
    const json found = json::parse(read_text(figures));
    EXPECT_EQ(found.at("tta"), views);
    cross_entropies.push_back(found.at("cross_entropy").get<double>());
  }
  EXPECT_NE(cross_entropies[0], cross_entropies[1]);
  EXPECT_NE(cross_entropies[1], cross_entropies[2]);
}

TEST_F(TrainedRun, EvaluateComparesTwoModelsAndTheirEnsemble) {
  const std::string other = *folder_ / "run/last.safetensors";
  const std::string figures = *folder_ / "two.json", rows = *folder_ / "two.csv";
  const CommandResult result =
      evaluate({"--model", other, "--split", "public", "--json", figures, "--predictions", rows});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("ensemble"), HasSubstr("McNemar"), HasSubstr(other)));
  const json found = json::parse(read_text(figures));
  ASSERT_EQ(found.at("models").size(), 2U);
  EXPECT_EQ(found.at("models")[1].at("model"), other);
  const json& comparison = found.at("comparison");
  const auto count = [&](const char* key) { return comparison.at(key).get<double>(); };
  const double images = found.at("ensemble").at("images").get<double>();
  EXPECT_EQ(count("both_right") + count("only_first_right") + count("only_second_right") +
                count("neither_right"),
            images);
  EXPECT_NEAR(found.at("models")[0].at("accuracy").get<double>(),
              (count("both_right") + count("only_first_right")) / images, 1e-9);
  EXPECT_LE(count("p_value"), 1);
  EXPECT_EQ(lines_of(read_text(rows)).size(), static_cast<std::size_t>(images) + 1);
  // Three are an ensemble without a comparison.
  const CommandResult three =
      evaluate({"--model", other, "--model", model(), "--split", "public", "--json", figures});
  EXPECT_EQ(three.exit_code, 0) << three.err;
  EXPECT_FALSE(json::parse(read_text(figures)).contains("comparison"));
}

TEST_F(TrainedRun, OutputsReplaceNothingThatMatters) {
  const std::string run_model = model(), before = read_text(run_model);
  const std::string votes = *folder_ / "copy.csv";
  std::filesystem::copy_file(data().back(), votes);
  const std::vector<std::pair<std::vector<std::string>, std::string>> requests = {
      {{"export", "--model", run_model, "-o", run_model, "--force"}, "is read here"},
      {{"export", "-o", run_model, "--force"}, "run's own"},
      {{"export", "-o", "-"}, "name a file"},
      {{"targets", "--ferplus", votes, "-m", "majority", "-o", votes}, "is read here"},
      {{"doctor", "face.png", "--input", "./face.png"}, "is read here"},
      {{"predict", "face.png", "--csv", "face.png"}, "is read here"}};
  const std::string folders = *folder_ / "labelled";
  std::vector<std::string> prepare = {"prepare", "-d", folders};
  const auto source = data();
  prepare.insert(prepare.end(), source.begin(), source.end());
  ASSERT_EQ(run_ferplus(prepare).exit_code, 0);
  const std::string label = folders + "/FER2013Valid/label.csv", labels = read_text(label);
  const auto measure = [&](const std::string& figures) {
    return run_ferplus(
        {"evaluate", "--model", run_model, "-d", folders, "--split", "public", "--json", figures});
  };
  EXPECT_THAT(measure(label).err, HasSubstr("is read here"));
  const std::string linked = *folder_ / "linked";
  std::filesystem::create_directory(linked);
  std::filesystem::create_directory_symlink(folders + "/FER2013Valid", linked + "/FER2013Valid");
  EXPECT_THAT(run_ferplus({"evaluate", "--model", run_model, "-d", linked, "--split", "public",
                           "--json", linked + "/FER2013Valid/label.csv"})
                  .err,
              HasSubstr("is read here"));
  EXPECT_EQ(read_text(label), labels);
  EXPECT_EQ(measure(folders + "/figures.json").exit_code, 0);
  EXPECT_EQ(measure(folders + "/figures.json").exit_code, 0);  // its own may be replaced

  for (const auto& [request, reason] : requests) {
    const CommandResult result = run_ferplus(request);
    EXPECT_EQ(result.exit_code, 2) << request[0];
    EXPECT_THAT(result.err, HasSubstr(reason)) << request[0];
  }
  const std::string bundled = *folder_ / "bundled.safetensors";
  std::filesystem::copy_file(run_model, bundled);
  for (const auto& [request, reason] :
       std::vector<std::pair<std::vector<std::string>, std::string>>{
           {{"evaluate", "--split", "public", "-d", folders, "--json", bundled}, "is read here"},
           {{"predict", "face.png", "--csv", bundled}, "is read here"},
           {{"doctor", "face.png", "--input", bundled}, "is read here"},
           {{"serve", "--port-file", bundled}, "is read here"}}) {
    const CommandResult result = run_ferplus(request, {{"FERPLUS_MODEL", bundled}});
    EXPECT_EQ(result.exit_code, 2) << request[0];
    EXPECT_THAT(result.err, HasSubstr(reason)) << request[0];
  }
  EXPECT_EQ(evaluate({"--split", "public", "--json", run_model}).exit_code, 2);
  EXPECT_EQ(read_text(run_model), before);
}

TEST_F(TrainedRun, EvaluateShowsItsMistakes) {
  const std::string mistakes = *folder_ / "mistakes", figures = *folder_ / "mistakes.json";
  const std::vector<std::string> request = {"--split", "public", "--errors",
                                            mistakes,  "--json", figures};
  ASSERT_EQ(evaluate(request).exit_code, 0);
  const json found = json::parse(read_text(figures));
  const CommandResult printed = evaluate({"--split", "public", "--json", "-"});
  EXPECT_EQ(json::parse(printed.out), found) << printed.err;
  EXPECT_EQ(evaluate({"--split", "public", "--json", "-", "--predictions", "-"}).exit_code, 2);
  const auto rows = lines_of(read_text(mistakes + "/images.csv"));
  EXPECT_EQ(rows.size(), found.at("images").get<std::size_t>() + 1);
  std::size_t right = 0;
  for (const std::string& row : rows) right += row.ends_with(",1");
  EXPECT_NEAR(found.at("accuracy").get<double>(),
              static_cast<double>(right) / static_cast<double>(rows.size() - 1), 1e-9);
  for (const std::string& line : lines_of(read_text(mistakes + "/index.csv"))) {
    const std::string sheet = line.substr(line.rfind(',') + 1);
    EXPECT_TRUE(sheet == "sheet" || std::filesystem::is_regular_file(mistakes + "/" + sheet))
        << sheet;
  }
  const CommandResult again = evaluate(request);
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_THAT(again.err, AllOf(HasSubstr(mistakes), HasSubstr("--force")));
  auto forced = request;
  forced.push_back("--force");
  EXPECT_EQ(evaluate(forced).exit_code, 0);
  EXPECT_EQ(evaluate({"--split", "public", "--force"}).exit_code, 2);
}

TEST_F(TrainedRun, CalibrateWritesATemperatureThatChangesNoAccuracy) {
  // Two epochs teach nothing yet, so no temperature would fit.
  const CommandResult trained =
      train("longer", {"--epochs", "12", "--recipe", "one_cycle", "--limit", "64"});
  ASSERT_EQ(trained.exit_code, 0) << trained.err;
  const std::string untouched = *folder_ / "longer/best.safetensors";
  const std::string calibrated = *folder_ / "calibrated.safetensors";
  std::filesystem::copy_file(untouched, calibrated);
  std::vector<std::string> request = {"calibrate", "--model", calibrated, "--split",
                                      "train",     "--rows",  "40",       "--json"};
  const auto source = data();
  request.insert(request.end(), source.begin(), source.end());
  const CommandResult result = run_ferplus(request);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json fit = json::parse(result.out);
  EXPECT_EQ(fit.at("images"), 40);
  EXPECT_LE(fit.at("cross_entropy"), fit.at("cross_entropy_before"));
  const CommandResult info = run_ferplus({"info", "--json", calibrated});
  EXPECT_EQ(json::parse(json::parse(info.out).at("metadata").at("temperature").get<std::string>()),
            fit.at("temperature"));

  std::vector<json> found;
  for (const std::string& path : {untouched, calibrated}) {
    const std::string figures = *folder_ / "calibrated.json";
    std::vector<std::string> measure = {"evaluate", "--model", path,   "--split",
                                        "public",   "--json",  figures};
    measure.insert(measure.end(), source.begin(), source.end());
    ASSERT_EQ(run_ferplus(measure).exit_code, 0);
    found.push_back(json::parse(read_text(figures)));
  }
  EXPECT_TRUE(found[0].at("calibrated").is_null());
  EXPECT_EQ(found[1].at("temperature"), fit.at("temperature"));
  EXPECT_EQ(found[1].at("temperature_split"), "train");
  EXPECT_NE(found[1].at("calibrated").at("cross_entropy"), found[1].at("cross_entropy"));
  EXPECT_EQ(found[1].at("confusion"), found[0].at("confusion"));
  EXPECT_EQ(found[1].at("cross_entropy"), found[0].at("cross_entropy"));

  request[6] = "100000";
  const CommandResult too_many = run_ferplus(request);
  EXPECT_EQ(too_many.exit_code, 1);
  EXPECT_THAT(too_many.err, HasSubstr("100000"));
}

TEST_F(TrainedRun, CalibrateTakesWhatNeitherRunHasSeen) {
  const auto fit = [](const std::string& path, const std::vector<std::string>& source) {
    std::vector<std::string> request = {"calibrate", "--model", path, "--split", "train", "--json"};
    request.insert(request.end(), source.begin(), source.end());
    return run_ferplus(request);
  };
  const std::vector<std::string> common = {"--epochs", "1", "--limit", "64"};
  ASSERT_EQ(train("origin", common).exit_code, 0);
  const std::string origin = *folder_ / "origin/best.safetensors";
  std::vector<std::string> more = common;
  more.insert(more.end(), {"--from", origin, "--learning-rate", "1e-3"});
  ASSERT_EQ(train("continued", more).exit_code, 0);
  const std::string continued = *folder_ / "continued/best.safetensors";
  const std::string exported = *folder_ / "exported.safetensors";
  ASSERT_EQ(run_ferplus({"export", "--model", continued, "-o", exported}).exit_code, 0);
  const std::string untouched = read_text(exported);

  const std::string others = *folder_ / "others";
  ASSERT_EQ(run_ferplus({"synth", "--count", "100", "--seed", "99", "-o", others}).exit_code, 0);
  const CommandResult refused =
      fit(exported, {"--fer", others + "/fer2013.csv", "--ferplus", others + "/fer2013new.csv"});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.err, AllOf(HasSubstr(others), HasSubstr("other images or votes")));
  EXPECT_EQ(read_text(exported), untouched);

  // One epoch teaches too little for every temperature to fit: the images are counted either way.
  const CommandResult alone = fit(origin, data()), both = fit(exported, data());
  EXPECT_THAT(both.err + both.out, Not(HasSubstr("not known")));
  EXPECT_EQ(both.exit_code, alone.exit_code) << both.err;
  EXPECT_EQ(json::parse(both.out).at("images"), json::parse(alone.out).at("images"));
}

TEST_F(TrainedRun, PredictRanksEightLabels) {
  const std::string folders = *folder_ / "folders";
  std::vector<std::string> prepare = {"prepare", "-d", folders};
  const auto source = data();
  prepare.insert(prepare.end(), source.begin(), source.end());
  ASSERT_EQ(run_ferplus(prepare).exit_code, 0);
  std::vector<std::string> faces;
  for (const auto& entry : std::filesystem::directory_iterator(folders + "/FER2013Test")) {
    if (entry.path().extension() == ".png" && faces.size() < 3) faces.push_back(entry.path());
  }
  ASSERT_EQ(faces.size(), 3U);
  std::vector<std::string> arguments = {"predict", "--model", model(), "--json"};
  arguments.insert(arguments.end(), faces.begin(), faces.end());
  const CommandResult result = run_ferplus(arguments);
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json found = json::parse(result.out);
  ASSERT_EQ(found.size(), faces.size());
  for (std::size_t i = 0; i < faces.size(); ++i) {
    EXPECT_EQ(found[i].at("image"), faces[i]);
    const json& predictions = found[i].at("predictions");
    ASSERT_EQ(predictions.size(), 8U);
    double sum = 0, last = 1;
    int votes = 0;
    for (const json& prediction : predictions) {
      EXPECT_TRUE(prediction.at("label").is_string());
      const double probability = prediction.at("probability").get<double>();
      EXPECT_LE(probability, last);
      last = probability;
      sum += probability;
      votes += prediction.at("votes").get<int>();
    }
    EXPECT_NEAR(sum, 1, 1e-5);
    EXPECT_EQ(votes, 10);
  }
  arguments.erase(arguments.begin() + 3);  // --json
  EXPECT_THAT(run_ferplus(arguments).out, HasSubstr("of ten taggers would say"));
}

TEST_F(TrainedRun, PredictNamesAFileThatIsNoImage) {
  write_text(folder_->path() / "no.png", "text");
  const CommandResult result = run_ferplus({"predict", "--model", model(), *folder_ / "no.png"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("no.png"));
}

TEST_F(TrainedRun, InfoShowsTheNetwork) {
  const CommandResult result = run_ferplus({"info", model()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("vgg_mini"), HasSubstr("majority")));
}

TEST_F(TrainedRun, ABrokenModelIsAnError) {
  write_text(folder_->path() / "broken.safetensors", "nonsense");
  for (const std::vector<std::string>& request : std::vector<std::vector<std::string>>{
           {"info", *folder_ / "broken.safetensors"},
           {"predict", "--model", *folder_ / "broken.safetensors", "x.png"}}) {
    const CommandResult result = run_ferplus(request);
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_THAT(result.err, HasSubstr("broken.safetensors"));
  }
}

}  // namespace
}  // namespace ferplus
