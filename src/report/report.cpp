#include <algorithm>
#include <utility>

#include <ferplus/core/error.h>
#include <ferplus/data/face_crop.h>
#include <ferplus/report/report.h>
#include <ferplus/train/error_report.h>

namespace ferplus {
namespace {

namespace fs = std::filesystem;

// The last `parts` parts of a path.
std::string ending(const fs::path& path, std::size_t parts) {
  std::vector<std::string> names;
  for (const fs::path& name : path.lexically_normal().relative_path()) {
    if (!name.empty()) names.push_back(name.string());
  }
  std::string text;
  for (std::size_t i = names.size() - std::min(parts, names.size()); i < names.size(); ++i) {
    text += concat(text.empty() ? "" : "/", names[i]);
  }
  return text;
}

}  // namespace

ModelReport model_report(const Dataset& dataset, std::string file, Evaluation evaluation,
                         std::size_t most) {
  std::vector<std::size_t> wrong = mistakes(evaluation);
  wrong.resize(std::min(wrong.size(), most));
  std::vector<Mistake> shown;
  for (const std::size_t image : wrong) {
    const Sample& sample = dataset.samples[evaluation.samples[image]];
    shown.push_back({.row = sample.row,
                     .name = sample.name,
                     .votes = sample.votes,
                     .truth = evaluation.classes[image],
                     .predicted = evaluation.predictions[image],
                     .confidence = evaluation.confidence(image),
                     .face = cut_out(dataset.image(sample), sample.face)});
  }
  return {.file = std::move(file),
          .data = dataset.source,
          .evaluation = std::move(evaluation),
          .mistakes = std::move(shown)};
}

std::vector<std::string> run_names(const std::vector<fs::path>& folders) {
  std::vector<std::string> names;
  for (const fs::path& folder : folders) {
    std::size_t parts = 1;
    const auto shared = [&] {
      return std::ranges::count_if(folders, [&](const fs::path& other) {
               return ending(other, parts) == ending(folder, parts);
             }) > 1;
    };
    while (shared() && ending(folder, parts) != ending(folder, parts + 1)) ++parts;
    names.push_back(ending(folder, parts));
  }
  return names;
}

}  // namespace ferplus
