// Workers, documents and archives, without a socket.
#include <future>
#include <latch>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zip.h>

#include <ferplus/core/error.h>
#include <ferplus/data/synth.h>
#include <ferplus/io/png.h>

#include "serve/http_archive.h"
#include "serve/http_listen.h"
#include "serve/http_modelhub.h"
#include "serve/http_page.h"
#include "serve/http_samples.h"
#include "serve/http_service.h"
#include "serve/http_workers.h"
#include "serve/small_model.h"
#include "support/temporary_folder.h"

namespace ferplus::serve {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Workers, EachWorksWithItsOwnPredictor) {
  Workers workers(Predictor(small_model()), {}, 3);
  std::latch all_there(3);
  std::mutex mutex;
  std::set<const Predictor*> seen;
  std::set<const Model*> models;
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(workers.submit([&](Worker& worker, auto) {
      all_there.arrive_and_wait();  // none of them takes two
      const std::lock_guard lock(mutex);
      seen.insert(&worker.predictor);
      models.insert(&worker.predictor.model());
    }));
  }
  workers.stop();
  EXPECT_EQ(seen.size(), 3U);
  EXPECT_EQ(models.size(), 1U);  // the weights are there once
}

// One worker, busy until release().
class BusyWorkers : public testing::Test {
 protected:
  BusyWorkers() {
    std::promise<void> begun;
    workers_.submit([&begun, open = gate_.get_future().share()](Worker&, auto) {
      begun.set_value();
      open.wait();
    });
    begun.get_future().wait();
  }
  // Returns when all that was submitted is done.
  void release() {
    gate_.set_value();
    workers_.stop();
  }

  std::promise<void> gate_;
  Workers workers_{Predictor(small_model()), {}, 1};
};

TEST_F(BusyWorkers, JobsWaitTheirTurnAndKnowHowLong) {
  std::chrono::steady_clock::duration waited{};
  workers_.submit([&](Worker&, auto so_long) { waited = so_long; });
  EXPECT_EQ(workers_.waiting(), 1U);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  release();
  EXPECT_GE(waited, std::chrono::milliseconds(20));
  EXPECT_EQ(workers_.waiting(), 0U);
  EXPECT_FALSE(workers_.submit([](Worker&, auto) { FAIL() << "after the end"; }));
}

TEST_F(BusyWorkers, RefuseWhatTheyCannotGetTo) {
  std::size_t done = 0;
  for (std::size_t i = 0; i < kMostWaiting; ++i) {
    EXPECT_TRUE(workers_.submit([&](Worker&, auto) { ++done; }));
  }
  EXPECT_FALSE(workers_.submit([&](Worker&, auto) { ++done; }));
  release();
  EXPECT_EQ(done, kMostWaiting);
}

TEST(PredictorCopy, SharesTheWeightsAndSaysTheSame) {
  Predictor first(small_model());
  Predictor second(first);
  EXPECT_EQ(&first.model(), &second.model());
  const Dataset faces = synthesize({.count = 20});
  for (const auto& face : faces.samples) {
    EXPECT_EQ(first.predict(faces.image(face)), second.predict(faces.image(face)));
  }
}

TEST(ModelHub, TimestampIsPythonsInUtc) {
  using namespace std::chrono;
  // 2016-11-12 12:00:01 UTC
  const system_clock::time_point when{seconds(1478952001) + microseconds(42)};
  EXPECT_EQ(modelhub_timestamp(when), "2016-11-12-12-00-01-000042");
}

std::vector<std::string> keys(const nlohmann::ordered_json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.items()) names.push_back(name);
  return names;
}

// The keys that modelhub-engine's documents have.
TEST(ModelHub, DocumentsHaveTheKeysOfItsEngine) {
  const Model model = small_model();
  const auto config = modelhub_config(model, identify(model));
  EXPECT_THAT(keys(config), ElementsAre("id", "meta", "publication", "model", "modelhub"));
  EXPECT_THAT(keys(config["meta"]), ElementsAre("name", "application_area", "task", "task_extended",
                                                "data_type", "data_source"));
  EXPECT_THAT(keys(config["publication"]),
              ElementsAre("title", "source", "year", "authors", "email", "abstract", "url",
                          "google_scholar", "bibtex"));
  EXPECT_THAT(keys(config["model"]), ElementsAre("description", "provenance", "architecture",
                                                 "learning_type", "format", "io"));
  EXPECT_THAT(keys(config["model"]["io"]["input"]), ElementsAre("format", "dim_limits"));
  EXPECT_THAT(keys(config["model"]["io"]["output"][0]), ElementsAre("name", "type", "description"));
  EXPECT_EQ(config["id"], "0123");
  EXPECT_THAT(keys(modelhub_legal(true)),
              ElementsAre("modelhub_license", "modelhub_acknowledgements", "model_license",
                          "sample_data_license"));
  EXPECT_NE(modelhub_legal(true)["sample_data_license"],
            modelhub_legal(false)["sample_data_license"]);
}

