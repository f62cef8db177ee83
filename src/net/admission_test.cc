#include "net/admission.h"

#include <gtest/gtest.h>

#include <limits>

namespace signet::net {
namespace {

using Kind = Departure::Kind;

constexpr std::uint32_t kNever =
    std::numeric_limits<std::uint32_t>::max();  // a roll that ends none
constexpr std::uint32_t kAlways = 0;            // and one that does wherever there is a chance

PeerAddress from(const std::string& host) { return *parse_address(host + ":1234"); }

// Early drop and shares have tests of their own.
NetOptions hard_edges() {
  NetOptions options;
  options.unproven_start = options.max_unproven;
  options.unproven_share_percent = 0;
  options.reserve_percent = 0;
  return options;
}

TEST(Admission, RefusesWhatIsOverALimitAndSaysWhich) {
  NetOptions options = hard_edges();
  options.max_connections = 4;
  options.max_connections_per_address = 2;
  options.max_unproven = 3;
  Admission admission(options, 1);
  const auto leave = [&](const char* host, Kind kind) {
    admission.note({kind, 0, from(host).limit_key()});
  };
  const auto try_from = [&](const char* host) {
    return admission.admit(from(host), kNever).refused;
  };

  EXPECT_EQ(try_from("10.0.0.1"), std::nullopt);
  EXPECT_EQ(try_from("10.0.0.1"), std::nullopt);
  EXPECT_EQ(try_from("10.0.0.1"), Refused::kAddress);
  EXPECT_EQ(try_from("10.0.0.2"), std::nullopt);
  leave("10.0.0.1", Kind::kProven);
  EXPECT_EQ(try_from("10.0.0.3"), std::nullopt);
  EXPECT_EQ(try_from("10.0.0.4"), Refused::kCapacity);

  leave("10.0.0.1", Kind::kLeftProven);
  leave("10.0.0.1", Kind::kLeftUnproven);
  EXPECT_EQ(try_from("10.0.0.1"), std::nullopt);
  EXPECT_EQ(admission.connections(), 3u);
  EXPECT_EQ(admission.unproven(), 3u);
}

TEST(Admission, LetsANewcomerDisplaceOneThatHasProvenNothing) {
  NetOptions options = hard_edges();
  options.max_unproven = options.unproven_start = 3;
  Admission admission(options, 2);
  const auto leave = [&](std::uint32_t shard, Kind kind) {
    admission.note({kind, shard, from("10.0.0.1").limit_key()});
  };
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(admission.admit(from("10.0.0.1"), kNever).displaces_in, std::nullopt);
  }
  leave(0, Kind::kProven);
  leave(0, Kind::kProven);  // now shard 1 has the only unproven one
  EXPECT_EQ(admission.admit(from("10.0.0.1"), kNever).displaces_in, std::nullopt);
  EXPECT_EQ(admission.admit(from("10.0.0.1"), kNever).displaces_in, std::nullopt);
  EXPECT_EQ(admission.admit(from("10.0.0.1"), kNever).displaces_in, 1u);

