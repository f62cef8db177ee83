// Who is here, and in what state: what each call answers, and what others are shown.
#include "broker/hub_roster.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>

namespace signet::broker {
namespace {

using namespace std::chrono_literals;
using dialects::HubState;

constexpr WallTime kWall{1'700'000'000'000};
constexpr Elapsed kNow{1h};

class HubRosterTest : public testing::Test {
 protected:
  void come(const std::string& user, const std::string& socket, std::uint32_t shard = 0,
            bool admin = false, WallTime since = kWall, Elapsed now = kNow) {
    const std::string role = admin ? "admin" : "user";
    roster_.joined(user, {socket, role, shard, since, false, admin}, now);
  }
  // `uma:active by s2`, each of them.
  std::string here() const {
    std::string words;
    for (const auto& entry : roster_.all()) words += (words.empty() ? "" : ", ") + word_of(entry);
    return words;
  }
  static std::string word_of(const dialects::HubPresenceEntry& entry) {
    return entry.user + ":" + std::string(name_of(entry.state)) + " by " + entry.socket;
  }

  HubRoster roster_{5s};
};

TEST_F(HubRosterTest, TwoSocketsOfAUserAreOneWhoIsGoneWithTheLast) {
  come("uma", "s1");
  come("uma", "s2", 1, false, kWall + 1s);
  EXPECT_EQ(roster_.users(), 1U);
  EXPECT_EQ(here(), "uma:active by s2") << "the newest one is shown";
  EXPECT_EQ(roster_.all()[0].connected, kWall) << "since the first one";
  EXPECT_EQ(roster_.all()[0].last_active, kWall + 1s);
  EXPECT_FALSE(roster_.left("uma", "s2"));
  EXPECT_EQ(here(), "uma:active by s1");
  EXPECT_FALSE(roster_.left("uma", "s2")) << "it was not there any more";
  EXPECT_TRUE(roster_.left("uma", "s1"));
  EXPECT_EQ(here(), "");
  EXPECT_EQ(roster_.users(), 0U);
  come("uma", "s3", 0, false, kWall + 1h);
  EXPECT_EQ(roster_.all()[0].connected, kWall + 1h) << "nothing is left of who was gone";
}

TEST_F(HubRosterTest, WhoIsNotHereChangesNothing) {
  using Call = std::function<bool()>;
  const struct {
    const char* name;
    Call call;
  } rows[] = {
      {"left", [this] { return roster_.left("uma", "s1"); }},
      {"acted", [this] { return roster_.acted("uma", kWall, kNow); }},
      {"stated", [this] { return roster_.stated("uma", HubState::kIdle, kWall, kNow); }},
      {"silent", [this] { return roster_.silent("uma", "s1", true); }},
      {"is admin", [this] { return roster_.is_admin("uma"); }},
      {"own", [this] { return !roster_.own("uma").empty(); }},
      {"shards", [this] { return !roster_.shards_of("uma").empty(); }},
  };
  for (const auto& row : rows) EXPECT_FALSE(row.call()) << row.name;
  EXPECT_EQ(roster_.users(), 0U);
}

TEST_F(HubRosterTest, ASilentUserIsOneAllOfWhoseSocketsAre) {
  const struct {
    const char* name;
    HubState stated;
    bool first_is_silent, second_is_silent;
    HubState shown;
  } rows[] = {
      {"neither", HubState::kActive, false, false, HubState::kActive},
      {"the first", HubState::kActive, true, false, HubState::kActive},
      {"the second", HubState::kActive, false, true, HubState::kActive},
      {"both", HubState::kActive, true, true, HubState::kInactive},
      {"neither of an idle one", HubState::kIdle, false, false, HubState::kIdle},
      {"one of an idle one", HubState::kIdle, true, false, HubState::kIdle},
      {"both of an idle one", HubState::kIdle, true, true, HubState::kInactive},
      {"neither of who says it is inactive", HubState::kInactive, false, false,
       HubState::kInactive},
  };
  for (const auto& row : rows) {
    come(row.name, "s1");
    come(row.name, "s2");
    roster_.stated(row.name, row.stated, kWall, kNow);
    roster_.silent(row.name, "s1", row.first_is_silent);
    roster_.silent(row.name, "s2", row.second_is_silent);
    EXPECT_EQ(roster_.own(row.name)[0].state, row.shown) << row.name;
  }
}

TEST_F(HubRosterTest, SilenceIsNewsOnlyWhereOthersSeeIt) {
  come("uma", "s1");
  come("uma", "s2");
  EXPECT_FALSE(roster_.silent("uma", "s1", true)) << "the other one is heard";
  EXPECT_TRUE(roster_.silent("uma", "s2", true));
  EXPECT_FALSE(roster_.silent("uma", "s2", true)) << "it was known";
  EXPECT_FALSE(roster_.silent("uma", "s9", false)) << "no socket of theirs";
  EXPECT_TRUE(roster_.silent("uma", "s1", false));
  EXPECT_FALSE(roster_.left("uma", "s1"));
  EXPECT_EQ(here(), "uma:inactive by s2") << "who is left is silent";
  come("uma", "s3");
  EXPECT_EQ(here(), "uma:active by s3");
}

TEST_F(HubRosterTest, WhatIsStatedIsNewsWhereItIsAnotherState) {
  const struct {
    const char* name;
    HubState before, stated;
    bool news;
  } rows[] = {
      {"idle", HubState::kActive, HubState::kIdle, true},
      {"still idle", HubState::kIdle, HubState::kIdle, false},
      {"back", HubState::kIdle, HubState::kActive, true},
      {"inactive", HubState::kIdle, HubState::kInactive, true},
      {"still inactive", HubState::kInactive, HubState::kInactive, false},
  };
  for (const auto& row : rows) {
    come(row.name, "s1");
    roster_.stated(row.name, row.before, kWall, kNow);
    EXPECT_EQ(roster_.stated(row.name, row.stated, kWall + 2s, kNow + 2s), row.news) << row.name;
    const auto entry = roster_.own(row.name)[0];
    EXPECT_EQ(entry.state, row.stated) << row.name;
    const bool acted = row.stated == HubState::kActive;
    EXPECT_EQ(entry.last_active, acted ? kWall + 2s : kWall) << row.name;
  }
}

TEST_F(HubRosterTest, WhoDoesNothingIsIdleAfterAWhileAndOnce) {
  using Names = std::vector<std::string>;
  come("uma", "s1");
  come("vic", "s2");
  EXPECT_EQ(roster_.on_time(kNow + 4999ms), Names{});
  roster_.acted("vic", kWall + 4s, kNow + 4s);
  EXPECT_EQ(roster_.on_time(kNow + 5s), Names{"uma"});
  EXPECT_EQ(roster_.on_time(kNow + 6s), Names{}) << "it is known";
  EXPECT_EQ(here(), "uma:idle by s1, vic:active by s2");
  roster_.stated("vic", HubState::kInactive, kWall, kNow);
  EXPECT_EQ(roster_.on_time(kNow + 1h), Names{}) << "what they say of themselves stays";
  EXPECT_TRUE(roster_.acted("uma", kWall + 1h, kNow + 1h));
  EXPECT_EQ(roster_.on_time(kNow + 1h + 5s), Names{"uma"});
}

TEST_F(HubRosterTest, TellsRolesAndWhereTheySit) {
  come("uma", "s1", 0);
  come("uma", "s2", 2);
  come("ada", "s3", 1, true);
  EXPECT_EQ(roster_.shards_of("uma"), (std::set<std::uint32_t>{0, 2}));
  EXPECT_EQ(roster_.admins(), std::vector<std::string>{"ada"});
  EXPECT_TRUE(roster_.is_admin("ada"));
  EXPECT_FALSE(roster_.is_admin("uma"));
  EXPECT_EQ(here(), "ada:active by s3, uma:active by s2");
  ASSERT_EQ(roster_.own("uma").size(), 1U);
  EXPECT_EQ(word_of(roster_.own("uma")[0]), "uma:active by s2");
  roster_.left("uma", "s2");
  EXPECT_EQ(roster_.shards_of("uma"), std::set<std::uint32_t>{0});
}

TEST_F(HubRosterTest, ARoleIsASocketsOwnAndTheNewestOnesIsShown) {
  const auto role = [this] { return roster_.own("uma")[0].role; };
  come("uma", "s1", 0, true);
  come("uma", "s2");
  EXPECT_EQ(role(), "user");
  EXPECT_TRUE(roster_.is_admin("uma"));
  roster_.set_role("uma", "s2", "moderator", false);
  EXPECT_EQ(role(), "moderator");
  EXPECT_TRUE(roster_.is_admin("uma")) << "the other one still is";
  roster_.set_role("uma", "s1", "user", false);
  EXPECT_EQ(role(), "moderator");
  EXPECT_FALSE(roster_.is_admin("uma"));
  EXPECT_TRUE(roster_.admins().empty());
  roster_.left("uma", "s2");
  EXPECT_EQ(role(), "user") << "of who is left";
  roster_.set_role("uma", "s2", "admin", true);
  roster_.set_role("vic", "s1", "admin", true);
  EXPECT_TRUE(roster_.admins().empty()) << "of who is not here nothing is set";
}

TEST_F(HubRosterTest, AMapHasSoManyOfWhoCameLast) {
  constexpr std::size_t kMost = HubRoster::kMostShown;
  for (std::size_t i = 0; i < kMost; ++i) {
    come("user" + std::to_string(i), "s", 0, false, kWall + std::chrono::milliseconds(i));
  }
  EXPECT_EQ(roster_.all().size(), kMost);
  come("the last", "s", 0, false, kWall + 1h);
  come("the first", "s", 0, false, kWall - 1h);
  const auto shown = roster_.all();
  ASSERT_EQ(shown.size(), kMost);
  const auto has = [&](const std::string& name) {
    return std::any_of(shown.begin(), shown.end(),
                       [&](const auto& entry) { return entry.user == name; });
  };
  EXPECT_TRUE(has("the last"));
  EXPECT_TRUE(has("user1"));
  EXPECT_FALSE(has("user0"));
  EXPECT_FALSE(has("the first"));
  EXPECT_EQ(roster_.users(), kMost + 2);
  EXPECT_EQ(roster_.own("the first").size(), 1U) << "who is not on the map is here";
}

}  // namespace
}  // namespace signet::broker
