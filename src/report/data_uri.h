// Pictures within a page.
#pragma once

#include <span>
#include <string>

#include <ferplus/io/image.h>

namespace ferplus::report {

// RFC 4648, section 4, padded.
std::string base64(std::span<const char> bytes);

// "data:image/png;base64,…".
std::string png_data_uri(const GrayImage& image);

}  // namespace ferplus::report
