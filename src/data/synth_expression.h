// What a synthetic face shows: muscle movements after the facial action coding system (Ekman,
// Friesen, Hager, "Facial Action Coding System", 2002), named by what they do to the drawing.
#pragma once

#include <array>
#include <cstddef>

#include <ferplus/core/random.h>
#include <ferplus/data/label_mode.h>

namespace ferplus {

// Amounts, about -1 … 1; 0 is the face at rest. In brackets the action units.
struct Expression {
  double brow_raise = 0;       // whole brows up [1+2] or, negative, down [4]
  double brow_inner = 0;       // inner ends up [1] or down [4]
  double brow_together = 0;    // inner ends towards the nose [4]
  double brow_arch = 0;        // middle up
  double brow_one_sided = 0;   // one brow up [2, unilateral]
  double eye_open = 0;         // upper lid up [5] or down [43]
  double eye_squint = 0;       // lower lid up [6, 7]
  double eye_droop = 0;        // outer half of the upper lid down
  double nose_wrinkle = 0;     // [9]
  double fold = 0;             // from nose to corners of the mouth [6, 10]
  double lip_raise = 0;        // middle of the upper lip up [10]
  double lip_press = 0;        // lips thin [23, 24]
  double mouth_wide = 0;       // stretched [20, 12] or, negative, narrow [18, 22]
  double mouth_curve = 0;      // corners up [12] or down [15]
  double mouth_one_sided = 0;  // one corner up and tight [12+14, unilateral]
  double mouth_open = 0;       // [25, 26, 27]
  double mouth_square = 0;     // an open mouth: round 0, square 1
  double teeth = 0;            // an open mouth shows them
  double forehead = 0;         // wrinkles across [1+2]
  double frown = 0;            // wrinkles between the brows [4]
};

// One portrayal: which class an image is meant to show, how strongly, and what is mixed in.
struct Portrayal {
  int emotion = 0;          // class
  double intensity = 1;     // 0 … 1; of neutral: how calm
  int second = 0;           // class
  double second_share = 0;  // 0 … 0.5
};

Portrayal draw_portrayal(RandomSequence& random);
// With the person's own way of showing it.
Expression express(const Portrayal& portrayal, RandomSequence& random);

}  // namespace ferplus
