// What `evaluate` prints.
#pragma once

#include <span>
#include <string>

#include <ferplus/train/evaluate.h>
#include <ferplus/train/robustness.h>

namespace ferplus::tool {

struct NamedEvaluation {
  std::string name;
  Evaluation evaluation;
};

// Split, protocol and what else decided the figures, one line.
std::string conditions_text(const Evaluation& evaluation);

// Accuracies, agreement with taggers, calibration, classes and confusions of one model.
std::string evaluation_text(const Evaluation& evaluation);

// A row per model.
std::string models_text(std::span<const NamedEvaluation> models);

// A row per corruption.
std::string robustness_text(const Evaluation& clean, std::span<const CorruptedAccuracy> rows);

std::string comparison_text(const Comparison& comparison);

}  // namespace ferplus::tool
