#include <algorithm>
#include <cmath>
#include <numeric>
#include <ostream>
#include <string>
#include <vector>

#include <ferplus/core/error.h>
#include <ferplus/data/csv.h>
#include <ferplus/data/transform.h>
#include <ferplus/io/file.h>
#include <ferplus/io/png.h>
#include <ferplus/train/error_report.h>

namespace ferplus {
namespace {

namespace fs = std::filesystem;

constexpr const char* kImages = "images.csv";
constexpr const char* kIndex = "index.csv";
constexpr std::size_t kUsualColumns = 16;
constexpr std::size_t kTileStep = kInputSide + 2;  // a frame of one pixel around each
constexpr std::uint8_t kFrame = 255;

// One cell of the confusion matrix off its diagonal.
struct Confusion {
  std::size_t truth = 0, predicted = 0;
  std::vector<std::size_t> images;  // into Evaluation::samples, most confident first

  std::string file(const char* extension) const {
    return concat(kClassNames[truth], "-as-", kClassNames[predicted], extension);
  }
};

class ErrorReport {
 public:
  ErrorReport(const Dataset& dataset, const Evaluation& evaluation, const fs::path& folder)
      : dataset_(dataset), evaluation_(evaluation), folder_(folder) {}

  void write() const {
    std::vector<Confusion> confusions = find_confusions();
    write_all_images();
    for (const Confusion& confusion : confusions) {
      write_sheet(confusion);
      write_sheet_rows(confusion);
    }
    write_index(confusions);
  }

 private:
  std::vector<Confusion> find_confusions() const {
    std::vector<Confusion> found;
    for (std::size_t truth = 0; truth < kClasses; ++truth) {
      for (std::size_t predicted = 0; predicted < kClasses; ++predicted) {
        found.push_back({.truth = truth, .predicted = predicted, .images = {}});
      }
    }
    for (const std::size_t image : mistakes(evaluation_)) {
      const int cell = evaluation_.classes[image] * kClasses + evaluation_.predictions[image];
      found[static_cast<std::size_t>(cell)].images.push_back(image);
    }
    std::erase_if(found, [](const Confusion& confusion) { return confusion.images.empty(); });
    std::ranges::stable_sort(found, [](const Confusion& a, const Confusion& b) {
      return a.images.size() > b.images.size();
    });
    return found;
  }

  void write_all_images() const {
    write_file_atomically(folder_ / kImages, [&](std::ostream& out) {
      out << "row,image" << vote_columns() << ",class,predicted,confidence,correct\n";
      for (std::size_t i = 0; i < evaluation_.samples.size(); ++i) {
        write_image(out, i);
        const auto truth = static_cast<std::size_t>(evaluation_.classes[i]);
        const auto predicted = static_cast<std::size_t>(evaluation_.predictions[i]);
        out << ',' << kClassNames[truth] << ',' << kClassNames[predicted] << ','
            << evaluation_.confidence(i) << ',' << (truth == predicted ? 1 : 0) << '\n';
      }
    });
  }

  void write_sheet(const Confusion& confusion) const {
    const std::size_t tiles = std::min(confusion.images.size(), kMostTiles);
    const auto square = static_cast<std::size_t>(std::ceil(std::sqrt(tiles)));
    const std::size_t columns = std::max(std::min(tiles, kUsualColumns), square);
    const std::size_t rows = (tiles + columns - 1) / columns;
    const std::size_t width = columns * kTileStep, height = rows * kTileStep;
    std::vector<std::uint8_t> sheet(width * height, kFrame);
    std::vector<std::uint8_t> tile(kInputPixels);
    for (std::size_t t = 0; t < tiles; ++t) {
      const Sample& sample = dataset_.samples[evaluation_.samples[confusion.images[t]]];
      warp(dataset_.image(sample), sample.face, {}, tile);
      const std::size_t top = t / columns * kTileStep + 1, left = t % columns * kTileStep + 1;
      for (std::size_t y = 0; y < kInputSide; ++y) {
        std::copy_n(tile.data() + y * kInputSide, kInputSide,
                    sheet.data() + (top + y) * width + left);
      }
    }
    write_png(folder_ / confusion.file(".png"), sheet.data(), static_cast<int>(width),
              static_cast<int>(height));
  }

