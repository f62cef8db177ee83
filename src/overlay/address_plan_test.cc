#include "overlay/address_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <random>
#include <set>

namespace signet::overlay {
namespace {

Subnet subnet(std::string_view text) {
  const auto read = Subnet::of(text);
  EXPECT_TRUE(read.ok()) << text;
  return read.ok() ? *read : Subnet{};
}

TEST(Subnet, ReadsPrivateNetworks) {
  // clang-format off
  const struct { std::string_view text; std::uint32_t places; std::string_view first, last; } rows[] = {
      {"10.10.0.0/24", 253, "10.10.0.2", "10.10.0.254"},
      {"10.0.0.0/8", 16'777'213, "10.0.0.2", "10.255.255.254"},
      {"172.16.0.0/12", 1'048'573, "172.16.0.2", "172.31.255.254"},
      {"172.31.255.248/29", 5, "172.31.255.250", "172.31.255.254"},
      {"192.168.0.0/16", 65'533, "192.168.0.2", "192.168.255.254"},
      {"100.64.0.0/10", 4'194'301, "100.64.0.2", "100.127.255.254"},
      {"100.127.255.0/24", 253, "100.127.255.2", "100.127.255.254"},
  };
  // clang-format on
  for (const auto& row : rows) {
    const Subnet read = subnet(row.text);
    EXPECT_EQ(read.text(), row.text);
    EXPECT_EQ(read.places(), row.places) << row.text;
    EXPECT_EQ(read.address(2), row.first);
    EXPECT_EQ(read.address(row.places + 1), row.last);
    for (const std::uint32_t none : {0U, 1U, row.places + 2, row.places + 3, 0xffffffffU}) {
      EXPECT_FALSE(read.holds(none)) << row.text << " " << none;
    }
  }
  EXPECT_EQ(Subnet{}, subnet("10.10.0.0/24"));
  EXPECT_DEATH(Subnet{}.address(1), "");
  EXPECT_DEATH(Subnet{}.address(255), "");
}

TEST(Subnet, TakesNothingElse) {
  for (const std::string_view text :
       {"", "/", "10.10.0.0", "10.10.0.0/", "/24", "10.10.0.0/24/24", "10.10.0.0/024",
        "10.10.0.0/-1", "10.10.0.0/33", "10.10.0/24", "10.10.0.0/24 ", "mesh/24", "::1/64",
        // Bits that are set behind the network's.
        "10.10.0.1/24", "10.10.1.0/16", "10.10.0.4/29",
        // Too wide, too narrow.
        "10.0.0.0/7", "0.0.0.0/0", "10.10.0.0/30", "10.10.0.0/31", "10.10.0.0/32",
        // Of others, or of others in part.
        "8.8.8.0/24", "11.0.0.0/8", "172.0.0.0/8", "172.32.0.0/16", "172.15.0.0/16",
        "192.168.0.0/15", "192.0.0.0/8", "193.168.0.0/24", "100.0.0.0/8", "100.128.0.0/16",
        "100.63.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/8"}) {
    const auto read = Subnet::of(text);
    ASSERT_FALSE(read.ok()) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kMalformed) << text;
    EXPECT_FALSE(read.error().detail.empty());
  }
}

TEST(AddressPlan, GivesEachItsOwnFromTwoOn) {
  AddressPlan plan{Subnet{}};
  EXPECT_EQ(plan.place_for("node-a"), 2U);
  EXPECT_EQ(plan.place_for("node-b"), 3U);
  EXPECT_EQ(plan.place_for("node-a"), 2U);
  EXPECT_EQ(plan.taken(), 2U);
}

TEST(AddressPlan, IsFullWhenEachPlaceIsSomebodys) {
  AddressPlan plan(subnet("10.10.0.0/29"));
  for (int node = 0; node < 5; ++node) {
    EXPECT_EQ(plan.place_for("node-" + std::to_string(node)), 2U + static_cast<unsigned>(node));
  }
  EXPECT_EQ(plan.place_for("one-more"), std::nullopt);
  EXPECT_EQ(plan.taken(), 5U);
  EXPECT_EQ(plan.place_for("node-4"), 6U);
  plan.forget("node-3");
  EXPECT_EQ(plan.place_for("one-more"), 5U);
  EXPECT_EQ(plan.place_for("node-3"), std::nullopt) << "its place is another's now";
}

TEST(AddressPlan, GivesAForgottenPlaceLastAndTheLongestFreeFirst) {
  AddressPlan plan(subnet("10.10.0.0/29"));
  for (const char* name : {"a", "b", "c"}) plan.place_for(name);
  plan.forget("b");
  plan.forget("a");
  plan.forget("nobody");
  EXPECT_EQ(plan.place_for("d"), 5U);
  EXPECT_EQ(plan.place_for("a"), 6U) << "the last fresh one, though its own is free";
  EXPECT_EQ(plan.place_for("e"), 3U);
  plan.forget("d");
  EXPECT_EQ(plan.place_for("f"), 2U);
  EXPECT_EQ(plan.place_for("g"), 5U);
  EXPECT_EQ(plan.place_for("h"), std::nullopt);
}

TEST(AddressPlan, RestoresWhatIsOnDiskAndNoConflict) {
  AddressPlan plan(subnet("10.10.0.0/29"));
  // clang-format off
  const struct { const char* why; const char* name; std::uint32_t place; bool taken; } rows[] = {
      {"a place", "a", 4, true},
      {"the same again", "a", 4, true},
      {"another's place", "b", 4, false},
      {"another place of the same", "a", 5, false},
      {"the network's own address", "b", 0, false},
      {"the gateway's", "b", 1, false},
      {"the broadcast address", "b", 7, false},
      {"beyond the subnet", "b", 8, false},
      {"far beyond it", "b", 0xffffffff, false},
      {"a lower one", "b", 2, true},
      {"the last one", "c", 6, true},
  };
  // clang-format on
  for (const auto& row : rows) EXPECT_EQ(plan.restore(row.name, row.place), row.taken) << row.why;
  EXPECT_EQ(plan.taken(), 3U);
  EXPECT_EQ(plan.place_for("a"), 4U);
  EXPECT_EQ(plan.place_for("b"), 2U);
  // What lies between was given once: the longest free of all, which is before what is freed now.
  plan.forget("b");
  EXPECT_EQ(plan.place_for("d"), 3U);
  EXPECT_TRUE(plan.restore("e", 5)) << "in a gap";
  EXPECT_TRUE(plan.restore("f", 2)) << "freed since the start";
  EXPECT_EQ(plan.place_for("g"), std::nullopt);
}

TEST(AddressPlan, PrefersFreshPlacesToGapsAfterAStart) {
  AddressPlan plan(subnet("10.10.0.0/28"));
  ASSERT_TRUE(plan.restore("a", 12));
  EXPECT_EQ(plan.place_for("b"), 13U);
  EXPECT_EQ(plan.place_for("c"), 14U);
  EXPECT_EQ(plan.place_for("d"), 2U);
  EXPECT_TRUE(plan.restore("e", 5));
  EXPECT_EQ(plan.place_for("f"), 3U);
  EXPECT_EQ(plan.place_for("g"), 4U);
  EXPECT_EQ(plan.place_for("h"), 6U);
}

TEST(AddressPlan, OfAWideSubnetCostsNoMoreThanItsNodes) {
  AddressPlan plan(subnet("10.0.0.0/8"));
  ASSERT_TRUE(plan.restore("last", 16'777'214));
  ASSERT_TRUE(plan.restore("middle", 8'000'000));
  EXPECT_EQ(plan.place_for("a"), 2U);
  EXPECT_EQ(plan.place_for("b"), 3U);
}

// What a plan should do, said the slow way: all free places in the order in which they are given.
class SlowPlan {
 public:
  explicit SlowPlan(const Subnet& subnet) {
    for (std::uint32_t place = 2; subnet.holds(place); ++place) fresh_.push_back(place);
  }
  bool restore(const std::string& name, std::uint32_t place) {
    if (const auto known = names_.find(name); known != names_.end()) return known->second == place;
    while (!fresh_.empty() && fresh_.front() <= place) {
      gaps_.insert(fresh_.front());
      fresh_.pop_front();
    }
    const auto freed = std::find(freed_.begin(), freed_.end(), place);
    if (gaps_.erase(place) == 0) {
      if (freed == freed_.end()) return false;
      freed_.erase(freed);
    }
    names_[name] = place;
    return true;
  }
  std::optional<std::uint32_t> place_for(const std::string& name) {
    if (const auto known = names_.find(name); known != names_.end()) return known->second;
    std::uint32_t place = 0;
    if (!fresh_.empty()) {
      place = fresh_.front();
      fresh_.pop_front();
    } else if (!gaps_.empty()) {
      place = *gaps_.begin();
      gaps_.erase(gaps_.begin());
    } else if (!freed_.empty()) {
      place = freed_.front();
      freed_.pop_front();
    } else {
      return std::nullopt;
    }
    names_[name] = place;
    return place;
  }
  void forget(const std::string& name) {
    const auto known = names_.find(name);
    if (known == names_.end()) return;
    freed_.push_back(known->second);
    names_.erase(known);
  }
  const std::map<std::string, std::uint32_t>& names() const { return names_; }

