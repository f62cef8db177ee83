#include "signet/bench/histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace signet::cli {
namespace {

using std::chrono::nanoseconds;

TEST(LatencyHistogram, NothingIsZero) {
  const LatencyHistogram empty;
  EXPECT_EQ(empty.count(), 0u);
  EXPECT_EQ(empty.most().count(), 0);
  EXPECT_EQ(empty.percentile(0.5).count(), 0);
  EXPECT_EQ(empty.percentile(1).count(), 0);
}

TEST(LatencyHistogram, OneSampleIsEveryPercentile) {
  for (const std::int64_t value :
       {std::int64_t{0}, std::int64_t{1}, std::int64_t{63}, std::int64_t{64}, std::int64_t{127},
        std::int64_t{128}, std::int64_t{1'000'003}, std::numeric_limits<std::int64_t>::max()}) {
    LatencyHistogram one;
    one.add(nanoseconds(value));
    for (const double share : {0.001, 0.5, 0.99, 1.0}) {
      EXPECT_EQ(one.percentile(share).count(), value) << share;
    }
  }
}

TEST(LatencyHistogram, NegativeTimesAreZero) {
  LatencyHistogram histogram;
  histogram.add(nanoseconds(-5));
  EXPECT_EQ(histogram.count(), 1u);
  EXPECT_EQ(histogram.percentile(1).count(), 0);
}

TEST(LatencyHistogram, SmallTimesAreExact) {
  LatencyHistogram histogram;
  for (int i = 1; i <= 100; ++i) histogram.add(nanoseconds(i));
  EXPECT_EQ(histogram.percentile(0.5).count(), 50);
  EXPECT_EQ(histogram.percentile(0.9).count(), 90);
  EXPECT_EQ(histogram.percentile(0.99).count(), 99);
  EXPECT_EQ(histogram.percentile(1).count(), 100);
}

// Against every sample kept and sorted.
TEST(LatencyHistogram, APercentileIsNeverTooLowAndAtMostOne64thTooHigh) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937_64 random(seed);
  std::lognormal_distribution<double> times(13, 3);  // half a millisecond, and far tails
  LatencyHistogram histogram;
  std::vector<std::int64_t> sorted;
  for (int i = 0; i < 20'000; ++i) {
    const auto value = static_cast<std::int64_t>(std::min(times(random), 1e18));
    sorted.push_back(value);
    histogram.add(nanoseconds(value));
  }
  std::sort(sorted.begin(), sorted.end());
  for (const double share : {0.0001, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const double rank = std::ceil(share * static_cast<double>(sorted.size()));
    const std::int64_t exact = sorted[static_cast<std::size_t>(rank) - 1];
    const std::int64_t said = histogram.percentile(share).count();
    EXPECT_GE(said, exact) << share;
    EXPECT_LE(said, exact + exact / 64 + 1) << share;
  }
  EXPECT_EQ(histogram.most().count(), sorted.back());
  EXPECT_EQ(histogram.count(), sorted.size());
}

}  // namespace
}  // namespace signet::cli
