#include "signet/bench/host.h"

#include <gtest/gtest.h>

#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

TEST(BenchHost, TheResidentBytesAreALineOfTheMetrics) {
  struct Row {
    const char* name;
    const char* metrics;
    std::optional<std::uint64_t> bytes;
  };
  // clang-format off
  const Row kRows[] = {
    {"alone",             "process_resident_memory_bytes 1234\n",                   1234},
    {"behind others",     "# TYPE x gauge\nx 1\nprocess_resident_memory_bytes 7\n", 7},
    {"as a float",        "process_resident_memory_bytes 1.5e+07\n",                15'000'000},
    {"only announced",    "# HELP process_resident_memory_bytes 5 of them\n",       std::nullopt},
    {"of another series", "xprocess_resident_memory_bytes 5\n",                     std::nullopt},
    {"no number",         "process_resident_memory_bytes NaN\n",                    std::nullopt},
    {"nothing behind it", "process_resident_memory_bytes ",                         std::nullopt},
    {"negative",          "process_resident_memory_bytes -5\n",                     std::nullopt},
    {"not there",         "broker_queue_depth 0\n",                                 std::nullopt},
    {"nothing",           "",                                                       std::nullopt},
  };
  // clang-format on
  for (const Row& row : kRows) EXPECT_EQ(resident_bytes_in(row.metrics), row.bytes) << row.name;
}

TEST(BenchHost, TheOwnCostIsKnown) {
  EXPECT_GT(own_resident_bytes().value_or(0), 1u << 20) << "a program has a MiB";
  const auto before = own_cpu_time();
  while (own_cpu_time() == before) {
  }
}

TEST(BenchHost, MoreConnectionsThanTheSystemHasAreRefused) {
  EXPECT_TRUE(allow_connections(1).ok());
  const Status refused = allow_connections(std::uint64_t{1} << 40);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(tell(refused.error()).code, "too_many_files");
}

}  // namespace
}  // namespace signet::cli
