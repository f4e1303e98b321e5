#include <ferplus/core/error.h>

#include "report/html.h"
#include "report/sections.h"

namespace ferplus {

using namespace report;

std::string to_html(const Report& report) {
  const std::string title =
      report.runs.size() == 1 ? report.runs[0].name : concat(report.runs.size(), " runs");
  // The policy keeps the page from loading anything, now and after any change of ours.
  std::string html = concat(
      "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n"
      "<meta charset=\"utf-8\"/>\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; "
      "style-src 'unsafe-inline'\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
      "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
      "<link rel=\"icon\" href=\"data:,\"/>\n",
      element("title", "ferplus: " + title), "\n<style>", kStyle,
      "</style>\n</head>\n<body>\n<header>\n", "<p class=\"soft\">Training report</p>\n",
      element("h1", title), "\n");
  if (report.runs.size() == 1) {
    html +=
        concat(element("p", run_summary(report.runs[0].record.config), " class=\"soft\""), "\n");
  }
  const std::string comparison = comparison_section(report);
  const std::string missing = missing_models_section(report);
  std::string models;
  html +=
      "<nav aria-label=\"Sections\"><ul>\n<li><a href=\"#settings\">Settings</a></li>\n"
      "<li><a href=\"#curves\">Learning curves</a></li>\n";
  if (!comparison.empty()) html += "<li><a href=\"#models\">Models side by side</a></li>\n";
  for (std::size_t i = 0; i < report.runs.size(); ++i) {
    models += model_section(report, i);
    if (!report.runs[i].model) continue;
    html += concat("<li><a href=\"#run-", i + 1, "\">",
                   report.runs.size() == 1 ? "Model" : escape(report.runs[i].name), "</a></li>\n");
  }
  if (!missing.empty()) html += "<li><a href=\"#missing\">Models not shown</a></li>\n";
  return concat(
      html, "</ul></nav>\n</header>\n<main>\n", overview_section(report), settings_section(report),
      curves_section(report), comparison, models, missing,
      "</main>\n<footer>\n<p>Written by ferplus report. The network estimates how taggers "
      "would have voted on an apparent expression; it does not say what a person feels."
      "</p>\n</footer>\n</body>\n</html>\n");
}

}  // namespace ferplus
