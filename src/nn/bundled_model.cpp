// FERPLUS_SHARED_LIBRARY, FERPLUS_MODELS_FROM_HOME and FERPLUS_MODELS: see src/CMakeLists.txt.
#include <array>
#include <cstdlib>
#include <string_view>

#include <dlfcn.h>

#include <ferplus/core/error.h>
#include <ferplus/nn/bundled_model.h>

namespace ferplus {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFileName = "ferplus.safetensors";

// The file that this code was loaded from; empty if the system does not say.
fs::path own_file() {
  std::error_code ignored;
#if FERPLUS_SHARED_LIBRARY
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&find_bundled_model), &info) == 0) return {};
  return fs::canonical(info.dli_fname, ignored);
#else
  return fs::read_symlink("/proc/self/exe", ignored);
#endif
}

std::array<fs::path, 2> places() {
  const fs::path own = own_file();
  return {own.empty()
              ? fs::path()
              : (own.parent_path() / FERPLUS_MODELS_FROM_HOME / kFileName).lexically_normal(),
          fs::path(FERPLUS_MODELS) / kFileName};
}

}  // namespace

std::optional<fs::path> find_bundled_model() {
  const char* named = std::getenv("FERPLUS_MODEL");
  if (named != nullptr && *named != '\0') return named;
  for (const fs::path& place : places()) {
    std::error_code ignored;
    if (!place.empty() && fs::exists(place, ignored)) return place;
  }
  return std::nullopt;
}

fs::path bundled_model_path() {
  if (auto path = find_bundled_model()) return *std::move(path);
  std::string looked;
  for (const fs::path& place : places()) {
    if (!place.empty()) looked += concat(looked.empty() ? "" : " nor ", place.string());
  }
  throw Error(concat("there is no bundled model: neither is FERPLUS_MODEL set, nor is there ",
                     looked, "; name a model (--model)"));
}

}  // namespace ferplus
