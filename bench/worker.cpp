#include "worker.h"

#include <chrono>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <ferplus/kernels/cpu.h>

#include "fma_peak.h"
#include "network_steps.h"

namespace ferplus::bench {
namespace {

template <typename Run>
std::vector<double> seconds_of(int count, Run run) {
  std::vector<double> seconds;
  for (int i = 0; i < count; ++i) {
    const auto start = std::chrono::steady_clock::now();
    run();
    seconds.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return seconds;
}

}  // namespace

void serve_timings() {
  std::cout << "ferplus " << isa_name() << std::endl;
  std::string line, prepared;
  std::unique_ptr<TrainingStep> step;
  std::unique_ptr<Inference> inference;
  while (std::getline(std::cin, line)) {
    if (line == "peak") {
      std::cout << nlohmann::json(measure_fma_peak(isa_name())).dump() << std::endl;
      continue;
    }
    std::istringstream words(line);
    std::string task, precision;
    Index batch = 1;
    int count = 1;
    words >> task >> precision >> batch >> count;
    const std::string wanted = task + precision + std::to_string(batch);
    if (wanted != prepared) {
      step.reset();
      inference.reset();
      if (task == "train") {
        step = std::make_unique<TrainingStep>("vgg13", batch, precision_from_name(precision));
      } else {
        inference = std::make_unique<Inference>("vgg13", batch, precision_from_name(precision));
      }
      prepared = wanted;
    }
    const auto run = [&] { step ? step->run() : static_cast<void>(inference->run()); };
    seconds_of(2, run);
    std::cout << nlohmann::json(seconds_of(count, run)).dump() << std::endl;
  }
}

}  // namespace ferplus::bench
