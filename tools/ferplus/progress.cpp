#include "progress.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "table.h"

namespace ferplus::tool {
namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr double kFirstLineSeconds = 10;
constexpr double kLineSeconds = 30;
constexpr std::size_t kWidestBar = 30;
constexpr std::size_t kNarrowestBar = 6;
constexpr std::string_view kGap = "  ";
constexpr std::string_view kFilledColor = "\x1b[36m", kRestColor = "\x1b[2m", kColorEnd = "\x1b[0m";

double share(const ProgressView& view) {
  if (view.total == 0) return 0;
  return std::min(1.0, static_cast<double>(view.done) / static_cast<double>(view.total));
}

std::string rate_text(const ProgressView& view) {
  const double rate = view.rate();
  if (rate <= 0) return {};
  const std::string number = rate >= 100 ? grouped(static_cast<std::uint64_t>(std::llround(rate)))
                                         : fmt::format("{:.1f}", rate);
  return fmt::format("{} {}/s", number, view.unit);
}

std::string count_text(const ProgressView& view) {
  if (view.total == 0) return fmt::format("{} {}", grouped(view.done), view.unit);
  return fmt::format("{}/{}", grouped(view.done), grouped(view.total));
}

std::string bar(const ProgressView& view, std::size_t width, bool color) {
  const auto filled = static_cast<std::size_t>(share(view) * static_cast<double>(width));
  const std::string done(filled, '#'), rest(width - filled, '-');
  if (!color) return fmt::format("[{}{}]", done, rest);
  return fmt::format("[{}{}{}{}{}{}]", kFilledColor, done, kColorEnd, kRestColor, rest, kColorEnd);
}

std::string times_text(const ProgressView& view) {
  const double left = view.seconds_left();
  const std::string elapsed = duration_text(view.seconds);
  return left < 0 ? elapsed : fmt::format("{}, {} left", elapsed, duration_text(left));
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) {
    if (part.empty()) continue;
    if (!text.empty()) text += kGap;
    text += part;
  }
  return text;
}

// The first `width` characters, not bytes.
std::string cut(const std::string& text, std::size_t width) {
  if (display_width(text) <= width) return text;
  std::string shorter = text;
  while (!shorter.empty() && display_width(shorter) > width) {
    while ((static_cast<unsigned char>(shorter.back()) >> 6) == 2) shorter.pop_back();
    shorter.pop_back();
  }
  return shorter;
}

}  // namespace

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(std::clamp(seconds, 0.0, 1e9)));
  const std::int64_t hours = whole / 3600, minutes = whole / 60 % 60, rest = whole % 60;
  return hours > 0 ? fmt::format("{}:{:02}:{:02}", hours, minutes, rest)
                   : fmt::format("{}:{:02}", minutes, rest);
}

double ProgressView::rate() const {
  if (seconds <= 0 || done <= already) return 0;
  return static_cast<double>(done - already) / seconds;
}

double ProgressView::seconds_left() const {
  const double now = rate();
  if (now <= 0 || total == 0 || done > total) return -1;
  return static_cast<double>(total - done) / now;
}

std::string progress_bar_line(const ProgressView& view, int width, bool color) {
  const std::size_t room = static_cast<std::size_t>(std::max(2, width)) - 1;
  const std::string percent =
      view.total == 0 ? "" : fmt::format("{:3.0f}%", std::floor(share(view) * 100));
  // Left out from the back of this list until the rest fits beside the narrowest bar.
  std::string count = count_text(view), times = times_text(view), rate = rate_text(view),
              extra = view.extra;
  const auto text = [&] { return joined({percent, count, rate, times, extra}); };
  const std::size_t label = view.label.empty() ? 0 : display_width(view.label) + kGap.size();
  const std::size_t frame = view.total == 0 ? 0 : 2 + kGap.size();
  const std::size_t narrowest = view.total == 0 ? 0 : kNarrowestBar;
  for (std::string* part : {&count, &times, &rate, &extra}) {
    if (label + frame + narrowest + display_width(text()) <= room) break;
    part->clear();
  }
  const std::size_t used = label + frame + display_width(text());
  if (view.total == 0 || used + kNarrowestBar > room) {
    return cut(joined({view.label, text()}), room);
  }
  const std::size_t bar_width = std::min(kWidestBar, room - used);
  return joined({view.label, bar(view, bar_width, color), text()});
}

std::string progress_plain_line(const ProgressView& view) {
  const std::string percent =
      view.total == 0 ? "" : fmt::format("{:.0f}%", std::floor(share(view) * 100));
  std::string count = count_text(view);
  if (view.total != 0) count += " " + view.unit;
  return joined({view.label, percent, count, rate_text(view), times_text(view), view.extra});
}

ProgressBar::ProgressBar(Options options, Console& console)
    : view_{.label = std::move(options.label),
            .done = options.already,
            .total = options.total,
            .already = options.already,
            .unit = std::move(options.unit)},
      quiet_(options.quiet),
      console_(console),
      next_draw_(console.interactive() ? 0 : kFirstLineSeconds) {}

ProgressBar::~ProgressBar() {
  if (!quiet_ && !finished_) console_.clear_status();
}

void ProgressBar::measure(std::uint64_t done, std::string_view extra) {
  view_.done = done;
  view_.seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  view_.extra = extra;
}

void ProgressBar::update(std::uint64_t done, std::string_view extra) {
  if (quiet_ || finished_) return;
  measure(done, extra);
  if (view_.seconds < next_draw_) return;
  if (console_.interactive()) {
    next_draw_ = view_.seconds + kRedrawSeconds;
    console_.status(progress_bar_line(view_, console_.width(), console_.color()));
  } else {
    next_draw_ = view_.seconds + kLineSeconds;
    console_.line(progress_plain_line(view_));
  }
}

void ProgressBar::finish(std::string_view extra) {
  if (quiet_ || finished_) return;
  measure(view_.done, extra);
  finished_ = true;
  console_.clear_status();
  const std::string amount = fmt::format("{} {} in {}", grouped(view_.done - view_.already),
                                         view_.unit, duration_text(view_.seconds));
  console_.line(joined({view_.label, amount, rate_text(view_), view_.extra}));
}

}  // namespace ferplus::tool
