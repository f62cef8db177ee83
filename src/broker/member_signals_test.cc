#include "broker/member_signals.h"

#include <gtest/gtest.h>

namespace signet::broker {
namespace {

TEST(MemberSignals, AreToldOnceAndOfEachMemberInOne) {
  std::vector<SeenOfMembers> told;
  MemberSignals signals([&](SeenOfMembers seen) { told.push_back(std::move(seen)); });
  signals.flush();
  EXPECT_TRUE(told.empty()) << "nothing was seen";
  for (int i = 0; i < 3; ++i) signals.note({1}, {7}, false, Signal::kFailedProof);
  signals.note({1}, {7}, false, Signal::kReplay);
  signals.note({1}, {8}, true, Signal::kLostLease);
  signals.note({1}, {8}, false, Signal::kLostLease);
  signals.note({2}, {7}, false, Signal::kReplay);
  EXPECT_TRUE(told.empty()) << "not before it is time";
  signals.flush();
  signals.flush();
  ASSERT_EQ(told.size(), 1U);
  ASSERT_EQ(told[0].size(), 4U);
  const SeenOfMember& first = told[0][0];
  EXPECT_EQ(first.member, MemberNumber{7});
  EXPECT_EQ(first.failed_proofs, 3U);
  EXPECT_EQ(first.replays, 1U);
  EXPECT_EQ(first.lost_leases, 0U);
  EXPECT_FALSE(told[0][1].as_engine);
  EXPECT_TRUE(told[0][2].as_engine) << "an engine is another than a user of that number";
  EXPECT_EQ(told[0][3].mesh, MeshNumber{2});
}

TEST(MemberSignals, RememberNoMoreMembersThanTheyMay) {
  std::size_t told = 0;
  std::uint32_t of_first = 0;
  MemberSignals signals([&](const SeenOfMembers& seen) {
    told = seen.size();
    of_first = seen.front().replays;
  });
  const auto most = static_cast<std::int64_t>(MemberSignals::kMostMembers);
  for (std::int64_t i = 1; i <= most + 100; ++i) signals.note({1}, {i}, false, Signal::kReplay);
  signals.note({1}, {1}, false, Signal::kReplay);
  signals.flush();
  EXPECT_EQ(told, MemberSignals::kMostMembers);
  EXPECT_EQ(of_first, 2U) << "who is remembered is counted on";
}

}  // namespace
}  // namespace signet::broker
