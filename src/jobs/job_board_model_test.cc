// The board against one that looks at everything each time, over random users, engines that lie and
// stall, timeouts, failing commits and restarts.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "jobs/board_drill_for_test.h"

namespace signet::jobs {
namespace {

TEST(JobBoardModel, DecidesWhatTheSlowBoardDecidesWhateverHappens) {
  const char* given = std::getenv("SIGNET_RUNS");
  const std::uint64_t runs = given == nullptr ? 16 : std::strtoull(given, nullptr, 10);
  BoardDrill::Seen all;
  for (std::uint64_t seed = 1; seed <= runs; ++seed) {
    std::mt19937_64 random(seed);
    std::string text(2'000, '\0');
    for (char& c : text) c = static_cast<char>(random() & 0xff);
    DrillBytes bytes(text);
    BoardDrill drill;
    for (int step = 0; !bytes.empty(); ++step) {
      const std::string fault = drill.step(bytes);
      ASSERT_EQ(fault, "") << "seed " << seed << ", step " << step;
    }
    const auto& seen = drill.seen();
    all.completed += seen.completed;
    all.timeouts += seen.timeouts;
    all.disconnected += seen.disconnected;
    all.world_failed += seen.world_failed;
    all.requeued += seen.requeued;
    all.forgotten += seen.forgotten;
    all.stale += seen.stale;
    all.unknown += seen.unknown;
    all.invalid += seen.invalid;
    all.repeated += seen.repeated;
    all.restarts += seen.restarts;
    all.worlds += seen.worlds;
    all.refused += seen.refused;
    all.retried += seen.retried;
  }
  // A drill that gets nowhere would hold, too.
  EXPECT_GT(all.completed, 100u);
  EXPECT_GT(all.timeouts, 20u);
  EXPECT_GT(all.disconnected, 10u);
  EXPECT_GT(all.world_failed, 10u);
  EXPECT_GT(all.requeued, 50u);
  EXPECT_GT(all.forgotten, 50u);
  EXPECT_GT(all.stale, 30u);
  EXPECT_GT(all.unknown, 50u);
  EXPECT_GT(all.invalid, 10u);
  EXPECT_GT(all.repeated, 3u);
  EXPECT_GT(all.restarts, 20u);
  EXPECT_GT(all.worlds, 100u);
  EXPECT_GT(all.refused, 20u);
  EXPECT_GT(all.retried, 20u);
}

}  // namespace
}  // namespace signet::jobs
