// How far a long job is: a bar on a terminal, a plain line now and then elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "terminal.h"

namespace ferplus::tool {

// 7 → "0:07", 83 → "1:23", 7265 → "2:01:05".
std::string duration_text(double seconds);

// What there is to show at one moment.
struct ProgressView {
  std::string label{};        // "epoch 2/3"
  std::uint64_t done = 0;     // of total
  std::uint64_t total = 0;    // 0: not known
  std::uint64_t already = 0;  // done before the clock started, after --resume: not in the rate
  double seconds = 0;
  std::string unit{};   // "images": for the count and the rate
  std::string extra{};  // "loss 1.23  accuracy 0.61"

  // Per second; 0 while nothing is known.
  double rate() const;
  // Until the end at this rate; negative while nothing is known.
  double seconds_left() const;
};

// One line of at most `width` - 1 characters (some terminals wrap at the last column). Where it is
// narrow the bar shrinks first, then the count, the times, the rate and the extra text go.
std::string progress_bar_line(const ProgressView& view, int width, bool color);
// The same facts without a bar, for files.
std::string progress_plain_line(const ProgressView& view);

// Draws on a console. Not thread-safe: one thread reports.
class ProgressBar {
 public:
  struct Options {
    std::string label{};
    std::uint64_t total = 0;
    std::uint64_t already = 0;
    std::string unit = "images";
    bool quiet = false;  // show nothing
  };

  explicit ProgressBar(Options options, Console& console = Console::standard_error());
  // Takes the bar away; says nothing.
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Cheap enough for every step: draws ten times a second at most on a terminal; elsewhere a line
  // after 10 seconds and then twice a minute.
  void update(std::uint64_t done, std::string_view extra = {});
  // For work whose size shows only once it runs.
  void set_total(std::uint64_t total) { view_.total = total; }
  void set_label(std::string_view label) { view_.label = label; }
  // Takes the bar away and leaves one line with count, time and rate.
  void finish(std::string_view extra = {});

 private:
  using Clock = std::chrono::steady_clock;
  void measure(std::uint64_t done, std::string_view extra);

  ProgressView view_;
  bool quiet_;
  Console& console_;
  Clock::time_point start_ = Clock::now();
  double next_draw_;
  bool finished_ = false;
};

}  // namespace ferplus::tool
