#include "alerts/alert_book.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <utility>

namespace signet::alerts {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::int64_t kThreshold = 10;

Elapsed at(std::int64_t second) { return Elapsed{seconds(1'000'000 + second)}; }

AlertReading reading(Alert alert, std::int64_t second, std::optional<std::int64_t> value) {
  AlertReading taken{at(second), {}};
  taken.values[static_cast<std::size_t>(alert)] = value;
  return taken;
}

AlertThresholds only(Alert alert, std::int64_t threshold = kThreshold) {
  AlertThresholds thresholds{};
  thresholds[static_cast<std::size_t>(alert)] = threshold;
  return thresholds;
}

struct Seen {
  std::int64_t second;
  std::optional<std::int64_t> value;
};

// "began 12 at 60, ended 0 at 300 since 60, "
std::string story(Alert alert, std::int64_t threshold, const std::vector<Seen>& readings) {
  AlertBook book(only(alert, threshold));
  std::string told;
  for (const auto& [second, value] : readings) {
    for (const AlertEvent& event : book.judge(reading(alert, second, value))) {
      EXPECT_EQ(event.alert, alert);
      EXPECT_EQ(event.threshold, threshold);
      EXPECT_EQ(book.is_active(alert), event.began);
      told += (event.began ? "began " : "ended ") + std::to_string(event.value) + " at " +
              std::to_string(second);
      if (event.began) {
        EXPECT_EQ(event.since, at(second));
      } else {
        const auto since = std::chrono::duration_cast<seconds>(event.since - at(0)).count();
        told += " since " + std::to_string(since);
      }
      told += ", ";
    }
  }
  return told;
}

TEST(AlertBook, JudgesRates) {
  const struct {
    const char* name;
    std::int64_t threshold;
    std::vector<Seen> readings;
    const char* story;
  } rows[] = {
      // clang-format off
      {"what was there before counts nothing", 10, {{0, 500}, {10, 500}, {20, 505}}, ""},
      {"below the threshold", 10, {{0, 0}, {10, 9}}, ""},
      {"at the threshold", 10, {{0, 0}, {10, 10}}, "began 10 at 10, "},
      {"over it in steps within a minute", 10, {{0, 0}, {10, 4}, {40, 8}, {60, 12}}, "began 12 at 60, "},
      {"the same over more than a minute", 10, {{0, 0}, {10, 4}, {45, 8}, {71, 12}}, ""},
      {"one is enough where the threshold is one", 1, {{0, 0}, {10, 0}, {20, 1}}, "began 1 at 20, "},
      {"no alert without a threshold", 0, {{0, 0}, {10, 1'000}}, ""},

      {"it begins once", 10, {{0, 0}, {10, 20}, {20, 90}, {30, 900}}, "began 20 at 10, "},
      {"it does not end before two quiet minutes", 10, {{0, 0}, {10, 20}, {68, 20}, {69, 20}, {187, 20}}, "began 20 at 10, "},
      {"and then it ends", 10, {{0, 0}, {10, 20}, {69, 20}, {70, 20}, {189, 20}, {199, 20}}, "began 20 at 10, ended 0 at 189 since 10, "},
      {"a little is still quiet", 10, {{0, 0}, {10, 20}, {69, 20}, {100, 24}, {160, 24}, {189, 28}}, "began 20 at 10, ended 4 at 189 since 10, "},
      {"half of the threshold is not", 10, {{0, 0}, {10, 20}, {69, 20}, {100, 25}, {189, 25}, {220, 25}, {260, 25}}, "began 20 at 10, ended 0 at 220 since 10, "},
      {"it comes again", 1, {{0, 0}, {1, 1}, {121, 1}, {122, 1}, {130, 2}}, "began 1 at 1, ended 0 at 121 since 1, began 1 at 130, "},

      {"a counter that began anew counts from zero", 10, {{0, 500}, {10, 3}, {20, 9}, {30, 10}}, "began 10 at 30, "},
      {"a counter that isn't known is left alone", 10, {{0, 0}, {10, std::nullopt}, {20, 12}}, "began 12 at 20, "},
      {"nor does that end anything", 10, {{0, 0}, {10, 12}, {500, std::nullopt}, {510, 12}}, "began 12 at 10, ended 0 at 510 since 10, "},
      {"what grew over an hour is no burst", 10, {{0, 0}, {3'600, 540}}, ""},
      {"unless it is one at that rate, too", 10, {{0, 0}, {3'600, 541}}, "began 10 at 3600, "},
      {"one in an hour is still one", 1, {{0, 0}, {3'600, 1}}, "began 1 at 3600, "},
      {"an older reading is ignored", 10, {{0, 0}, {20, 5}, {10, 900}, {30, 6}}, ""},
      {"two readings of one moment", 10, {{0, 0}, {10, 5}, {10, 10}}, "began 10 at 10, "},
      {"nothing that is counted overflows", 10, {{0, 0}, {1, INT64_MAX}, {2, 0}, {3, INT64_MAX}, {4, INT64_MIN}, {5, INT64_MAX}}, "began 1125899906842624 at 1, "},
      // clang-format on
  };
  for (const auto& row : rows) {
    EXPECT_EQ(story(Alert::kFailedProofs, row.threshold, row.readings), row.story) << row.name;
  }
}

TEST(AlertBook, JudgesLevels) {
  const struct {
    const char* name;
    Alert alert;
    std::int64_t threshold;
    std::vector<Seen> readings;
    const char* story;
  } rows[] = {
      // clang-format off
      {"room enough", Alert::kDiskFree, 1'000, {{0, 1'000}, {10, 5'000}}, ""},
      {"at the first reading", Alert::kDiskFree, 1'000, {{0, 999}}, "began 999 at 0, "},
      {"nothing left", Alert::kDiskFree, 1'000, {{0, 2'000}, {10, 0}}, "began 0 at 10, "},
      {"back for two minutes", Alert::kDiskFree, 1'000, {{0, 900}, {10, 1'100}, {110, 1'100}, {120, 1'100}}, "began 900 at 0, ended 1100 at 120 since 0, "},
      {"back, but not a tenth beyond", Alert::kDiskFree, 1'000, {{0, 900}, {10, 1'099}, {500, 1'099}}, "began 900 at 0, "},
      {"back and away again", Alert::kDiskFree, 1'000, {{0, 900}, {60, 2'000}, {100, 900}, {180, 2'000}, {210, 2'000}, {220, 2'000}}, "began 900 at 0, ended 2000 at 220 since 0, "},
      {"not known", Alert::kDiskFree, 1'000, {{0, std::nullopt}, {10, 900}, {20, std::nullopt}, {400, std::nullopt}}, "began 900 at 10, "},
      {"no threshold", Alert::kDiskFree, 0, {{0, 0}}, ""},
      {"past its end", Alert::kCertificateExpiry, 100, {{0, -5}}, "began -5 at 0, "},
      {"a full store", Alert::kStoreFull, 1, {{0, 0}, {10, 1}, {20, 0}, {129, 0}, {130, 0}}, "began 1 at 10, ended 0 at 130 since 10, "},
      {"a store that is not healthy", Alert::kStoreUnhealthy, 1, {{0, 1}, {10, 0}, {20, 1}, {130, 1}}, "began 0 at 10, ended 1 at 130 since 10, "},
      // clang-format on
  };
  for (const auto& row : rows) {
    EXPECT_EQ(story(row.alert, row.threshold, row.readings), row.story) << row.name;
  }
}

TEST(AlertBook, EachAlertIsItsOwn) {
  AlertThresholds thresholds;
  thresholds.fill(10);
  AlertBook book(thresholds);
  AlertReading first{at(0), {}};
  AlertReading second{at(10), {}};
  for (std::size_t i = 0; i < kAlertCount; ++i) {
    const bool below = kind_of(static_cast<Alert>(i)) == AlertKind::kBelow;
    first.values[i] = below ? 20 : 0;
    second.values[i] = i % 2 == 0 ? first.values[i] : below ? 0 : 20;
  }
  EXPECT_TRUE(book.judge(first).empty());
  const auto events = book.judge(second);
  ASSERT_EQ(events.size(), kAlertCount / 2);
  for (const AlertEvent& event : events) EXPECT_EQ(static_cast<std::size_t>(event.alert) % 2, 1U);
}

TEST(AlertBook, EveryAlertHasANameOfItsOwn) {
  for (std::size_t i = 0; i < kAlertCount; ++i) {
    const auto name = name_of(static_cast<Alert>(i));
    EXPECT_FALSE(name.empty());
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(name, name_of(static_cast<Alert>(j)));
  }
}

// The same rule, with everything remembered.
class SlowBook {
 public:
  explicit SlowBook(std::int64_t threshold) : threshold_(threshold) {}

  int judge(Elapsed now, std::int64_t counter) {  // 1: began, -1: ended, 0: neither
    double growth = 0;
    if (!seen_.empty()) {
      growth = static_cast<double>(counter < last_counter_ ? counter : counter - last_counter_);
      const auto gap = now - last_time_;
      if (gap > kAlertWindow) growth *= std::chrono::duration<double>(kAlertWindow) / gap;
    }
    last_time_ = now;
    last_counter_ = counter;
    seen_.emplace_back(now, static_cast<std::int64_t>(std::ceil(growth)));
    std::int64_t sum = 0;
    for (const auto& [when, n] : seen_) {
      if (slot(when) > slot(now) - 60) sum += n;
    }
    if (2 * sum >= threshold_) noisy_at_ = now;
    if (!active_ && sum >= threshold_) return active_ = true, 1;
    if (active_ && now - noisy_at_ >= 2 * kAlertWindow) return active_ = false, -1;
    return 0;
  }

 private:
  static std::int64_t slot(Elapsed when) {
    return std::chrono::duration_cast<seconds>(when.since_boot).count();
  }
  std::int64_t threshold_;
  Elapsed last_time_;
  std::int64_t last_counter_ = 0;
  std::vector<std::pair<Elapsed, std::int64_t>> seen_;
  Elapsed noisy_at_;
  bool active_ = false;
};

TEST(AlertBook, AgreesWithOneThatRemembersEverything) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const auto below = [&](std::uint32_t n) { return static_cast<std::int64_t>(random() % n); };
    const std::int64_t threshold = 1 + below(40);
    AlertBook book(only(Alert::kReplays, threshold));
    SlowBook slow(threshold);
    Elapsed now = at(0);
    std::int64_t counter = below(100);
    int open = 0;
    for (int i = 0; i < 500; ++i) {
      now = now + milliseconds(below(20) == 0 ? below(400'000) : below(12'000));
      const bool quiet = i / 100 % 2 == 1;
      counter = below(200) == 0 ? below(5) : counter + (quiet ? below(2) : below(9));
      AlertReading taken{now, {}};
      taken.values[static_cast<std::size_t>(Alert::kReplays)] = counter;
      const auto events = book.judge(taken);
      ASSERT_LE(events.size(), 1U);
      const int said = events.empty() ? 0 : events[0].began ? 1 : -1;
      ASSERT_EQ(said, slow.judge(now, counter)) << "reading " << i;
      open += said;
      ASSERT_TRUE(open == 0 || open == 1) << "one end for each beginning";
    }
  }
}

// A rate that hovers at the threshold, however it is read, is one alert and not many.
TEST(AlertBook, DoesNotFlapAtTheThreshold) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    const std::int64_t threshold = 20 + static_cast<std::int64_t>(random() % 200);
    AlertBook book(only(Alert::kFloods, threshold));
    std::size_t events = 0;
    double counter = 0;
    for (std::int64_t ms = 0; ms < 3'600'000;) {
      const std::int64_t step = 1 + static_cast<std::int64_t>(random() % 15'000);
      const double share = 0.85 + 0.3 * (static_cast<double>(random() % 1'000) / 1'000);
      counter += share * static_cast<double>(threshold) * static_cast<double>(step) / 60'000;
      ms += step;
      AlertReading taken{at(0) + milliseconds(ms), {}};
      taken.values[static_cast<std::size_t>(Alert::kFloods)] = static_cast<std::int64_t>(counter);
      events += book.judge(taken).size();
    }
    EXPECT_LE(events, 1U);
  }
}

}  // namespace
}  // namespace signet::alerts
