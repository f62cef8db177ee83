// Stories of how nodes come in: by a member's key, a list, a certificate, an invite; and of signals
// and silence, which are what the rule hears besides reports.
#include "controller/epochs_story_for_test.h"

namespace signet::controller {
namespace {

using membership::Standing;
using namespace std::chrono_literals;

class RegistrationTest : public EpochsStory {
 protected:
  static crypto::PublicKey key_of(const std::string& name) {
    return membership::key_of(name).public_key();
  }
  // A link of the mesh's owner, registered with so many uses.
  NewNode::Invite invite(std::int64_t uses, const std::string& token = "token") {
    NewNode::Invite made;
    made.token = token;
    made.claim.mesh_id = "mesh-team";
    made.claim.mesh_slug = "team";
    made.claim.broker_url = "ws://127.0.0.1:1/ws";
    made.claim.expires_at = 1'800'000'000;
    made.claim.root_key = "cm9vdA";
    made.claim.role = "member";
    const auto owner = membership::key_of("owner of team");
    made.claim.owner_key = crypto::to_hex(owner.public_key());
    made.claim.signature = to_hex(owner.sign(bytes_of(membership::canonical_text(made.claim))));
    EXPECT_TRUE(status_of([&](auto answer) {
                  controller_->add_invite(made.claim, token, uses, answer);
                }).ok());
    return made;
  }
};

TEST_F(RegistrationTest, AnInviteLetsAKeyInAndAUseIsCounted) {
  begin();
  const NewNode::Invite link = invite(2);
  NewNode zoe = node_of("zoe");
  EXPECT_EQ(join(zoe), "not_invited");
  zoe.invite = link;
  EXPECT_EQ(join(zoe), "ok");
  ASSERT_NE(member("zoe"), nullptr);
  EXPECT_EQ(standing("zoe"), Standing::kAdmitted);
  EXPECT_EQ(controller_->table().invite(membership::invite_digest(link.token))->uses, 1);
  EXPECT_EQ(join(zoe), "ok") << "the same again costs no use";
  EXPECT_EQ(controller_->table().invite(membership::invite_digest(link.token))->uses, 1);
  NewNode yan = node_of("yan");
  yan.invite = link;
  yan.name = "node-zoe";
  EXPECT_EQ(join(yan), "name_taken");
  EXPECT_EQ(member("yan"), nullptr) << "who is refused is made nobody, and no use is lost";
  yan.name = "node-yan";
  EXPECT_EQ(join(yan), "ok");
  NewNode xia = node_of("xia");
  xia.invite = link;
  EXPECT_EQ(join(xia), "not_invited") << "it is used up";
  NewNode forged = node_of("xia");
  forged.invite = invite(5, "another");
  forged.invite->claim.role = "admin";
  EXPECT_EQ(join(forged), "not_invited");
}

TEST_F(RegistrationTest, OneInviteBringsNoMoreNodesThanItMay) {
  overlay_.nodes_per_owner = 1;
  begin();
  NewNode zoe = node_of("zoe"), yan = node_of("yan");
  zoe.invite = yan.invite = invite(5);
  EXPECT_EQ(join(zoe), "ok");
  EXPECT_EQ(join(yan), "too_many_nodes");
  EXPECT_EQ(join(node_of("ann")), "ok") << "a member is its own owner";
  yan.invite = invite(5, "another");
  EXPECT_EQ(join(yan), "ok");
}

TEST_F(RegistrationTest, OfAThousandKeysOfOneLinkNoMoreComeInThanItMayBring) {
  begin();
  const NewNode::Invite link = invite(1'000);
  std::map<std::string, int> answers;
  for (int i = 0; i < 1'000; ++i) {
    NewNode node = node_of("k" + std::to_string(i));
    node.invite = link;
    ++answers[join(node)];
  }
  EXPECT_EQ(answers, (std::map<std::string, int>{{"ok", 100}, {"too_many_nodes", 900}}));
  EXPECT_EQ(rows_of("node"), 100U);
  EXPECT_EQ(controller_->table().invite(membership::invite_digest(link.token))->uses, 100);
  EXPECT_EQ(member("k100"), nullptr);
}

TEST_F(RegistrationTest, EachDoorIsOpenOnlyWhereItIsNamed) {
  overlay_.doors = {false, false, true, {}};
  overlay_.doors.listed["node-zoe"] = key_of("zoe");
  begin();
  EXPECT_EQ(join(node_of("ann")), "not_invited") << "a member's key is no door here";
  EXPECT_EQ(join(node_of("zoe")), "ok");
  NewNode squatter = node_of("yan");
  squatter.name = "node-xia";
  squatter.certificate = "node-yan";
  EXPECT_EQ(join(squatter), "not_invited") << "the certificate is another node's";
  squatter.certificate = "node-xia";
  EXPECT_EQ(join(squatter), "ok");
  NewNode invited = node_of("bob");
  invited.invite = invite(5);
  EXPECT_EQ(join(invited), "not_invited");
  NewNode ann = node_of("ann");
  ann.certificate = "node-ann";
  EXPECT_EQ(join(ann), "ok") << "a member may come by another door";
  ann.certificate.clear();
  ann.endpoint = "192.0.2.1:51820";
  EXPECT_EQ(join(ann), "ok") << "and is known from then on";
}

TEST_F(RegistrationTest, AnOldRegistrationNeverCountsAgainOverARestartEither) {
  begin();
  NewNode first = node_of("ann");
  first.signed_at = clock_.wall();
  EXPECT_EQ(join(first), "ok");
  on_control([&] { clock_.advance(1s); });
  NewNode second = first;
  second.signed_at = clock_.wall();
  second.wireguard = wireguard_of("next");
  EXPECT_EQ(join(second), "ok");
  EXPECT_EQ(join(first), "replayed");
  restart();
  begin();
  EXPECT_EQ(join(first), "replayed");
  EXPECT_EQ(join(second), "replayed");
  EXPECT_EQ(epochs_->node("node-ann")->wireguard, wireguard_of("next"));
}

TEST_F(RegistrationTest, AnotherWireGuardKeyByARegistrationIsAChangeOfKeys) {
  begin_with_two();
  on_control([&] {
    epochs_->log_to(std::make_shared<const store::LogIdentity>(
        store::LogIdentity{"signet/test", crypto::SecretKey::from_seed({1}),
                           audit::Pseudonyms(std::string(32, 'p'))}));
  });
  auto told = submission("ann", 0.9);
  told.fresh_key = wireguard_of("fresh");
  ASSERT_EQ(submit(told), "ok");
  store_.logged.clear();
  const std::size_t commits = store_.words.size();
  EXPECT_EQ(join(node_of("ann")), "ok");
  EXPECT_EQ(store_.words.size(), commits) << "the same again writes nothing";
  EXPECT_TRUE(epochs_->node("node-ann")->fresh_key.has_value());
  NewNode other = node_of("ann");
  other.endpoint = "192.0.2.1:51820";
  EXPECT_EQ(join(other), "ok");
  EXPECT_TRUE(epochs_->node("node-ann")->fresh_key.has_value()) << "an endpoint is no key";
  EXPECT_TRUE(store_.logged.empty());
  other.wireguard = wireguard_of("next");
  EXPECT_EQ(join(other), "ok");
  EXPECT_FALSE(epochs_->node("node-ann")->fresh_key.has_value());
  ASSERT_EQ(store_.logged.size(), 1U);
  EXPECT_EQ(store_.logged[0].event, audit::Event::kNodeRekeyed);
}

TEST_F(RegistrationTest, AListedNameIsNobodysOnHisWordAlone) {
  overlay_.submissions.allow_unsigned = true;
  overlay_.doors.listed["node-zoe"] = key_of("zoe");
  begin();
  for (const char* name : {"zoe", "yan"}) {
    auto told = submission(name, 0.9);
    told.signature.reset();
    told.sequence.reset();
    EXPECT_EQ(submit(told), std::string_view(name) == "zoe" ? "unsigned" : "ok");
  }
  EXPECT_EQ(epochs_->node("node-zoe"), nullptr);
  EXPECT_EQ(join(node_of("zoe")), "ok") << "it is there for its key";
}

TEST_F(RegistrationTest, WhatAMemberDidLowersTheScoreOfItsNodeOnce) {
  overlay_.rule.per_lost_lease = overlay::Score{150'000};
  begin_with_two();
  ASSERT_EQ(submit("ann", 0.9), "ok");
  ASSERT_EQ(submit("bob", 0.8), "ok");
  on_control([&] { epochs_->add_signals(member("bob")->number, {0, 0, 1}); });
  pass(1min);
  EXPECT_EQ(verdict("ann"), "ALLOWED score 0.90 >= 0.70, fresh");
  EXPECT_EQ(verdict("bob"), "DENIED score 0.65 < threshold 0.70 [minus 0.15 for 1 lost lease]");
  on_control([&] { epochs_->add_signals(member("bob")->number, {0, 0, 9}); });
  ASSERT_EQ(submit("ann", 0.9), "ok");
  ASSERT_EQ(submit("bob", 0.8), "ok");
  pass(1min);
  EXPECT_EQ(verdict("bob"), "ALLOWED score 0.80 >= 0.70, fresh")
      << "what it lost while it was out is what put it out";
}

TEST_F(RegistrationTest, AnEngineIsTheNodeOfItsName) {
  overlay_.rule.per_replay = overlay::Score{300'000};
  begin_with_two();
  std::optional<MemberNumber> subject;
  for (const char* name : {"node-bob", "node-nobody"}) {
    on_control([&] {
      controller_->admit_subject({1}, name, "token", [&](auto made) { subject = *made; });
    });
    settle();
    ASSERT_TRUE(subject.has_value());
    on_control([&] { epochs_->add_signals(*subject, {0, 1, 0}); });  // as a user of that name
    if (std::string_view(name) == "node-nobody") {
      on_control([&] { epochs_->add_engine_signals(*subject, {0, 1, 0}); });
    }
  }
  ASSERT_EQ(submit("ann", 0.9), "ok");
  ASSERT_EQ(submit("bob", 0.8), "ok");
  pass(1min);
  EXPECT_EQ(verdict("bob"), "ALLOWED score 0.80 >= 0.70, fresh");
  on_control([&] {
    controller_->admit_subject({1}, "node-bob", "token", [&](auto made) { subject = *made; });
  });
  settle();
  on_control([&] { epochs_->add_engine_signals(*subject, {0, 1, 0}); });
  ASSERT_EQ(submit("ann", 0.9), "ok");
  ASSERT_EQ(submit("bob", 0.8), "ok");
  pass(1min);
  EXPECT_EQ(verdict("bob"), "DENIED score 0.50 < threshold 0.70 [minus 0.30 for 1 replay]");
}

TEST_F(RegistrationTest, WhoFallsSilentIsOutBeforeTheBoundary) {
  overlay_.epochs.length = 100s;
  overlay_.rule.max_age = 120s;
  overlay_.submissions_per_second = 10;
  begin();
  for (const char* name : {"ann", "bob"}) {
    ASSERT_EQ(join(node_of(name)), "ok");
    ASSERT_EQ(submit(name, 0.9), "ok");
  }
  pass(100s);  // the first boundary: bob said his last word so long ago
  ASSERT_EQ(verdict("bob"), "ALLOWED score 0.90 >= 0.70, fresh");
  const std::uint64_t before = epochs_->state().decided;
  const WallTime boundary = epochs_->state().boundary;
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(submit("ann", 0.9), "ok");
    pass(1s);
  }
  EXPECT_EQ(epochs_->state().decided, before) << "exactly 120 s are allowed";
  pass(1s);
  EXPECT_EQ(verdict("bob"), "DENIED benchmark too old (121s > 120s)");
  EXPECT_EQ(standing("bob"), Standing::kQuarantined);
  EXPECT_EQ(epochs_->state().boundary, boundary) << "the boundary stays where it was";
  EXPECT_EQ(epochs_->state().decided, before + 1) << "it is an epoch of its own, and one";
}

// Four of ten that stop one by one are a mass as well, and the last of them wait for operators.
TEST_F(RegistrationTest, AMassThatFallsSilentInDropsIsHeldToo) {
  overlay_.epochs.length = 1h;
  overlay_.rule.max_age = 2min;
  overlay_.submissions_per_second = 10;
  begin();
  const NewNode::Invite link = invite(20);
  std::vector<std::string> names;
  names.reserve(10);
  for (int i = 0; i < 10; ++i) names.push_back("n" + std::to_string(i));
  for (const std::string& name : names) {
    NewNode made = node_of(name);
    made.invite = link;
    ASSERT_EQ(join(made), "ok");
    ASSERT_EQ(submit(name, 0.9), "ok");
  }
  pass(1h);  // who was away denies nobody for silence in its first epoch
  for (const std::string& name : names) ASSERT_EQ(submit(name, 0.9), "ok");
  std::optional<Status> decided;
  on_control([&] { epochs_->decide_now([&](const Status& status) { decided = status; }); });
  quiet();
  ASSERT_EQ(verdict("n0").substr(0, 7), "ALLOWED");
  for (int second = 0; second < 200; second += 10) {
    for (std::size_t i = 0; i < names.size(); ++i) {  // n0 to n3 stop, 10 s apart
      const bool speaks = i >= 4 || second < static_cast<int>(i) * 10;
      if (speaks) {
        ASSERT_EQ(submit(names[i], 0.9), "ok");
      }
    }
    pass(10s);
  }
  std::size_t denied = 0;
  for (const std::string& name : names) denied += verdict(name).substr(0, 6) == "DENIED" ? 1 : 0;
  EXPECT_EQ(denied, 3U);
  EXPECT_EQ(epochs_->held_denials(), std::vector<std::string>{"node-n3"});
}

}  // namespace
}  // namespace signet::controller