TEST(ModelHub, SaysOfAModelWhatItsFileSays) {
  Model model = small_model();
  EXPECT_EQ(modelhub_config(model, identify(model))["model"]["provenance"],
            "Imported; where it was trained is unknown");
  EXPECT_EQ(modelhub_config(model, identify(model))["meta"]["data_source"], "unknown");
  model.metadata["mode"] = "majority";
  model.metadata["recipe"] = "quick";
  EXPECT_EQ(modelhub_config(model, identify(model))["model"]["provenance"],
            "Trained by ferplus, mode majority, recipe quick");
  // Files that other programs wrote have no fingerprint.
  model.metadata.erase("content_hash");
  const std::string computed = identify(model).id;
  EXPECT_EQ(computed.size(), 16U);
  const TemporaryFolder folder;
  save_model(folder / "model.safetensors", model.network, model.parameters, {});
  EXPECT_EQ(load_model(folder / "model.safetensors").metadata.at("content_hash"), computed);
}

TEST(ModelHub, PredictionsAreInClassOrder) {
  const Probabilities probabilities = {0.1F, 0.05F, 0.2F, 0.3F, 0.05F, 0.1F, 0.15F, 0.05F};
  const auto answer = modelhub_prediction({"0123", "ferplus"}, probabilities, 0.25, {});
  EXPECT_THAT(keys(answer), ElementsAre("output", "timestamp", "processing_time", "model"));
  const auto& output = answer["output"][0];
  EXPECT_THAT(keys(output), ElementsAre("prediction", "shape", "type", "name", "description"));
  EXPECT_EQ(output["shape"], nlohmann::ordered_json({8}));
  EXPECT_EQ(output["type"], "label_list");
  EXPECT_EQ(output["name"], "emotion probabilities");
  ASSERT_EQ(output["prediction"].size(), 8U);
  for (std::size_t k = 0; k < 8; ++k) {
    EXPECT_THAT(keys(output["prediction"][k]), ElementsAre("label", "probability"));
    EXPECT_EQ(output["prediction"][k]["label"], kClassNames[k]);
    EXPECT_EQ(output["prediction"][k]["probability"], probabilities[k]);
  }
  EXPECT_EQ(answer["processing_time"], 0.25);
  EXPECT_THAT(keys(answer["model"]), ElementsAre("id", "name"));
}

