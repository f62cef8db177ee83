#include "client/channel_keys.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace signet::client {
namespace {

using Keys = std::vector<std::string>;

TEST(ChannelKeys, PlansByWhoHoldsTheKeyAndHowOldItIs) {
  const WallTime now{1'700'000'000'000};
  const std::chrono::milliseconds age = kMaxKeyAge;
  const std::chrono::milliseconds tick{1};
  // clang-format off
  const struct {
    const char* name;
    Keys holders, audience;
    WallTime made;
    bool make_new;
    Keys seal_to;
  } rows[] = {
      {"all hold it", {"a", "b"}, {"b", "a"}, now, false, {}},
      {"one came", {"a"}, {"a", "b"}, now, false, {"b"}},
      {"all came", {}, {"a", "b"}, now, false, {"a", "b"}},
      {"one left", {"a", "b"}, {"a"}, now, true, {"a"}},
      {"one left and one came", {"a", "b"}, {"a", "c"}, now, true, {"a", "c"}},
      {"all left", {"a"}, {}, now, true, {}},
      {"nobody was there, nobody is", {}, {}, now, false, {}},
      {"one was offered it and never answered", {"a", "?b"}, {"a", "b"}, now, false, {"b"}},
      {"one was offered it and left", {"a", "?b"}, {"a"}, now, true, {"a"}},
      {"one was offered it and took it", {"a", "?a"}, {"a"}, now, false, {}},
      {"as old as it may be", {"a"}, {"a"}, now - age, false, {}},
      {"too old", {"a"}, {"a"}, now - age - tick, true, {"a"}},
      {"made in the future: the clock was set back", {"a"}, {"a"}, now + tick, true, {"a"}},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const OwnChannelKey key{"#ops", "id", std::string(32, 'k'), row.holders, row.made};
    KeyPlan plan = plan_channel_key(&key, row.audience, now);
    std::sort(plan.seal_to.begin(), plan.seal_to.end());
    EXPECT_EQ(plan.make_new, row.make_new);
    EXPECT_EQ(plan.seal_to, row.seal_to);
  }
  std::cout << "plans: " << std::size(rows) << "\n";
}

TEST(ChannelKeys, MakesTheFirstKeyForAll) {
  const KeyPlan plan = plan_channel_key(nullptr, {"a", "b"}, WallTime{});
  EXPECT_TRUE(plan.make_new);
  EXPECT_EQ(plan.seal_to, (Keys{"a", "b"}));
}

TEST(ChannelKeys, NotesAnOfferOnce) {
  OwnChannelKey key{"#ops", "id", std::string(32, 'k'), {"a", "?b"}, {}};
  note_offers(key, {"b", "c"});
  note_offers(key, {"c"});
  EXPECT_EQ(key.holders, (Keys{"?b", "?c", "a"}));
}

}  // namespace
}  // namespace signet::client
