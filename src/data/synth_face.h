// Draws one synthetic face: a person, an expression, a pose, a camera.
#pragma once

#include <cstdint>
#include <span>

#include <ferplus/core/random.h>

#include "data/synth_expression.h"

namespace ferplus {

// 48×48 gray values, row-major. REQUIRES: pixels.size() == 2304. Thread-safe.
void draw_face(const Expression& expression, RandomSequence& random,
               std::span<std::uint8_t> pixels);

// The same of something that is no face.
void draw_clutter(RandomSequence& random, std::span<std::uint8_t> pixels);

}  // namespace ferplus