TEST(ZipArchive, GivesItsFilesBack) {
  const std::string weights = std::string(100'000, 'w') + std::string("\0\xff", 2);
  const std::vector<std::pair<std::string, std::string>> files = {
      {"model.safetensors", weights}, {"config.json", "{}"}, {"empty", ""}};
  const std::string archive = zip_archive(files);
  zip_error_t error;
  zip_t* opened = zip_open_from_source(
      zip_source_buffer_create(archive.data(), archive.size(), 0, &error), ZIP_RDONLY, &error);
  ASSERT_NE(opened, nullptr);
  ASSERT_EQ(zip_get_num_entries(opened, 0), 3);
  for (const auto& [name, contents] : files) {
    zip_file_t* file = zip_fopen(opened, name.c_str(), 0);
    ASSERT_NE(file, nullptr) << name;
    std::string read(contents.size() + 1, '\0');
    EXPECT_EQ(zip_fread(file, read.data(), read.size()), static_cast<zip_int64_t>(contents.size()));
    read.pop_back();
    EXPECT_EQ(read, contents) << name;
    zip_fclose(file);
  }
  zip_discard(opened);
}

TEST(Samples, AreAFaceOfEachClassWithoutAFolder) {
  const auto samples = load_samples({}, 1 << 20);
  EXPECT_EQ(samples.size(), static_cast<std::size_t>(kClasses));
  for (const std::string_view name : kClassNames) {
    const auto found = samples.find(std::string(name) + ".png");
    ASSERT_NE(found, samples.end()) << name;
    const GrayImage image = read_png(as_bytes(*found->second.bytes), "sample");
    EXPECT_EQ(image.width, 48);
  }
}

TEST(Samples, AreTheFoldersPictures) {
  const TemporaryFolder folder;
  const std::vector<std::uint8_t> pixels(48 * 48, 9);
  write_png(folder / "b.png", pixels.data(), 48, 48);
  write_png(folder / "a.PNG", pixels.data(), 48, 48);
  write_text(folder / "notes.txt", "no picture");
  write_text(folder / "._a.png", "what some systems leave");
  const auto samples = load_samples(folder.path(), 1 << 20);
  ASSERT_EQ(samples.size(), 2U);
  EXPECT_EQ(samples.begin()->first, "a.PNG");
  EXPECT_EQ(*samples.begin()->second.bytes, read_text(folder / "a.PNG"));
  EXPECT_EQ(samples.begin()->second.type, "image/png");
}

TEST(Samples, ThatCannotBeUsedAreNamed) {
  const TemporaryFolder folder;
  const auto why = [&](std::size_t most = 1 << 20) {
    return message_of<Error>([&] { load_samples(folder.path(), most); });
  };
  EXPECT_THAT(why(), AllOf(HasSubstr(folder.path().string()), HasSubstr("no .png or .jpg")));
  write_text(folder / "a.png", "not a picture");
  EXPECT_THAT(why(), HasSubstr("a.png"));
  EXPECT_THAT(why(5), AllOf(HasSubstr("a.png"), HasSubstr("more than 5 bytes")));
  EXPECT_THAT(message_of<Error>([&] { load_samples(folder / "nowhere", 1); }),
              HasSubstr("nowhere"));
  std::filesystem::remove(folder / "a.png");
  const std::vector<std::uint8_t> pixels(4, 9);
  for (int i = 0; i < 101; ++i) {
    write_png(folder / (std::to_string(i) + ".png"), pixels.data(), 2, 2);
  }
  EXPECT_THAT(why(), HasSubstr("more than 100 samples"));
}

TEST(Listening, FailuresNameHostPortAndReason) {
  const ListeningSocket first = listen_on("127.0.0.1", 0);
  EXPECT_GT(first.port, 0);
  EXPECT_THAT(message_of<Error>([&] { listen_on("127.0.0.1", first.port); }),
              AllOf(HasSubstr("127.0.0.1"), HasSubstr(std::to_string(first.port)),
                    HasSubstr("choose another port")));
  EXPECT_TRUE(first.loopback);
  close(first.descriptor);
  for (const auto& [host, loopback] :
       std::map<std::string, bool>{{"127.0.0.2", true}, {"0.0.0.0", false}}) {
    const ListeningSocket socket = listen_on(host, 0);
    EXPECT_EQ(socket.loopback, loopback) << host;
    close(socket.descriptor);
  }
  EXPECT_THAT(message_of<Error>([] { listen_on("no such host", 0); }), HasSubstr("no such host"));
}

// The page fetches what this server has, and nothing else.
TEST(Page, NamesRoutesOnly) {
  const std::string page = kPageHtml, style = kPageCss, script = kPageJs;
  for (const std::string* text : {&page, &style, &script}) {
    EXPECT_THAT(*text, Not(HasSubstr("http:")));
    EXPECT_THAT(*text, Not(HasSubstr("https:")));
    EXPECT_THAT(*text, Not(HasSubstr("url(")));
  }
  for (const char* path : {"/page.css", "/page.js", "/api/thumbnail/thumbnail.png"}) {
    EXPECT_THAT(page, HasSubstr(concat('"', path + 1, '"')));
    EXPECT_NE(Service::find("GET", path), nullptr) << path;
  }
  EXPECT_NE(Service::find("POST", "/predict"), nullptr);
  // What its policy forbids.
  EXPECT_THAT(page, Not(HasSubstr("<style")));
  EXPECT_THAT(page, Not(HasSubstr("style=")));
  EXPECT_THAT(page, Not(HasSubstr("onclick")));
}

}  // namespace
}  // namespace ferplus::serve
