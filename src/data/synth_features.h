// The parts of a synthetic face, each drawn from the person's features and the expression.
#pragma once

#include <ferplus/core/random.h>

#include "data/synth_canvas.h"
#include "data/synth_expression.h"

namespace ferplus {

// Lengths and heights in units of the face (synth_canvas.h), tones 0 … 1.
struct Person {
  double skin, hair, iris;
  double head_width, head_height, jaw;
  double eye_distance, eye_height, eye_width, eye_slant;
  double brow_thickness, brow_gap;
  double nose_length, nose_width;
  double mouth_height, mouth_width, lips;
  double hairline, parting, beard;
  bool long_hair, bald, glasses;
};

// In the order in which they are painted; `side` (1 or -1) is where one-sided movements are.
void draw_head(Canvas& canvas, const Person& person, RandomSequence& random);
void draw_nose(Canvas& canvas, const Person& person, const Expression& shown);
void draw_wrinkles(Canvas& canvas, const Person& person, const Expression& shown);
void draw_mouth(Canvas& canvas, const Person& person, const Expression& shown, double side);
void draw_eyes(Canvas& canvas, const Person& person, const Expression& shown, Point gaze);
void draw_brows(Canvas& canvas, const Person& person, const Expression& shown, double side);
void draw_hair(Canvas& canvas, const Person& person);
void draw_glasses(Canvas& canvas, const Person& person);

}  // namespace ferplus
