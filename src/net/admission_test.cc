#include "net/admission.h"

#include <gtest/gtest.h>

namespace signet::net {
namespace {

using Kind = Departure::Kind;

PeerAddress from(const std::string& host) { return *parse_address(host + ":1234"); }

TEST(Admission, RefusesWhatIsOverALimitAndSaysWhich) {
  NetOptions options;
  options.max_connections = 4;
  options.max_connections_per_address = 2;
  options.max_unproven = 3;
  Admission admission(options, 1);
  const auto leave = [&](const char* host, Kind kind) {
    admission.note({kind, 0, from(host).limit_key()});
  };
  const auto try_from = [&](const char* host) { return admission.admit(from(host)).refused; };

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

TEST(Admission, LetsANewcomerDisplaceTheOldestThatHasProvenNothing) {
  NetOptions options;
  options.max_unproven = 3;
  Admission admission(options, 2);
  const auto leave = [&](std::uint32_t shard, Kind kind) {
    admission.note({kind, shard, from("10.0.0.1").limit_key()});
  };
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(admission.admit(from("10.0.0.1")).displaces_in, std::nullopt);
  }
  leave(0, Kind::kProven);
  leave(0, Kind::kProven);  // now shard 1 has the only unproven one
  EXPECT_EQ(admission.admit(from("10.0.0.1")).displaces_in, std::nullopt);
  EXPECT_EQ(admission.admit(from("10.0.0.1")).displaces_in, std::nullopt);
  EXPECT_EQ(admission.admit(from("10.0.0.1")).displaces_in, 1u);

  EXPECT_EQ(admission.admit(from("10.0.0.1")).refused, std::nullopt);
  EXPECT_EQ(admission.admit(from("10.0.0.1")).refused, std::nullopt);
  EXPECT_EQ(admission.admit(from("10.0.0.1")).refused, Refused::kUnproven)
      << "twice the limit, if nobody leaves";
  leave(1, Kind::kLeftUnproven);
  EXPECT_EQ(admission.admit(from("10.0.0.1")).refused, std::nullopt);
}

TEST(Admission, ForgetsAddressesThatAreGone) {
  const NetOptions options;
  Admission admission(options, 1);
  for (int i = 0; i < 100; ++i) {
    const PeerAddress peer = from("10.0.0." + std::to_string(i));
    EXPECT_FALSE(admission.admit(peer).refused);
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
  EXPECT_FALSE(admission.admit(from("10.0.0.1")).refused);  // the process is full
  EXPECT_EQ(admission.admit(local).shard, 1u) << "the shard with the fewest";
  EXPECT_FALSE(admission.admit(local).refused);
  EXPECT_EQ(admission.admit(local).refused, Refused::kCapacity);
  EXPECT_EQ(admission.local(), 2u);
  EXPECT_EQ(admission.connections(), 1u);
  EXPECT_EQ(admission.unproven(), 1u);
  EXPECT_EQ(admission.addresses(), 1u);

  admission.note({Kind::kLeftProven, 1, local.limit_key(), true});
  admission.note({Kind::kLeftUnproven, 0, local.limit_key(), true});  // it came while all stopped
  EXPECT_EQ(admission.local(), 0u);
  EXPECT_EQ(admission.connections(), 1u);
  EXPECT_EQ(admission.unproven(), 1u);
  EXPECT_FALSE(admission.admit(local).refused);
}

TEST(Admission, ZeroMeansNoLimitPerAddress) {
  NetOptions options;
  options.max_connections_per_address = 0;
  Admission admission(options, 1);
  for (int i = 0; i < 2'000; ++i) EXPECT_FALSE(admission.admit(from("10.0.0.1")).refused);
}

TEST(Admission, ChoosesTheShardWithTheFewest) {
  const NetOptions options;
  Admission admission(options, 3);
  for (std::uint32_t i = 0; i < 6; ++i) {
    EXPECT_EQ(admission.admit(from("10.0.0.1")).shard, i % 3);
  }
  admission.note({Kind::kLeftUnproven, 1, from("10.0.0.1").limit_key()});
  EXPECT_EQ(admission.admit(from("10.0.0.1")).shard, 1u);
}

}  // namespace
}  // namespace signet::net
