#include <ferplus/core/error.h>
#include <ferplus/core/names.h>
#include <ferplus/data/dataset.h>

namespace ferplus {
namespace {
constexpr std::array<std::string_view, kSplits> kSplitNames{"train", "public", "private"};
constexpr std::array<std::string_view, kSplits> kUsageNames{"Training", "PublicTest",
                                                            "PrivateTest"};
}  // namespace

std::string_view usage_name(Split split) { return kUsageNames.at(static_cast<std::size_t>(split)); }

std::string_view split_name(Split split) { return kSplitNames.at(static_cast<std::size_t>(split)); }

Split split_from_name(std::string_view name) {
  for (std::size_t i = 0; i < kSplitNames.size(); ++i) {
    if (kSplitNames[i] == name) return static_cast<Split>(i);
  }
  throw UsageError(unknown_name("split", name, {kSplitNames.begin(), kSplitNames.end()}));
}

}  // namespace ferplus
