#include "signet/profile/invite_link.h"

#include <gtest/gtest.h>

#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

constexpr WallTime kNow{1'700'000'000'000};

crypto::SecretKey owner_key() {
  std::array<unsigned char, 32> seed{};
  seed.fill(7);
  return crypto::SecretKey::from_seed(seed);
}

std::string link_until(std::int64_t expires, const std::string& slug = "team") {
  OwnedMesh mesh;
  mesh.mesh_id = "mesh-1";
  mesh.slug = slug;
  mesh.broker_url = "ws://localhost:7900/ws";
  mesh.root_key = "cm9vdA";
  return make_invite_link(owner_key(), mesh, "member", expires);
}

TEST(InviteLink, SaysWhatItsOwnerSigned) {
  const std::string link = link_until(1'700'000'001);
  EXPECT_TRUE(link.starts_with("ic://join/"));
  const auto facts = read_invite_link(link, kNow);
  ASSERT_TRUE(facts.ok());
  EXPECT_EQ(facts->claim.mesh_slug, "team");
  EXPECT_EQ(facts->claim.owner_key, crypto::to_hex(owner_key().public_key()));
  EXPECT_TRUE(facts->is_signed);
  EXPECT_FALSE(facts->is_expired);
  EXPECT_EQ(facts->digest.size(), 64U);
  EXPECT_TRUE(read_invite_link("https://example/join/" + facts->token, kNow)->is_signed);
  EXPECT_TRUE(read_invite_link(facts->token, kNow)->is_signed);
}

TEST(InviteLink, ExpiresWithItsSecond) {
  EXPECT_TRUE(read_invite_link(link_until(1'700'000'000), kNow)->is_expired);
}

TEST(InviteLink, ShowsThatItWasChanged) {
  const std::string link = link_until(1'800'000'000);
  const auto facts = read_invite_link(link, kNow);
  std::string json = *from_base64url(facts->token);
  json.replace(json.find("\"member\""), 8, "\"admin\"");
  const auto changed = read_invite_link("ic://join/" + to_base64url(bytes_of(json)), kNow);
  ASSERT_TRUE(changed.ok());
  EXPECT_EQ(changed->claim.role, "admin");
  EXPECT_FALSE(changed->is_signed);
}

TEST(InviteLink, IsRefusedWhereItIsNone) {
  for (const std::string_view text :
       {"", "ic://join/", "ic://join/%%%", "hello", "ic://join/e30"}) {
    const auto facts = read_invite_link(text, kNow);
    ASSERT_FALSE(facts.ok()) << text;
    EXPECT_EQ(tell(facts.error()).code, "invite_malformed") << text;
    EXPECT_EQ(tell(facts.error()).exit, kExitFailed) << text;
    EXPECT_EQ(tell(facts.error()).message, "this is no invite link, or not the whole of one");
  }
}

TEST(InviteLink, IsRefusedWhereItsMeshHasANameThatWritesLines) {
  for (const std::string slug : {"a\nYour key is", "a b", "-yes", "\xe2\x80\xae"}) {
    const auto facts = read_invite_link(link_until(1'700'000'001, slug), kNow);
    ASSERT_FALSE(facts.ok()) << slug;
    EXPECT_EQ(tell(facts.error()).code, "invite_malformed") << slug;
  }
}

TEST(Duration, IsANumberAndAUnit) {
  const struct {
    std::string_view text;
    std::int64_t seconds;  // 0: none
  } kRows[] = {{"30s", 30},       {"30m", 1'800},
               {"12h", 43'200},   {"7d", 604'800},
               {"2w", 1'209'600}, {"520w", 314'496'000},
               {"", 0},           {"7", 0},
               {"d", 0},          {"0d", 0},
               {"-1d", 0},        {"1.5h", 0},
               {"1 d", 0},        {"7y", 0},
               {"5000d", 0},      {"99999999999999999999d", 0}};
  for (const auto& row : kRows) {
    const auto duration = duration_from(row.text);
    EXPECT_EQ(duration ? duration->count() : 0, row.seconds) << row.text;
  }
}

}  // namespace
}  // namespace signet::cli
