#include <algorithm>
#include <initializer_list>

#include <ferplus/core/error.h>
#include <ferplus/io/file.h>
#include <ferplus/train/run_folder.h>

namespace ferplus {

namespace fs = std::filesystem;

bool RunFolder::holds_run() const { return file_exists(config()); }

bool is_file_of_run(std::string_view name) {
  const RunFolder run;
  const auto is_called_so = [&](const fs::path& file) { return file == name; };
  return name == ".lock" || std::ranges::any_of(
                                std::initializer_list<fs::path>{
                                    run.config(), run.metrics(), run.log(), run.checkpoint(),
                                    run.best_model(), run.events(), run.profile(), run.summary()},
                                is_called_so);
}

void require_run(const RunFolder& folder) {
  if (folder.holds_run()) return;
  throw Error(concat(folder.path.string(), " holds no run to resume: it has no config.json"));
}

void refuse_existing_run(const RunFolder& folder) {
  for (const fs::path& file : {folder.config(), folder.checkpoint(), folder.metrics(),
                               folder.best_model(), folder.summary()}) {
    if (file_exists(file)) {
      throw Error(concat(folder.path.string(), " already holds a run (", file.filename().string(),
                         "): resume it with --resume, or choose another folder"));
    }
  }
}

std::vector<fs::path> run_folders(const fs::path& folder) {
  if (RunFolder{folder}.holds_run()) return {folder};
  std::error_code error;
  if (!fs::is_directory(folder, error)) {
    throw Error(concat(folder.string(), " is no folder, so it holds no run"));
  }
  std::vector<fs::path> runs;
  fs::directory_iterator entries(folder, error);
  for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
    if (RunFolder{entries->path()}.holds_run()) runs.push_back(entries->path());
  }
  if (error) throw file_error(folder, 0, concat("cannot list the folder: ", error.message()));
  if (runs.empty()) {
    throw Error(concat(folder.string(),
                       " holds no run: there is no config.json in it nor in a folder in it"));
  }
  std::ranges::sort(runs);
  return runs;
}

}  // namespace ferplus
