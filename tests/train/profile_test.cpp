// Where a run's time went: that all of it is counted once, and that counting changes no bit.
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ferplus/core/parallel.h>
#include <ferplus/kernels/cpu.h>

#include "train/short_run.h"

namespace ferplus {
namespace {

using nlohmann::json;

class ProfileRecorder : public Recorder {
 public:
  using Recorder::Recorder;
  void on_profile(const Profile& heard) override { profile = heard; }
  std::optional<Profile> profile;
};

// What holds for any profile of training: layers are within their pass, in the network's order.
void expect_sound(const Profile& profile) {
  const Network network = build_network(short_run());
  const std::vector<Network::Entry> layers = fused_layers(network);
  ASSERT_EQ(profile.layers.size(), layers.size());
  double forward = 0, backward = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    EXPECT_EQ(profile.layers[i].name, layers[i].name);
    EXPECT_GT(profile.layers[i].forward, 0) << layers[i].name;
    EXPECT_GT(profile.layers[i].backward, 0) << layers[i].name;
    forward += profile.layers[i].forward;
    backward += profile.layers[i].backward;
  }
  EXPECT_LE(forward, profile.forward);
  EXPECT_LE(backward, profile.backward);
  for (double part : {profile.batch, profile.loss, profile.optimizer}) {
    EXPECT_GT(part, 0);
  }
}

TEST(ProfileTest, CountsStepsAndEvaluationsAndChangesNoBit) {
  const TemporaryFolder folder;
  ProfileRecorder with, without;
  train(faces(), short_run(), {.folder = folder / "with", .profile = true}, with);
  train(faces(), short_run(), {.folder = folder / "without"}, without);
  EXPECT_THAT(differences(folder / "with", folder / "without"), testing::IsEmpty());
  EXPECT_FALSE(without.profile);
  EXPECT_FALSE(std::filesystem::exists(folder / "without/profile.json"));

  ASSERT_TRUE(with.profile);
  expect_sound(*with.profile);
  EXPECT_EQ(with.profile->steps, 9);
  EXPECT_EQ(with.profile->images, 60);
  EXPECT_EQ(with.profile->evaluations, 4);  // three epochs, and the private split at the end
  EXPECT_GT(with.profile->evaluation, 0);

  const json written = json::parse(read_text(folder / "with/profile.json"));
  EXPECT_EQ(written, json(to_json(*with.profile)));
  EXPECT_EQ(written.at("network"), "vgg_mini");
  EXPECT_EQ(written.at("isa"), isa_name());
  EXPECT_EQ(written.at("threads"), thread_count());
  double step = 0;
  for (const char* part : {"batch", "forward", "loss", "backward", "optimizer"}) {
    step += written.at(part).get<double>();
  }
  EXPECT_NEAR(written.at("step").get<double>(), step, 1e-9);
}

TEST(ProfileTest, AnInterruptedRunHasTheProfileOfItsSteps) {
  const TemporaryFolder folder;
  ProfileRecorder stopped(4), resumed;
  EXPECT_TRUE(
      train(faces(), short_run(), {.folder = folder.path(), .profile = true}, stopped).interrupted);
  ASSERT_TRUE(stopped.profile);
  expect_sound(*stopped.profile);
  EXPECT_EQ(stopped.profile->steps, 4);
  EXPECT_EQ(stopped.profile->evaluations, 1);
  train(faces(), short_run(), {.folder = folder.path(), .resume = true, .profile = true}, resumed);
  ASSERT_TRUE(resumed.profile);
  EXPECT_EQ(resumed.profile->steps, 5);
  EXPECT_EQ(json::parse(read_text(folder / "profile.json")).at("steps"), 5);
}

TEST(ProfilerTest, LayersOfAnEvaluationAreNotThoseOfAStep) {
  const Network network = build_network(short_run());
  const std::string layer = fused_layers(network).front().name;
  Profiler profiler(network, true);
  const Session::Observer observer = profiler.observer();
  profiler.begin_step(8);
  observer(layer, Direction::forward, 2);
  observer(layer, Direction::backward, 3);
  profiler.lap(&Profile::backward);
  profiler.begin_evaluation();
  observer(layer, Direction::forward, 100);
  profiler.end_evaluation();
  profiler.begin_step(8);
  observer(layer, Direction::forward, 4);
  EXPECT_EQ(profiler.profile().layers.front().forward, 6);
  EXPECT_EQ(profiler.profile().layers.front().backward, 3);
  EXPECT_EQ(profiler.profile().steps, 2);
  EXPECT_EQ(profiler.profile().evaluations, 1);
}

TEST(ProfilerTest, OffItHearsAndCountsNothing) {
  Profiler profiler(build_network(short_run()), false);
  EXPECT_FALSE(profiler.observer());
  profiler.begin_step(8);
  profiler.lap(&Profile::loss);
  profiler.begin_evaluation();
  profiler.end_evaluation();
  EXPECT_EQ(profiler.profile().steps, 0);
  EXPECT_EQ(profiler.profile().step(), 0);
  EXPECT_EQ(profiler.profile().evaluations, 0);
}

}  // namespace
}  // namespace ferplus
