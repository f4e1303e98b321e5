#include "data/synth_features.h"

#include <algorithm>
#include <cmath>

namespace ferplus {
namespace {

// An egg: an ellipse whose lower half narrows towards the chin.
double head_distance(Point p, const Person& person, double margin) {
  const double down = std::max(0.0, p.y / person.head_height);
  const double width = person.head_width * (1 - (0.12 + person.jaw) * down * down);
  return ellipse(p, {0, 0}, width + margin, person.head_height + margin);
}

}  // namespace

void draw_head(Canvas& canvas, const Person& person, RandomSequence& random) {
  const double clothes = random.uniform(0.05, 0.9);
  if (!person.bald) {
    const double end = person.long_hair ? 1.3 : -0.1;
    canvas.paint({.tone = person.hair, .flat = true}, [&](Point p) {
      const double top =
          ellipse(p, {0, -0.12}, person.head_width + 0.13, person.head_height + 0.06);
      const double side = std::max(std::abs(p.x) - person.head_width - 0.12, p.y - end);
      return std::max(std::min(top, std::max(side, -p.y)), p.y - end);
    });
  }
  canvas.paint({.tone = clothes, .flat = true}, [&](Point p) {
    return ellipse(p, {0, 1.75}, 1.3, 0.62);
  });
  canvas.paint({.tone = 0.72 * person.skin, .flat = true}, [&](Point p) {
    return std::max({std::abs(p.x) - 0.42, 0.6 - p.y, p.y - 1.35});
  });
  if (!person.long_hair) {
    for (const double side : {-1.0, 1.0}) {
      canvas.paint({.tone = 0.85 * person.skin, .flat = true}, [&](Point p) {
        return ellipse(p, {side * (person.head_width + 0.01), -0.08}, 0.09, 0.2);
      });
    }
  }
  canvas.paint({.tone = person.skin, .flat = true},
               [&](Point p) { return head_distance(p, person, 0); });
  // The cheeks turn away from the light.
  canvas.shade({.tone = 0.78, .blur = 0.5, .flat = true}, [&](Point p) {
    return std::max(head_distance(p, person, 0), -head_distance(p, person, -0.05));
  });
  if (person.beard > 0) {
    canvas.shade({.tone = 1 - person.beard, .blur = 0.1}, [&](Point p) {
      const double jaw = std::max(head_distance(p, person, -0.02), 0.3 - p.y);
      return std::max(jaw, -ellipse(p, {0, 0.2}, 0.5, 0.5));
    });
  }
}

void draw_nose(Canvas& canvas, const Person& person, const Expression& shown) {
  const double lift = 0.06 * shown.nose_wrinkle;
  const double tip = person.eye_height + person.nose_length - lift;
  const double width = person.nose_width * (1 + 0.25 * shown.nose_wrinkle);
  canvas.shade({.tone = 0.85, .blur = 0.06},
               Stroke({0.07, person.eye_height}, {0.06, (person.eye_height + tip) / 2},
                      {width, tip - 0.03}, 0.02, 0.02));
  canvas.shade({.tone = 0.62, .blur = 0.03},
               Stroke({-width, tip - 0.02}, {0, tip + 0.05}, {width, tip - 0.02}, 0.018, 0.012));
  for (const double side : {-1.0, 1.0}) {
    canvas.shade({.tone = 0.35, .blur = 0.02}, [&](Point p) {
      return ellipse(p, {side * 0.6 * width, tip + 0.015}, 0.035, 0.022);
    });
  }
}

void draw_wrinkles(Canvas& canvas, const Person& person, const Expression& shown) {
  const double eyes = person.eye_height;
  const auto crease = [&](double tone, double strength, double blur, const Stroke& stroke) {
    canvas.shade({.tone = tone, .opacity = std::clamp(strength, 0.0, 1.0), .blur = blur}, stroke);
  };
  for (const double y : {eyes, eyes + 0.09, eyes + 0.18}) {
    const double reach = 0.08 + 0.25 * (y - eyes);
    crease(0.5, shown.nose_wrinkle, 0.01,
           Stroke({-reach, y + 0.03}, {0, y - 0.015}, {reach, y + 0.03}, 0.018, 0.01));
  }
  for (const double side : {-1.0, 1.0}) {
    crease(0.5, shown.frown, 0.01,
           Stroke({side * 0.05, eyes - 0.26}, {side * 0.045, eyes - 0.18},
                  {side * 0.06, eyes - 0.08}, 0.016, 0.01));
  }
  for (const double y : {eyes - 0.47, eyes - 0.56}) {
    crease(0.72, shown.forehead, 0.02,
           Stroke({-0.35, y + 0.03}, {0, y}, {0.35, y + 0.03}, 0.015, 0.008));
  }
}

void draw_eyes(Canvas& canvas, const Person& person, const Expression& shown, Point gaze) {
  const double upper = std::clamp(0.10 * (1 + 0.8 * shown.eye_open), 0.022, 0.22);
  const double lower = std::clamp(
      0.055 * (1 - 0.75 * shown.eye_squint + 0.35 * std::max(0.0, shown.eye_open)), 0.008, 0.09);
  const double width = person.eye_width;
  for (const double side : {-1.0, 1.0}) {
    const Point centre{side * person.eye_distance, person.eye_height};
    // Outwards along the eye: -1 at the inner corner, 1 at the outer.
    const auto along = [&](Point p) { return side * (p.x - centre.x) / width; };
    const auto lid = [&](double t, double height, double droop) {
      const double inside = std::clamp(t, -1.0, 1.0);
      return height * (1 - inside * inside) * (1 - droop * 0.45 * (inside + 0.3));
    };
    const auto tilt = [&](double t) {
      return centre.y - person.eye_slant * t + 0.05 * shown.eye_droop * std::max(0.0, t);
    };
    const auto opening = [&](Point p) {
      const double t = along(p);
      const double top = tilt(t) - lid(t, upper, shown.eye_droop);
      const double bottom = tilt(t) + lid(t, lower, 0);
      const double vertical = std::max(top - p.y, p.y - bottom);
      return std::max(vertical, (std::abs(t) - 1) * width);
    };
    // Socket and the fold above the lid.
    canvas.shade({.tone = 0.84, .blur = 0.1}, [&](Point p) {
      return ellipse(p, {centre.x, centre.y - 0.02}, 1.15 * width, 0.12);
    });
    canvas.paint({.tone = std::min(0.98, person.skin + 0.28)}, opening);
    const Point iris{centre.x + gaze.x, centre.y + gaze.y - 0.01};
    canvas.paint({.tone = person.iris},
                 [&](Point p) { return std::max(opening(p), circle(p, iris, 0.092)); });
    canvas.paint({.tone = 0.02},
                 [&](Point p) { return std::max(opening(p), circle(p, iris, 0.038)); });
    const auto lid_line = [&](double height, double droop, double direction, double thickness) {
      return [=, &tilt, &lid, &along](Point p) {
        const double t = along(p), inside = std::clamp(t, -1.0, 1.0);
        const double y = tilt(inside) + direction * lid(inside, height, droop);
        return length(p.y - y, (t - inside) * width) - thickness;
      };
    };
    canvas.shade({.tone = 0.2}, lid_line(upper, shown.eye_droop, -1, 0.018));
    canvas.shade({.tone = 0.7}, lid_line(lower, 0, 1, 0.01));
    if (shown.eye_squint > 0.2) {
      canvas.shade({.tone = 0.72, .opacity = std::min(1.0, shown.eye_squint), .blur = 0.03},
                   lid_line(lower + 0.075, 0, 1, 0.012));
    }
  }
}

void draw_brows(Canvas& canvas, const Person& person, const Expression& shown, double side) {
  for (const double here : {-1.0, 1.0}) {
    const double raise =
        0.16 * shown.brow_raise + (here * side > 0 ? 0.16 * shown.brow_one_sided : 0.0);
    const double base = person.eye_height - person.brow_gap - raise;
    const double inner_x = person.eye_distance - 0.2 - 0.06 * shown.brow_together;
    const double outer_x = person.eye_distance + 0.24;
    const double inner_y = base - 0.16 * shown.brow_inner;
    const double outer_y = base + 0.05 + 0.09 * shown.brow_inner;
    const double arch = 0.045 + 0.06 * shown.brow_arch;
    const double middle_y = (inner_y + outer_y) / 2 - arch;
    canvas.paint(
        {.tone = person.hair, .opacity = 0.9, .blur = 0.01},
        Stroke({here * inner_x, inner_y}, {here * (inner_x + outer_x) / 2, middle_y},
               {here * outer_x, outer_y}, person.brow_thickness, 0.6 * person.brow_thickness));
  }
}

void draw_hair(Canvas& canvas, const Person& person) {
  if (person.bald) return;
  canvas.paint(
      {
          .tone = person.hair,
          .flat = true,
      },
      [&](Point p) {
        const double line =
            person.hairline + 0.10 * (p.x - person.parting) * (p.x - person.parting) +
            (person.long_hair ? 0.35 : 0.15) * std::pow(std::abs(p.x) / person.head_width, 6.0);
        return std::max(p.y - line, head_distance(p, person, 0.08));
      });
  if (person.long_hair) {
    for (const double side : {-1.0, 1.0}) {
      canvas.paint(
          {.tone = person.hair, .opacity = 0.95, .flat = true},
          Stroke({side * (person.head_width - 0.12), -0.75}, {side * (person.head_width + 0.06), 0},
                 {side * person.head_width, 1.1}, 0.09, 0.09));
    }
  }
}

void draw_glasses(Canvas& canvas, const Person& person) {
  for (const double side : {-1.0, 1.0}) {
    const Point centre{side * person.eye_distance, person.eye_height + 0.02};
    canvas.paint({.tone = 0.12, .opacity = 0.85},
                 [&](Point p) { return std::abs(ellipse(p, centre, 0.27, 0.21)) - 0.016; });
    canvas.paint({.tone = 0.12, .opacity = 0.85},
                 Stroke({side * (person.eye_distance + 0.27), person.eye_height},
                        {side * 0.76, person.eye_height - 0.03},
                        {side * 0.9, person.eye_height - 0.05}, 0.016, 0.016));
  }
  canvas.paint(
      {.tone = 0.12, .opacity = 0.85},
      Stroke({-person.eye_distance + 0.27, person.eye_height - 0.02}, {0, person.eye_height - 0.05},
             {person.eye_distance - 0.27, person.eye_height - 0.02}, 0.016, 0.016));
}

}  // namespace ferplus
