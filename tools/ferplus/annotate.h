// Pictures with boxes and words in them.
#pragma once

#include <string_view>

#include <ferplus/io/image.h>

namespace ferplus::tool {

// Draws the frame of `box` and, above it (below its upper edge where there is no room), `label` in
// small letters, digits, blanks and . - % _ #; other characters are boxes. Thickness and letters
// grow with the picture. What lies outside of the picture is not drawn.
void draw_face(ColorImage& image, const Rectangle& box, std::string_view label);

// The same words in the upper left corner, without a frame.
void draw_note(ColorImage& image, std::string_view label);

}  // namespace ferplus::tool
