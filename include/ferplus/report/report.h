// Reports on runs: what was asked for, how training went, and what the models do on a split; as one
// HTML page or as JSON.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <ferplus/data/dataset.h>
#include <ferplus/io/image.h>
#include <ferplus/train/evaluate.h>
#include <ferplus/train/run_record.h>

namespace ferplus {

// A face that a model gets wrong.
struct Mistake {
  std::size_t row = 0;  // Sample::row
  std::string name;
  Votes votes{};
  int truth = 0, predicted = 0;
  float confidence = 0;  // the prediction's probability, as the model states it
  GrayImage face;        // the face rectangle of the image, in its own pixels
};

struct ModelReport {
  std::string file;  // of the run's folder
  std::string data;  // Dataset::source
  Evaluation evaluation;
  std::vector<Mistake> mistakes;  // the most confident first
};

// With the most confident `most` mistakes. `evaluation` must be of this dataset.
ModelReport model_report(const Dataset& dataset, std::string file, Evaluation evaluation,
                         std::size_t most);

struct RunReport {
  std::string name;  // that no other run of the report has
  RunRecord record;
  std::optional<ModelReport> model;
  std::string without_model;  // if there is none: why, and what to do, one sentence
};

struct Report {
  std::vector<RunReport> runs;
};

// For each folder its name, and as many of the folders above as tell it from the others. REQUIRES:
// absolute paths, no two of them equal.
std::vector<std::string> run_names(const std::vector<std::filesystem::path>& folders);

// One self-contained page: no script, nothing that is loaded, pictures as data URIs. It is
// well-formed XML, valid HTML and UTF-8, whatever the texts hold; a function of the report alone.
std::string to_html(const Report& report);

// The same figures. Texts are taken as they are, so dump it with error_handler_t::replace.
nlohmann::ordered_json to_json(const Report& report);

}  // namespace ferplus
