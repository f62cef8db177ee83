#include "client/backoff.h"

#include <gtest/gtest.h>

#include <queue>
#include <random>
#include <vector>

namespace signet::client {
namespace {

using std::chrono::milliseconds;

// The bound of the next draw.
std::int64_t bound_of(Backoff& backoff) {
  std::uint64_t bound = 0;
  backoff.next([&](std::uint64_t below) {
    bound = below;
    return std::int64_t{0};
  });
  return static_cast<std::int64_t>(bound);
}

TEST(Backoff, DoublesFromTheFirstBoundToTheLast) {
  Backoff backoff(milliseconds(1'000), milliseconds(30'000));
  for (const std::int64_t bound : {1'000, 2'000, 4'000, 8'000, 16'000, 30'000, 30'000}) {
    EXPECT_EQ(bound_of(backoff), bound);
  }
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(bound_of(backoff), 30'000) << i;
  backoff.reset();
  EXPECT_EQ(bound_of(backoff), 1'000);
  EXPECT_EQ(bound_of(backoff), 2'000);
}

TEST(Backoff, WaitsWhatIsDrawn) {
  Backoff backoff(milliseconds(1'000), milliseconds(30'000));
  EXPECT_EQ(backoff.next([](std::uint64_t) { return std::int64_t{0}; }), milliseconds(0));
  EXPECT_EQ(backoff.next([](std::uint64_t below) { return static_cast<std::int64_t>(below - 1); }),
            milliseconds(1'999));
}

TEST(Backoff, TakesOddOptions) {
  // clang-format off
  const struct { const char* name; std::int64_t first, last, bounds[3]; } rows[] = {
      {"no wait at all: something is drawn", 0, 0, {1, 1, 1}},
      {"the last is below the first", 5'000, 1'000, {1'000, 1'000, 1'000}},
      {"both the same", 700, 700, {700, 700, 700}},
      {"a day", 86'400'000, 172'800'000, {86'400'000, 172'800'000, 172'800'000}},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Backoff backoff{milliseconds(row.first), milliseconds(row.last)};
    for (const std::int64_t bound : row.bounds) EXPECT_EQ(bound_of(backoff), bound);
  }
}

// 10,000 clients lose one broker in one moment; it is away for a while. When it is back they come
// within 30 s, and in no 100 ms more than a share of them.
TEST(Backoff, SpreadsTenThousandClientsThatLostOneBroker) {
  constexpr int kClients = 10'000;
  // Worst is a broker that is back within the first second, where all draw below one or two.
  // clang-format off
  const struct { const char* name; int away_ms; double most_share; } rows[] = {
      {"back at once", 0, 0.12},
      {"away for half a second", 500, 0.15},
      {"away for three seconds", 3'000, 0.06},
      {"away for twenty seconds", 20'000, 0.02},
      {"away for five minutes", 300'000, 0.015},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    std::mt19937_64 random(42);
    const auto draw = [&](std::uint64_t below) {
      return std::uniform_int_distribution<std::int64_t>(
          0, static_cast<std::int64_t>(below) - 1)(random);
    };
    std::vector<int> arrivals(3'400);  // by 100 ms since the start
    std::int64_t last = 0;
    for (int i = 0; i < kClients; ++i) {
      Backoff backoff(milliseconds(1'000), milliseconds(30'000));
      std::int64_t now = backoff.next(draw).count();
      while (now < row.away_ms) now += backoff.next(draw).count();
      last = std::max(last, now);
      ++arrivals[static_cast<std::size_t>(now / 100)];
    }
    EXPECT_LE(last - row.away_ms, 30'000);
    const int most = *std::max_element(arrivals.begin(), arrivals.end());
    EXPECT_LE(most, row.most_share * kClients);
    std::cout << row.name << ": all back after " << last - row.away_ms << " ms, at most " << most
              << " in 100 ms\n";
  }
}

}  // namespace
}  // namespace signet::client
