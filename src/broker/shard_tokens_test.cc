// Which tokens the doors of a shard believe, and for how long.
#include "broker/tokens_for_test.h"
#include "trust/jws.h"

namespace signet::broker {
namespace {

using namespace std::chrono_literals;
using Checked = std::variant<trust::TokenFacts, TokenRefusal>;

// Another desk of the shard, that sees what the test lets it see.
class Desk final : public ShardCore {
 public:
  using ShardCore::ShardCore;
  void see(std::shared_ptr<const membership::MembershipSnapshot> snapshot) {
    snapshot_ = std::move(snapshot);
  }
  void see(const Rules& rules) { rules_ = std::make_shared<const Rules>(rules); }

 private:
  void announce(MeshNumber, const std::string&, const std::string&) override {}
};

class ShardTokens : public TokenStory {
 protected:
  ShardTokens() { table_.apply(membership::MeshAdded{membership::mesh_named(1, "team")}); }

  Desk& desk() {
    if (!desk_) {
      start(1);
      desk_.emplace(*shared_, *shards_[0]);
      desk_->see(table_.snapshot());
    }
    desk_->see(rules_);
    return *desk_;
  }
  void revoke_here(membership::TokenRevocation revocation) {
    table_.apply(membership::TokensRevoked{{1}, std::move(revocation)});
    desk().see(table_.snapshot());
  }
  // Claims that hold for an hour, as some issuer writes them.
  std::string claims(const std::string& more) const {
    const std::int64_t now = clock_.wall().ms / 1'000;
    const std::string text = "{" + more + R"(,"iat":)" + std::to_string(now) + R"(,"exp":)" +
                             std::to_string(now + 3'600) + "}";
    return *trust::sign_jws(R"({"alg":"EdDSA","kid":"one"})", text, key_named("one"));
  }
  // `gauge`, or the rule that is broken.
  static std::string word_of_check(const Checked& checked) {
    const auto* rule = std::get_if<TokenRefusal>(&checked);
    return rule == nullptr ? std::get<trust::TokenFacts>(checked).subject
                           : std::string(name_of(*rule));
  }
  std::string lost(const HeldToken& held) {
    const auto rule = desk().lost_token({1}, held.subject, held);
    return rule ? std::string(name_of(*rule)) : "holds";
  }
  void set_hub(std::vector<std::string> issuers, bool without_issuer) {
    HubDoor hub;
    hub.engine_issuers = std::move(issuers);
    hub.engines_without_issuer = without_issuer;
    rules_.otherwise.hub = std::make_shared<const HubDoor>(std::move(hub));
  }

  membership::MembershipTable table_;
  std::optional<Desk> desk_;
};

TEST_F(ShardTokens, EnginesHaveIssuersAndANameOfTheirOwn) {
  const std::string member = claims(R"("iss":"issuer","sub":"gauge")");
  const std::string engine = claims(R"("iss":"issuer","engineId":"gpu-1","role":"engine")");
  const std::string other = claims(R"("iss":"farm","engineId":"gpu-1","role":"engine")");
  const std::string whose = claims(R"("engineId":"gpu-1","role":"engine")");
  const std::string both = claims(R"("iss":"farm","sub":"gauge","engineId":"gpu-1")");
  enum Hub { kOff, kOn, kFarm, kDev };
  const struct {
    const char* name;
    Hub hub;
    std::string token;
    TokenUse use;
    const char* word;
  } rows[] = {
      {"a member's", kFarm, member, TokenUse::kMember, "gauge"},
      {"a member's as an engine's", kFarm, member, TokenUse::kEngine, "missing_claim"},
      {"an engine's", kFarm, engine, TokenUse::kEngine, "gpu-1"},
      {"an engine's as a member's", kFarm, engine, TokenUse::kMember, "missing_claim"},
      {"an engine's where Hub is off", kOff, engine, TokenUse::kEngine, "gpu-1"},
      {"of an engines' issuer", kFarm, other, TokenUse::kEngine, "gpu-1"},
      {"of one that is not listed", kOn, other, TokenUse::kEngine, "wrong_issuer"},
      {"of one where Hub is off", kOff, other, TokenUse::kEngine, "wrong_issuer"},
      {"of engines' issuer for a member", kFarm, both, TokenUse::kMember, "wrong_issuer"},
      {"of no issuer", kFarm, whose, TokenUse::kEngine, "missing_claim"},
      {"of no issuer at home", kDev, whose, TokenUse::kEngine, "gpu-1"},
      {"of no issuer for a member", kDev, claims(R"("sub":"gauge")"), TokenUse::kMember,
       "missing_claim"},
  };
  for (const auto& row : rows) {
    set_hub(row.hub == kFarm ? std::vector<std::string>{"farm"} : std::vector<std::string>{},
            row.hub == kDev);
    if (row.hub == kOff) rules_.otherwise.hub = nullptr;
    EXPECT_EQ(word_of_check(desk().check_token({1}, row.token, row.use)), row.word) << row.name;
  }
}

TEST_F(ShardTokens, NoneIsBelievedWithoutAMeshOrADoor) {
  const std::string shown = token("gauge");
  EXPECT_EQ(word_of_check(desk().check_token({1}, shown)), "gauge");
  EXPECT_EQ(word_of_check(desk().check_token({9}, shown)), "unknown_key");
  revoke_here({"", "gauge", clock_.wall() + 1s, {}});
  EXPECT_EQ(word_of_check(desk().check_token({1}, shown)), "revoked");
  rules_.otherwise.tokens = nullptr;
  EXPECT_EQ(word_of_check(desk().check_token({1}, shown)), "unknown_key");
}

TEST_F(ShardTokens, WhatIsHeldSaysWhoseItIsAndWhenItEnds) {
  trust::TokenFacts taken = facts("gauge");
  taken.key_id = "one";
  taken.id = "t-1";
  const HeldToken held = desk().hold({1}, taken);
  EXPECT_EQ(held.subject, "gauge");
  EXPECT_EQ(held.id, "t-1");
  EXPECT_EQ(held.issued, taken.issued);
  EXPECT_EQ(held.expires, taken.expires);
  EXPECT_EQ(lost(held), "holds");
  clock_.step_wall(1h + 10s);
  const auto leeway = rules_.otherwise.tokens->rules.leeway;
  EXPECT_EQ(desk().hold({1}, taken).expires, taken.expires + leeway) << "taken within the leeway";
}

TEST_F(ShardTokens, WhatIsHeldIsOverByEitherClock) {
  const HeldToken held = desk().hold({1}, facts("gauge", 60s));
  clock_.advance(60s - 1ms);
  EXPECT_FALSE(desk().is_over(held));
  clock_.step_wall(1ms);
  EXPECT_TRUE(desk().is_over(held)) << "the wall clock says so";
  clock_.step_wall(-1h);
  EXPECT_FALSE(desk().is_over(held));
  clock_.advance(1ms);
  EXPECT_TRUE(desk().is_over(held)) << "it had a minute, whatever the clock says now";
}

TEST_F(ShardTokens, WhatIsHeldIsLostByItsKeyByARevocationAndByTheClock) {
  trust::TokenFacts taken = facts("gauge");
  taken.key_id = "one";
  taken.id = "t-1";
  const HeldToken held = desk().hold({1}, taken);
  clock_.step_wall(1h - 1ms);
  EXPECT_EQ(lost(held), "holds");
  clock_.step_wall(1ms);
  EXPECT_EQ(lost(held), "expired");
  clock_.step_wall(-1h);
  EXPECT_EQ(lost(held), "holds");

  rules_.otherwise.tokens = door_of({key_text_of("two")});
  EXPECT_EQ(lost(held), "unknown_key");
  rules_.otherwise.tokens =
      door_of({trust::SigningKey::generate(crypto::TokenAlgorithm::kEdDsa, "one")});
  EXPECT_EQ(lost(held), "unknown_key") << "another key of its name";
  rules_.otherwise.tokens = nullptr;
  EXPECT_EQ(lost(held), "unknown_key");
  rules_.otherwise.tokens = door_of({key_text_of("one")});
  EXPECT_EQ(lost(held), "holds");

  revoke_here({"t-2", "", {}, {}});
  EXPECT_EQ(lost(held), "holds");
  revoke_here({"t-1", "", {}, {}});
  EXPECT_EQ(lost(held), "revoked");
}

}  // namespace
}  // namespace signet::broker
