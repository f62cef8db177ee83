#include "base/metrics.h"

#include <gtest/gtest.h>

#include <limits>
#include <thread>

#include "base/codes.h"

namespace signet {
namespace {

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(MetricRegistry, WritesFamiliesInOrderAndEachHeadOnce) {
  MetricRegistry metrics;
  Counter& capacity = metrics.counter("rejected_total", "Refused.", "reason=\"capacity\"");
  Counter& active = metrics.gauge("active", "Now open.");
  Counter& replayed = metrics.counter("rejected_total", "Refused.", "reason=\"replayed\"");
  metrics.gauge_from("age_seconds", "Age.", [] { return 1.5; });
  capacity.add();
  capacity.add(2);
  replayed.add(7);
  active.set(-4);
  EXPECT_EQ(metrics.prometheus(),
            "# HELP rejected_total Refused.\n"
            "# TYPE rejected_total counter\n"
            "rejected_total{reason=\"capacity\"} 3\n"
            "rejected_total{reason=\"replayed\"} 7\n"
            "# HELP active Now open.\n"
            "# TYPE active gauge\n"
            "active -4\n"
            "# HELP age_seconds Age.\n"
            "# TYPE age_seconds gauge\n"
            "age_seconds 1.5\n");
}

TEST(MetricRegistry, AnswersTheSameCounterTwice) {
  MetricRegistry metrics;
  Counter& first = metrics.counter("a_total", "A.", "x=\"1\"");
  for (int i = 0; i < 100; ++i) {
    metrics.counter("a_total", "A.", "x=\"other" + std::to_string(i) + "\"");
  }
  EXPECT_EQ(&metrics.counter("a_total", "A.", "x=\"1\""), &first);
  EXPECT_EQ(count_of(metrics.prometheus(), "a_total{x=\"1\"}"), 1U);
}

TEST(MetricRegistry, EscapesHelp) {
  MetricRegistry metrics;
  metrics.counter("a_total", "back\\slash\nand line");
  EXPECT_EQ(metrics.prometheus(),
            "# HELP a_total back\\\\slash\\nand line\n# TYPE a_total counter\na_total 0\n");
}

TEST(MetricRegistry, WritesEveryDouble) {
  struct Case {
    const char* name;
    double value;
    const char* text;
  };
  const Case cases[] = {
      {"zero", 0, "f 0\n"},
      {"a third", 1.0 / 3, "f 0.3333333333333333\n"},
      {"huge", 1e300, "f 1e+300\n"},
      {"tiny", 5e-324, "f 5e-324\n"},
      {"not a number", std::numeric_limits<double>::quiet_NaN(), "f NaN\n"},
      {"infinite", std::numeric_limits<double>::infinity(), "f +Inf\n"},
      {"minus infinite", -std::numeric_limits<double>::infinity(), "f -Inf\n"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    MetricRegistry metrics;
    metrics.gauge_from("f", "F.", [&] { return c.value; });
    EXPECT_TRUE(metrics.prometheus().ends_with(c.text)) << metrics.prometheus();
  }
}

TEST(MetricRegistry, SumsWhatIsAskedFor) {
  MetricRegistry metrics;
  metrics.counter("refused_total", "R.", "reason=\"replayed\"").add(2);
  metrics.counter("refused_total", "R.", "door=\"a\",reason=\"replayed\"").add(3);
  metrics.counter("refused_total", "R.", "old_reason=\"replayed\"").add(100);
  metrics.counter("refused_total", "R.", "reason=\"replayed\",door=\"b\"").add(10);
  metrics.counter("other_total", "O.", "reason=\"replayed\"").add(1'000);
  metrics.gauge_from("age_seconds", "Age.", [] { return 1.5; });
  const struct {
    const char* name;
    const char* label;
    std::optional<double> sum;
  } rows[] = {
      {"refused_total", "reason=\"replayed\"", 15},
      {"refused_total", "", 115},
      {"refused_total", "door=\"a\"", 3},
      {"refused_total", "reason=\"unknown\"", std::nullopt},
      {"refused", "", std::nullopt},
      {"age_seconds", "", 1.5},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(metrics.sum(row.name, row.label), row.sum) << row.name << " " << row.label;
  }
}

TEST(MetricRegistryDeathTest, OneNameHasOneType) {
  MetricRegistry metrics;
  metrics.counter("a", "A.");
  EXPECT_DEATH(metrics.gauge("a", "A."), "");
}

TEST(CodeCounters, HasOneSeriesForEveryValueFromTheStart) {
  MetricRegistry metrics;
  CodeCounters<HelloReject> rejected(metrics, "rejected_total", "Refused.", "reason",
                                     kHelloRejectCount);
  rejected[HelloReject::kReplayed].add();
  const std::string page = metrics.prometheus();
  EXPECT_EQ(count_of(page, "\nrejected_total{"), kHelloRejectCount);
  EXPECT_EQ(count_of(page, "\nrejected_total{reason=\"replayed\"} 1\n"), 1U);
  EXPECT_EQ(count_of(page, "\nrejected_total{reason=\"capacity\"} 0\n"), 1U);
}

TEST(Counter, LosesNoBumpBetweenThreads) {
  MetricRegistry metrics;
  Counter& counter = metrics.counter("a_total", "A.");
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) counter.add();
    });
  }
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(metrics.prometheus().empty());
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter.value(), 40'000);
}

}  // namespace
}  // namespace signet