  EXPECT_EQ(admission.admit(from("10.0.0.1"), kNever).refused, std::nullopt);
  EXPECT_EQ(admission.admit(from("10.0.0.1"), kNever).refused, std::nullopt);
  EXPECT_EQ(admission.admit(from("10.0.0.1"), kNever).refused, Refused::kUnproven)
      << "twice the limit, if nobody leaves";
  leave(1, Kind::kLeftUnproven);
  EXPECT_EQ(admission.admit(from("10.0.0.1"), kNever).refused, std::nullopt);
}

TEST(Admission, ForgetsAddressesThatAreGone) {
  const NetOptions options = hard_edges();
  Admission admission(options, 1);
  for (int i = 0; i < 100; ++i) {
    const PeerAddress peer = from("10.0.0." + std::to_string(i));
    EXPECT_FALSE(admission.admit(peer, kNever).refused);
    admission.note({Kind::kLeftUnproven, 0, peer.limit_key()});
  }
  EXPECT_EQ(admission.addresses(), 0u);
  EXPECT_EQ(admission.connections(), 0u);
}

TEST(Admission, CountsThoseOfTheUnixSocketForThemselves) {
  NetOptions options;
  options.max_connections = 1;
  options.max_unproven = 1;
  options.max_connections_per_address = 1;
  options.max_local_connections = 2;
  Admission admission(options, 2);
  PeerAddress local;
  local.local_user = 0;
  EXPECT_FALSE(admission.admit(from("10.0.0.1"), kNever).refused);  // the process is full
  EXPECT_EQ(admission.admit(local, kNever).shard, 1u) << "the shard with the fewest";
  EXPECT_FALSE(admission.admit(local, kNever).refused);
  EXPECT_EQ(admission.admit(local, kNever).refused, Refused::kCapacity);
  EXPECT_EQ(admission.local(), 2u);
  EXPECT_EQ(admission.connections(), 1u);
  EXPECT_EQ(admission.unproven(), 1u);
  EXPECT_EQ(admission.addresses(), 1u);

  admission.note({Kind::kLeftProven, 1, local.limit_key(), true});
  admission.note({Kind::kLeftUnproven, 0, local.limit_key(), true});  // it came while all stopped
  EXPECT_EQ(admission.local(), 0u);
  EXPECT_EQ(admission.connections(), 1u);
  EXPECT_EQ(admission.unproven(), 1u);
  EXPECT_FALSE(admission.admit(local, kNever).refused);
}

TEST(Admission, EndsOneWithAChanceThatRisesFromTheStartToTheMost) {
  constexpr std::uint32_t kHalf = 1U << 31;
  struct Case {
    const char* name;
    std::size_t start;
    std::size_t unproven;  // that are there already
    std::uint32_t roll;
    bool displaces;
  };
  const Case cases[] = {
      {"none are there", 0, 0, kAlways, false},
      {"at the start there is no chance yet", 50, 50, kAlways, false},
      {"one more and there is", 50, 51, kAlways, true},
      {"which is small", 50, 51, kHalf, false},
      {"a quarter is not yet a half", 40, 55, kHalf, false},
      {"a half is", 40, 71, kHalf, true},
      {"nearly all", 40, 99, kNever - (kNever / 50), true},
      {"but not quite", 40, 99, kNever, false},
      {"at the most it is certain", 40, 100, kNever, true},
      {"half of the most is the start where none is named", 0, 50, kAlways, false},
      {"and no less", 0, 51, kAlways, true},
      {"a start at the most is a hard edge", 100, 99, kAlways, false},
      {"of which a start beyond makes none softer", 1'000, 99, kAlways, false},
      {"nor later", 1'000, 100, kNever, true},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    NetOptions options = hard_edges();
    options.max_unproven = 100;
    options.unproven_start = c.start;
    Admission admission(options, 1);
    for (std::size_t i = 0; i < c.unproven; ++i) {
      ASSERT_FALSE(admission.admit(from("10.0.0.1"), kNever).refused);
    }
    const auto answer = admission.admit(from("10.0.0.2"), c.roll);
    EXPECT_EQ(answer.refused, std::nullopt);
    EXPECT_EQ(answer.displaces_in.has_value(), c.displaces);
  }
}

TEST(Admission, LeavesOneAddressNoMoreThanItsShareOnceRoomGrowsShort) {
  NetOptions options = hard_edges();
  options.max_unproven = 100;
  options.unproven_start = 50;
  options.unproven_share_percent = 10;
  Admission admission(options, 1);
  const auto try_from = [&](const char* host) {
    return admission.admit(from(host), kNever).refused;
  };
  for (int i = 0; i < 50; ++i) EXPECT_EQ(try_from("10.0.0.1"), std::nullopt) << "room enough";
  EXPECT_EQ(try_from("10.0.0.1"), Refused::kUnprovenShare);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(try_from("10.0.0.2"), std::nullopt);
  EXPECT_EQ(try_from("10.0.0.2"), Refused::kUnprovenShare);
  EXPECT_EQ(try_from("10.0.0.3"), std::nullopt);

  admission.note({Kind::kProven, 0, from("10.0.0.2").limit_key()});
  EXPECT_EQ(try_from("10.0.0.2"), std::nullopt) << "who is proven takes no such place";
  admission.note({Kind::kLeftProven, 0, from("10.0.0.2").limit_key()});
  EXPECT_EQ(try_from("10.0.0.2"), Refused::kUnprovenShare);
  admission.note({Kind::kLeftUnproven, 0, from("10.0.0.2").limit_key()});
  EXPECT_EQ(try_from("10.0.0.2"), std::nullopt);

  for (int i = 0; i < 40; ++i)
    admission.note({Kind::kLeftUnproven, 0, from("10.0.0.1").limit_key()});
  EXPECT_EQ(try_from("10.0.0.1"), std::nullopt) << "there is room again";
}

TEST(Admission, AShareIsAtLeastOnePlace) {
  NetOptions options = hard_edges();
  options.max_unproven = 4;
  options.unproven_start = 1;
  options.unproven_share_percent = 1;
  Admission admission(options, 1);
  EXPECT_FALSE(admission.admit(from("10.0.0.1"), kNever).refused);
  EXPECT_FALSE(admission.admit(from("10.0.0.2"), kNever).refused);
  EXPECT_EQ(admission.admit(from("10.0.0.2"), kNever).refused, Refused::kUnprovenShare);
}

TEST(Admission, TheReserveFillsWithTheProvenOnly) {
  NetOptions options = hard_edges();
  options.max_connections = 100;
  options.max_connections_per_address = 0;
  options.reserve_percent = 10;
  Admission admission(options, 1);
  const auto key = from("10.0.0.1").limit_key();
  for (int i = 0; i < 90; ++i) {
    EXPECT_EQ(admission.admit(from("10.0.0.1"), kAlways).displaces_in, std::nullopt);
  }
  for (int i = 0; i < 500; ++i) {  // silent ones replace one another
    ASSERT_TRUE(admission.admit(from("10.0.0.1"), kNever).displaces_in);
    admission.note({Kind::kLeftUnproven, 0, key});
  }
  EXPECT_EQ(admission.connections(), 90u);
  for (int i = 0; i < 90; ++i) {  // each honest one replaces a silent one
    ASSERT_TRUE(admission.admit(from("10.0.0.1"), kNever).displaces_in);
    admission.note({Kind::kLeftUnproven, 0, key});
    admission.note({Kind::kProven, 0, key});
  }
  EXPECT_EQ(admission.unproven(), 0u);
  for (int i = 0; i < 10; ++i) {
    const auto answer = admission.admit(from("10.0.0.1"), kNever);
    EXPECT_EQ(answer.refused, std::nullopt);
    EXPECT_EQ(answer.displaces_in, std::nullopt) << "all are proven: nobody is left to make room";
    admission.note({Kind::kProven, 0, key});
  }
  EXPECT_EQ(admission.admit(from("10.0.0.1"), kNever).refused, Refused::kCapacity);
}

TEST(Admission, ZeroMeansNoLimitPerAddress) {
  NetOptions options = hard_edges();
  options.max_connections_per_address = 0;
  Admission admission(options, 1);
  for (int i = 0; i < 2'000; ++i) EXPECT_FALSE(admission.admit(from("10.0.0.1"), kNever).refused);
}

TEST(Admission, CountsATrustedProxyForNoAddress) {
  NetOptions options = hard_edges();
  options.max_connections_per_address = 1;
  options.max_connections = 4;
  Admission admission(options, 1);
  const auto enter = [&](bool is_proxy) {
    return admission.admit(from("10.0.0.1"), kNever, is_proxy).refused;
  };
  for (int i = 0; i < 3; ++i) EXPECT_EQ(enter(true), std::nullopt);
  EXPECT_EQ(admission.addresses(), 0u);
  EXPECT_EQ(enter(false), std::nullopt);
  EXPECT_EQ(enter(true), Refused::kCapacity) << "but the places are as many";

  admission.note({Kind::kProven, 0, std::nullopt});
  EXPECT_EQ(admission.unproven(), 3u);
  admission.note({Kind::kLeftProven, 0, std::nullopt});
  admission.note({Kind::kLeftUnproven, 0, std::nullopt});
  EXPECT_EQ(admission.unproven(), 2u);
  EXPECT_EQ(admission.connections(), 2u);
  EXPECT_EQ(admission.addresses(), 1u) << "that of the other";
}

TEST(Admission, CountsOneThatMovesAtItsNewShardAndOnceForAll) {
  NetOptions options = hard_edges();
  options.max_connections_per_address = 1;
  options.max_unproven = options.unproven_start = 1;
  for (const bool is_proven : {false, true}) {
    SCOPED_TRACE(is_proven);
    Admission admission(options, 2);
    const auto tell = [&](Kind kind, std::uint32_t shard, std::uint32_t to = 0) {
      admission.note({kind, shard, from("10.0.0.1").limit_key(), false, to});
    };
    ASSERT_EQ(admission.admit(from("10.0.0.1"), kNever).shard, 0u);
    if (is_proven) tell(Kind::kProven, 0);
    tell(is_proven ? Kind::kMovedProven : Kind::kMovedUnproven, 0, 1);
    EXPECT_EQ(admission.admit(from("10.0.0.1"), kNever).refused, Refused::kAddress);
    EXPECT_EQ(admission.connections(), 1u);
    EXPECT_EQ(admission.unproven(), is_proven ? 0u : 1u);

    const auto next = admission.admit(from("10.0.0.2"), kNever);
    EXPECT_EQ(next.shard, 0u) << "the other one has the one that moved";
    EXPECT_EQ(next.displaces_in, is_proven ? std::nullopt : std::optional(1u));
    tell(is_proven ? Kind::kLeftProven : Kind::kLeftUnproven, 1);
    EXPECT_EQ(admission.connections(), 1u);
    EXPECT_EQ(admission.unproven(), 1u);
    EXPECT_EQ(admission.addresses(), 1u);
  }
}

TEST(Admission, CountsOneOfTheUnixSocketAtItsNewShard) {
  const NetOptions options = hard_edges();
  Admission admission(options, 2);
  PeerAddress peer;
  peer.local_user = 0;
  ASSERT_EQ(admission.admit(peer, kNever).shard, 0u);
  admission.note({Kind::kMovedProven, 0, std::nullopt, true, 1});
  EXPECT_EQ(admission.admit(from("10.0.0.1"), kNever).shard, 0u);
  admission.note({Kind::kLeftProven, 1, std::nullopt, true});
  EXPECT_EQ(admission.local(), 0u);
  EXPECT_EQ(admission.connections(), 1u);
  EXPECT_EQ(admission.admit(from("10.0.0.2"), kNever).shard, 1u);
}

TEST(Admission, ChoosesTheShardWithTheFewest) {
  const NetOptions options;
  Admission admission(options, 3);
  for (std::uint32_t i = 0; i < 6; ++i) {
    EXPECT_EQ(admission.admit(from("10.0.0.1"), kNever).shard, i % 3);
  }
  admission.note({Kind::kLeftUnproven, 1, from("10.0.0.1").limit_key()});
  EXPECT_EQ(admission.admit(from("10.0.0.1"), kNever).shard, 1u);
}

}  // namespace
}  // namespace signet::net
