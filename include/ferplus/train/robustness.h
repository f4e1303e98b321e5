// How a model's accuracy falls on worse pictures.
#pragma once

#include <span>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <ferplus/data/corruption.h>
#include <ferplus/train/evaluate.h>

namespace ferplus {

struct CorruptedAccuracy {
  const Corruption* corruption;  // one of corruptions()
  Classification classification;
};

// Of the images of `clean`, an evaluation of `model` on `dataset`, evaluated in the same way after
// each of corruptions(), in their order.
std::vector<CorruptedAccuracy> robustness(const Dataset& dataset, const PreparedModel& model,
                                          const Evaluation& clean, const Progress& progress = {});

// As `evaluate --json` writes it.
nlohmann::ordered_json to_json(std::span<const CorruptedAccuracy> rows);

}  // namespace ferplus
