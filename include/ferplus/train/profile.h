// Where the time of training goes: by layer and pass, and what is around them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <ferplus/nn/session.h>

namespace ferplus {

// Seconds of the clock, summed over `steps` training steps. A step is its first five parts.
struct Profile {
  struct Layer {
    std::string name;  // as sessions run them: "conv1_1+relu1_1"
    double forward = 0, backward = 0;
  };

  std::string network{}, isa{};
  int threads = 0;
  std::int64_t steps = 0, images = 0;
  double batch = 0;              // making faces and targets
  double forward = 0;            // all layers
  double loss = 0;               // with its gradient and the training accuracy
  double backward = 0;           // all layers
  double optimizer = 0;          // the step, with weight decay and average
  std::vector<Layer> layers{};   // in the order of the network
  std::int64_t evaluations = 0;  // of the public split, and of the private one at the end
  double evaluation = 0;

  double step() const { return batch + forward + loss + backward + optimizer; }
};

// As profile.json holds it.
nlohmann::ordered_json to_json(const Profile& profile);

// A stopwatch that fills a Profile. One that is off does nothing. Allocates in its constructor
// only. Not thread-safe.
class Profiler {
 public:
  Profiler(const Network& network, bool on);
  Profiler(const Profiler&) = delete;  // observer() refers to it
  Profiler& operator=(const Profiler&) = delete;

  // For the session that trains; empty if off. Hears training steps only.
  Session::Observer observer();

  void begin_step(Index images);
  // Adds the time since begin_step or the last lap to a part of the step.
  void lap(double Profile::*part);
  void begin_evaluation();
  void end_evaluation();

  const Profile& profile() const { return profile_; }

 private:
  using Clock = std::chrono::steady_clock;

  double seconds_since_last();
  void add(const std::string& layer, Direction direction, double seconds);

  bool on_, in_step_ = false;
  Clock::time_point last_{};
  Profile profile_;
};

}  // namespace ferplus
