#include "data/synth_expression.h"

#include <algorithm>

namespace ferplus {
namespace {

// Each class in one or more styles, one of which a face shows at full intensity.
struct Style {
  int emotion;
  double share;  // among the styles of its class
  Expression shown;
};

constexpr std::array<Style, 13> kStyles = {{
    {0, 1, {}},
    // A broad smile with teeth, and a closed one.
    {1,
     0.65,
     {.brow_raise = .08,
      .eye_squint = .65,
      .fold = .6,
      .mouth_wide = .45,
      .mouth_curve = 1,
      .mouth_open = .5,
      .teeth = 1}},
    {1,
     0.35,
     {.brow_raise = .05, .eye_squint = .5, .fold = .5, .mouth_wide = .4, .mouth_curve = 1.05}},
    // Jaw dropped wide, or less.
    {2,
     0.7,
     {.brow_raise = 1,
      .brow_arch = .6,
      .eye_open = 1,
      .mouth_wide = -.5,
      .mouth_open = 1,
      .forehead = .6}},
    {2,
     0.3,
     {.brow_raise = 1.1,
      .brow_arch = .7,
      .eye_open = 1,
      .mouth_wide = -.6,
      .mouth_open = .6,
      .forehead = .7}},
    {3,
     1,
     {.brow_raise = .1,
      .brow_inner = 1,
      .brow_together = .4,
      .eye_open = -.5,
      .eye_droop = .9,
      .mouth_wide = -.1,
      .mouth_curve = -1}},
    // Lips pressed, and bared teeth.
    {4,
     0.6,
     {.brow_raise = -.6,
      .brow_inner = -1.1,
      .brow_together = .7,
      .eye_open = .15,
      .eye_squint = .4,
      .lip_press = 1,
      .mouth_curve = -.3,
      .frown = 1}},
    {4,
     0.4,
     {.brow_raise = -.6,
      .brow_inner = -1.1,
      .brow_together = .7,
      .eye_open = .3,
      .eye_squint = .3,
      .fold = .3,
      .mouth_wide = .1,
      .mouth_curve = -.25,
      .mouth_open = .55,
      .mouth_square = 1,
      .teeth = 1,
      .frown = 1}},
    {5,
     0.6,
     {.brow_raise = -.3,
      .brow_inner = -.4,
      .brow_together = .3,
      .eye_open = -.6,
      .eye_squint = .9,
      .nose_wrinkle = 1,
      .fold = 1,
      .lip_raise = 1,
      .mouth_curve = -.5}},
    {5,
     0.4,
     {.brow_raise = -.3,
      .brow_inner = -.4,
      .brow_together = .3,
      .eye_open = -.6,
      .eye_squint = .9,
      .nose_wrinkle = 1,
      .fold = 1,
      .lip_raise = 1,
      .mouth_curve = -.6,
      .mouth_open = .35,
      .teeth = .6}},
    {6,
     1,
     {.brow_raise = .55,
      .brow_inner = .8,
      .brow_together = .8,
      .brow_arch = -.4,
      .eye_open = 1.1,
      .mouth_wide = .5,
      .mouth_curve = -.35,
      .mouth_open = .45,
      .mouth_square = .8,
      .teeth = .7,
      .forehead = .4}},
    {7,
     0.7,
     {.brow_one_sided = 1, .eye_open = -.25, .fold = .1, .lip_press = .3, .mouth_one_sided = 1.3}},
    {7, 0.3, {.brow_raise = -.05, .eye_open = -.35, .lip_press = .5, .mouth_one_sided = 1.45}},
}};

constexpr std::array kFields = {
    &Expression::brow_raise, &Expression::brow_inner,     &Expression::brow_together,
    &Expression::brow_arch,  &Expression::brow_one_sided, &Expression::eye_open,
    &Expression::eye_squint, &Expression::eye_droop,      &Expression::nose_wrinkle,
    &Expression::fold,       &Expression::lip_raise,      &Expression::lip_press,
    &Expression::mouth_wide, &Expression::mouth_curve,    &Expression::mouth_one_sided,
    &Expression::mouth_open, &Expression::mouth_square,   &Expression::teeth,
    &Expression::forehead,   &Expression::frown};

// Shares of the classes: uneven as in the real data, but so that a small set has some of each.
constexpr std::array<double, kClasses> kShares = {.22, .20, .14, .12, .11, .07, .07, .07};
// What an ambiguous face is mixed with, by class.
constexpr std::array<std::array<int, 2>, kClasses> kNeighbours = {
    {{3, 7}, {0, 2}, {6, 1}, {0, 6}, {5, 0}, {4, 3}, {2, 3}, {0, 1}}};

const Expression& draw_style(int emotion, RandomSequence& random) {
  double left = random.uniform();
  const Expression* chosen = nullptr;
  for (const Style& style : kStyles) {
    if (style.emotion != emotion) continue;
    if (chosen == nullptr || left >= 0) chosen = &style.shown;
    left -= style.share;
  }
  return *chosen;
}

}  // namespace

Portrayal draw_portrayal(RandomSequence& random) {
  Portrayal portrayal;
  double left = random.uniform();
  while (portrayal.emotion < kClasses - 1 &&
         left >= kShares[static_cast<std::size_t>(portrayal.emotion)]) {
    left -= kShares[static_cast<std::size_t>(portrayal.emotion++)];
  }
  // Most are clear; one in five is mixed with a neighbour.
  portrayal.intensity = 1 - 0.5 * random.uniform() * random.uniform();
  const double mixed = random.uniform(), share = random.uniform(0.25, 0.5);
  portrayal.second = kNeighbours[static_cast<std::size_t>(portrayal.emotion)][random.below(2)];
  if (mixed < 0.2) portrayal.second_share = share;
  return portrayal;
}

Expression express(const Portrayal& portrayal, RandomSequence& random) {
  const Expression& first = draw_style(portrayal.emotion, random);
  const Expression& second = draw_style(portrayal.second, random);
  Expression shown;
  for (const auto field : kFields) {
    const double share = portrayal.second_share;
    const double full = (1 - share) * first.*field + share * second.*field;
    const double own_way = std::max(0.4, 1 + 0.15 * random.normal());
    shown.*field = portrayal.intensity * own_way * full;
  }
  // Nobody's face is quite symmetric or at rest.
  shown.brow_raise += 0.10 * random.normal();
  shown.brow_inner += 0.10 * random.normal();
  shown.brow_one_sided += 0.04 * random.normal();
  shown.eye_open += 0.12 * random.normal();
  shown.mouth_curve += 0.10 * random.normal();
  shown.mouth_wide += 0.12 * random.normal();
  shown.mouth_one_sided += 0.05 * random.normal();
  return shown;
}

}  // namespace ferplus
