#include <ferplus/core/error.h>
#include <ferplus/data/fer_csv.h>
#include <ferplus/io/file.h>

#include "data/csv_text.h"
#include "data/pixel_row.h"

namespace ferplus {
namespace {

constexpr std::size_t kColumns = 2 + kVoteColumns;

// Returns what is wrong, or an empty text.
std::string read_votes_row(std::string_view line, CsvFields& fields, VoteRow& row) {
  if (strip(line).empty()) return "blank line between rows";
  if (std::string problem = fields.split(line); !problem.empty()) return problem;
  if (fields.size() != kColumns) {
    return concat("expected ", kColumns, " columns (usage, image name, ten votes), got ",
                  fields.size());
  }
  if (!parse_usage(fields[0], row.usage)) return unknown_usage(fields[0]);
  if (std::string problem = check_image_name(fields[1]); !problem.empty()) return problem;
  row.name = fields[1];
  return parse_votes_of(fields, 2, row.votes);
}

}  // namespace

std::vector<VoteRow> parse_votes(std::string_view text, const std::string& name) {
  std::string_view rest = csv_contents(text, name, "the votes of FER+ (fer2013new.csv)");
  check_header(take_line(rest), kVotesHeader, name);
  if (rest.empty()) throw file_error(name, 0, "has a header but no rows");
  std::vector<VoteRow> rows;
  CsvFields fields;
  for (std::size_t line = 2; !rest.empty(); ++line) {
    const std::string problem = read_votes_row(take_line(rest), fields, rows.emplace_back());
    if (!problem.empty()) throw file_error(name, line, problem);
  }
  return rows;
}

std::vector<VoteRow> load_votes(const std::filesystem::path& ferplus) {
  const MappedFile file(ferplus);
  return parse_votes(file.text(), ferplus.string());
}

}  // namespace ferplus
