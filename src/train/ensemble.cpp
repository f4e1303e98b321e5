#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <vector>

#include <ferplus/core/error.h>
#include <ferplus/core/names.h>
#include <ferplus/train/ensemble.h>

namespace ferplus {
namespace {

constexpr std::array<std::string_view, 3> kNames{"none", "flip", "10crop"};

constexpr double kMargin = 4;  // of the larger warp, in pixels on each side
constexpr double kStep = (kInputSide - 1) / (kInputSide - 1 + 2 * kMargin);

constexpr Distortion window(double shift_y, double shift_x, bool flip) {
  return {.shift_y = shift_y, .shift_x = shift_x, .scale_y = kStep, .scale_x = kStep, .flip = flip};
}

constexpr std::array<Distortion, 2> kFlip{{{}, {.flip = true}}};
constexpr std::array<Distortion, 10> kTenCrop{{
    window(kMargin, kMargin, false),
    window(kMargin, -kMargin, false),
    window(-kMargin, kMargin, false),
    window(-kMargin, -kMargin, false),
    window(0, 0, false),
    window(kMargin, kMargin, true),
    window(kMargin, -kMargin, true),
    window(-kMargin, kMargin, true),
    window(-kMargin, -kMargin, true),
    window(0, 0, true),
}};

}  // namespace

std::string_view augmentation_name(TestTimeAugmentation augmentation) {
  return kNames[static_cast<std::size_t>(augmentation)];
}

TestTimeAugmentation augmentation_from_name(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) {
    throw UsageError(unknown_name("augmentation", name, {kNames.begin(), kNames.end()}));
  }
  return static_cast<TestTimeAugmentation>(found - kNames.begin());
}

std::span<const Distortion> views(TestTimeAugmentation augmentation) {
  switch (augmentation) {
    case TestTimeAugmentation::flip:
      return kFlip;
    case TestTimeAugmentation::ten_crop:
      return kTenCrop;
    case TestTimeAugmentation::none:
      break;
  }
  return std::span(kFlip).first(1);
}

Logits average(std::span<const Logits> members) {
  assert(!members.empty());
  if (members.size() == 1) return members.front();
  std::vector<LogProbabilities> log_p;
  for (const Logits& logits : members) log_p.push_back(log_softmax(logits));
  Logits result;
  for (std::size_t k = 0; k < kClasses; ++k) {
    double largest = log_p.front()[k];
    for (const LogProbabilities& member : log_p) largest = std::max(largest, member[k]);
    double sum = 0;
    for (const LogProbabilities& member : log_p) sum += std::exp(member[k] - largest);
    result[k] = static_cast<float>(largest + std::log(sum / static_cast<double>(members.size())));
  }
  return result;
}

}  // namespace ferplus
