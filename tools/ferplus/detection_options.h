// Options of the commands that look for faces.
#pragma once

#include <CLI/CLI.hpp>

#include <ferplus/detect/face_detector.h>

namespace ferplus::tool {

// --smallest-face. `options` must outlive the parsing.
void add_smallest_face_option(CLI::App& app, DetectorOptions& options);

}  // namespace ferplus::tool
