// The charts of a report, each an SVG drawing. Widths are made for a telephone; where there is more
// room they grow.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <ferplus/train/metrics.h>

#include "report/svg.h"

namespace ferplus::report {

inline constexpr double kChartWidth = 380;

// How figures are written on axes.
enum class Unit { plain, percent };

// Curves over epochs, counted from 1.
struct LineChart {
  struct Series {
    std::string name;
    std::size_t style = 0;                // series_class
    std::vector<double> values;           // by epoch
    std::optional<std::size_t> marked{};  // an epoch to point out, from 0
  };
  std::string id, title, description;
  Unit unit = Unit::plain;
  bool from_zero = false;  // the axis begins at 0
  std::vector<Series> series;
};
std::string line_chart(const LineChart& chart);

// Groups of horizontal bars of shares, 0 to 1; the axis ends at the largest figure, rounded up.
struct BarChart {
  struct Bar {
    std::string tag;              // a letter or two before it
    std::optional<double> share;  // nothing: not defined
    std::optional<Interval> interval{};
  };
  struct Group {
    std::string label, note;  // a word; smaller, below
    std::vector<Bar> bars;
  };
  std::string id, title, description;
  std::vector<std::string> names;  // of the bars of every group, in their order
  std::vector<Group> groups;
};
std::string bar_chart(const BarChart& chart);

// A mark with its interval per row, on an axis as narrow as the intervals allow.
struct IntervalChart {
  struct Row {
    std::string label;
    std::size_t style = 0;  // of the mark
    double share = 0;
    Interval interval;
  };
  std::string id, title, description;
  std::vector<Row> rows;
};
std::string interval_chart(const IntervalChart& chart);

// Rows are what the votes say, columns what the network says; darker is a larger share of the row.
std::string confusion_chart(const std::string& id, const Classification& classification);

// How often predictions of a confidence are right, above how many there are.
std::string reliability_chart(const std::string& id, const Reliability& reliability);

// "12.5 %" or "0.125", with the decimals that an axis needs. Decimals are those of the plain
// figure.
std::string figure_text(double value, Unit unit, int decimals);

}  // namespace ferplus::report