 private:
  std::map<std::string, std::uint32_t> names_;
  std::deque<std::uint32_t> fresh_, freed_;
  std::set<std::uint32_t> gaps_;
};

TEST(AddressPlan, DoesWhatTheSlowOneDoes) {
  std::mt19937 random(5);
  const Subnet subnets[] = {subnet("10.10.0.0/29"), subnet("172.16.0.0/28"),
                            subnet("192.168.7.0/27")};
  for (int round = 0; round < 1'000; ++round) {
    const Subnet& of = subnets[random() % std::size(subnets)];
    AddressPlan plan(of);
    SlowPlan slow(of);
    for (int step = 0; step < 40; ++step) {
      const std::string name = "node-" + std::to_string(random() % (of.places() + 3));
      const auto what = random() % 8;
      if (what == 0 || (step < 10 && what < 4)) {
        const auto place = static_cast<std::uint32_t>(2 + random() % of.places());
        ASSERT_EQ(plan.restore(name, place), slow.restore(name, place)) << round << " " << step;
      } else if (what < 4) {
        plan.forget(name);
        slow.forget(name);
      } else {
        ASSERT_EQ(plan.place_for(name), slow.place_for(name)) << round << " " << step;
      }
    }
    ASSERT_EQ(plan.taken(), slow.names().size());
  }
}

// Threat K9: whatever members come and go, no two have one address, and none has one that is not a
// node's.
TEST(AddressPlan, IsDisjointAndStableForEveryMemberSet) {
  std::mt19937 random(6);
  const Subnet subnets[] = {subnet("10.10.0.0/29"), subnet("10.10.0.0/24"), subnet("10.0.0.0/8")};
  constexpr const char* kNames[] = {"a", "b", "c", "d", "e", "f", "g"};
  constexpr int kSets = 100'000;
  for (int set = 0; set < kSets; ++set) {
    const Subnet& of = subnets[random() % std::size(subnets)];
    AddressPlan plan(of);
    std::array<std::uint32_t, std::size(kNames)> places{};  // 0: none
    auto choices = random();
    for (int step = 0; step < 6; ++step, choices >>= 3) {
      const std::size_t node = choices % std::size(kNames);
      if (places[node] != 0 && step % 3 == 2) {
        plan.forget(kNames[node]);
        places[node] = 0;
        continue;
      }
      const auto place = plan.place_for(kNames[node]);
      if (!place) continue;
      ASSERT_TRUE(of.holds(*place)) << set;
      ASSERT_TRUE(places[node] == 0 || places[node] == *place) << set << ": moved";
      places[node] = *place;
    }
    std::sort(places.begin(), places.end());
    const auto given = std::upper_bound(places.begin(), places.end(), 0U);
    ASSERT_EQ(std::adjacent_find(given, places.end()), places.end()) << set << ": shared";
    ASSERT_EQ(plan.taken(), static_cast<std::size_t>(places.end() - given)) << set;
  }
}

}  // namespace
}  // namespace signet::overlay
