// libpng reports errors by longjmp, which must not cross a frame with destructors. So every
// function that calls it with setjmp holds plain data only, returns whether it succeeded, and
// leaves the reason in a PngFailure that its caller owns.
#pragma once

#include <cstdio>

#include <png.h>

namespace ferplus {

struct PngFailure {
  char text[160] = "";
};

extern "C" {
[[noreturn]] inline void ferplus_png_error(png_structp png, png_const_charp message) {
  auto* failure = static_cast<PngFailure*>(png_get_error_ptr(png));
  std::snprintf(failure->text, sizeof failure->text, "%s", message);
  png_longjmp(png, 1);
}
inline void ferplus_png_warning(png_structp, png_const_charp) {}
}

}  // namespace ferplus
