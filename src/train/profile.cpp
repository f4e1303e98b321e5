#include <algorithm>

#include <nlohmann/json.hpp>

#include <ferplus/core/parallel.h>
#include <ferplus/kernels/cpu.h>
#include <ferplus/train/profile.h>

namespace ferplus {

nlohmann::ordered_json to_json(const Profile& profile) {
  nlohmann::ordered_json json = {{"network", profile.network},
                                 {"isa", profile.isa},
                                 {"threads", profile.threads},
                                 {"steps", profile.steps},
                                 {"images", profile.images},
                                 {"unit", "seconds"},
                                 {"step", profile.step()},
                                 {"batch", profile.batch},
                                 {"forward", profile.forward},
                                 {"loss", profile.loss},
                                 {"backward", profile.backward},
                                 {"optimizer", profile.optimizer},
                                 {"evaluations", profile.evaluations},
                                 {"evaluation", profile.evaluation},
                                 {"layers", nlohmann::ordered_json::array()}};
  for (const Profile::Layer& layer : profile.layers) {
    json["layers"].push_back(
        {{"name", layer.name}, {"forward", layer.forward}, {"backward", layer.backward}});
  }
  return json;
}

Profiler::Profiler(const Network& network, bool on) : on_(on) {
  if (!on) return;
  profile_.network = network.name();
  profile_.isa = isa_name();
  profile_.threads = thread_count();
  for (const Network::Entry& entry : fused_layers(network)) {
    profile_.layers.push_back({.name = entry.name});
  }
}

Session::Observer Profiler::observer() {
  if (!on_) return {};
  return [this](const std::string& layer, Direction direction, double seconds) {
    if (in_step_) add(layer, direction, seconds);
  };
}

void Profiler::begin_step(Index images) {
  if (!on_) return;
  ++profile_.steps;
  profile_.images += images;
  in_step_ = true;
  last_ = Clock::now();
}

void Profiler::lap(double Profile::*part) {
  if (on_) profile_.*part += seconds_since_last();
}

void Profiler::begin_evaluation() {
  if (!on_) return;
  in_step_ = false;
  last_ = Clock::now();
}

void Profiler::end_evaluation() {
  if (!on_) return;
  ++profile_.evaluations;
  profile_.evaluation += seconds_since_last();
}

double Profiler::seconds_since_last() {
  const Clock::time_point now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - last_).count();
  last_ = now;
  return seconds;
}

void Profiler::add(const std::string& layer, Direction direction, double seconds) {
  const auto row = std::ranges::find(profile_.layers, layer, &Profile::Layer::name);
  if (row == profile_.layers.end()) return;
  (direction == Direction::forward ? row->forward : row->backward) += seconds;
}

}  // namespace ferplus
