#include <algorithm>
#include <cmath>

#include <dlib/image_processing/frontal_face_detector.h>
#include <dlib/image_transforms.h>

#include <ferplus/core/error.h>
#include <ferplus/data/face_crop.h>
#include <ferplus/detect/face_detector.h>
#include <ferplus/io/image.h>

namespace ferplus {
namespace {

using Gray = dlib::array2d<unsigned char>;

constexpr int kClassifierSide = 80;
constexpr int kLeastSmallest = 20, kUsualSmallest = 40, kSmallestOfSide = 25;

int smallest_face(const DetectorOptions& options, ImageView image) {
  if (options.smallest_face != 0) return options.smallest_face;
  return std::max(kUsualSmallest, std::max(image.width, image.height) / kSmallestOfSide);
}

int scaled(int side, double scale) {
  return std::max(1, static_cast<int>(std::lround(side * scale)));
}

Gray enlarge(ImageView image, int width, int height) {
  Gray original(image.height, image.width), enlarged(height, width);
  std::copy_n(image.pixels, original.size(), original.begin());
  dlib::resize_image(original, enlarged, dlib::interpolate_bilinear());
  return enlarged;
}

Gray shrink(ImageView image, int width, int height) {
  Gray shrunk(height, width);
  area_average(image, {0, 0, image.width, image.height}, width, height,
               {&shrunk[0][0], shrunk.size()});
  return shrunk;
}

// In the photograph's pixels, where `x` and `y` are the factors that brought it to the scaled size.
Rectangle unscaled(const dlib::rectangle& box, double x, double y) {
  const auto place = [](long scaled_place, double factor) {
    return static_cast<int>(std::lround(static_cast<double>(scaled_place) / factor));
  };
  Rectangle face{place(box.left(), x), place(box.top(), y), place(box.right() + 1, x),
                 place(box.bottom() + 1, y)};
  face.right = std::max(face.right, face.left + 1);
  face.bottom = std::max(face.bottom, face.top + 1);
  return face;
}

class DlibDetector final : public FaceDetector {
 public:
  explicit DlibDetector(const DetectorOptions& options)
      : options_(options), detector_(dlib::get_frontal_face_detector()) {}

  std::vector<DetectedFace> detect(ImageView image) override {
    const double scale = static_cast<double>(kClassifierSide) / smallest_face(options_, image);
    const int width = scaled(image.width, scale), height = scaled(image.height, scale);
    if (width > kMaxImageSide || height > kMaxImageSide ||
        std::int64_t{width} * height > kMaxImagePixels) {
      throw Error(concat("faces of ", options_.smallest_face, " pixels cannot be looked for in ",
                         image.width, "x", image.height,
                         " pixels: the photograph would be enlarged to ", width, "x", height));
    }
    const Gray gray = scale > 1 ? enlarge(image, width, height) : shrink(image, width, height);
    std::vector<dlib::rect_detection> found;
    detector_(gray, found, options_.least_score);
    std::vector<DetectedFace> faces;
    for (const dlib::rect_detection& detection : found) {
      faces.push_back({unscaled(detection.rect, static_cast<double>(width) / image.width,
                                static_cast<double>(height) / image.height),
                       detection.detection_confidence,
                       static_cast<FacePose>(detection.weight_index)});
    }
    std::ranges::sort(faces, {}, [](const DetectedFace& face) {
      return std::pair(face.box.left + face.box.right, face.box.top + face.box.bottom);
    });
    return faces;
  }

 private:
  DetectorOptions options_;
  dlib::frontal_face_detector detector_;
};

}  // namespace

bool detection_available() { return true; }
void require_detection() {}

std::unique_ptr<FaceDetector> make_face_detector(const DetectorOptions& options) {
  if (options.smallest_face != 0 &&
      (options.smallest_face < kLeastSmallest || options.smallest_face > kMaxImageSide)) {
    throw UsageError(concat("the smallest face must have ", kLeastSmallest, " to ", kMaxImageSide,
                            " pixels, not ", options.smallest_face));
  }
  return std::make_unique<DlibDetector>(options);
}

}  // namespace ferplus
