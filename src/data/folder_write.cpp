#include <array>
#include <mutex>
#include <ostream>
#include <unordered_set>

#include <ferplus/core/error.h>
#include <ferplus/data/csv.h>
#include <ferplus/data/folder.h>
#include <ferplus/io/file.h>
#include <ferplus/io/png.h>

#include "data/csv_text.h"
#include "data/first_error.h"

namespace ferplus {
namespace fs = std::filesystem;
namespace {

constexpr std::array<Split, kSplits> kAllSplits{Split::train, Split::public_test,
                                                Split::private_test};

using ImagesPerSplit = std::array<std::size_t, kSplits>;

// Half-written folders must not look whole: old lists of labels go before anything is written. A
// split of other data must not stay beside the new ones, and deleting it is not ours.
void make_room(const fs::path& directory, bool force, const ImagesPerSplit& images) {
  std::vector<fs::path> old;
  for (const Split split : kAllSplits) {
    const fs::path labels = directory / folder_name(split) / "label.csv";
    std::error_code code;
    if (!fs::exists(fs::symlink_status(labels, code))) continue;
    if (!force) {
      throw file_error(labels, 0,
                       "exists already; choose another folder, or overwrite it with --force");
    }
    if (images[static_cast<std::size_t>(split)] == 0) {
      throw file_error(labels, 0,
                       concat("belongs to other data, as the new data have no ", split_name(split),
                              " split; remove ", folder_name(split), " or choose another folder"));
    }
    old.push_back(labels);
  }
  for (const fs::path& labels : old) {
    std::error_code code;
    if (!fs::remove(labels, code)) {
      throw file_error(labels, 0, concat("cannot remove: ", code.message()));
    }
  }
}

// name.png is name_rowN.png for a sample whose name an earlier one of its split has.
std::vector<std::string> file_names(const Dataset& dataset) {
  std::array<std::unordered_set<std::string>, kSplits> used;
  std::vector<std::string> names;
  names.reserve(dataset.samples.size());
  for (const Sample& sample : dataset.samples) {
    const std::string problem =
        sample.name.empty() ? "the image name is empty" : check_image_name(sample.name);
    if (!problem.empty()) throw Error(concat(dataset.source, ": row ", sample.row, ": ", problem));
    auto& taken = used[static_cast<std::size_t>(sample.split)];
    fs::path name = sample.name;
    while (!taken.insert(name.string()).second) {
      name = concat(name.stem().string(), "_row", sample.row, name.extension().string());
    }
    names.push_back(name.string());
  }
  return names;
}

void write_label(std::ostream& out, const std::string& name, const Sample& sample) {
  const Rectangle& face = sample.face;
  out << csv_field(name) << ",\"(" << face.left << ", " << face.top << ", " << face.right << ", "
      << face.bottom << ")\"";
  for (const std::uint8_t vote : sample.votes) out << ',' << static_cast<int>(vote);
  out << '\n';
}

}  // namespace

void write_folders(const Dataset& dataset, const fs::path& directory, bool force,
                   const Progress& progress) {
  const std::vector<std::string> names = file_names(dataset);
  ImagesPerSplit images{};
  for (const Sample& sample : dataset.samples) ++images[static_cast<std::size_t>(sample.split)];
  make_room(directory, force, images);
  for (const Split split : kAllSplits) {
    if (images[static_cast<std::size_t>(split)] == 0) continue;
    make_folder(directory / folder_name(split));
  }

  std::mutex mutex;
  std::size_t done = 0;
  parallel_for_first_error(static_cast<Index>(names.size()), [&](Index i) {
    const Sample& sample = dataset.samples[static_cast<std::size_t>(i)];
    const fs::path folder = directory / folder_name(sample.split);
    const ImageView image = dataset.image(sample);
    write_png(folder / names[static_cast<std::size_t>(i)], image.pixels, image.width, image.height);
    const std::lock_guard lock(mutex);
    ++done;
    if (progress) progress(done, names.size());
  });

  for (const Split split : kAllSplits) {
    if (images[static_cast<std::size_t>(split)] == 0) continue;
    write_file_atomically(directory / folder_name(split) / "label.csv", [&](std::ostream& out) {
      for (std::size_t i = 0; i < names.size(); ++i) {
        if (dataset.samples[i].split == split) write_label(out, names[i], dataset.samples[i]);
      }
    });
  }
}

}  // namespace ferplus
