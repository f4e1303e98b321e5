// What the models do on a split: side by side, and one by one.
#include <algorithm>
#include <cmath>
#include <utility>

#include <ferplus/core/error.h>
#include <ferplus/core/text.h>

#include "report/charts.h"
#include "report/html.h"
#include "report/sections.h"

namespace ferplus::report {
namespace {

constexpr const char* kUndefined = "–";
constexpr const char* kNotKnown = "not known";  // without a training split

std::string split_text(const Evaluation& evaluation) {
  return concat(split_name(evaluation.options.split), " split, protocol ",
                protocol_name(evaluation.options.protocol));
}

std::string tiles(const Evaluation& evaluation) {
  const Classification& c = evaluation.classification;
  const ProbabilityMetrics& stated = evaluation.stated();
  std::string html = tile("Accuracy", percent(c.accuracy),
                          concat(percents(c.accuracy_interval.low, c.accuracy_interval.high), ", ",
                                 grouped(c.images), " images"));
  if (const auto& free = evaluation.twin_free) {
    html += tile("Without training's twins", percent(free->accuracy),
                 concat(percents(free->accuracy_interval.low, free->accuracy_interval.high), ", ",
                        grouped(free->images), " images"));
  } else if (evaluation.options.split != Split::train) {
    html += tile("Without training's twins", kNotKnown, "the data have no training split");
  }
  html += tile("Macro F1", fixed(c.macro_f1, 4), "mean of the classes that occur");
  html +=
      tile("Calibration error", percent(stated.reliability.error()),
           concat("of being right; of the votes ", percent(stated.agreement.reliability.error())));
  html += tile("Votes misplaced", fixed(stated.agreement.misplaced_votes, 2), "of ten");
  html += tile("Cross-entropy to the votes", fixed(stated.agreement.cross_entropy, 4),
               concat("KL divergence ", fixed(stated.agreement.kl_divergence, 4)));
  html += tile("A tagger agrees with it", percent(evaluation.taggers.model),
               concat("with the other taggers: ", percent(evaluation.taggers.people)));
  return concat("<dl class=\"tiles\">\n", html, "</dl>\n");
}

Table class_columns(const char* caption, const char* corner) {
  Table table{.caption = caption, .columns = {corner}, .text = {}, .rows = {}};
  for (const std::string_view name : kClassNames) table.columns.emplace_back(name);
  return table;
}

std::string confusion_figure(const std::string& id, const Classification& c) {
  Table table = class_columns("Images, and their share of the row", "votes \\ network");
  for (std::size_t k = 0; k < kClasses; ++k) {
    std::vector<Cell> row = {{std::string(kClassNames[k])}};
    for (const std::size_t count : c.confusion[k]) {
      const auto support = static_cast<double>(c.classes[k].support);
      row.push_back({support > 0 ? concat(grouped(count), " (",
                                          percent(static_cast<double>(count) / support, 1), ")")
                                 : grouped(count)});
    }
    table.rows.push_back(std::move(row));
  }
  return figure("Confusion matrix", confusion_chart(id, c),
                "Images and their share of the row. Rows: the class by the votes; columns: the "
                "prediction. Framed: right.",
                to_html(table));
}

std::string classes_figure(const std::string& id, const Classification& c) {
  BarChart chart{.id = id,
                 .title = "Precision, recall and F1 of each class",
                 .description =
                     "Three bars a class, with Wilson intervals of precision and recall. "
                     "The table below has the same figures.",
                 .names = {"precision", "recall", "F1"},
                 .groups = {}};
  Table table{.caption = "Per class; intervals: Wilson, 95 %",
              .columns = {"Class", "Precision", "Interval", "Recall", "Interval", "F1", "Support",
                          "Predicted"},
              .text = {},
              .rows = {}};
  for (std::size_t k = 0; k < kClasses; ++k) {
    const ClassMetrics& m = c.classes[k];
    const std::string name(kClassNames[k]);
    // Undefined: nothing was said to be of the class, or nothing is.
    BarChart::Bar precision{"P", std::nullopt, std::nullopt},
        recall{"R", std::nullopt, std::nullopt};
    if (m.predicted > 0) precision = {"P", m.precision, m.precision_interval};
    if (m.support > 0) recall = {"R", m.recall, m.recall_interval};
    const auto cells = [](const BarChart::Bar& bar) {
      return std::pair<Cell, Cell>{
          {bar.share ? percent(*bar.share) : kUndefined},
          {bar.interval ? percents(bar.interval->low, bar.interval->high) : ""}};
    };
    chart.groups.push_back({name,
                            concat("n = ", grouped(m.support)),
                            {precision, recall, {"F1", m.f1, std::nullopt}}});
    table.rows.push_back({{name},
                          cells(precision).first,
                          cells(precision).second,
                          cells(recall).first,
                          cells(recall).second,
                          {fixed(m.f1, 4)},
                          {grouped(m.support)},
                          {grouped(m.predicted)}});
  }
  return figure("Per class", bar_chart(chart),
                "P precision, R recall, each with its Wilson interval at 95 %; F1 their harmonic "
                "mean. n: images that the votes call so.",
                to_html(table));
}

std::string reliability_figure(const std::string& id, const Evaluation& evaluation) {
  const Reliability& reliability = evaluation.stated().reliability;
  Table table{.caption = "By confidence",
              .columns = {"Bin", "Images", "Mean confidence", "Right"},
              .text = {},
              .rows = {}};
  const auto bins = static_cast<double>(reliability.bins.size());
  for (std::size_t i = 0; i < reliability.bins.size(); ++i) {
    const Reliability::Bin& bin = reliability.bins[i];
    const auto low = static_cast<double>(i), images = static_cast<double>(bin.images);
    table.rows.push_back({{concat(percent(low / bins, 1), " to ", percent((low + 1) / bins, 1))},
                          {grouped(bin.images)},
                          {bin.images > 0 ? percent(bin.confidence / images) : "–"},
                          {bin.images > 0 ? percent(bin.hits / images) : "–"}});
  }
  std::string remark = concat(
      "How often predictions of a confidence are right (with Wilson "
      "intervals); broad strokes: what is missing to the diagonal. Expected "
      "calibration error ",
      percent(reliability.error()));
  if (evaluation.calibrated) {
    remark += concat(" at temperature ", fixed(*evaluation.options.temperature, 3),
                     evaluation.options.fitted_here() ? ", fitted on this split, " : ", ",
                     percent(evaluation.raw.reliability.error()), " without");
  }
  return figure("Reliability", reliability_chart(id, reliability), remark + ".", to_html(table));
}

std::string distribution_figure(const std::string& id, const Evaluation& evaluation) {
  const Agreement& agreement = evaluation.stated().agreement;
  BarChart chart{.id = id,
                 .title = "Votes and predictions by class",
                 .description =
                     "Two bars a class: the mean share of the votes and the mean "
                     "predicted probability. The table below has the same figures.",
                 .names = {"mean share of the votes", "mean predicted probability"},
                 .groups = {}};
  Table table{.caption = concat("Means over ", grouped(agreement.images), " images"),
              .columns = {"Class", "Votes", "Network", "Difference"},
              .text = {},
              .rows = {}};
  for (std::size_t k = 0; k < kClasses; ++k) {
    const std::string name(kClassNames[k]);
    const double votes = agreement.mean_votes[k], network = agreement.mean_probabilities[k];
    chart.groups.push_back({name, "", {{"V", votes, std::nullopt}, {"N", network, std::nullopt}}});
    table.rows.push_back({{name},
                          {percent(votes)},
                          {percent(network)},
                          {concat(network < votes ? "−" : "+",
                                  fixed(100 * std::abs(network - votes), 2), " points")}});
  }
  return figure("Votes and predictions", bar_chart(chart),
                concat("V mean share of the votes for the eight classes, N mean predicted "
                       "probability, over ",
                       grouped(agreement.images), " images."),
                to_html(table));
}

bool measured_alike(const ModelReport& a, const ModelReport& b) {
  return a.data == b.data && split_text(a.evaluation) == split_text(b.evaluation) &&
         a.evaluation.samples == b.evaluation.samples;
}

// Whether all models were measured on the same images against the same classes.
bool measured_alike(const std::vector<const RunReport*>& runs) {
  return std::ranges::all_of(
      runs, [&](const RunReport* run) { return measured_alike(*run->model, *runs[0]->model); });
}

std::string twins_text(const Evaluation& evaluation) {
  if (evaluation.options.split == Split::train) return "These are the training images themselves.";
  if (!evaluation.twin_free) {
    return "The data have no training split, so which images are also in it is not known.";
  }
  const std::size_t twins = evaluation.classification.images - evaluation.twin_free->images;
  return concat(twins == 0 ? "None" : grouped(twins),
                " of the images are also in the training split, pixel for pixel.");
}

// Of its curves, marks and names on the page.
std::size_t style_of(const RunReport& run, const Report& report) {
  return static_cast<std::size_t>(&run - report.runs.data());
}

// Two rows a run: all images, and those without a twin in training.
std::string twins_figure(const std::string& id, const Report& report,
                         const std::vector<const RunReport*>& runs) {
  IntervalChart chart{.id = id,
                      .title = "Accuracy with and without training's twins",
                      .description = {},
                      .rows = {}};
  for (const RunReport* run : runs) {
    const Evaluation& evaluation = run->model->evaluation;
    const std::string name = runs.size() > 1 ? run->name + ", " : "";
    const auto add = [&](const char* label, const Classification& c) {
      chart.rows.push_back({name + label, style_of(*run, report), c.accuracy, c.accuracy_interval});
      chart.description +=
          concat(name, label, ": ", percent(c.accuracy), " (",
                 percents(c.accuracy_interval.low, c.accuracy_interval.high), "). ");
    };
    add("all images", evaluation.classification);
    if (evaluation.twin_free) add("without twins", *evaluation.twin_free);
  }
  std::string remark = "Accuracy with Wilson intervals at 95 %.";
  if (measured_alike(runs)) {
    remark += concat(" ", twins_text(runs[0]->model->evaluation));
  } else {
    for (const RunReport* run : runs) {
      remark += concat(" ", run->name, ": ", twins_text(run->model->evaluation));
    }
  }
  return figure("With and without twins", interval_chart(chart), remark, "");
}

std::vector<const RunReport*> with_models(const Report& report) {
  std::vector<const RunReport*> runs;
  for (const RunReport& run : report.runs) {
    if (run.model) runs.push_back(&run);
  }
  return runs;
}

std::string comparison_text(const RunReport& first, const RunReport& second) {
  if (!measured_alike(*first.model, *second.model)) return {};
  const Evaluation &a = first.model->evaluation, &b = second.model->evaluation;
  const Comparison comparison = compare(a.classes, a.predictions, b.predictions);
  return element(
      "p",
      concat("Right: both on ", grouped(comparison.both), " images, ", first.name, " alone on ",
             grouped(comparison.only_first), ", ", second.name, " alone on ",
             grouped(comparison.only_second), ", neither on ", grouped(comparison.neither),
             ". Exact McNemar test: p ",
             comparison.p_value < 0.001 ? "< 0.001" : "= " + fixed(comparison.p_value, 3), "."));
}

}  // namespace

std::string tile(const std::string& label, const std::string& figure, const std::string& remark) {
  return concat("<div>", element("dt", label), element("dd", figure, " class=\"figure\""),
                element("dd", remark, " class=\"remark\""), "</div>\n");
}

std::string figure(const std::string& heading, const std::string& chart, const std::string& remark,
                   const std::string& table) {
  return concat("<figure>\n", element("h3", heading), "\n",
                remark.empty() ? "" : element("p", remark) + "\n", chart,
                table.empty() ? "" : details("The figures as a table", table), "</figure>\n");
}

std::string comparison_section(const Report& report) {
  const std::vector<const RunReport*> runs = with_models(report);
  if (runs.size() < 2) return {};
  Table table{.caption = "Intervals: Wilson, 95 %; misplaced: of ten votes",
              .columns = {"Run", "Images", "Accuracy", "Without twins", "Macro F1",
                          "Calibration error", "Cross-entropy", "Misplaced"},
              .text = {},
              .rows = {}};
  const auto accuracy = [](const Classification& c) {
    return Cell{element("span", percent(c.accuracy)) + "<br/>" +
                element("span", percents(c.accuracy_interval.low, c.accuracy_interval.high),
                        " class=\"soft\"")};
  };
  for (const RunReport* run : runs) {
    const Evaluation& evaluation = run->model->evaluation;
    const auto& free = evaluation.twin_free;
    const ProbabilityMetrics& stated = evaluation.stated();
    table.rows.push_back({{series_sample(style_of(*run, report)) + " " + escape(run->name)},
                          {element("span", grouped(evaluation.classification.images)) + "<br/>" +
                           element("span", split_text(evaluation), " class=\"soft\"")},
                          accuracy(evaluation.classification),
                          free ? accuracy(*free) : Cell{kNotKnown},
                          {fixed(evaluation.classification.macro_f1, 4)},
                          {percent(stated.reliability.error())},
                          {fixed(stated.agreement.cross_entropy, 4)},
                          {fixed(stated.agreement.misplaced_votes, 2)}});
  }
  std::string html =
      concat("<section id=\"models\">\n<h2>Models side by side</h2>\n", to_html(table));
  if (!measured_alike(runs)) {
    std::string sources;
    for (const RunReport* run : runs) {
      sources += concat(sources.empty() ? " " : "; ", run->name, ": ", run->model->data);
    }
    html += concat(
        "<p class=\"notice\">The models were not measured on the same images, so their "
        "figures do not compare.",
        escape(sources), ".</p>\n");
  }
  if (runs.size() == 2) html += comparison_text(*runs[0], *runs[1]);
  return concat(html, "<div class=\"charts\">\n", twins_figure("twins", report, runs),
                "</div>\n</section>\n");
}

std::string model_section(const Report& report, std::size_t number) {
  const RunReport& run = report.runs[number];
  if (!run.model) return {};
  const std::string id = concat("run-", number + 1);
  const bool alone = report.runs.size() == 1;
  const Evaluation& evaluation = run.model->evaluation;
  std::string charts = confusion_figure(id + "-confusion", evaluation.classification) +
                       classes_figure(id + "-classes", evaluation.classification) +
                       reliability_figure(id + "-reliability", evaluation) +
                       distribution_figure(id + "-distribution", evaluation);
  if (alone) charts += twins_figure(id + "-twins", report, {&run});
  return concat("<section id=\"", id, "\">\n<h2>", alone ? "Model" : escape("Model of " + run.name),
                "</h2>\n",
                element("p", concat(run.model->file, " on the ", split_text(evaluation), ": ",
                                    grouped(evaluation.classification.images), " images")),
                "\n", tiles(evaluation), "<div class=\"charts\">\n", charts, "</div>\n",
                mistakes_figure(*run.model), "</section>\n");
}

std::string missing_models_section(const Report& report) {
  // Runs by what keeps their models from being shown, in the order in which that occurs.
  std::vector<std::pair<std::string, std::string>> reasons;
  for (const RunReport& run : report.runs) {
    if (run.model) continue;
    const auto known =
        std::ranges::find(reasons, run.without_model, &std::pair<std::string, std::string>::first);
    if (known == reasons.end()) {
      reasons.emplace_back(run.without_model, run.name);
    } else {
      known->second += ", " + run.name;
    }
  }
  if (reasons.empty()) return {};
  std::string html = "<section id=\"missing\">\n<h2>Models not shown</h2>\n";
  for (const auto& [reason, names] : reasons) {
    html +=
        concat("<p class=\"notice\">", element("strong", names), ": ", escape(reason), "</p>\n");
  }
  return html + "</section>\n";
}

}  // namespace ferplus::report
