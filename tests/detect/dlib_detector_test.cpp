// The detector on drawn faces, most of which dlib takes for faces.
#include <memory>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/error.h>
#include <ferplus/data/face_crop.h>
#include <ferplus/detect/face_detector.h>

#include "support/photograph.h"

namespace ferplus {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kLeft = 90, kTop = 80;

class DlibDetector : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    drawn_ = std::make_unique<Dataset>(synthesize({.count = 40, .seed = 1}));
    detector_ = make_face_detector();
  }
  static void TearDownTestSuite() {
    drawn_.reset();
    detector_.reset();
  }

  static std::vector<DetectedFace> detect(const GrayImage& image) {
    return detector_->detect(image.view());
  }
  // The first drawn face from `index` on that is found in a photograph of its own.
  static std::size_t recognised(std::size_t index = 0) {
    for (;; ++index) {
      GrayImage wall = gray_wall(320, 320);
      set_face(wall, *drawn_, index, kLeft, kTop, 3);
      if (detect(wall).size() == 1) return index;
    }
  }

  static inline std::unique_ptr<Dataset> drawn_;
  static inline std::unique_ptr<FaceDetector> detector_;
};

TEST_F(DlibDetector, FindsMostDrawnFacesAndFramesThemAsTheyWereDrawn) {
  int found = 0;
  double left = 0, top = 0, side = 0;
  for (std::size_t i = 0; i < drawn_->samples.size(); ++i) {
    GrayImage wall = gray_wall(320, 320);
    set_face(wall, *drawn_, i, kLeft, kTop, 3);
    const auto faces = detect(wall);
    if (faces.size() != 1) continue;
    ++found;
    EXPECT_GE(faces[0].score, 0);
    const Rectangle frame = frame_face(faces[0].box, 320, 320);
    left += frame.left;
    top += frame.top;
    side += frame.right - frame.left;
  }
  ASSERT_GE(found, 28);
  // 48 pixels threefold: on average the frame of FER2013 is met within a pixel of the 48.
  EXPECT_NEAR(left / found, kLeft, 4);
  EXPECT_NEAR(top / found, kTop, 4);
  EXPECT_NEAR(side / found, 144, 5);
}

TEST_F(DlibDetector, FacesAreOrderedFromLeftToRight) {
  const std::size_t a = recognised(), b = recognised(a + 1);
  GrayImage wall = gray_wall(700, 500);
  set_face(wall, *drawn_, a, 450, 60, 3);
  set_face(wall, *drawn_, b, 80, 250, 3);
  const auto faces = detect(wall);
  ASSERT_EQ(faces.size(), 2U);
  EXPECT_LT(faces[0].box.right, 350);
  EXPECT_GT(faces[1].box.left, 350);
}

TEST_F(DlibDetector, SmallFacesAreFoundByEnlarging) {
  const std::size_t face = recognised();
  GrayImage wall = gray_wall(400, 300);
  set_face(wall, *drawn_, face, 200, 100, 1.1);
  ASSERT_EQ(detect(wall).size(), 1U);
  const Rectangle box = detect(wall)[0].box;
  EXPECT_GT(box.left, 185);
  EXPECT_LT(box.right, 270);
  EXPECT_THAT(make_face_detector({.smallest_face = 80})->detect(wall.view()), IsEmpty());
  // In a large photograph it would take long, and has to be asked for.
  GrayImage large = gray_wall(3000, 1000);
  set_face(large, *drawn_, face, 200, 100, 1.1);
  EXPECT_THAT(detect(large), IsEmpty());
  EXPECT_EQ(make_face_detector({.smallest_face = 40})->detect(large.view()).size(), 1U);
}

TEST_F(DlibDetector, LargePhotographsAreShrunk) {
  GrayImage wall = gray_wall(4000, 3000);
  set_face(wall, *drawn_, recognised(), 2000, 1000, 15);
  const auto faces = detect(wall);
  ASSERT_EQ(faces.size(), 1U);
  const Rectangle frame = frame_face(faces[0].box, 4000, 3000);
  EXPECT_NEAR(frame.left + frame.right, 2 * 2360, 160);
  EXPECT_NEAR(frame.right - frame.left, 720, 110);
}

TEST_F(DlibDetector, WhereThereIsNoFaceNoneIsFound) {
  EXPECT_THAT(detect(gray_wall(300, 200)), IsEmpty());
  EXPECT_THAT(detect(gray_wall(1, 1)), IsEmpty());
  GrayImage noise = gray_wall(300, 200);
  for (std::size_t i = 0; i < noise.pixels.size(); ++i) {
    noise.pixels[i] = static_cast<std::uint8_t>(i * 2654435761U >> 16);
  }
  EXPECT_THAT(detect(noise), IsEmpty());
}

TEST_F(DlibDetector, WantsThatCannotBeMetAreErrors) {
  EXPECT_THROW(make_face_detector({.smallest_face = 19}), UsageError);
  EXPECT_THROW(make_face_detector({.smallest_face = -1}), UsageError);
  const GrayImage wide = gray_wall(16000, 8);
  EXPECT_THROW(make_face_detector({.smallest_face = 20})->detect(wide.view()), Error);
}

}  // namespace
}  // namespace ferplus
