#include "serve/http_samples.h"

#include <algorithm>
#include <span>

#include <ferplus/core/error.h>
#include <ferplus/data/synth.h>
#include <ferplus/io/file.h>
#include <ferplus/io/image.h>
#include <ferplus/io/png.h>

namespace ferplus::serve {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kMostSamples = 100;
constexpr const char* kPng = "image/png";
constexpr const char* kJpeg = "image/jpeg";

bool is_picture(const fs::path& path) {
  if (path.filename().string().starts_with('.')) return false;
  std::string ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg";
}

SamplePicture load(const fs::path& path, std::size_t most_bytes) {
  const MappedFile file(path);
  if (file.bytes().size() > most_bytes) {
    throw file_error(path, 0, concat("sample of more than ", most_bytes, " bytes"));
  }
  read_image(file.bytes(), path.string());
  return {image_format(file.bytes()) == ImageFormat::png ? kPng : kJpeg,
          std::make_shared<const std::string>(file.text())};
}

std::map<std::string, SamplePicture> load_folder(const fs::path& folder, std::size_t most_bytes) {
  std::map<std::string, SamplePicture> samples;
  std::error_code failure;
  fs::directory_iterator entries(folder, failure);
  for (; !failure && entries != fs::directory_iterator(); entries.increment(failure)) {
    std::error_code ignored;  // what cannot be looked at is no picture
    if (!is_picture(entries->path()) || !fs::is_regular_file(entries->path(), ignored)) continue;
    if (samples.size() == kMostSamples) {
      throw file_error(folder, 0, concat("more than ", kMostSamples, " samples"));
    }
    samples[entries->path().filename().string()] = load(entries->path(), most_bytes);
  }
  if (failure) throw file_error(folder, 0, concat("cannot read the samples: ", failure.message()));
  if (samples.empty()) throw file_error(folder, 0, "no .png or .jpg file for a sample");
  return samples;
}

// Of each class the face that most of its taggers took for it.
std::map<std::string, SamplePicture> draw() {
  const Dataset faces = synthesize({.count = 400, .seed = 1});
  std::map<std::string, SamplePicture> samples;
  for (std::size_t k = 0; k < kClasses; ++k) {
    const Sample& face = *std::ranges::max_element(
        faces.samples, {}, [&](const Sample& sample) { return sample.votes[k]; });
    const std::string name = std::string(kClassNames[k]) + ".png";
    const ImageView image = faces.image(face);
    const std::vector<char> png = encode_png(image.pixels, image.width, image.height, name);
    samples[name] = {kPng, std::make_shared<const std::string>(png.begin(), png.end())};
  }
  return samples;
}

}  // namespace

std::map<std::string, SamplePicture> load_samples(const fs::path& folder, std::size_t most_bytes) {
  return folder.empty() ? draw() : load_folder(folder, most_bytes);
}

}  // namespace ferplus::serve
