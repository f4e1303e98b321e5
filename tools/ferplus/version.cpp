#include "version.h"

#include <CLI/Version.hpp>
#include <Eigen/Core>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>
#include <omp.h>
#include <png.h>
#include <spdlog/version.h>

#include <ferplus/core/parallel.h>
#include <ferplus/detect/face_detector.h>
#include <ferplus/interop/onnx.h>
#include <ferplus/io/image.h>
#include <ferplus/kernels/cpu.h>
#include <ferplus/serve/server.h>
#include <ferplus/train/tensorboard.h>

#include "table.h"

#define FERPLUS_STRING_OF(token) #token
#define FERPLUS_STRING(macro) FERPLUS_STRING_OF(macro)

namespace ferplus::tool {
namespace {

std::string compiler() {
#if defined(__clang__)
  return "Clang " __clang_version__;
#elif defined(__GNUC__)
  return "GCC " __VERSION__;
#else
  return "unknown";
#endif
}

std::string dotted(int major, int minor, int patch) {
  return fmt::format("{}.{}.{}", major, minor, patch);
}

}  // namespace

std::string version_number() { return FERPLUS_VERSION; }

std::string version_text() {
  Table table({{"ferplus", Table::Align::left}, {version_number(), Table::Align::left}});
  table.add_row({"compiler", compiler()});
#ifdef NDEBUG
  table.add_row({"build", "release"});
#else
  table.add_row({"build", "with assertions"});
#endif
  table.add_row({"ISA in use", std::string(isa_name())});
  table.add_row({"ISAs supported", fmt::format("{}", fmt::join(supported_isas(), ", "))});
  table.add_row({"threads", std::to_string(thread_count())});
  table.add_gap();
  table.add_row({"Eigen", dotted(EIGEN_WORLD_VERSION, EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION)});
  table.add_row({"OpenMP", FERPLUS_STRING(_OPENMP)});
  table.add_row({"nlohmann-json", dotted(NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR,
                                         NLOHMANN_JSON_VERSION_PATCH)});
  table.add_row({"libpng", PNG_LIBPNG_VER_STRING});
  table.add_row({"JPEG", jpeg_available() ? "yes" : "left out"});
  table.add_row({"ONNX", onnx_available() ? "yes" : "left out"});
  table.add_row({"TensorBoard files", tensorboard_available() ? "yes" : "left out"});
  table.add_row({"face detection", detection_available() ? "yes" : "left out"});
  table.add_row({"HTTP", serving_available() ? "yes" : "left out"});
  table.add_row({"CLI11", CLI11_VERSION});
  table.add_row({"spdlog", dotted(SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH)});
  table.add_row({"fmt", dotted(FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100)});
  return table.to_string();
}

}  // namespace ferplus::tool
