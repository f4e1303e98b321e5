// From figures to places on paper.
#pragma once

#include <string>
#include <vector>

namespace ferplus::report {

// A straight scale: `low` is drawn at `from`, `high` at `to`. REQUIRES: low < high.
struct Scale {
  double low = 0, high = 1, from = 0, to = 1;
  double operator()(double value) const {
    return from + (value - low) / (high - low) * (to - from);
  }
};

// Round figures for an axis: multiples of 1, 2 or 5 times a power of ten, of which `values` has the
// first and the last at or outside the range. Of a range of one figure (to 9 digits, or nearer than
// 1e-300) around it; of what is not finite or beyond 1e300, those from 0 to 1.
struct Ticks {
  std::vector<double> values;
  int decimals = 0;  // that tell them apart
};
// REQUIRES: low <= high, most >= 2. At most most + 1 of them.
Ticks round_ticks(double low, double high, int most);
// The same, whole numbers within the range, for counts such as epochs.
Ticks whole_ticks(int low, int high, int most);

}  // namespace ferplus::report
