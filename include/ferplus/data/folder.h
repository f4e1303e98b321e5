// The folder layout of the reference implementation: FER2013Train, FER2013Valid (the public split)
// and FER2013Test (the private one), each with PNGs and a label.csv without header:
//   fer0000000.png,"(0, 0, 48, 48)",4,0,0,1,3,2,0,0,0,0
// name, face rectangle (left, top, right, bottom; right and bottom exclusive), ten votes.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <ferplus/core/progress.h>
#include <ferplus/data/dataset.h>

namespace ferplus {

// "FER2013Train", "FER2013Valid", "FER2013Test".
std::string_view folder_name(Split split);

// One line of label.csv.
struct FolderLabel {
  std::string name;
  Rectangle face;
  Votes votes{};
  std::size_t line = 0;
};

// The lines of a label.csv; `name` stands for the file in messages. Throws Error: as the CSV
// loader, and a name that is empty, is listed twice or is a path, a rectangle that is none, no
// lines at all.
std::vector<FolderLabel> parse_folder_labels(std::string_view text, const std::string& name);

// Every split whose folder exists; at least one must. A folder's own label.csv is used as it
// stands. Images may have any size and any PNG format (read as gray); of a face with a side of more
// than 48 pixels only the face is kept, brought down as Predictor does it (face_crop.h). Throws
// Error: a split folder without label.csv, an image that is missing or unreadable, a rectangle that
// exceeds its image; the first in the order of splits and lines. Reads in parallel.
Dataset load_folders(const std::filesystem::path& directory);

// Writes the dataset in that layout, creating folders as needed, for each split that has samples.
// Within a split, a name that an earlier sample has is written as name_rowN.png, N the sample's
// row. Each label.csv appears last and whole, so a folder that has one is complete. Throws Error if
// a split folder has a label.csv already, unless `force`: then it is removed before anything is
// written, and other files stay; but a label.csv of a split that the dataset does not have remains
// an Error, as it would be mixed in. Do not write to where the dataset was loaded from.
void write_folders(const Dataset& dataset, const std::filesystem::path& directory, bool force,
                   const Progress& progress = nullptr);

}  // namespace ferplus
