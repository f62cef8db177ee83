#include "membership/audience.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "membership/fixture_for_test.h"

namespace signet::membership {
namespace {

crypto::PublicKey key_from(std::string_view hex) { return *crypto::public_key_from_hex(hex); }

// Two keys whose order as signed bytes is another one, and the two of the protocol's page.
const crypto::PublicKey kSmall = key_from("7f" + std::string(62, 'f'));
const crypto::PublicKey kLarge = key_from("80" + std::string(62, '0'));
const crypto::PublicKey kAnn =
    key_from("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8");
const crypto::PublicKey kBob =
    key_from("bafc71bead3ac5e4b63e9c8216ee71a34aaec65722eedbca728b4e9b3ccce396");

// The digests come from another implementation of BLAKE2b.
TEST(Audience, IsTheDigestOfTheSortedKeys) {
  // clang-format off
  const struct { const char* name; std::vector<crypto::PublicKey> keys; const char* digest; }
  rows[] = {
      {"nobody", {}, "76fbfa387fb612b968291f1ec235dd7c"},
      {"one", {kAnn}, "08b4edfa241d0f362264afec9e50c41e"},
      {"another", {kBob}, "dcfbbf9857085660eee2567f0862e8fc"},
      {"both", {kAnn, kBob}, "d6de58d4b122da29384ed203aa7d72a2"},
      {"both, turned round", {kBob, kAnn}, "d6de58d4b122da29384ed203aa7d72a2"},
      {"bytes are not signed", {kLarge, kSmall}, "145ee31521b0f673691f35347b99b9a0"},
  };
  // clang-format on
  for (const auto& row : rows) EXPECT_EQ(to_hex(audience_of(row.keys)), row.digest) << row.name;
}

// A mesh of ann (1) to dan (4), of whom ann, bob and cid are in #ops, and bob has the tag dev.
class AudienceTest : public testing::Test {
 protected:
  AudienceTest() {
    table_.apply(MeshAdded{mesh_named(1, "team")});
    const char* names[] = {"ann", "bob", "cid", "dan"};
    for (std::int64_t i = 0; i < 4; ++i) {
      const std::string name = names[i];
      std::vector<std::string> tags;
      if (name == "bob") tags.push_back("dev");
      table_.apply(MemberAdded{member_named(i + 1, 1, name, tags), {}});
    }
    for (std::int64_t i = 1; i <= 3; ++i) table_.apply(ChannelJoined{{i}, {1}, "ops"});
  }

  // Whom a message of `sender` to `to` is for, in the order of their keys.
  std::vector<const Member*> hearers(std::string_view to, std::int64_t sender = 1) {
    const MeshSnapshot& mesh = *table_.mesh(MeshNumber{1});
    return members_by_key(mesh, *mesh.recipients(*routing::parse_address(to), {sender}));
  }
  Audience audience(std::string_view to, std::int64_t sender = 1) {
    return audience_of(hearers(to, sender));
  }
  static Audience of_names(const std::vector<std::string>& names) {
    std::vector<crypto::PublicKey> keys;
    for (const std::string& name : names) keys.push_back(key_of(name).public_key());
    return audience_of(keys);
  }

  MembershipTable table_;
};

TEST_F(AudienceTest, IsWhomASendWouldReachAndNeverTheSender) {
  // clang-format off
  const struct { const char* to; std::int64_t sender; std::vector<std::string> names; } rows[] = {
      {"*", 1, {"bob", "cid", "dan"}},
      {"*", 2, {"ann", "cid", "dan"}},
      {"#ops", 1, {"bob", "cid"}},
      {"#ops", 4, {"ann", "bob", "cid"}},
      {"tag:dev", 1, {"bob"}},
      {"tag:dev", 2, {}},
      {"#nobody", 1, {}},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.to);
    EXPECT_EQ(audience(row.to, row.sender), of_names(row.names));
    const auto list = hearers(row.to, row.sender);
    EXPECT_EQ(list.size(), row.names.size());
    EXPECT_TRUE(std::is_sorted(list.begin(), list.end(),
                               [](const Member* a, const Member* b) { return *a->key < *b->key; }));
  }
}

TEST_F(AudienceTest, ChangesWithWhomAMessageReachesAndWithNothingElse) {
  const auto standing = [](std::int64_t member, Standing from, Standing to) {
    return StandingChanged{{member}, from, to};
  };
  // clang-format off
  const struct { const char* name; Change change; bool everyone, ops, dev; } rows[] = {
      {"another channel is joined", ChannelJoined{{4}, {1}, "den"}, false, false, false},
      {"the sender leaves the channel", ChannelLeft{{1}, {1}, "ops"}, false, false, false},
      {"somebody joins", ChannelJoined{{4}, {1}, "ops"}, false, true, false},
      {"joining twice", ChannelJoined{{4}, {1}, "ops"}, false, false, false},
      {"somebody leaves", ChannelLeft{{4}, {1}, "ops"}, false, true, false},
      {"a role without a tag", RoleChanged{{3}, Role::kAdmin, {}}, false, false, false},
      {"a tag is given", RoleChanged{{3}, Role::kAdmin, {"dev"}}, false, false, true},
      {"a member comes", MemberAdded{member_named(5, 1, "eve"), {}}, true, false, false},
      {"quarantine", standing(3, Standing::kAdmitted, Standing::kQuarantined), true, true, true},
      {"and back", standing(3, Standing::kQuarantined, Standing::kAdmitted), true, true, true},
      {"revoked", standing(2, Standing::kAdmitted, Standing::kRevoked), true, true, true},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const Audience everyone = audience("*"), ops = audience("#ops"), dev = audience("tag:dev");
    table_.apply(row.change);
    EXPECT_EQ(audience("*") != everyone, row.everyone);
    EXPECT_EQ(audience("#ops") != ops, row.ops);
    EXPECT_EQ(audience("tag:dev") != dev, row.dev);
  }
}

TEST_F(AudienceTest, KeysThatBeginAlikeAreSortedByTheirEnds) {
  std::vector<crypto::PublicKey> keys;
  for (std::int64_t i = 0; i < 32; ++i) {
    Member member = member_named(100 + i, 1, "twin" + std::to_string(i), {"twin"});
    member.key = kAnn;
    member.key->bytes[31 - static_cast<std::size_t>(i)] ^= 0xff;
    keys.push_back(*member.key);
    table_.apply(MemberAdded{member, {}});
  }
  const auto twins = hearers("tag:twin");
  std::sort(keys.begin(), keys.end());
  ASSERT_EQ(twins.size(), keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(twins[i]->key, keys[i]) << i;
  EXPECT_EQ(audience_of(twins), audience_of(keys));
}

TEST_F(AudienceTest, ANumberOfNobodyIsLeftOut) {
  const MeshSnapshot& mesh = *table_.mesh(MeshNumber{1});
  EXPECT_EQ(members_by_key(mesh, {{2}, {99}}).size(), 1U);
}

}  // namespace
}  // namespace signet::membership
