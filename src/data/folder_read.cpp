#include <utility>

#include <ferplus/core/error.h>
#include <ferplus/data/face_crop.h>
#include <ferplus/data/folder.h>
#include <ferplus/io/file.h>
#include <ferplus/io/png.h>

#include "data/csv_text.h"
#include "data/first_error.h"

namespace ferplus {
namespace fs = std::filesystem;
namespace {

// A sample before its pixels have found their place, and where its label is.
struct Entry {
  Sample sample;
  std::size_t line = 0;
  GrayImage image;
};

fs::path label_file(const fs::path& directory, Split split) {
  return directory / folder_name(split) / "label.csv";
}

void add_entries(const fs::path& directory, Split split, std::vector<Entry>& entries) {
  const fs::path path = label_file(directory, split);
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    throw file_error(path, 0,
                     concat("is missing; a split folder has a label.csv (remove ",
                            folder_name(split), " if that split is not wanted)"));
  }
  const MappedFile file(path);
  std::uint32_t index = 0;
  for (FolderLabel& label : parse_folder_labels(file.text(), path.string())) {
    Entry& entry = entries.emplace_back();
    entry.line = label.line;
    entry.sample.row = entries.size() - 1;
    entry.sample.draw_key = index++;
    entry.sample.split = split;
    entry.sample.name = std::move(label.name);
    entry.sample.face = label.face;
    entry.sample.votes = label.votes;
  }
}

// A face larger than FER2013's becomes one of its size, as Predictor makes it.
void bring_down(Entry& entry) {
  Sample& sample = entry.sample;
  const ImageView whole{entry.image.pixels.data(), sample.width, sample.height};
  const FaceImage smaller(whole, sample.face);
  if (smaller.image().pixels == whole.pixels) return;
  entry.image = cut_out(smaller.image(), smaller.face());
  sample.face = smaller.face();
  sample.width = entry.image.width;
  sample.height = entry.image.height;
}

void read_image(const fs::path& directory, Entry& entry) {
  Sample& sample = entry.sample;
  const fs::path labels = label_file(directory, sample.split);
  const fs::path path = labels.parent_path() / sample.name;
  std::error_code ignored;
  if (!fs::exists(path, ignored)) {
    throw file_error(labels, entry.line,
                     concat("image ", shown(sample.name), " is missing: no file ", path.string()));
  }
  try {
    entry.image = read_png(path);
  } catch (const Error& error) {
    throw file_error(labels, entry.line,
                     concat("image ", shown(sample.name), " cannot be read: ", error.what()));
  }
  sample.width = entry.image.width;
  sample.height = entry.image.height;
  if (sample.face.right > sample.width || sample.face.bottom > sample.height) {
    throw file_error(
        labels, entry.line,
        concat("the face rectangle (", sample.face.left, ", ", sample.face.top, ", ",
               sample.face.right, ", ", sample.face.bottom, ") exceeds image ", shown(sample.name),
               ", which has ", sample.width, "x", sample.height, " pixels"));
  }
  bring_down(entry);
}

}  // namespace

Dataset load_folders(const fs::path& directory) {
  std::error_code ignored;
  if (!fs::is_directory(directory, ignored)) {
    throw file_error(
        directory, 0,
        fs::exists(directory, ignored) ? "is a file, expected a folder" : "no such folder");
  }
  Dataset dataset;
  dataset.source = directory.string();
  std::vector<Entry> entries;
  bool found = false;
  for (const Split split : {Split::train, Split::public_test, Split::private_test}) {
    if (!fs::exists(directory / folder_name(split), ignored)) continue;
    found = true;
    const std::size_t before = entries.size();
    add_entries(directory, split, entries);
    dataset.rows[static_cast<std::size_t>(split)] = entries.size() - before;
  }
  if (!found) {
    throw file_error(directory, 0,
                     "has none of the folders FER2013Train, FER2013Valid and FER2013Test; make "
                     "them with ferplus prepare");
  }
  parallel_for_first_error(static_cast<Index>(entries.size()), [&](Index i) {
    read_image(directory, entries[static_cast<std::size_t>(i)]);
  });

  std::size_t bytes = 0;
  for (const Entry& entry : entries) bytes += entry.image.pixels.size();
  dataset.pixels.reserve(bytes);
  dataset.samples.reserve(entries.size());
  for (Entry& entry : entries) {
    entry.sample.pixel_offset = dataset.pixels.size();
    dataset.pixels.insert(dataset.pixels.end(), entry.image.pixels.begin(),
                          entry.image.pixels.end());
    entry.image = {};
    dataset.samples.push_back(std::move(entry.sample));
  }
  return dataset;
}

}  // namespace ferplus
