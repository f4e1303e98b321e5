#include <algorithm>
#include <array>
#include <numeric>

#include <ferplus/core/error.h>
#include <ferplus/core/text.h>
#include <ferplus/io/png.h>

#include "report/data_uri.h"
#include "report/html.h"
#include "report/sections.h"

namespace ferplus::report {
namespace {

constexpr const char* kHeading = "Most confident mistakes";

std::string_view column_name(std::size_t column) {
  constexpr std::string_view kNoClasses[] = {"unknown", "not a face"};
  return column < kClasses ? kClassNames[column] : kNoClasses[column - kClasses];
}

// "happiness 8, neutral 2": the most votes first.
std::string votes_text(const Votes& votes) {
  std::array<std::size_t, kVoteColumns> columns;
  std::iota(columns.begin(), columns.end(), std::size_t{0});
  std::ranges::stable_sort(columns,
                           [&](std::size_t a, std::size_t b) { return votes[a] > votes[b]; });
  std::string text;
  for (const std::size_t column : columns) {
    if (votes[column] == 0) continue;
    text += concat(text.empty() ? "" : ", ", column_name(column), ' ', int{votes[column]});
  }
  return text;
}

std::string card(const Mistake& mistake) {
  const std::string votes = concat("votes: ", votes_text(mistake.votes));
  const std::string network = concat(kClassNames[static_cast<std::size_t>(mistake.predicted)], ' ',
                                     percent(static_cast<double>(mistake.confidence), 1));
  const std::string where = concat("row ", mistake.row, ", ", mistake.name);
  return concat("<li><img width=\"48\" height=\"48\" alt=\"", escape("Face of " + where),
                "\" src=\"", png_data_uri(mistake.face), "\"/>",
                "<p>network: ", element("strong", network), "</p>", element("p", votes),
                element("p", where, " class=\"soft\""), "</li>\n");
}

}  // namespace

std::string mistakes_figure(const ModelReport& model) {
  const Classification& c = model.evaluation.classification;
  const std::size_t wrong = c.images - c.correct;
  if (wrong > 0 && model.mistakes.empty()) return {};  // not asked for
  if (wrong == 0) return figure(kHeading, "", "None: every prediction is right.", "");
  std::string faces = "<ul class=\"faces\">\n";
  for (const Mistake& mistake : model.mistakes) faces += card(mistake);
  const std::size_t shown = model.mistakes.size();
  return figure(
      kHeading, faces + "</ul>\n",
      concat(shown == wrong ? "All " : concat("The ", shown, " surest of "), grouped(wrong),
             " wrong predictions, the surest first: what the network "
             "said with which probability, and what the taggers voted."),
      "");
}

}  // namespace ferplus::report
