// From ten votes to a training target: the four ways of Barsoum et al., "Training deep networks for
// facial expression recognition with crowd-sourced label distribution", ICMI 2016 (arXiv
// 1608.01041), exactly as the reference implementation computes them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <ferplus/core/random.h>

namespace ferplus {

inline constexpr int kClasses = 8;
inline constexpr std::array<std::string_view, kClasses> kClassNames = {
    "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"};
// The eight classes and two non-classes that taggers could choose: 8 unknown, 9 not a face (NF).
inline constexpr int kVoteColumns = 10;

using Votes = std::array<std::uint8_t, kVoteColumns>;
// A distribution over the classes; for multi_target one value per class, 0.001 or 1.
using Target = std::array<float, kClasses>;

// cross_entropy: -Σ t·log p. max_target: -log max_k(t_k·p_k). See train/loss.h.
enum class LossKind { cross_entropy, max_target };

enum class LabelMode { majority, probability, crossentropy, multi_target };

// One row per mode: everything that a mode decides.
struct LabelModeInfo {
  LabelMode mode;
  std::string_view name;         // as commands spell it
  std::string_view description;  // what it is, in one line
  // The target of an image with these votes, or nothing if the mode discards the image.
  std::optional<Target> (*target)(const Votes& votes);
  // The target of one presentation of a training image; only `probability` is random.
  Target (*draw_target)(const Target& target, RandomSequence& random);
  LossKind loss;
};

std::span<const LabelModeInfo> label_modes();
const LabelModeInfo& label_mode(LabelMode mode);
// Throws UsageError that names the nearest mode.
const LabelModeInfo& label_mode(std::string_view name);

// First index of the largest value.
int argmax(std::span<const float> values);

}  // namespace ferplus
