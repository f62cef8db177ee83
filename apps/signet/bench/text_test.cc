#include "signet/bench/text.h"

#include <gtest/gtest.h>

#include <limits>

namespace signet::cli {
namespace {

constexpr std::string_view kRun = "0123abcd";

TEST(BenchText, SaysWhatItWasGiven) {
  for (const BenchStamp& stamp : {BenchStamp{}, BenchStamp{3, 17, 1'234'567'890'123, false},
                                  BenchStamp{std::numeric_limits<std::uint32_t>::max(),
                                             std::numeric_limits<std::uint32_t>::max(),
                                             std::numeric_limits<std::uint64_t>::max(), true}}) {
    for (const std::size_t bytes : {kLeastBenchBytes, std::size_t{40'000}}) {
      const std::string text = write_bench_text(kRun, stamp, bytes);
      EXPECT_EQ(text.size(), bytes);
      const auto read = read_bench_text(kRun, text, bytes);
      ASSERT_TRUE(read) << text;
      EXPECT_EQ(read->sender, stamp.sender);
      EXPECT_EQ(read->number, stamp.number);
      EXPECT_EQ(read->due_ns, stamp.due_ns);
      EXPECT_EQ(read->is_again, stamp.is_again);
    }
  }
}

// No byte of it may change without being seen, but the ones that hold the values.
TEST(BenchText, AnythingElseIsNotRead) {
  const std::string text = write_bench_text(kRun, {1, 2, 3, false}, 100);
  EXPECT_FALSE(read_bench_text("ffffffff", text, 100)) << "another run";
  EXPECT_FALSE(read_bench_text(kRun, text, 101)) << "another size";
  EXPECT_FALSE(read_bench_text(kRun, "", 0));
  for (std::size_t cut = 0; cut < text.size(); ++cut) {
    EXPECT_FALSE(read_bench_text(kRun, text.substr(0, cut), 100)) << cut;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string broken = text;
    broken[i] = 'X';
    EXPECT_FALSE(read_bench_text(kRun, broken, 100)) << "byte " << i;
  }
}

}  // namespace
}  // namespace signet::cli
