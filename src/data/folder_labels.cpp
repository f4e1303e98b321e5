#include <array>
#include <unordered_map>

#include <ferplus/core/error.h>
#include <ferplus/data/folder.h>
#include <ferplus/io/png.h>

#include "data/csv_text.h"

namespace ferplus {
namespace {

constexpr std::array<std::string_view, kSplits> kFolders{"FER2013Train", "FER2013Valid",
                                                         "FER2013Test"};
constexpr std::size_t kColumns = 2 + kVoteColumns;

// "(0, 0, 48, 48)": returns what is wrong, or an empty text.
std::string read_rectangle(std::string_view text, Rectangle& face) {
  const std::string problem =
      concat("the face rectangle is ", shown(text),
             ", expected \"(left, top, right, bottom)\" in whole pixels, left < right, top < "
             "bottom");
  if (!text.starts_with('(') || !text.ends_with(')')) return problem;
  std::string_view rest = text.substr(1, text.size() - 2);
  for (int Rectangle::*side :
       {&Rectangle::left, &Rectangle::top, &Rectangle::right, &Rectangle::bottom}) {
    const std::size_t comma = rest.find(',');
    const bool last = side == &Rectangle::bottom;
    if ((comma == std::string_view::npos) != last) return problem;
    const std::optional<int> value = parse_number(strip(rest.substr(0, comma)), kMaxImageSide);
    if (!value) return problem;
    face.*side = *value;
    if (!last) rest.remove_prefix(comma + 1);
  }
  return face.left < face.right && face.top < face.bottom ? std::string() : problem;
}

// Returns what is wrong, or an empty text.
std::string read_label(std::string_view line, CsvFields& fields, FolderLabel& label) {
  if (strip(line).empty()) return "blank line between rows";
  if (std::string problem = fields.split(line); !problem.empty()) return problem;
  if (fields.size() != kColumns) {
    return concat("expected ", kColumns, " columns (name, face rectangle, ten votes), got ",
                  fields.size(),
                  fields.size() == kColumns + 3 ? "; the rectangle must be quoted" : "");
  }
  if (fields[0].empty()) return "the image name is empty";
  if (std::string problem = check_image_name(fields[0]); !problem.empty()) return problem;
  label.name = fields[0];
  if (std::string problem = read_rectangle(fields[1], label.face); !problem.empty()) return problem;
  return parse_votes_of(fields, 2, label.votes);
}

}  // namespace

std::string_view folder_name(Split split) { return kFolders.at(static_cast<std::size_t>(split)); }

std::vector<FolderLabel> parse_folder_labels(std::string_view text, const std::string& name) {
  std::string_view rest = csv_contents(text, name, "names, face rectangles and votes");
  std::vector<FolderLabel> labels;
  std::unordered_map<std::string, std::size_t> line_of_name;
  CsvFields fields;
  for (std::size_t line = 1; !rest.empty(); ++line) {
    FolderLabel& label = labels.emplace_back();
    label.line = line;
    const std::string problem = read_label(take_line(rest), fields, label);
    if (!problem.empty()) throw file_error(name, line, problem);
    const auto [known, added] = line_of_name.emplace(label.name, line);
    if (!added) {
      throw file_error(name, line,
                       concat("image ", shown(label.name), " is listed in line ", known->second,
                              " already; an image has one line"));
    }
  }
  return labels;
}

}  // namespace ferplus
