// Sweeps: networks × recipes × modes × seeds, a run folder each.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <ferplus/train/run_config.h>

namespace ferplus {

struct SweepRun {
  std::string name;  // of its folder: "<network>-<recipe>-<mode>-s<seed>"
  RunConfig config;
};

// The runs that a JSON file asks for, in order: recipes within networks, modes within recipes,
// seeds within modes (the slowest to change first). Its keys:
//   networks   names, ["vgg13"] if missing
//   recipes    names, or objects {"name": N, "from": recipe, hyperparameter: value, …}: the recipe
//              `from` (that named N if missing) with changes, under the name N
//   modes, seeds
//   drop_leaks, hold_out, limit   of every run, as in RunConfig
//   fer, ferplus, folders         where the data is, relative to the file's folder; may be missing
// Throws Error that names the file if it is not JSON, UsageError for unknown keys and names, values
// out of range, empty lists, what is listed twice, or a recipe that a mode does not allow.
std::vector<SweepRun> read_sweep(const std::filesystem::path& file);

}  // namespace ferplus
