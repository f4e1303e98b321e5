// What was asked for and how training went: overview, settings, curves.
#include <algorithm>

#include <nlohmann/json.hpp>

#include <ferplus/core/error.h>
#include <ferplus/core/text.h>

#include "report/charts.h"
#include "report/html.h"
#include "report/sections.h"
#include "report/settings.h"

namespace ferplus::report {
namespace {

constexpr const char* kNone = "–";

std::string duration(double seconds) {
  const auto minutes = static_cast<std::uint64_t>(seconds / 60 + 0.5);
  if (minutes < 1) return concat(fixed(seconds, 0), " s");
  if (minutes < 60) return concat(minutes, " min");
  return concat(minutes / 60, " h ", minutes % 60, " min");
}

std::string single_overview(const RunReport& run) {
  const RunRecord& record = run.record;
  std::string tiles;
  if (const EpochMetrics* best = record.best()) {
    tiles += tile("Best public accuracy", percent(best->public_accuracy),
                  concat("in epoch ", best->epoch + 1));
    if (record.summary && record.summary->private_accuracy) {
      tiles +=
          tile("Private accuracy", percent(*record.summary->private_accuracy), "of the same model");
    }
  }
  tiles += tile("Epochs", concat(record.epochs.size(), " of ", record.config.recipe.epochs),
                record.finished() ? "finished" : "unfinished");
  tiles += tile("Training", duration(record.seconds()), "without evaluation");
  return concat("<dl class=\"tiles\">\n", tiles, "</dl>\n");
}

std::string overview_table(const Report& report) {
  Table table{.caption = "What was trained",
              .columns = {"Run", "State", "Best public accuracy", "in epoch", "Private accuracy",
                          "Training"},
              .text = {1},
              .rows = {}};
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    const RunRecord& record = report.runs[i].record;
    const EpochMetrics* best = record.best();
    const bool tested = record.summary && record.summary->private_accuracy;
    table.rows.push_back({{series_sample(i) + " " + escape(report.runs[i].name)},
                          {state_text(record)},
                          {best != nullptr ? percent(best->public_accuracy) : kNone},
                          {best != nullptr ? std::to_string(best->epoch + 1) : kNone},
                          {tested ? percent(*record.summary->private_accuracy) : kNone},
                          {duration(record.seconds())}});
  }
  return to_html(table);
}

// One of the four curves.
struct Curve {
  const char* id;
  const char* heading;
  double EpochMetrics::*figure;
  Unit unit;
  bool from_zero;
};
constexpr Curve kCurves[] = {
    {"train-loss", "Training loss", &EpochMetrics::train_loss, Unit::plain, false},
    {"public-loss", "Public loss", &EpochMetrics::public_loss, Unit::plain, false},
    {"public-accuracy", "Public accuracy", &EpochMetrics::public_accuracy, Unit::percent, false},
    {"learning-rate", "Learning rate", &EpochMetrics::learning_rate, Unit::plain, true}};

std::string curve_figure(const Report& report, const Curve& curve) {
  LineChart chart{.id = curve.id,
                  .title = concat(curve.heading, " by epoch"),
                  .description = {},
                  .unit = curve.unit,
                  .from_zero = curve.from_zero,
                  .series = {}};
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    const RunRecord& record = report.runs[i].record;
    if (record.epochs.empty()) continue;
    LineChart::Series series{.name = report.runs[i].name, .style = i, .values = {}, .marked = {}};
    for (const EpochMetrics& epoch : record.epochs) series.values.push_back(epoch.*curve.figure);
    if (curve.figure == &EpochMetrics::public_accuracy) {
      series.marked = static_cast<std::size_t>(record.best()->epoch);
    }
    constexpr int kDigits = 4;
    chart.description +=
        concat(series.name, ": from ", figure_text(series.values.front(), curve.unit, kDigits),
               " to ", figure_text(series.values.back(), curve.unit, kDigits), " in ",
               series.values.size(), series.values.size() == 1 ? " epoch. " : " epochs. ");
    chart.series.push_back(std::move(series));
  }
  return figure(curve.heading, line_chart(chart), "", "");
}

std::string epoch_table(const RunReport& run) {
  Table table{.caption = escape(run.name),
              .columns = {"Epoch", "Training loss", "Training accuracy", "Public loss",
                          "Public accuracy", "Learning rate", "Images/s"},
              .text = {},
              .rows = {}};
  const EpochMetrics* best = run.record.best();
  for (const EpochMetrics& epoch : run.record.epochs) {
    const bool is_best = &epoch == best;
    constexpr int kRateDigits = 5;
    table.rows.push_back({{std::to_string(epoch.epoch + 1)},
                          {fixed(epoch.train_loss, 4)},
                          {percent(epoch.train_accuracy)},
                          {fixed(epoch.public_loss, 4)},
                          {percent(epoch.public_accuracy) + (is_best ? " (best)" : ""), is_best},
                          {fixed(epoch.learning_rate, kRateDigits)},
                          {fixed(epoch.images_per_second, 1)}});
  }
  return to_html(table);
}

