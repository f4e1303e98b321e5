// The page and its JSON, of runs in every state.
#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <ferplus/core/text.h>
#include <ferplus/data/synth.h>
#include <ferplus/io/png.h>
#include <ferplus/nn/models.h>
#include <ferplus/report/report.h>
#include <ferplus/train/error_report.h>

#include "report/data_uri.h"
#include "report/markup.h"

namespace ferplus {
namespace {

using nlohmann::json;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const Dataset& faces() {
  static const Dataset kDataset = [] {
    Dataset dataset = synthesize({.count = 160, .seed = 5});
    for (Sample& sample : dataset.samples) sample.name = "<&\"" + sample.name;
    return dataset;
  }();
  return kDataset;
}

// Of a network that has learnt nothing.
Evaluation guesses(std::uint64_t seed) {
  const Network network = build_model("vgg_mini", {});
  Parameters parameters(network);
  initialize(network, parameters, Initialization::he_normal, seed);
  return evaluate(faces(), PreparedModel(network, parameters), {});
}

RunReport run_report(const std::string& name, int epochs, bool with_model, std::uint64_t seed) {
  RunReport run{.name = name, .record = {}, .model = std::nullopt, .without_model = {}};
  run.record.folder = "/runs/" + name;
  run.record.config.seed = seed;
  run.record.config.recipe.epochs = 4;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    run.record.epochs.push_back({.epoch = epoch,
                                 .train_loss = 2.0 / (epoch + 1),
                                 .train_accuracy = 0.2 * epoch,
                                 .public_loss = 1.5,
                                 .public_accuracy = epoch == 1 ? 0.8125 : 0.5,
                                 .learning_rate = 0.05,
                                 .seconds = 100,
                                 .images_per_second = 300});
  }
  if (epochs == 4) {
    run.record.summary = {.epochs = 4,
                          .finished = true,
                          .best_epoch = 1,
                          .public_accuracy = 0.8125,
                          .private_accuracy = 0.7875};
  }
  if (with_model) {
    run.model = model_report(faces(), "best.safetensors", guesses(seed), 5);
  } else {
    run.without_model = "no <data>";
  }
  return run;
}

// With blanks for what keeps figures and their units together.
std::string plain(std::string page) {
  for (auto at = page.find("\u00a0"); at != page.npos; at = page.find("\u00a0")) {
    page.erase(at, 1);
    page[at] = ' ';
  }
  return page;
}

std::size_t count(const std::string& page, const std::string& part) {
  std::size_t found = 0;
  for (auto at = page.find(part); at != page.npos; at = page.find(part, at + 1)) ++found;
  return found;
}

// What every page must be.
std::vector<Element> expect_sound(const std::string& page) {
  static const std::set<std::string> kKnown = {
      "a",     "body",  "br",       "caption", "code", "dd",     "desc",  "details", "div",
      "dl",    "dt",    "figure",   "footer",  "h1",   "h2",     "h3",    "head",    "header",
      "html",  "img",   "li",       "line",    "link", "main",   "meta",  "nav",     "p",
      "path",  "rect",  "polyline", "section", "span", "strong", "style", "summary", "svg",
      "table", "tbody", "td",       "text",    "th",   "thead",  "title", "tr",      "ul"};
  const std::vector<Element> elements = Markup::read(page);
  std::set<std::string> ids;
  for (const Element& element : elements) {
    const auto id = element.attributes.find("id");
    if (id == element.attributes.end()) continue;
    EXPECT_TRUE(ids.insert(id->second).second) << id->second;
  }
  for (const Element& element : elements) {
    EXPECT_TRUE(kKnown.contains(element.name)) << element.name;
    for (const auto& [key, value] : element.attributes) {
      // Nothing runs, and nothing is fetched.
      EXPECT_FALSE(key.starts_with("on")) << key;
      if (key == "href" && element.name == "a") {
        EXPECT_TRUE(value.starts_with("#") && ids.contains(value.substr(1))) << value;
      } else if (key == "src" || key == "href") {
        EXPECT_TRUE(value.starts_with("data:")) << value;
      } else if (key == "aria-labelledby") {
        const auto space = value.find(' ');
        EXPECT_TRUE(ids.contains(value.substr(0, space)) && ids.contains(value.substr(space + 1)));
      }
      EXPECT_TRUE(key == "src" || value.find("nan") == value.npos) << value;
    }
    EXPECT_TRUE(element.name != "img" || !element.attributes.at("alt").empty());
    EXPECT_TRUE(element.name != "svg" || element.attributes.contains("role") ||
                element.attributes.contains("aria-hidden"));
  }
  EXPECT_THAT(page, Not(HasSubstr("url(")));
  EXPECT_THAT(page, Not(HasSubstr("@import")));
  return elements;
}

TEST(ReportPageTest, OneFinishedRun) {
  const Report report{{run_report("first", 4, true, 1)}};
  const std::string page = to_html(report);
  expect_sound(page);
  const Classification& c = report.runs[0].model->evaluation.classification;
  for (const std::string& text :
       {std::string("<h1>first</h1>"), std::string("81.25 %"), std::string("78.75 %"),
        std::string("4 of 4"), percent(c.accuracy), percent(c.classes[0].precision),
        grouped(c.classes[1].support), std::string("Settings"), std::string("unit_gain")}) {
    EXPECT_THAT(plain(page), HasSubstr(text));
  }
  // Four curves, confusions, classes, reliability, distribution, twins.
  EXPECT_EQ(count(page, "role=\"img\""), 9u);
  // Recipe paper has 100 epochs.
  EXPECT_THAT(page, HasSubstr("<td class=\"text marked\"><code>4</code></td>"
                              "<td class=\"text\"><code>100</code></td>"));
  EXPECT_EQ(page, to_html(report));
}

TEST(ReportPageTest, MistakesAreFacesWithVotes) {
  const Report report{{run_report("first", 4, true, 1)}};
  const ModelReport& model = *report.runs[0].model;
  ASSERT_EQ(model.mistakes.size(), 5u);
  const std::vector<std::size_t> wrong = mistakes(model.evaluation);
  ASSERT_GT(wrong.size(), 5u);
  std::vector<Element> pictures;
  for (const Element& element : expect_sound(to_html(report))) {
    if (element.name == "img") pictures.push_back(element);
  }
  ASSERT_EQ(pictures.size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    const Mistake& mistake = model.mistakes[i];
    const Sample& sample = faces().samples[model.evaluation.samples[wrong[i]]];
    EXPECT_EQ(mistake.row, sample.row);
    EXPECT_EQ(mistake.votes, sample.votes);
    EXPECT_NE(mistake.truth, mistake.predicted);
    EXPECT_LE(mistake.confidence, model.mistakes[i - std::min<std::size_t>(i, 1)].confidence);
    const ImageView image = faces().image(sample);
    EXPECT_EQ(mistake.face.pixels,
              std::vector<std::uint8_t>(image.pixels, image.pixels + image.width * image.height));
    EXPECT_EQ(pictures[i].attributes.at("src"), report::png_data_uri(mistake.face));
    EXPECT_THAT(pictures[i].attributes.at("alt"), HasSubstr("&lt;&amp;&quot;"));
  }
}

TEST(ReportPageTest, OnlyTheFaceOfAnImageIsShown) {
  Dataset dataset = faces();
  for (Sample& sample : dataset.samples) sample.face = {10, 20, 14, 23};
  const ModelReport model = model_report(dataset, "m", guesses(1), 1);
  const GrayImage& face = model.mistakes.at(0).face;
  EXPECT_EQ(face.width, 4);
  EXPECT_EQ(face.height, 3);
  ASSERT_EQ(face.pixels.size(), 12u);
  const auto sample = std::ranges::find(dataset.samples, model.mistakes[0].row, &Sample::row);
  EXPECT_EQ(face.pixels[5], dataset.image(*sample).pixels[21 * 48 + 11]);
}

TEST(ReportPageTest, RunsInEveryState) {
  const Report report{{run_report("done <b>", 4, true, 1), run_report("under-way", 2, true, 2),
                       run_report("just-begun", 0, false, 3)}};
  const std::string page = to_html(report);
  const auto elements = expect_sound(page);
  EXPECT_THAT(page, Not(HasSubstr("<b>")));
  for (const char* text :
       {"3 runs", "done &lt;b&gt;", "finished: 4 epochs", "unfinished: 2 of 4 epochs",
        "no epoch done yet", "has not finished its first epoch",
        "<strong>just-begun</strong>: no &lt;data&gt;", "Models side by side", "McNemar"}) {
    EXPECT_THAT(page, HasSubstr(text));
  }
  // Of the settings, the seed alone differs; it is marked where it is unlike the others.
  std::vector<std::string> marked;
  for (const Element& element : elements) {
    if (element.name == "td" && element.attributes.contains("class") &&
        element.attributes.at("class") == "text marked") {
      marked.push_back(element.text);
    }
  }
  EXPECT_EQ(marked.size(), 2u);
  // Two curves in each chart.
  EXPECT_EQ(count(page, "<polyline"), 8u);
}

TEST(ReportPageTest, ModelsMeasuredOnDifferentData) {
  const auto first = run_report("first", 4, true, 1);
  auto second = run_report("second", 4, true, 2);
  EXPECT_THAT(to_html(Report{{first, second}}), Not(HasSubstr("not measured on the same images")));
  second.model->data = "other <faces>";
  second.model->evaluation.twin_free.reset();
  const std::string page = to_html(Report{{first, second}});
  expect_sound(page);
  EXPECT_THAT(page, HasSubstr("not measured on the same images"));
  EXPECT_THAT(page, HasSubstr("second: other &lt;faces&gt;"));
  EXPECT_THAT(page, HasSubstr("first: None of the images"));
  EXPECT_THAT(page, HasSubstr("second: The data have no training split"));
  EXPECT_THAT(page, Not(HasSubstr("McNemar")));
}

TEST(ReportPageTest, OtherMeasuredAlgorithmsAreOtherSettings) {
  auto first = run_report("first", 2, false, 1), second = first;
  second.name = "second";
  const TunedConv row{
      .height = 8, .width = 8, .in_channels = 16, .out_channels = 32, .algorithm = "winograd2"};
  first.record.config.convolution.tuned = second.record.config.convolution.tuned = {row};
  EXPECT_THAT(to_html(Report{{first, second}}), HasSubstr("All runs have the same settings"));
  second.record.config.convolution.tuned[0].algorithm = "winograd4";
  const Report report{{first, second}};
  const std::string page = to_html(report);
  EXPECT_THAT(page, Not(HasSubstr("All runs have the same settings")));
  EXPECT_THAT(page, HasSubstr("<td class=\"text marked\"><code>1 measured choices</code></td>"));
  const json differences = json::parse(to_json(report).dump()).at("differences");
  EXPECT_THAT(differences.at("algorithms").at(1).get<std::string>(), HasSubstr("winograd4"));
}

TEST(ReportPageTest, ManyRunsAndEpochsAndNothingAtAll) {
  Report report;
  for (int i = 0; i < 30; ++i) {
    report.runs.push_back(run_report(std::to_string(i), i % 3, false, 1));
  }
  for (int epoch = 0; epoch < 1000; ++epoch) {
    report.runs[0].record.epochs.push_back(
        {.epoch = epoch, .train_loss = 1e30, .public_accuracy = 1});
  }
  expect_sound(to_html(report));
  expect_sound(to_html(Report{{run_report("", 0, false, 1)}}));
}

TEST(ReportPageTest, ModelsThatAreNoNumbers) {
  Evaluation evaluation = guesses(1);
  evaluation.logits[0].fill(NAN);
  evaluation.classification = classify(evaluation.logits, evaluation.classes);
  evaluation.raw.reliability = evaluation.classification.reliability;
  evaluation.raw.agreement.mean_probabilities.fill(NAN);
  Report report{{run_report("broken", 1, false, 1)}};
  report.runs[0].model = model_report(faces(), "m", evaluation, 100);
  expect_sound(to_html(report));
}

TEST(ReportJsonTest, SaysWhatThePageShows) {
  const Report report{{run_report("a", 4, true, 1), run_report("b", 2, false, 2)}};
  const json object = json::parse(to_json(report).dump());
  EXPECT_EQ(object.at("differences"), json({{"seed", {"1", "2"}}}));
  const json& first = object.at("runs").at(0);
  EXPECT_EQ(first.at("epochs").size(), 4u);
  EXPECT_EQ(first.at("summary").at("private_accuracy"), 0.7875);
  const json& model = first.at("model");
  const Evaluation& evaluation = report.runs[0].model->evaluation;
  EXPECT_EQ(model.at("accuracy"), evaluation.classification.accuracy);
  EXPECT_EQ(model.at("mistakes").size(), 5u);
  EXPECT_EQ(model.at("mistakes").at(0).at("row"), report.runs[0].model->mistakes[0].row);
  EXPECT_EQ(model.at("reliability").size(), 15u);
  double votes = 0, probabilities = 0;
  for (const json& share : model.at("mean_votes")) votes += share.get<double>();
  for (const json& share : model.at("mean_probabilities")) probabilities += share.get<double>();
  EXPECT_NEAR(votes, 1, 1e-6);
  EXPECT_NEAR(probabilities, 1, 1e-6);
  const json& second = object.at("runs").at(1);
  EXPECT_TRUE(second.at("model").is_null());
  EXPECT_EQ(second.at("without_model"), "no <data>");
  EXPECT_FALSE(second.at("finished"));
}

TEST(RunNamesTest, AsShortAsTheyAreDistinct) {
  EXPECT_THAT(run_names({"/r/a/first", "/r/b/first", "/r/b/second/"}),
              ElementsAre("a/first", "b/first", "second"));
  EXPECT_THAT(run_names({"/first", "/r/first/."}), ElementsAre("first", "r/first"));
  EXPECT_THAT(run_names({"/runs/one"}), ElementsAre("one"));
}

}  // namespace
}  // namespace ferplus
