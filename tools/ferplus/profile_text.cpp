#include "profile_text.h"

#include <fmt/format.h>

#include "table.h"

namespace ferplus::tool {

std::string profile_text(const Profile& profile) {
  constexpr double kMilliseconds = 1e3;
  std::string text =
      fmt::format("{}, {}, {} threads: ", profile.network, profile.isa, profile.threads);
  if (profile.steps == 0) return text + "no training step to profile\n";
  const double step = profile.step();
  const auto per_step = [&](double seconds) {
    return fmt::format("{:.3f}", kMilliseconds * seconds / static_cast<double>(profile.steps));
  };
  const auto share = [&](double seconds) {
    return fmt::format("{:.1f} %", step > 0 ? 100 * seconds / step : 0);
  };
  text += fmt::format("{} steps, {} images, {:.1f} images/s\n\n",
                      grouped(static_cast<std::uint64_t>(profile.steps)),
                      grouped(static_cast<std::uint64_t>(profile.images)),
                      step > 0 ? static_cast<double>(profile.images) / step : 0);

  Table table({{"ms a step", Table::Align::left}, {"forward"}, {"backward"}, {"both"}, {"share"}});
  const auto add = [&](const std::string& name, double seconds) {
    table.add_row({name, "", "", per_step(seconds), share(seconds)});
  };
  add("batch making", profile.batch);
  table.add_gap();
  for (const Profile::Layer& layer : profile.layers) {
    const double both = layer.forward + layer.backward;
    table.add_row({layer.name, per_step(layer.forward), per_step(layer.backward), per_step(both),
                   share(both)});
  }
  const double passes = profile.forward + profile.backward;
  table.add_row({"all layers", per_step(profile.forward), per_step(profile.backward),
                 per_step(passes), share(passes)});
  table.add_gap();
  add("loss", profile.loss);
  add("optimizer", profile.optimizer);
  table.add_gap();
  add("step", step);
  text += table.to_string();
  if (profile.evaluations > 0) {
    text += fmt::format("\nevaluation: {:.2f} s each, {} of them\n",
                        profile.evaluation / static_cast<double>(profile.evaluations),
                        profile.evaluations);
  }
  return text;
}

}  // namespace ferplus::tool
