// The parts that commands share: tables, progress, the console, help layout, interruption, log.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/command.h"
#include "help.h"
#include "interrupt.h"
#include "logging.h"
#include "progress.h"
#include "table.h"
#include "terminal.h"

namespace ferplus::tool {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// A console whose output can be read back.
class RecordedConsole {
 public:
  explicit RecordedConsole(Console::Traits traits)
      : stream_(open_memstream(&text_, &size_)), console_(stream_, traits) {}
  ~RecordedConsole() {
    std::fclose(stream_);
    std::free(text_);
  }
  Console& console() { return console_; }
  std::string text() {
    std::fflush(stream_);
    return {text_, size_};
  }

 private:
  char* text_ = nullptr;
  std::size_t size_ = 0;
  std::FILE* stream_;
  Console console_;
};

TEST(Table, AlignsByContent) {
  Table table({{"name", Table::Align::left}, {"count"}});
  table.add_row({"a", "1,234"});
  table.add_gap();
  table.add_row({"überlang", "5"});
  EXPECT_EQ(table.to_string(),
            "name      count\n"
            "a         1,234\n"
            "\n"
            "überlang      5\n");
}

TEST(Progress, WritesDurations) {
  EXPECT_EQ(duration_text(0), "0:00");
  EXPECT_EQ(duration_text(7.4), "0:07");
  EXPECT_EQ(duration_text(59.6), "1:00");
  EXPECT_EQ(duration_text(83), "1:23");
  EXPECT_EQ(duration_text(7265), "2:01:05");
}

ProgressView half_way() {
  return {.label = "epoch 1/3",
          .done = 500,
          .total = 1000,
          .seconds = 4,
          .unit = "images",
          .extra = "loss 1.5"};
}

TEST(Progress, LineShowsEverythingWhereThereIsRoom) {
  EXPECT_EQ(progress_bar_line(half_way(), 120, false),
            "epoch 1/3  [###############---------------]   50%  500/1,000  125 images/s  "
            "0:04, 0:04 left  loss 1.5");
  EXPECT_EQ(progress_plain_line(half_way()),
            "epoch 1/3  50%  500/1,000 images  125 images/s  0:04, 0:04 left  loss 1.5");
}

TEST(Progress, LineFitsEveryWidth) {
  for (int width = 1; width <= 130; ++width) {
    const std::string line = progress_bar_line(half_way(), width, false);
    EXPECT_LT(display_width(line), static_cast<std::size_t>(std::max(2, width))) << width;
  }
  EXPECT_THAT(progress_bar_line(half_way(), 32, false), HasSubstr("50%"));
  EXPECT_THAT(progress_bar_line(half_way(), 45, false), HasSubstr("loss 1.5"));
}

TEST(Progress, PercentageReachesHundredOnlyAtTheEnd) {
  ProgressView view = half_way();
  view.done = 999;
  EXPECT_THAT(progress_bar_line(view, 120, false), HasSubstr(" 99%"));
  view.done = 1000;
  EXPECT_THAT(progress_bar_line(view, 120, false), HasSubstr("100%"));
  EXPECT_THAT(progress_bar_line(view, 120, false), HasSubstr("0:00 left"));
}

TEST(Progress, RateLeavesOutWhatWasDoneBefore) {
  ProgressView view = half_way();
  view.already = 400;
  EXPECT_DOUBLE_EQ(view.rate(), 25);
  EXPECT_DOUBLE_EQ(view.seconds_left(), 20);
  view.done = 400;
  EXPECT_LT(view.seconds_left(), 0);
  EXPECT_THAT(progress_bar_line(view, 120, false), Not(HasSubstr("left")));
}

TEST(Progress, TotalMayBeUnknown) {
  ProgressView view = half_way();
  view.total = 0;
  EXPECT_EQ(progress_bar_line(view, 120, false),
            "epoch 1/3  500 images  125 images/s  0:04  loss 1.5");
}

TEST(Progress, RedrawsOneLineOnATerminal) {
  RecordedConsole recorded({.interactive = true, .color = false});
  {
    ProgressBar bar({.label = "rows", .total = 10, .unit = "rows"}, recorded.console());
    bar.update(1);
    EXPECT_THAT(recorded.text(), StartsWith("\r\x1b[2Krows  [#"));
    recorded.console().line("a note");
    EXPECT_THAT(recorded.text(), HasSubstr("\r\x1b[2Ka note\nrows  ["));
    bar.update(10);
    bar.finish("done");
  }
  EXPECT_THAT(recorded.text(), HasSubstr("\r\x1b[2Krows  10 rows in 0:00"));
  EXPECT_THAT(recorded.text(), Not(HasSubstr("\x1b[36m")));
  EXPECT_EQ(recorded.text().back(), '\n');
}

TEST(Progress, WritesPlainLinesElsewhere) {
  RecordedConsole recorded({});
  ProgressBar bar({.label = "rows", .total = 10, .unit = "rows"}, recorded.console());
  for (std::uint64_t row = 1; row <= 10; ++row) bar.update(row);
  EXPECT_EQ(recorded.text(), "") << "a short job says nothing but its end";
  bar.finish();
  bar.finish();
  EXPECT_THAT(recorded.text(), StartsWith("rows  10 rows in 0:00"));
  EXPECT_EQ(lines_of(recorded.text()).size(), 1U);
  EXPECT_THAT(recorded.text(), Not(HasSubstr("\x1b")));
}

TEST(Progress, QuietIsSilent) {
  RecordedConsole recorded({.interactive = true, .color = true});
  ProgressBar bar({.label = "rows", .total = 2, .quiet = true}, recorded.console());
  bar.update(1);
  bar.finish();
  EXPECT_EQ(recorded.text(), "");
}

TEST(Console, ColumnsVariableDecidesTheWidth) {
  setenv("COLUMNS", "57", 1);
  EXPECT_EQ(terminal_width(1, 80), 57);
  setenv("COLUMNS", "wide", 1);
  EXPECT_EQ(terminal_width(-1, 80), 80);
  unsetenv("COLUMNS");
  EXPECT_EQ(terminal_width(-1, 80), 80);
}

TEST(Help, WrapsAtBlanksAndKeepsLineBreaks) {
  EXPECT_EQ(wrapped("one two three\nfour", 10, 2), "  one two\n  three\n  four\n");
  EXPECT_EQ(wrapped("unbreakably", 5, 1), " unbreakably\n");
}

TEST(Interrupt, FirstSignalSetsTheFlag) {
  for (const int signal_number : {SIGINT, SIGTERM}) {
    EXPECT_EXIT(
        {
          install_interrupt_handlers();
          const bool before = interrupt_flag();
          std::raise(signal_number);
          std::_Exit(!before && interrupt_flag() ? interrupt_exit_code() : 1);
        },
        ::testing::ExitedWithCode(128 + signal_number), "");
  }
}

TEST(Interrupt, SecondSignalEndsAtOnce) {
  EXPECT_EXIT(
      {
        install_interrupt_handlers();
        std::raise(SIGINT);
        std::raise(SIGTERM);
        std::_Exit(0);
      },
      ::testing::KilledBySignal(SIGTERM), "");
}

TEST(Log, GoesToConsoleAndFile) {
  const TemporaryFolder folder;
  RecordedConsole recorded({});
  make_logger({.file = folder / "train.log"}, recorded.console())->info("epoch {}", 1);
  make_logger({.quiet = true, .file = folder / "train.log", .append = true}, recorded.console())
      ->info("epoch {}", 2);
  make_logger({.quiet = true}, recorded.console())->warn("slow");
  EXPECT_EQ(recorded.text(), "epoch 1\nwarning: slow\n");
  const auto lines = lines_of(read_text(folder / "train.log"));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_THAT(lines[0], ::testing::MatchesRegex("[0-9-]+ [0-9:]+ info: epoch 1"));
  EXPECT_THAT(lines[1], HasSubstr("epoch 2"));
}

}  // namespace
}  // namespace ferplus::tool
