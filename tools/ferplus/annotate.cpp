#include "annotate.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace ferplus::tool {
namespace {

constexpr int kGlyphWidth = 5, kGlyphHeight = 7, kAdvance = kGlyphWidth + 1;

struct Glyph {
  char character;
  std::array<std::uint8_t, kGlyphWidth> columns;  // the lowest bit is the upper pixel
};

constexpr std::array kGlyphs = {
    Glyph{' ', {0x00, 0x00, 0x00, 0x00, 0x00}}, Glyph{'#', {0x14, 0x7f, 0x14, 0x7f, 0x14}},
    Glyph{'%', {0x23, 0x13, 0x08, 0x64, 0x62}}, Glyph{'-', {0x08, 0x08, 0x08, 0x08, 0x08}},
    Glyph{'.', {0x00, 0x60, 0x60, 0x00, 0x00}}, Glyph{'_', {0x40, 0x40, 0x40, 0x40, 0x40}},
    Glyph{'0', {0x3e, 0x51, 0x49, 0x45, 0x3e}}, Glyph{'1', {0x00, 0x42, 0x7f, 0x40, 0x00}},
    Glyph{'2', {0x42, 0x61, 0x51, 0x49, 0x46}}, Glyph{'3', {0x21, 0x41, 0x45, 0x4b, 0x31}},
    Glyph{'4', {0x18, 0x14, 0x12, 0x7f, 0x10}}, Glyph{'5', {0x27, 0x45, 0x45, 0x45, 0x39}},
    Glyph{'6', {0x3c, 0x4a, 0x49, 0x49, 0x30}}, Glyph{'7', {0x01, 0x71, 0x09, 0x05, 0x03}},
    Glyph{'8', {0x36, 0x49, 0x49, 0x49, 0x36}}, Glyph{'9', {0x06, 0x49, 0x49, 0x29, 0x1e}},
    Glyph{'a', {0x20, 0x54, 0x54, 0x54, 0x78}}, Glyph{'b', {0x7f, 0x48, 0x44, 0x44, 0x38}},
    Glyph{'c', {0x38, 0x44, 0x44, 0x44, 0x20}}, Glyph{'d', {0x38, 0x44, 0x44, 0x48, 0x7f}},
    Glyph{'e', {0x38, 0x54, 0x54, 0x54, 0x18}}, Glyph{'f', {0x08, 0x7e, 0x09, 0x01, 0x02}},
    Glyph{'g', {0x0c, 0x52, 0x52, 0x52, 0x3e}}, Glyph{'h', {0x7f, 0x08, 0x04, 0x04, 0x78}},
    Glyph{'i', {0x00, 0x44, 0x7d, 0x40, 0x00}}, Glyph{'j', {0x20, 0x40, 0x44, 0x3d, 0x00}},
    Glyph{'k', {0x7f, 0x10, 0x28, 0x44, 0x00}}, Glyph{'l', {0x00, 0x41, 0x7f, 0x40, 0x00}},
    Glyph{'m', {0x7c, 0x04, 0x18, 0x04, 0x78}}, Glyph{'n', {0x7c, 0x08, 0x04, 0x04, 0x78}},
    Glyph{'o', {0x38, 0x44, 0x44, 0x44, 0x38}}, Glyph{'p', {0x7c, 0x14, 0x14, 0x14, 0x08}},
    Glyph{'q', {0x08, 0x14, 0x14, 0x18, 0x7c}}, Glyph{'r', {0x7c, 0x08, 0x04, 0x04, 0x08}},
    Glyph{'s', {0x48, 0x54, 0x54, 0x54, 0x20}}, Glyph{'t', {0x04, 0x3f, 0x44, 0x40, 0x20}},
    Glyph{'u', {0x3c, 0x40, 0x40, 0x20, 0x7c}}, Glyph{'v', {0x1c, 0x20, 0x40, 0x20, 0x1c}},
    Glyph{'w', {0x3c, 0x40, 0x30, 0x40, 0x3c}}, Glyph{'x', {0x44, 0x28, 0x10, 0x28, 0x44}},
    Glyph{'y', {0x0c, 0x50, 0x50, 0x50, 0x3c}}, Glyph{'z', {0x44, 0x64, 0x54, 0x4c, 0x44}},
};
constexpr Glyph kUnknown{'\0', {0x7f, 0x41, 0x41, 0x41, 0x7f}};

const Glyph& glyph_of(char character) {
  const auto found = std::ranges::find(kGlyphs, character, &Glyph::character);
  return found == kGlyphs.end() ? kUnknown : *found;
}

using Colour = std::array<std::uint8_t, 3>;
constexpr Colour kFrame = {255, 208, 0}, kInk = {0, 0, 0};

void fill(ColorImage& image, const Rectangle& area, const Colour& colour) {
  const int left = std::max(area.left, 0), right = std::min(area.right, image.width);
  for (int y = std::max(area.top, 0); y < std::min(area.bottom, image.height); ++y) {
    for (int x = left; x < right; ++x) {
      const auto place = static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) +
                         static_cast<std::size_t>(x);
      std::ranges::copy(colour, image.pixels.begin() + static_cast<std::ptrdiff_t>(3 * place));
    }
  }
}

// Pixels a dot of a letter.
int dot_of(const ColorImage& image) {
  constexpr int kUsualSide = 400;
  return std::max(1, std::max(image.width, image.height) / kUsualSide);
}

int label_height(int dot) { return (kGlyphHeight + 2) * dot; }

void draw_label(ColorImage& image, int left, int top, int dot, std::string_view label) {
  const int width = (kAdvance * static_cast<int>(label.size()) + 1) * dot;
  left = std::max(0, std::min(left, image.width - width));
  fill(image, {left, top, left + width, top + label_height(dot)}, kFrame);
  for (std::size_t i = 0; i < label.size(); ++i) {
    const Glyph& glyph = glyph_of(label[i]);
    const int start = left + (static_cast<int>(i) * kAdvance + 1) * dot;
    for (int column = 0; column < kGlyphWidth; ++column) {
      for (int row = 0; row < kGlyphHeight; ++row) {
        if ((glyph.columns[static_cast<std::size_t>(column)] >> row & 1) == 0) continue;
        const int x = start + column * dot, y = top + (row + 1) * dot;
        fill(image, {x, y, x + dot, y + dot}, kInk);
      }
    }
  }
}

}  // namespace

void draw_face(ColorImage& image, const Rectangle& box, std::string_view label) {
  const int dot = dot_of(image);
  fill(image, {box.left, box.top, box.right, box.top + dot}, kFrame);
  fill(image, {box.left, box.bottom - dot, box.right, box.bottom}, kFrame);
  fill(image, {box.left, box.top, box.left + dot, box.bottom}, kFrame);
  fill(image, {box.right - dot, box.top, box.right, box.bottom}, kFrame);
  const int above = box.top - label_height(dot);
  draw_label(image, box.left, above >= 0 ? above : std::max(0, box.top), dot, label);
}

void draw_note(ColorImage& image, std::string_view label) {
  draw_label(image, 0, 0, dot_of(image), label);
}

}  // namespace ferplus::tool
