#include <algorithm>
#include <array>
#include <utility>

#include <ferplus/core/error.h>
#include <ferplus/data/fer_csv.h>
#include <ferplus/io/file.h>

#include "data/csv_text.h"
#include "data/first_error.h"
#include "data/pixel_row.h"

namespace ferplus {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{1} << 20;

// The lines that begin in one stretch of the text.
struct Chunk {
  std::size_t begin = 0, end = 0;
  std::size_t first_row = 0;
};

struct Chunks {
  std::vector<Chunk> chunks;
  std::size_t rows = 0;
};

std::size_t next_line(std::string_view text, std::size_t from) {
  const std::size_t end = text.find('\n', from);
  return end == std::string_view::npos ? text.size() : end + 1;
}

// A line feed always ends a row, as no field of these files may contain one.
Chunks cut_into_chunks(std::string_view text) {
  std::vector<Chunk> chunks((text.size() + kChunkBytes - 1) / kChunkBytes);
  std::vector<std::size_t> line_feeds(chunks.size());
  parallel_for(static_cast<Index>(chunks.size()), [&](Index i) {
    const auto c = static_cast<std::size_t>(i);
    chunks[c].begin = c == 0 ? 0 : next_line(text, c * kChunkBytes - 1);
    const std::string_view stretch = text.substr(c * kChunkBytes, kChunkBytes);
    for (std::size_t at = stretch.find('\n'); at != std::string_view::npos;
         at = stretch.find('\n', at + 1)) {
      ++line_feeds[c];
    }
  });
  std::size_t before = 0;
  for (std::size_t c = 0; c < chunks.size(); ++c) {
    chunks[c].end = c + 1 < chunks.size() ? chunks[c + 1].begin : text.size();
    const bool begins_inside_a_line = c > 0 && text[c * kChunkBytes - 1] != '\n';
    chunks[c].first_row = before + (begins_inside_a_line ? 1 : 0);
    before += line_feeds[c];
  }
  return {std::move(chunks), before + 1};
}

// The samples of the votes file, with room for their pixels.
Dataset samples_of(std::vector<VoteRow>&& votes, std::vector<Split>& usages,
                   std::vector<std::size_t>& sample_of_row) {
  constexpr Rectangle kWhole{0, 0, kFerSide, kFerSide};
  Dataset dataset;
  std::array<std::uint32_t, kSplits> index{};
  dataset.samples.reserve(votes.size());
  for (std::size_t row = 0; row < votes.size(); ++row) {
    VoteRow& vote = votes[row];
    const auto split = static_cast<std::size_t>(vote.usage);
    usages.push_back(vote.usage);
    ++dataset.rows[split];
    sample_of_row.push_back(dataset.samples.size());
    if (vote.name.empty()) continue;
    dataset.samples.push_back({.row = row,
                               .draw_key = index[split]++,
                               .split = vote.usage,
                               .name = std::move(vote.name),
                               .face = kWhole,
                               .votes = vote.votes,
                               .pixel_offset = dataset.samples.size() * kFerPixels,
                               .width = kFerSide,
                               .height = kFerSide});
  }
  sample_of_row.push_back(dataset.samples.size());
  dataset.pixels.resize(dataset.samples.size() * kFerPixels);
  return dataset;
}

// Lines count from 1, and the first is the header.
std::size_t line_of(std::size_t row) { return row + 2; }

}  // namespace

Dataset parse_fer_csv(std::string_view fer, const std::string& fer_name, std::string_view ferplus,
                      const std::string& ferplus_name) {
  std::string_view text = csv_contents(fer, fer_name, "the pixels of FER2013 (fer2013.csv)");
  check_header(take_line(text), kPixelsHeader, fer_name);
  if (text.empty()) throw file_error(fer_name, 0, "has a header but no rows");

  std::vector<Split> usages;
  std::vector<std::size_t> sample_of_row;  // and one past the last
  Dataset dataset = samples_of(parse_votes(ferplus, ferplus_name), usages, sample_of_row);
  dataset.source = concat(fer_name, " and ", ferplus_name);

  const Chunks chunks = cut_into_chunks(text);
  const auto describe_counts = [&] {
    return concat(fer_name, " has ", chunks.rows, " rows and ", ferplus_name, " has ",
                  usages.size(), ", but they are joined row by row");
  };
  const auto read = [&](std::size_t row, std::string_view line, CsvFields& fields) {
    if (row >= usages.size()) {
      throw file_error(fer_name, line_of(row),
                       concat("row ", row, " (counted from 0) has no votes: ", describe_counts()));
    }
    std::array<std::uint8_t, kFerPixels> discarded;
    const std::size_t sample = sample_of_row[row];
    const bool is_sample = sample_of_row[row + 1] != sample;
    const std::span<std::uint8_t> pixels =
        is_sample ? std::span(dataset.pixels).subspan(sample * kFerPixels, kFerPixels) : discarded;
    const auto readable = static_cast<std::size_t>(text.data() + text.size() - line.data());
    if (read_usual_row(line, readable, usages[row], pixels)) return;
    Split usage{};
    const std::string problem = read_row(line, fields, usage, pixels);
    if (!problem.empty()) {
      const bool last = row + 1 == chunks.rows && row + 1 < usages.size();
      throw file_error(fer_name, line_of(row),
                       last ? concat(problem, "; is the file cut off?") : problem);
    }
    if (usage != usages[row]) {
      throw file_error(fer_name, line_of(row),
                       concat("row ", row, " (counted from 0) is ", usage_name(usage), ", but ",
                              usage_name(usages[row]), " in line ", line_of(row), " of ",
                              ferplus_name, "; both files must have their published order"));
    }
  };
  parallel_for_first_error(static_cast<Index>(chunks.chunks.size()), [&](Index i) {
    const Chunk& chunk = chunks.chunks[static_cast<std::size_t>(i)];
    CsvFields fields;
    std::size_t row = chunk.first_row;
    for (std::string_view rest = text.substr(chunk.begin, chunk.end - chunk.begin);
         !rest.empty();) {
      read(row++, take_line(rest), fields);
    }
  });
  if (chunks.rows < usages.size()) {
    throw file_error(
        ferplus_name, line_of(chunks.rows),
        concat("row ", chunks.rows, " (counted from 0) has no pixels: ", describe_counts()));
  }
  return dataset;
}

Dataset load_fer_csv(const std::filesystem::path& fer, const std::filesystem::path& ferplus) {
  const MappedFile pixels(fer), votes(ferplus);
  return parse_fer_csv(pixels.text(), fer.string(), votes.text(), ferplus.string());
}

}  // namespace ferplus
