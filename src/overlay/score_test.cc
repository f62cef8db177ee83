#include "overlay/score.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>

namespace signet::overlay {
namespace {

TEST(Score, IsReadFromWhatLiesBetweenZeroAndOneAlone) {
  using Limits = std::numeric_limits<double>;
  struct Row {
    const char* name;
    double value;
    std::optional<Score> score;
  };
  // clang-format off
  const Row rows[] = {
      {"nothing", 0.0, Score{0}},
      {"all", 1.0, Score{1'000'000}},
      {"the page's", 0.92, Score{920'000}},
      {"the threshold", 0.70, Score{700'000}},
      {"down to the nearest", 0.1234564, Score{123'456}},
      {"up to the nearest", 0.1234566, Score{123'457}},
      {"up to one", 0.9999999, Score{1'000'000}},
      {"zero with a sign", -0.0, Score{0}},
      {"the least there is", Limits::denorm_min(), Score{0}},
      {"the least normal one", Limits::min(), Score{0}},
      {"just under half a millionth", 0.00000049, Score{0}},
      {"just over half a millionth", 0.00000051, Score{1}},
      {"a little more than one", 1.0000000001, std::nullopt},
      {"the next above one", std::nextafter(1.0, 2.0), std::nullopt},
      {"the next below one", std::nextafter(1.0, 0.0), Score{1'000'000}},
      {"the next below zero", -Limits::denorm_min(), std::nullopt},
      {"a little less than nothing", -0.0000000001, std::nullopt},
      {"two", 2.0, std::nullopt},
      {"in percent", 92.0, std::nullopt},
      {"huge", 1e308, std::nullopt},
      {"huge and negative", -1e308, std::nullopt},
      {"infinite", Limits::infinity(), std::nullopt},
      {"infinite and negative", -Limits::infinity(), std::nullopt},
      {"not a number", Limits::quiet_NaN(), std::nullopt},
      {"not a number, signalling", Limits::signaling_NaN(), std::nullopt},
      {"not a number, negative", -Limits::quiet_NaN(), std::nullopt},
  };
  // clang-format on
  for (const Row& row : rows) EXPECT_EQ(Score::from(row.value), row.score) << row.name;
}

TEST(Score, IsInItsRangeWhateverBitsADoubleHas) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t bits = random();
    double value = 0;
    static_assert(sizeof value == sizeof bits);
    std::memcpy(&value, &bits, sizeof value);
    const std::optional<Score> score = Score::from(value);
    EXPECT_EQ(score.has_value(), value >= 0 && value <= 1) << value;
    if (score) {
      EXPECT_TRUE(score->millionths >= 0 && score->millionths <= Score::kOne) << value;
    }
  }
}

TEST(Score, IsPrintedAsAPersonReadsIt) {
  struct Row {
    const char* name;
    Score score;
    std::optional<Score> other;
    const char* text;
  };
  // clang-format off
  const Row rows[] = {
      {"nothing", Score{0}, std::nullopt, "0.00"},
      {"all", Score{1'000'000}, std::nullopt, "1.00"},
      {"two decimals", Score{920'000}, std::nullopt, "0.92"},
      {"a zero inside", Score{50'000}, std::nullopt, "0.05"},
      {"rounded down", Score{924'999}, std::nullopt, "0.92"},
      {"rounded up", Score{925'000}, std::nullopt, "0.93"},
      {"up to one", Score{999'999}, std::nullopt, "1.00"},
      {"to nothing", Score{4'999}, std::nullopt, "0.00"},
      {"beside one that is far", Score{650'000}, Score{700'000}, "0.65"},
      {"beside itself", Score{700'000}, Score{700'000}, "0.70"},
      {"three decimals tell them apart", Score{699'000}, Score{700'000}, "0.699"},
      {"from the other side as well", Score{700'000}, Score{699'000}, "0.700"},
      {"four", Score{699'900}, Score{700'000}, "0.6999"},
      {"five", Score{699'990}, Score{700'000}, "0.69999"},
      {"six", Score{699'999}, Score{700'000}, "0.699999"},
      {"six, above", Score{700'001}, Score{700'000}, "0.700001"},
      {"the least beside nothing", Score{1}, Score{0}, "0.000001"},
      {"the most below all", Score{999'999}, Score{1'000'000}, "0.999999"},
      {"a sum above one", Score{1'250'000}, std::nullopt, "1.25"},
      {"what no score is", Score{-5}, std::nullopt, "0.00"},
      {"the greatest number", Score{std::numeric_limits<std::int32_t>::max()}, std::nullopt, "2147.48"},
      {"the least number", Score{std::numeric_limits<std::int32_t>::min()}, Score{0}, "0.000000"},
  };
  // clang-format on
  for (const Row& row : rows) EXPECT_EQ(row.score.text(row.other), row.text) << row.name;
}

TEST(Score, IsPrintedBesideAnotherInTheirOrderAndNeverAsItsEqual) {
  std::mt19937_64 random(2);
  std::uniform_int_distribution<std::int32_t> any(0, Score::kOne);
  std::uniform_int_distribution<std::int32_t> near(-2'000, 2'000);
  for (int i = 0; i < 50'000; ++i) {
    const Score a{any(random)};
    const Score b{std::clamp(a.millionths + near(random), 0, Score::kOne)};
    const double printed_a = std::strtod(a.text(b).c_str(), nullptr);
    const double printed_b = std::strtod(b.text(a).c_str(), nullptr);
    EXPECT_EQ(a < b, printed_a < printed_b) << a.millionths << " and " << b.millionths;
    EXPECT_EQ(a == b, a.text(b) == b.text(a)) << a.millionths << " and " << b.millionths;
  }
}

}  // namespace
}  // namespace signet::overlay
