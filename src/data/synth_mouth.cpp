#include <algorithm>
#include <cmath>

#include "data/synth_features.h"

namespace ferplus {
namespace {

// Where the mouth is: curves over t, -1 … 1 from corner to corner.
class Mouth {
 public:
  Mouth(const Person& person, const Expression& shown, double side)
      : person_(person),
        shown_(shown),
        side_(side),
        half_width_(person.mouth_width *
                    std::max(0.45, 1 + 0.45 * shown.mouth_wide + 0.1 * shown.mouth_one_sided)),
        open_(std::max(0.0, shown.mouth_open)),
        squareness_(std::clamp(shown.mouth_square, 0.0, 1.0)) {}

  double half_width() const { return half_width_; }
  double open() const { return open_; }

  // Height of the line along which the lips meet, or would.
  double line(double t) const {
    const double toward = std::clamp(0.5 + 0.5 * side_ * t, 0.0, 1.0);
    return person_.mouth_height + 0.21 * shown_.mouth_curve * (0.35 - t * t) -
           0.22 * shown_.mouth_one_sided * toward * toward * toward -
           0.05 * shown_.lip_raise * (1 - t * t);
  }
  // How far the lips are from that line.
  double gap_above(double t) const {
    // A smile opens downwards.
    const double share = shown_.mouth_curve > 0.4 ? 0.3 : 1;
    return share * (0.10 + 0.02 * shown_.lip_raise) * open_ * bow(t);
  }
  double gap_below(double t) const { return 0.36 * open_ * bow(t); }

  // Signed distance of the opening, its edges moved outwards by `above` and `below`.
  double opening(Point p, double above, double below) const {
    const double t = p.x / half_width_, inside = std::clamp(t, -1.0, 1.0);
    const double round = 1 - inside * inside;
    const double top = line(inside) - gap_above(inside) - above * round;
    const double bottom = line(inside) + gap_below(inside) + below * round;
    const double vertical = std::max(top - p.y, p.y - bottom);
    const double beyond = (std::abs(t) - 1) * half_width_;
    return beyond > 0 ? length(beyond, std::max(vertical, 0.0)) : vertical;
  }
  double closed_line(Point p) const {
    const double t = p.x / half_width_, inside = std::clamp(t, -1.0, 1.0);
    return length(p.y - line(inside), (t - inside) * half_width_) - 0.03;
  }

 private:
  double bow(double t) const {
    const double round = 1 - t * t;
    return round <= 0 ? 0.0 : std::pow(round, 0.6 - 0.35 * squareness_);
  }

  const Person& person_;
  const Expression& shown_;
  double side_, half_width_, open_, squareness_;
};

// From the nose to the corners of the mouth.
void draw_folds(Canvas& canvas, const Person& person, const Expression& shown, const Mouth& mouth,
                double side) {
  for (const double here : {-1.0, 1.0}) {
    const double one_sided = here == side ? 0.9 * std::max(0.0, shown.mouth_one_sided) : 0.0;
    const double fold = std::max(0.0, shown.fold) + one_sided;
    if (fold <= 0.02) continue;
    const Point corner{here * (mouth.half_width() + 0.09), mouth.line(here) - 0.02};
    const Point nose{here * (person.nose_width + 0.05),
                     person.eye_height + person.nose_length - 0.06};
    const Point through{(nose.x + corner.x) / 2 + here * 0.06, (nose.y + corner.y) / 2};
    canvas.shade({.tone = 0.6, .opacity = std::min(1.0, fold), .blur = 0.03},
                 Stroke(nose, through, corner, 0.018, 0.01));
  }
}

void draw_inside(Canvas& canvas, const Person& person, const Expression& shown,
                 const Mouth& mouth) {
  canvas.paint({.tone = 0.07}, [&](Point p) { return mouth.opening(p, 0, 0); });
  if (shown.teeth <= 0.1) return;
  const double height = (0.05 + 0.17 * mouth.open()) * std::min(1.0, shown.teeth);
  canvas.paint({.tone = std::min(1.0, person.skin + 0.25), .opacity = 0.95}, [&](Point p) {
    const double t = std::clamp(p.x / mouth.half_width(), -1.0, 1.0);
    const double below = p.y - (mouth.line(t) - mouth.gap_above(t) + height);
    const double beside = std::abs(p.x) - 0.92 * mouth.half_width();
    return std::max({mouth.opening(p, -0.01, -0.01), below, beside});
  });
}

}  // namespace

void draw_mouth(Canvas& canvas, const Person& person, const Expression& shown, double side) {
  const Mouth mouth(person, shown, side);
  draw_folds(canvas, person, shown, mouth, side);
  const double press = std::clamp(shown.lip_press, 0.0, 1.0);
  const double upper_lip = 0.06 * person.lips * (1 - 0.7 * press);
  const double lower_lip = 0.075 * person.lips * (1 - 0.65 * press);
  canvas.paint({.tone = 0.68 * person.skin, .opacity = 0.85},
               [&](Point p) { return mouth.opening(p, upper_lip, lower_lip); });
  if (mouth.open() > 0.12) {
    draw_inside(canvas, person, shown, mouth);
  } else {
    canvas.shade({.tone = 0.2}, [&](Point p) { return mouth.closed_line(p); });
  }
  // Shadow below the lower lip, and the tight corner of a one-sided smile.
  const Point shadow{0, mouth.line(0) + mouth.gap_below(0) + lower_lip + 0.07};
  canvas.shade({.tone = 0.86, .blur = 0.08},
               [&](Point p) { return ellipse(p, shadow, 0.6 * mouth.half_width(), 0.03); });
  if (shown.mouth_one_sided > 0.2) {
    const Point corner{side * (mouth.half_width() + 0.02), mouth.line(side)};
    canvas.shade({.tone = 0.4, .opacity = std::min(1.0, shown.mouth_one_sided), .blur = 0.02},
                 Stroke({corner.x, corner.y - 0.06}, {corner.x + side * 0.03, corner.y},
                        {corner.x, corner.y + 0.05}, 0.022, 0.01));
  }
}

}  // namespace ferplus
