#include "data/synth_face.h"

#include <algorithm>
#include <cmath>

#include "data/synth_canvas.h"
#include "data/synth_features.h"

namespace ferplus {
namespace {

double normal_within(RandomSequence& random, double deviation, double limit) {
  return std::clamp(deviation * random.normal(), -limit, limit);
}

Person draw_person(RandomSequence& random) {
  Person person;
  person.skin = random.uniform(0.46, 0.86);
  person.hair = std::min(random.uniform(0.05, 0.6), person.skin - 0.28);
  person.head_width = random.uniform(0.74, 0.88);
  person.head_height = random.uniform(1.0, 1.12);
  person.jaw = random.uniform(-0.05, 0.16);
  person.eye_distance = random.uniform(0.36, 0.42);
  person.eye_height = random.uniform(-0.29, -0.22);
  person.eye_width = random.uniform(0.20, 0.235);
  person.eye_slant = normal_within(random, 0.04, 0.08);
  person.iris = random.uniform(0.05, 0.35) * person.skin;
  person.brow_thickness = random.uniform(0.05, 0.072);
  person.brow_gap = random.uniform(0.20, 0.26);
  person.nose_length = random.uniform(0.36, 0.50);
  person.nose_width = random.uniform(0.10, 0.15);
  person.mouth_height = random.uniform(0.46, 0.52);
  person.mouth_width = random.uniform(0.32, 0.37);
  person.lips = random.uniform(0.7, 1.3);
  person.hairline = random.uniform(-0.92, -0.72);
  person.long_hair = random.uniform() < 0.4;
  person.bald = random.uniform() < 0.1;
  person.parting = random.uniform(-0.6, 0.6);
  person.beard = !person.long_hair && random.uniform() < 0.15 ? random.uniform(0.15, 0.35) : 0.0;
  person.glasses = random.uniform() < 0.08;
  return person;
}

Pose draw_pose(RandomSequence& random) {
  constexpr double kDegree = 0.017453292519943295;
  Pose pose;
  pose.pixels_per_unit = 24 * random.uniform(0.92, 1.08);
  pose.angle = normal_within(random, 4, 9) * kDegree;
  pose.shift = {normal_within(random, 0.8, 2), normal_within(random, 0.8, 2)};
  pose.turn = {normal_within(random, 0.05, 0.12), normal_within(random, 0.025, 0.06)};
  return pose;
}

void draw_background(Canvas& canvas, RandomSequence& random) {
  const double tone = random.uniform(0.08, 0.95), slope = random.uniform(-0.2, 0.2);
  canvas.map([&](Point p, double) { return tone + slope * p.y; });
  const std::uint32_t shapes = random.below(4);
  for (std::uint32_t i = 0; i < shapes; ++i) {
    const Point centre{random.uniform(-1.2, 1.2), random.uniform(-1.2, 1.2)};
    const double width = random.uniform(0.1, 0.6), height = random.uniform(0.1, 0.9);
    canvas.paint({.tone = random.uniform(), .opacity = 0.5, .blur = 0.2, .flat = true},
                 [&](Point p) { return ellipse(p, centre, width, height); });
  }
}

// Light from one side, the camera's blur and noise.
void expose(Canvas& canvas, RandomSequence& random, std::span<std::uint8_t> pixels) {
  const double direction = random.uniform(0, 6.283185307179586);
  const double strength = random.uniform(0, 0.25);
  const double x = strength * std::cos(direction), y = strength * std::sin(direction);
  const double gain = random.uniform(0.8, 1.15), offset = random.uniform(-0.06, 0.06);
  canvas.map([&](Point p, double tone) {
    return gain * tone * std::max(0.1, 1 + x * p.x + y * p.y) + offset;
  });
  blur(canvas.tones(), random.uniform(0.35, 0.75));
  const double noise = random.uniform(0.004, 0.015);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const double tone = canvas.tones()[i] + noise * random.normal();
    pixels[i] = static_cast<std::uint8_t>(std::clamp(std::floor(255 * tone + 0.5), 0.0, 255.0));
  }
}

}  // namespace

void draw_face(const Expression& expression, RandomSequence& random,
               std::span<std::uint8_t> pixels) {
  const Person person = draw_person(random);
  // The side of what is one-sided.
  const double side = random.coin() ? 1 : -1;
  const Point gaze{normal_within(random, 0.02, 0.04), normal_within(random, 0.01, 0.02)};
  Canvas canvas(draw_pose(random));
  draw_background(canvas, random);
  draw_head(canvas, person, random);
  draw_nose(canvas, person, expression);
  draw_wrinkles(canvas, person, expression);
  draw_mouth(canvas, person, expression, side);
  draw_eyes(canvas, person, expression, gaze);
  draw_brows(canvas, person, expression, side);
  draw_hair(canvas, person);
  if (person.glasses) draw_glasses(canvas, person);
  expose(canvas, random, pixels);
}

void draw_clutter(RandomSequence& random, std::span<std::uint8_t> pixels) {
  Canvas canvas(draw_pose(random));
  for (int layer = 0; layer < 3; ++layer) {
    if (layer == 0) draw_background(canvas, random);
    const Point from{random.uniform(-1, 1), random.uniform(-1, 1)};
    const Point through{random.uniform(-1, 1), random.uniform(-1, 1)};
    const Point to{random.uniform(-1, 1), random.uniform(-1, 1)};
    const Stroke stroke(from, through, to, random.uniform(0.02, 0.2), 0.02);
    canvas.paint({.tone = random.uniform(), .opacity = 0.8, .flat = true}, stroke);
  }
  expose(canvas, random, pixels);
}

}  // namespace ferplus
