#include <cstdint>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/random.h>
#include <ferplus/data/face_crop.h>
#include <ferplus/data/transform.h>

namespace ferplus {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

struct Picture {
  int width, height;
  std::vector<std::uint8_t> pixels;
  ImageView view() const { return {pixels.data(), width, height}; }
};

Picture random_picture(int width, int height) {
  Picture picture{width, height, {}};
  for (int i = 0; i < width * height; ++i) {
    picture.pixels.push_back(
        static_cast<std::uint8_t>(static_cast<unsigned>(i) * 2654435761U >> 13));
  }
  return picture;
}

std::vector<std::uint8_t> averaged(ImageView image, const Rectangle& face, int width, int height) {
  std::vector<std::uint8_t> output(static_cast<std::size_t>(width * height));
  area_average(image, face, width, height, output);
  return output;
}

TEST(AreaAverage, WholeFactorsGiveMeansRoundedHalfUp) {
  const Picture picture{4, 2, {0, 1, 10, 20, 0, 1, 30, 42}};
  // (0+1+0+1)/4 = 0.5, (10+20+30+42)/4 = 25.5.
  EXPECT_THAT(averaged(picture.view(), {0, 0, 4, 2}, 2, 1), ElementsAre(1, 26));
  EXPECT_THAT(averaged(picture.view(), {2, 0, 4, 2}, 1, 1), ElementsAre(26));
}

TEST(AreaAverage, PixelsAtEdgesCountInPart) {
  const Picture row{3, 1, {30, 60, 120}};
  // (30 + 60/2) / 1.5 = 40, (60/2 + 120) / 1.5 = 100.
  EXPECT_THAT(averaged(row.view(), {0, 0, 3, 1}, 2, 1), ElementsAre(40, 100));
  const Picture column{1, 3, {30, 60, 120}};
  EXPECT_THAT(averaged(column.view(), {0, 0, 1, 3}, 1, 2), ElementsAre(40, 100));
}

TEST(AreaAverage, SameSizeIsACopyOfTheRectangle) {
  const Picture picture = random_picture(7, 5);
  EXPECT_THAT(averaged(picture.view(), {2, 1, 5, 3}, 3, 2),
              ElementsAre(picture.pixels[9], picture.pixels[10], picture.pixels[11],
                          picture.pixels[16], picture.pixels[17], picture.pixels[18]));
}

// Against the definition in floating point.
TEST(AreaAverage, AnyFactorIsTheMeanOfTheArea) {
  const Picture picture = random_picture(113, 97);
  const Rectangle face{5, 7, 108, 96};
  for (const auto& [width, height] :
       std::vector<std::pair<int, int>>{{48, 48}, {48, 89}, {1, 1}, {103, 3}}) {
    const auto found = averaged(picture.view(), face, width, height);
    const double step_x = 103.0 / width, step_y = 89.0 / height;
    for (int row = 0; row < height; ++row) {
      for (int column = 0; column < width; ++column) {
        double sum = 0;
        for (int y = 0; y < 89; ++y) {
          for (int x = 0; x < 103; ++x) {
            const double part_y =
                std::min(y + 1.0, (row + 1) * step_y) - std::max(y + 0.0, row * step_y);
            const double part_x =
                std::min(x + 1.0, (column + 1) * step_x) - std::max(x + 0.0, column * step_x);
            if (part_x <= 0 || part_y <= 0) continue;
            sum +=
                part_x * part_y * picture.pixels[static_cast<std::size_t>((y + 7) * 113 + x + 5)];
          }
        }
        EXPECT_NEAR(found[static_cast<std::size_t>(row * width + column)], sum / step_x / step_y,
                    0.5001);
      }
    }
  }
}

TEST(AreaAverage, LargestPicturesDoNotOverflow) {
  const Picture white{16384, 64, std::vector<std::uint8_t>(16384UL * 64, 255)};
  EXPECT_THAT(averaged(white.view(), {0, 0, 16384, 64}, 48, 48), Each(255));
}

TEST(FaceImage, SmallFacesStayAsTheyAre) {
  const Picture picture = random_picture(60, 60);
  const FaceImage face(picture.view(), {3, 4, 51, 52});
  EXPECT_EQ(face.image().pixels, picture.pixels.data());
  EXPECT_EQ(face.face(), (Rectangle{3, 4, 51, 52}));
}

TEST(FaceImage, LargeFacesAreAveragedDown) {
  const Picture picture = random_picture(200, 160);
  const FaceImage face(picture.view(), {10, 20, 106, 116});
  EXPECT_EQ(face.face(), (Rectangle{0, 0, 48, 48}));
  EXPECT_EQ(face.image().width, 48);
  const std::vector<std::uint8_t> found(face.image().pixels, face.image().pixels + 48 * 48);
  EXPECT_EQ(found, averaged(picture.view(), {10, 20, 106, 116}, 48, 48));
  // Each side for itself.
  const FaceImage wide(picture.view(), {0, 0, 200, 30});
  EXPECT_EQ(wide.face(), (Rectangle{0, 0, 48, 30}));
}

// What was enlarged by whole pixels and cut out again is the same input.
TEST(FaceImage, EnlargedTrainingFacesGiveTheSameInput) {
  const Picture face = random_picture(48, 48);
  Picture large{5 * 48 + 20, 5 * 48 + 20, std::vector<std::uint8_t>(260 * 260, 7)};
  for (std::size_t y = 0; y < 240; ++y) {
    for (std::size_t x = 0; x < 240; ++x) {
      large.pixels[(y + 4) * 260 + x + 11] = face.pixels[y / 5 * 48 + x / 5];
    }
  }
  std::vector<std::uint8_t> expected(kInputPixels), found(kInputPixels);
  warp(face.view(), {0, 0, 48, 48}, {}, expected);
  const FaceImage cut(large.view(), {11, 4, 251, 244});
  warp(cut.image(), cut.face(), {}, found);
  EXPECT_EQ(found, expected);
}

TEST(FrameFace, IsFer2013sFrameAroundTheBox) {
  // The mean box of FER2013's 48 pixels, ten times as large and in the middle of a picture.
  const Rectangle square = frame_face({1031, 1059, 1445, 1473}, 3000, 3000);
  EXPECT_NEAR(square.right - square.left, 480, 1);
  EXPECT_EQ(square.right - square.left, square.bottom - square.top);
  EXPECT_NEAR(square.left + square.right, 2 * 1238, 2);
  EXPECT_NEAR((square.top + square.bottom) / 2.0, 1266 - 25.9, 1);
}

TEST(FrameFace, StaysSquareAndWithinThePicture) {
  const std::vector<Rectangle> boxes = {{-30, -40, 60, 50},
                                        {170, 120, 260, 210},
                                        {-10, 60, 80, 150},
                                        {-500, -500, 900, 900},
                                        {199, 149, 200, 150}};
  for (const Rectangle& box : boxes) {
    const Rectangle square = frame_face(box, 200, 150);
    EXPECT_EQ(square.right - square.left, square.bottom - square.top);
    EXPECT_GE(square.left, 0);
    EXPECT_GE(square.top, 0);
    EXPECT_LE(square.right, 200);
    EXPECT_LE(square.bottom, 150);
    EXPECT_LT(square.left, square.right);
  }
  EXPECT_EQ(frame_face({-500, -500, 900, 900}, 200, 150).bottom, 150);
}

}  // namespace
}  // namespace ferplus