std::string setting_html(const std::string& value) {
  return value.empty() ? element("span", kNone) : element("code", value);
}

// The first of equals.
const std::string& most_frequent(const std::vector<std::string>& values) {
  return *std::ranges::max_element(
      values, {}, [&](const std::string& value) { return std::ranges::count(values, value); });
}

// Where runs differ: a column for each such setting.
std::string differing_settings(const Report& report) {
  Table table{.caption = concat("What differs between the runs; marked: unlike ",
                                report.runs.size() == 2 ? "the first" : "most of them"),
              .columns = {"Run"},
              .text = {},
              .rows = {}};
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    table.rows.push_back({{series_sample(i) + " " + escape(report.runs[i].name)}});
  }
  for (const Setting& setting : settings(configs_of(report))) {
    if (!setting.differs()) continue;
    table.text.push_back(table.columns.size());
    table.columns.push_back(escape(setting.key));
    const std::string& usual = most_frequent(setting.values);
    for (std::size_t i = 0; i < report.runs.size(); ++i) {
      table.rows[i].push_back({setting_html(setting.shown[i]), setting.values[i] != usual});
    }
  }
  return table.columns.size() > 1 ? to_html(table) : "<p>All runs have the same settings.</p>\n";
}

// Where a run differs from the recipe that it names.
std::string beside_its_recipe(const RunConfig& config) {
  const std::optional<RunConfig> usual = as_its_recipe(config);
  if (!usual) return element("p", run_summary(config) + ", whose fields are below.") + "\n";
  Table table{.caption = escape(concat("What differs from recipe ", config.recipe.name)),
              .columns = {"Setting", "Value", "Usually"},
              .text = {1, 2},
              .rows = {}};
  for (const Setting& setting : settings(std::vector{config, *usual})) {
    if (!setting.differs()) continue;
    table.rows.push_back({{element("code", setting.key)},
                          {setting_html(setting.shown[0]), true},
                          {setting_html(setting.shown[1])}});
  }
  return table.rows.empty()
             ? element("p", concat("Recipe ", config.recipe.name, " as it stands.")) + "\n"
             : to_html(table);
}

}  // namespace

std::string run_summary(const RunConfig& config) {
  return concat(config.network, ", mode ", label_mode(config.mode).name, ", recipe ",
                config.recipe.name, ", seed ", config.seed);
}

std::string state_text(const RunRecord& record) {
  const std::size_t done = record.epochs.size();
  if (record.finished()) return concat("finished: ", done, done == 1 ? " epoch" : " epochs");
  if (record.epochs.empty()) return "no epoch done yet";
  return concat("unfinished: ", record.epochs.size(), " of ", record.config.recipe.epochs,
                " epochs");
}

std::string overview_section(const Report& report) {
  return concat("<section id=\"runs\">\n<h2>", report.runs.size() == 1 ? "Run" : "Runs", "</h2>\n",
                report.runs.size() == 1 ? single_overview(report.runs[0]) : overview_table(report),
                "</section>\n");
}

std::string settings_section(const Report& report) {
  const bool alone = report.runs.size() == 1;
  Table common{.caption = alone ? "As in config.json" : "The same in all runs",
               .columns = {"Setting", "Value"},
               .text = {1},
               .rows = {}};
  for (const Setting& setting : settings(configs_of(report))) {
    if (setting.differs()) continue;
    common.rows.push_back({{element("code", setting.key)}, {setting_html(setting.shown[0])}});
  }
  return concat(
      "<section id=\"settings\">\n<h2>Settings</h2>\n",
      alone ? beside_its_recipe(report.runs[0].record.config) : differing_settings(report),
      details(concat(alone ? "All settings (" : "Settings in common (", common.rows.size(), ")"),
              to_html(common)),
      "</section>\n");
}

std::string curves_section(const Report& report) {
  std::string html = "<section id=\"curves\">\n<h2>Learning curves</h2>\n", legend, tables;
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    const RunReport& run = report.runs[i];
    if (run.record.epochs.empty()) {
      html += concat("<p class=\"notice\">", escape(run.name),
                     " has not finished its first epoch, so it has no curve yet.</p>\n");
      continue;
    }
    legend += concat("<li>", series_sample(i), element("span", run.name), "</li>\n");
    tables += epoch_table(run);
  }
  if (tables.empty()) return html + "</section>\n";
  if (report.runs.size() > 1) html += concat("<ul class=\"legend\">\n", legend, "</ul>\n");
  html += "<div class=\"charts\">\n";
  for (const Curve& curve : kCurves) html += curve_figure(report, curve);
  html +=
      "</div>\n<p class=\"soft\">Training loss is measured in training, with dropout on distorted "
      "faces, against the mode's targets; public loss and accuracy after each epoch on undistorted "
      "faces, against majority targets. The learning rate is that of an epoch's first step. A ring "
      "marks the best epoch, whose model is best.safetensors.</p>\n";
  return html + details("The figures of every epoch as a table", tables) + "</section>\n";
}

}  // namespace ferplus::report
