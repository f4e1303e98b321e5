// What pages are made of: escaped text, tables, axes, pictures.
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/data_uri.h"
#include "report/html.h"
#include "report/scale.h"
#include "report/svg.h"

namespace ferplus::report {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(EscapeTest, MarkupAndQuotes) {
  EXPECT_EQ(escape("<a href='x'>\"&\"</a>"),
            "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&quot;&lt;/a&gt;");
  EXPECT_EQ(escape("Grüße – 顔 😀\n\t"), "Grüße – 顔 😀\n\t");
}

TEST(EscapeTest, WhatIsNoTextIsReplaced) {
  const std::string r = "\xef\xbf\xbd";
  EXPECT_EQ(escape(std::string("a\0b\x1b\x7f", 5)), "a" + r + "b" + r + r);
  EXPECT_EQ(escape("\xff\x80"), r + r);
  EXPECT_EQ(escape("\xc0\xaf"), r + r);                          // an overlong /
  EXPECT_EQ(escape("\xe0\x80\xaf"), r + r + r);                  // longer still
  EXPECT_EQ(escape("\xed\xa0\x80"), r + r + r);                  // half of a surrogate pair
  EXPECT_EQ(escape("\xf4\x90\x80\x80"), r + r + r + r);          // beyond U+10FFFF
  EXPECT_EQ(escape("\xef\xbf\xbe\xc2\x85"), r + r + r + r + r);  // U+FFFE, a control
  EXPECT_EQ(escape("\xe9\xa1"), r + r);                          // cut off
  EXPECT_EQ(escape("\xc3<"), r + "&lt;");
}

TEST(TableTest, HasHeadersForRowsAndColumns) {
  const std::string html = to_html(Table{.caption = "c",
                                         .columns = {"name", "word", "figure"},
                                         .text = {1},
                                         .rows = {{{"a"}, {"b"}, {"1", true}}}});
  EXPECT_THAT(html, HasSubstr("<caption><span>c</span></caption>"));
  EXPECT_THAT(html, HasSubstr("<th scope=\"col\" class=\"text\">word</th>"));
  EXPECT_THAT(html, HasSubstr("<tr><th scope=\"row\">a</th><td class=\"text\">b</td>"
                              "<td class=\"marked\">1</td></tr>"));
}

TEST(Base64Test, VectorsOfRfc4648) {
  const std::vector<std::pair<std::string, std::string>> cases = {{"", ""},
                                                                  {"f", "Zg=="},
                                                                  {"fo", "Zm8="},
                                                                  {"foo", "Zm9v"},
                                                                  {"foob", "Zm9vYg=="},
                                                                  {"fooba", "Zm9vYmE="},
                                                                  {"foobar", "Zm9vYmFy"},
                                                                  {"\xff\xfe\xfd", "//79"}};
  for (const auto& [bytes, text] : cases) EXPECT_EQ(base64(bytes), text);
}

TEST(CoordinateTest, IsShort) {
  EXPECT_EQ(coordinate(1), "1");
  EXPECT_EQ(coordinate(-0.001), "0");
  EXPECT_EQ(coordinate(100), "100");
  EXPECT_EQ(coordinate(12.345), "12.35");
  EXPECT_EQ(coordinate(-2.5), "-2.5");
  EXPECT_EQ(coordinate(std::nan("")), "0");
}

TEST(SeriesTest, AreTwentyFourThenRepeat) {
  std::set<std::string> classes, samples;
  for (std::size_t style = 0; style < kStyles; ++style) {
    classes.insert(series_class(style));
    samples.insert(series_sample(style));
  }
  EXPECT_EQ(classes.size(), kStyles);
  EXPECT_EQ(samples.size(), kStyles);
  EXPECT_EQ(series_sample(kStyles), series_sample(0));
  const auto shape = [](std::size_t style) {
    const std::string sample = series_sample(style);
    const auto begin = sample.find("<path d=");
    return sample.substr(begin, sample.find(" transform") - begin);
  };
  EXPECT_NE(shape(0), shape(1));
  EXPECT_EQ(shape(0), shape(6));  // with the colour
}

TEST(RoundTicksTest, ByHand) {
  EXPECT_THAT(round_ticks(0, 1, 6).values,
              ElementsAre(0, 0.2, 0.4, testing::DoubleEq(0.6), 0.8, 1));
  EXPECT_EQ(round_ticks(0, 1, 6).decimals, 1);
  EXPECT_THAT(round_ticks(0, 0.06, 4).values,
              ElementsAre(0, 0.02, 0.04, testing::DoubleNear(0.06, 1e-12)));
  EXPECT_EQ(round_ticks(0, 0.06, 4).decimals, 2);
  EXPECT_THAT(round_ticks(130, 990, 5).values, ElementsAre(0, 500, 1000));
  EXPECT_EQ(round_ticks(130, 990, 5).decimals, 0);
  EXPECT_THAT(whole_ticks(1, 3, 6).values, ElementsAre(1, 2, 3));
  EXPECT_THAT(whole_ticks(1, 100, 6).values, ElementsAre(20, 40, 60, 80, 100));
  EXPECT_THAT(whole_ticks(1, 1, 6).values, ElementsAre(1));
}

TEST(RoundTicksTest, CoverEveryRangeWithFew) {
  for (double size = 1.01e-300; size < 1e298; size *= 1.37) {
    for (const double low : {-3.3 * size, 0.0, 0.71 * size, 40 * size}) {
      for (const int most : {2, 5, 8}) {
        const Ticks ticks = round_ticks(low, low + size, most);
        ASSERT_GE(ticks.values.size(), 2u);
        EXPECT_LE(ticks.values.size(), static_cast<std::size_t>(most) + 1) << low << ' ' << size;
        EXPECT_LE(ticks.values.front(), low + 1e-5 * size);
        EXPECT_GE(ticks.values.back(), low + size - 1e-5 * size);
        const double step = ticks.values[1] - ticks.values[0];
        // With its decimals a tick is written as it is.
        const double unit = std::pow(10.0, -ticks.decimals);
        EXPECT_NEAR(step / unit, std::round(step / unit), 1e-5);
      }
    }
  }
}

TEST(RoundTicksTest, OneFigureAndNoFigure) {
  for (const auto& [low, high] : {std::pair(0.0, 0.0), {1.5, 1.5}, {-2.0, -2.0}}) {
    const Ticks ticks = round_ticks(low, high, 5);
    EXPECT_LT(ticks.values.front(), low);
    EXPECT_GT(ticks.values.back(), high);
  }
  constexpr double kMost = std::numeric_limits<double>::max();
  constexpr double kLeast = std::numeric_limits<double>::denorm_min();
  for (const auto& [low, high] : {std::pair(0.0, kLeast),
                                  {kLeast, kLeast},
                                  {-kLeast, 1e-310},
                                  {1e-305, 2e-305},
                                  {-kMost, kMost},
                                  {kMost, kMost},
                                  {0, kMost},
                                  {-1e301, 1}}) {
    for (const int most : {2, 6}) {
      const Ticks ticks = round_ticks(low, high, most);
      ASSERT_GE(ticks.values.size(), 2u) << low << ' ' << high;
      EXPECT_LE(ticks.values.size(), static_cast<std::size_t>(most) + 1);
      EXPECT_LT(ticks.values.front(), ticks.values.back());
      EXPECT_TRUE(std::isnormal(ticks.values.back() - ticks.values.front()));
      EXPECT_GE(ticks.decimals, 0);
    }
  }
  EXPECT_GE(round_ticks(INFINITY, -INFINITY, 5).values.size(), 2u);
  EXPECT_GE(round_ticks(0, std::nan(""), 5).values.size(), 2u);
}

}  // namespace
}  // namespace ferplus::report