  void write_sheet_rows(const Confusion& confusion) const {
    write_file_atomically(folder_ / confusion.file(".csv"), [&](std::ostream& out) {
      out << "tile,row,image" << vote_columns() << ",confidence\n";
      for (std::size_t t = 0; t < confusion.images.size(); ++t) {
        out << t << ',';
        write_image(out, confusion.images[t]);
        out << ',' << evaluation_.confidence(confusion.images[t]) << '\n';
      }
    });
  }

  void write_index(const std::vector<Confusion>& confusions) const {
    write_file_atomically(folder_ / kIndex, [&](std::ostream& out) {
      out << "class,predicted,images,pictures,sheet\n";
      for (const Confusion& confusion : confusions) {
        out << kClassNames[confusion.truth] << ',' << kClassNames[confusion.predicted] << ','
            << confusion.images.size() << ',' << std::min(confusion.images.size(), kMostTiles)
            << ',' << confusion.file(".png") << '\n';
      }
    });
  }

  static std::string vote_columns() {
    std::string columns;
    for (const std::string_view name : kClassNames) columns += concat(",votes_", name);
    return columns + ",votes_unknown,votes_not_a_face";
  }

  // Row, name and votes.
  void write_image(std::ostream& out, std::size_t image) const {
    const Sample& sample = dataset_.samples[evaluation_.samples[image]];
    out << sample.row << ',' << csv_field(sample.name);
    for (const std::uint8_t votes : sample.votes) out << ',' << static_cast<int>(votes);
  }

  const Dataset& dataset_;
  const Evaluation& evaluation_;
  fs::path folder_;
};

void remove_report(const fs::path& folder) {
  std::vector<std::string> names = {kIndex, kImages};
  for (std::size_t truth = 0; truth < kClasses; ++truth) {
    for (std::size_t predicted = 0; predicted < kClasses; ++predicted) {
      const Confusion confusion{.truth = truth, .predicted = predicted, .images = {}};
      names.push_back(confusion.file(".png"));
      names.push_back(confusion.file(".csv"));
    }
  }
  for (const std::string& name : names) {
    std::error_code error;
    fs::remove(folder / name, error);
    if (error) throw file_error(folder / name, 0, concat("cannot remove: ", error.message()));
  }
}

}  // namespace

std::vector<std::size_t> mistakes(const Evaluation& evaluation) {
  std::vector<std::size_t> images;
  std::vector<float> confidences;
  for (std::size_t i = 0; i < evaluation.samples.size(); ++i) {
    confidences.push_back(evaluation.confidence(i));
    if (evaluation.predictions[i] != evaluation.classes[i]) images.push_back(i);
  }
  std::ranges::stable_sort(
      images, [&](std::size_t a, std::size_t b) { return confidences[a] > confidences[b]; });
  return images;
}

void check_error_folder(const fs::path& folder, bool force) {
  std::error_code error;
  if (!fs::exists(folder, error)) return;
  if (!fs::is_directory(folder, error)) {
    throw Error(concat(folder.string(), " is not a folder, so no report can be written to it"));
  }
  if (!force && !fs::is_empty(folder, error)) {
    throw Error(concat(folder.string(),
                       " is not empty: choose another folder, or replace a report in it with "
                       "--force"));
  }
}

void write_error_report(const Dataset& dataset, const Evaluation& evaluation,
                        const fs::path& folder, bool force) {
  check_error_folder(folder, force);
  make_folder(folder);
  remove_report(folder);
  ErrorReport(dataset, evaluation, folder).write();
}

}  // namespace ferplus
