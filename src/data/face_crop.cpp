#include <algorithm>
#include <cassert>
#include <cmath>

#include <ferplus/data/face_crop.h>

namespace ferplus {
namespace {

// Output pixel i of `count` covers [i·size, (i+1)·size) on a line where each of `size` input pixels
// is `count` long: all weights are whole.
struct Cover {
  std::int64_t begin, end;  // on that line
  int first, last;          // input pixels, last exclusive
};

Cover cover(int i, int size, int count) {
  const std::int64_t begin = std::int64_t{i} * size, end = begin + size;
  return {begin, end, static_cast<int>(begin / count), static_cast<int>((end + count - 1) / count)};
}

std::uint64_t weight(const Cover& c, int pixel, int count) {
  const std::int64_t from = std::int64_t{pixel} * count;
  return static_cast<std::uint64_t>(std::min(c.end, from + count) - std::max(c.begin, from));
}

}  // namespace

void area_average(ImageView image, const Rectangle& face, int width, int height,
                  std::span<std::uint8_t> output) {
  const int face_width = face.right - face.left, face_height = face.bottom - face.top;
  assert(width >= 1 && height >= 1 && width <= face_width && height <= face_height);
  assert(output.size() == static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  const std::uint64_t area =
      static_cast<std::uint64_t>(face_width) * static_cast<std::uint64_t>(face_height);
  std::uint8_t* to = output.data();
  for (int row = 0; row < height; ++row) {
    const Cover rows = cover(row, face_height, height);
    for (int column = 0; column < width; ++column) {
      const Cover columns = cover(column, face_width, width);
      std::uint64_t sum = 0;
      for (int y = rows.first; y < rows.last; ++y) {
        const std::uint8_t* line =
            image.pixels + static_cast<std::ptrdiff_t>(face.top + y) * image.width + face.left;
        std::uint64_t line_sum = 0;
        for (int x = columns.first; x < columns.last; ++x) {
          line_sum += line[x] * weight(columns, x, width);
        }
        sum += line_sum * weight(rows, y, height);
      }
      *to++ = static_cast<std::uint8_t>((sum + area / 2) / area);
    }
  }
}

GrayImage cut_out(ImageView image, const Rectangle& face) {
  GrayImage result{.pixels = {}, .width = face.right - face.left, .height = face.bottom - face.top};
  for (int y = face.top; y < face.bottom; ++y) {
    const std::uint8_t* row = image.pixels + std::ptrdiff_t{y} * image.width;
    result.pixels.insert(result.pixels.end(), row + face.left, row + face.right);
  }
  return result;
}

FaceImage::FaceImage(ImageView image, const Rectangle& face) : image_(image), face_(face) {
  const int width = std::min(face.right - face.left, kFaceSide);
  const int height = std::min(face.bottom - face.top, kFaceSide);
  if (width == face.right - face.left && height == face.bottom - face.top) return;
  const auto count = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  area_average(image, face, width, height, std::span(pixels_).first(count));
  image_ = {pixels_.data(), width, height};
  face_ = {0, 0, width, height};
}

Rectangle frame_face(const Rectangle& box, int width, int height) {
  const double box_side = ((box.right - box.left) + (box.bottom - box.top)) / 2.0;
  const int side =
      std::clamp(static_cast<int>(std::lround(kFrameScale * box_side)), 1, std::min(width, height));
  const double middle_x = (box.left + box.right) / 2.0;
  const double middle_y = (box.top + box.bottom) / 2.0 - kFrameRise * box_side;
  const int left =
      std::clamp(static_cast<int>(std::lround(middle_x - side / 2.0)), 0, width - side);
  const int top =
      std::clamp(static_cast<int>(std::lround(middle_y - side / 2.0)), 0, height - side);
  return {left, top, left + side, top + side};
}

}  // namespace ferplus
