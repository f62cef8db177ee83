#include "membership/invite.h"

#include <gtest/gtest.h>

#include <functional>

#include "membership/fixture_for_test.h"

namespace signet::membership {
namespace {

constexpr std::int64_t kExpiry = 1'893'456'000;  // seconds
constexpr WallTime kNow{1'700'000'000'000};
const std::string kToken = "a-token";

InviteClaim signed_claim(InviteClaim claim, const crypto::SecretKey& key) {
  claim.owner_key = crypto::to_hex(key.public_key());
  claim.signature = to_hex(key.sign(bytes_of(canonical_text(claim))));
  return claim;
}

InviteClaim plain_claim() {
  return {1, "mesh-team", "team", "ws://localhost:7900/ws", kExpiry, "cm9vdA", "member", "", ""};
}

// Everything that a join depends on. The untouched world admits.
struct World {
  Mesh mesh = mesh_named(1, "team");
  bool has_mesh = true;
  InviteClaim claim = signed_claim(plain_claim(), key_of("owner of team"));
  std::optional<Invite> invite = registered();
  std::optional<Standing> already;  // the key is a member with this standing
  WallTime now = kNow;

  static Invite registered() {
    Invite invite;
    invite.digest = invite_digest(kToken);
    invite.mesh = {1};
    invite.role = Role::kAdmin;
    invite.max_uses = 2;
    invite.expires = {kExpiry * 1000};
    return invite;
  }
  std::string decision() const {
    MembershipTable table;
    table.apply(MeshAdded{mesh_named(2, "other")});
    if (has_mesh) table.apply(MeshAdded{mesh});
    if (invite) table.apply(InviteAdded{*invite});
    if (already) {
      Member member = member_named(1, 1, "ann");
      member.standing = *already;
      table.apply(MemberAdded{member, {}});
    }
    const auto made = decide_join(table, claim, kToken, key_of("ann").public_key(), now);
    if (const auto* refusal = std::get_if<JoinRefusal>(&made))
      return std::string(name_of(*refusal));
    if (const auto* known = std::get_if<AlreadyMember>(&made)) return "already " + known->member_id;
    const Admit& admit = std::get<Admit>(made);
    EXPECT_EQ(admit.mesh, mesh.number);
    EXPECT_EQ(admit.invite, invite_digest(kToken));
    return "admit as " + std::string(name_of(admit.role));
  }
};

struct Fault {
  const char* code;
  std::function<void(World&)> make;
};

// The refusals in the order of the page.
const std::vector<Fault>& faults_in_order() {
  static const std::vector<Fault> faults{
      {"invite_bad_signature", [](World& w) { w.claim.signature[5] ^= 1; }},
      {"mesh_not_found", [](World& w) { w.has_mesh = false; }},
      {"mesh_missing_owner_key", [](World& w) { w.mesh.owner.reset(); }},
      {"invite_owner_mismatch",
       [](World& w) { w.claim = signed_claim(plain_claim(), key_of("a stranger")); }},
      {"invite_not_found", [](World& w) { w.invite.reset(); }},
      {"invite_mesh_mismatch",
       [](World& w) {
         if (w.invite) w.invite->mesh = {2};
       }},
      {"invite_revoked",
       [](World& w) {
         if (w.invite) w.invite->revoked = true;
       }},
      {"invite_expired", [](World& w) { w.now = {kExpiry * 1000}; }},
      {"member_revoked", [](World& w) { w.already = Standing::kRevoked; }},
      {"invite_exhausted",
       [](World& w) {
         if (w.invite) w.invite->uses = 2;
       }},
  };
  return faults;
}

TEST(DecideJoin, AdmitsWithTheRoleThatWasRegistered) {
  EXPECT_EQ(World().decision(), "admit as admin");  // the link says member
  World as_member;
  as_member.invite->role = Role::kMember;
  EXPECT_EQ(as_member.decision(), "admit as member");
}

TEST(DecideJoin, RefusesEachFault) {
  for (const Fault& fault : faults_in_order()) {
    SCOPED_TRACE(fault.code);
    World world;
    fault.make(world);
    EXPECT_EQ(world.decision(), fault.code);
  }
}

// With two faults at once the earlier one of the page is named. Those that exclude each other are
// made in an order in which both are there, or the later one vanishes with the earlier.
TEST(DecideJoin, NamesTheEarlierOfTwoFaults) {
  const auto& faults = faults_in_order();
  for (std::size_t first = 0; first < faults.size(); ++first) {
    for (std::size_t second = first + 1; second < faults.size(); ++second) {
      const bool exclusive = std::string_view(faults[second].code) == "invite_owner_mismatch" &&
                             first == 0;  // signing anew mends the signature
      if (exclusive) continue;
      SCOPED_TRACE(std::string(faults[first].code) + " and " + faults[second].code);
      World world;
      faults[first].make(world);
      faults[second].make(world);
      EXPECT_EQ(world.decision(), faults[first].code);
    }
  }
}

TEST(DecideJoin, LetsAMemberInAgainWithoutAUse) {
  World world;
  world.already = Standing::kAdmitted;
  EXPECT_EQ(world.decision(), "already member-ann");
  world.invite->uses = 2;
  EXPECT_EQ(world.decision(), "already member-ann") << "no use is needed";
  world.invite->revoked = true;
  EXPECT_EQ(world.decision(), "invite_revoked") << "but the link must be good";
}

TEST(DecideJoin, CountsUses) {
  for (const auto& [uses, answer] : {std::pair{0, "admit as admin"},
                                     {1, "admit as admin"},
                                     {2, "invite_exhausted"},
                                     {3, "invite_exhausted"}}) {
    World world;
    world.invite->uses = uses;
    EXPECT_EQ(world.decision(), answer) << uses;
  }
}

TEST(DecideJoin, ExpiresAtTheSecondThatWasSigned) {
  struct Case {
    const char* name;
    std::int64_t now_ms;
    std::int64_t registered_ms;
    const char* answer;
  };
  constexpr std::int64_t kEnd = kExpiry * 1000;
  const Case cases[] = {
      {"a millisecond before", kEnd - 1, kEnd, "admit as admin"},
      {"at the second", kEnd, kEnd, "invite_expired"},
      {"long after", kEnd * 2, kEnd, "invite_expired"},
      {"registered to end earlier", 1'000, 1'000, "invite_expired"},
      {"registered to end later does not help", kEnd, kEnd * 2, "invite_expired"},
      {"at the start of time", 0, kEnd, "admit as admin"},
  };
  for (const Case& row : cases) {
    SCOPED_TRACE(row.name);
    World world;
    world.now = {row.now_ms};
    world.invite->expires = {row.registered_ms};
    EXPECT_EQ(world.decision(), row.answer);
  }
}

// One signed text must not be readable as two invites: `mesh|a` + `b` and `mesh` + `a|b` sign
// alike.
TEST(DecideJoin, RefusesAPipeInAnyField) {
  struct Case {
    const char* name;
    std::function<void(InviteClaim&)> change;
  };
  const Case cases[] = {
      {"mesh_id", [](InviteClaim& c) { c.mesh_id = "mesh-team|x"; }},
      {"mesh_slug", [](InviteClaim& c) { c.mesh_slug = "te|am"; }},
      {"broker_url", [](InviteClaim& c) { c.broker_url = "ws://a|b/ws"; }},
      {"mesh_root_key", [](InviteClaim& c) { c.root_key = "|"; }},
      {"role", [](InviteClaim& c) { c.role = "member|admin"; }},
  };
  for (const Case& row : cases) {
    SCOPED_TRACE(row.name);
    World world;
    InviteClaim claim = plain_claim();
    row.change(claim);
    world.claim = signed_claim(claim, key_of("owner of team"));  // honestly signed
    EXPECT_EQ(world.decision(), "invite_bad_signature");
    EXPECT_FALSE(signed_by_owner(world.claim, world.mesh));
  }
  InviteClaim left = plain_claim(), right = plain_claim();
  left.mesh_id = "mesh-team|a";
  right.mesh_slug = "a|team";
  EXPECT_EQ(canonical_text(left), canonical_text(right)) << "that is why";
}

TEST(DecideJoin, CoversEveryFieldWithTheSignature) {
  struct Case {
    const char* name;
    std::function<void(InviteClaim&)> change;
  };
  const Case cases[] = {
      {"v", [](InviteClaim& c) { c.version = 2; }},
      {"mesh_id", [](InviteClaim& c) { c.mesh_id = "mesh-other"; }},
      {"mesh_slug", [](InviteClaim& c) { c.mesh_slug = "teem"; }},
      {"broker_url", [](InviteClaim& c) { c.broker_url = "ws://evil/ws"; }},
      {"expires_at", [](InviteClaim& c) { ++c.expires_at; }},
      {"mesh_root_key", [](InviteClaim& c) { c.root_key += "x"; }},
      {"role", [](InviteClaim& c) { c.role = "admin"; }},
      {"owner_pubkey", [](InviteClaim& c) { c.owner_key[0] = c.owner_key[0] == '0' ? '1' : '0'; }},
      {"owner_pubkey too short", [](InviteClaim& c) { c.owner_key.pop_back(); }},
      {"no owner_pubkey", [](InviteClaim& c) { c.owner_key.clear(); }},
      {"signature too short", [](InviteClaim& c) { c.signature.pop_back(); }},
      {"no signature", [](InviteClaim& c) { c.signature.clear(); }},
      {"a signature of zeros", [](InviteClaim& c) { c.signature = std::string(128, '0'); }},
  };
  for (const Case& row : cases) {
    SCOPED_TRACE(row.name);
    World world;
    row.change(world.claim);
    EXPECT_EQ(world.decision(), "invite_bad_signature");
    EXPECT_FALSE(signed_by_owner(world.claim, world.mesh));
  }
}

TEST(SignedByOwner, SaysYesToTheOwnerOnly) {
  const Mesh mesh = mesh_named(1, "team");
  Mesh without = mesh;
  without.owner.reset();
  const InviteClaim good = signed_claim(plain_claim(), key_of("owner of team"));
  EXPECT_TRUE(signed_by_owner(good, mesh));
  EXPECT_FALSE(signed_by_owner(good, without));
  EXPECT_FALSE(signed_by_owner(signed_claim(plain_claim(), key_of("a stranger")), mesh));
}

TEST(InviteDigest, IsAnotherForEveryToken) {
  EXPECT_EQ(invite_digest("a"), invite_digest("a"));
  EXPECT_NE(invite_digest("a"), invite_digest("b"));
  EXPECT_NE(invite_digest("a"), invite_digest("a="));
  EXPECT_NE(invite_digest(""), crypto::Digest32{});
}

}  // namespace
}  // namespace signet::membership
