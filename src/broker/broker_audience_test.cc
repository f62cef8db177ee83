// Stories of audiences: who would receive a message, and a send that would reach others is refused.
#include "broker/story_for_test.h"
#include "membership/audience.h"

namespace signet::broker {
namespace {

using namespace std::chrono_literals;
using membership::Standing;

class Audiences : public Story {
 protected:
  // A members_list as names, sorted, with a star behind an admin and a plus where there is more;
  // what it said of its audience and its last key is left in audience_ and last_key_.
  std::string list(FakeConnection& asker, const std::string& fields = "") {
    say(asker, R"({"type":"list_members")" + fields + "}");
    settle();
    const auto texts = asker.take_texts();
    wire::JsonDocument document;
    if (texts.size() != 1 || !document.parse(texts[0]).ok()) return "none";
    const wire::JsonValue root = document.root();
    if (root["type"].string() != "members_list") return word_of(texts[0]);
    audience_ = root["audience"].string().value_or("");
    std::vector<std::string> names;
    for (std::size_t i = 0; i < root["members"].size(); ++i) {
      const wire::JsonValue member = root["members"][i];
      const std::string key(member["pubkey"].string().value_or(""));
      EXPECT_TRUE(i == 0 || last_key_ < key) << "sorted by key";
      last_key_ = key;
      const bool is_admin = member["role"].string() == "admin";
      names.push_back(std::string(member["displayName"].string().value_or("?")) +
                      (is_admin ? "*" : ""));
    }
    std::sort(names.begin(), names.end());
    std::string text;
    for (const std::string& name : names) text += name + " ";
    return text + (root["more"] ? "+" : "");
  }
  std::string list_of(FakeConnection& asker, const std::string& target) {
    return list(asker, R"(,"target":")" + target + "\"");
  }
  std::string audience_of(FakeConnection& asker, const std::string& target) {
    list_of(asker, target);
    return audience_;
  }
  static std::string audience_of_names(const std::vector<std::string>& names) {
    std::vector<crypto::PublicKey> keys;
    for (const std::string& name : names) keys.push_back(membership::key_of(name).public_key());
    return to_hex(membership::audience_of(keys));
  }
  void join(FakeConnection& who, const std::string& channel) {
    ASSERT_EQ(ask(who, R"({"type":"channel_join","name":")" + channel + "\"}"), "channel_joined");
  }
  void leave(FakeConnection& who, const std::string& channel) {
    ASSERT_EQ(ask(who, R"({"type":"channel_leave","name":")" + channel + "\"}"), "channel_left");
  }

  std::string audience_;
  std::string last_key_;
};

TEST_F(Audiences, TheListIsWhomASendWouldReachConnectedOrNot) {
  store_.at_start.push_back(membership::RoleChanged{{3}, membership::Role::kAdmin, {"dev"}});
  start();
  FakeConnection& ann = peer("ann", 0);
  FakeConnection& bob = peer("bob", 1);
  join(ann, "ops");
  join(bob, "ops");
  // clang-format off
  const struct { const char* target; FakeConnection& asker; const char* list;
                 std::vector<std::string> names; } rows[] = {
      {"*", ann, "bob cid* ", {"bob", "cid"}},
      {"*", bob, "ann cid* ", {"ann", "cid"}},
      {"#ops", ann, "bob ", {"bob"}},
      {"#ops", bob, "ann ", {"ann"}},
      {"tag:dev", ann, "bob cid* ", {"bob", "cid"}},
      {"tag:dev", bob, "cid* ", {"cid"}},
      {"#nobody", ann, "", {}},
      {"tag:nobody", ann, "", {}},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.target);
    EXPECT_EQ(list_of(row.asker, row.target), row.list);
    EXPECT_EQ(audience_, audience_of_names(row.names));
  }
  EXPECT_EQ(list(ann), "bob cid* ") << "without a target: everyone";
  EXPECT_EQ(list(ann, R"(,"target":null,"after":null)"), "bob cid* ");
}

TEST_F(Audiences, TheAnswerNamesItsTarget) {
  start();
  FakeConnection& ann = peer("ann");
  say(ann, R"({"type":"list_members","target":"tag:dev"})");
  EXPECT_EQ(ann.take_texts().at(0),
            R"({"type":"members_list","target":"tag:dev","members":[{"pubkey":")" +
                key_text("bob") + R"(","displayName":"bob","role":"member"}],"audience":")" +
                audience_of_names({"bob"}) + "\"}");
}

TEST_F(Audiences, ASingleMemberIsNoTarget) {
  start();
  FakeConnection& ann = peer("ann");
  EXPECT_EQ(list_of(ann, key_text("bob")), "bad_frame");
  EXPECT_EQ(list_of(ann, "ops"), "bad_frame");
  EXPECT_EQ(list(ann, R"(,"after":"x")"), "bad_frame");
  EXPECT_EQ(ask(ann, message_for(audience_of_names({"bob"}), "m1", key_text("bob"), "x")),
            "bad_frame m1");
  EXPECT_TRUE(store_.published.empty());
}

TEST_F(Audiences, OneMustBeAdmittedToAsk) {
  start();
  EXPECT_EQ(ask(connect(), R"({"type":"list_members"})"), "no_hello");
}

TEST_F(Audiences, WhoMayNotConnectIsNotThere) {
  start();
  FakeConnection& ann = peer("ann");
  ASSERT_TRUE(set_standing("bob", Standing::kQuarantined).ok());
  EXPECT_EQ(list(ann), "cid ");
  EXPECT_EQ(list_of(ann, "tag:dev"), "");
  ASSERT_TRUE(set_standing("bob", Standing::kAdmitted).ok());
  EXPECT_EQ(list(ann), "bob cid ");
  ASSERT_TRUE(set_standing("cid", Standing::kRevoked).ok());
  EXPECT_EQ(list(ann), "bob ");
  EXPECT_EQ(audience_, audience_of_names({"bob"}));
}

TEST_F(Audiences, ALongListComesInPagesWithOneAudience) {
  constexpr std::int64_t kMembers = 700;
  for (std::int64_t i = 0; i < kMembers; ++i) {
    membership::Member member;
    member.number = {100 + i};
    member.mesh = {1};
    member.id = "many-" + std::to_string(i);
    member.key = crypto::PublicKey{crypto::digest32("many", {member.id})};
    member.display_name = std::string(128, '\1');  // six bytes each, where it is written
    store_.at_start.push_back(membership::MemberAdded{member, {}});
  }
  start();
  FakeConnection& ann = peer("ann");
  const std::string first = list(ann);
  EXPECT_EQ(first.back(), '+');
  const std::string whole = audience_, last_of_first = last_key_;
  const std::string second = list(ann, R"(,"after":")" + last_of_first + "\"");
  EXPECT_NE(second.back(), '+');
  EXPECT_EQ(audience_, whole);
  EXPECT_LT(last_of_first, last_key_);
  const auto count = [](const std::string& names) {
    return std::count(names.begin(), names.end(), ' ');
  };
  EXPECT_EQ(count(first) + count(second), kMembers + 2);
  EXPECT_EQ(list(ann, R"(,"after":")" + std::string(64, 'f') + "\""), "");
  EXPECT_EQ(audience_, whole);
  EXPECT_EQ(ask(ann, message_for(whole, "m1", "*", "x")).substr(0, 6), "ack m1");
}

TEST_F(Audiences, APageGoesOnBehindAKeyThatIsGone) {
  start();
  FakeConnection& ann = peer("ann");
  list(ann);
  const std::string last = last_key_;
  ASSERT_TRUE(set_standing(name_of_key(last), Standing::kRevoked).ok());
  EXPECT_EQ(list(ann, R"(,"after":")" + last + "\""), "");
  EXPECT_EQ(list(ann, R"(,"after":")" + std::string(64, '0') + "\"").size(), 4U) << "the other";
}

TEST_F(Audiences, ASendReachesItsAudienceOrNobody) {
  start();
  FakeConnection& ann = peer("ann", 0);
  FakeConnection& bob = peer("bob", 1);
  FakeConnection& cid = peer("cid", 0);
  join(ann, "ops");
  join(bob, "ops");
  const std::string before = audience_of(ann, "#ops");
  EXPECT_EQ(ask(ann, message_for(before, "m1", "#ops", "1")), "ack m1 for 1");
  EXPECT_EQ(heard(bob), "push 1");

  join(cid, "ops");
  const std::size_t stored = store_.published.size();
  EXPECT_EQ(ask(ann, message_for(before, "m2", "#ops", "2")), "audience_changed m2");
  EXPECT_EQ(store_.published.size(), stored);
  EXPECT_EQ(heard(bob) + heard(cid), "");
  EXPECT_EQ(metric("broker_messages_rejected_total{reason=\"audience_changed\"}"), 1);
  EXPECT_FALSE(ann.closed);
  EXPECT_EQ(ask(ann, message_for(audience_of(ann, "#ops"), "m2", "#ops", "2")), "ack m2 for 2");
  EXPECT_EQ(heard(bob), "push 2");
  EXPECT_EQ(heard(cid), "push 2");

  leave(cid, "ops");
  EXPECT_EQ(ask(ann, message_for(before, "m3", "#ops", "3")), "ack m3 for 1") << "as it was";
  leave(ann, "ops");
  EXPECT_EQ(ask(ann, message_for(before, "m4", "#ops", "4")), "ack m4 for 1") << "not of it";
}

TEST_F(Audiences, AnAudienceIsOfOneTargetOneSenderAndOneMesh) {
  start();
  FakeConnection& ann = peer("ann", 0);
  FakeConnection& bob = peer("bob", 1);
  const std::string everyone = audience_of(ann, "*");
  EXPECT_EQ(ask(ann, message_for(everyone, "m1", "tag:dev", "x")), "audience_changed m1");
  EXPECT_EQ(ask(bob, message_for(everyone, "m1", "*", "x")), "audience_changed m1");
  EXPECT_EQ(ask(ann, message_for(std::string(32, '0'), "m2", "*", "x")), "audience_changed m2");
  EXPECT_EQ(ask(ann, message_for(everyone, "m3", "*", "x")), "ack m3 for 2");
  EXPECT_EQ(ask(ann, message_for(audience_of_names({}), "m4", "#nobody", "x")), "ack m4 for 0");
}

// What was computed for the last send is not used for another state of the mesh.
TEST_F(Audiences, EveryChangeOfMembershipIsSeenByTheNextSend) {
  start();
  FakeConnection& ann = peer("ann");
  const std::string both = audience_of(ann, "*");
  EXPECT_EQ(ask(ann, message_for(both, "m1", "*", "x")), "ack m1 for 2");
  EXPECT_EQ(ask(ann, message_for(both, "m2", "*", "x")), "ack m2 for 2");
  ASSERT_TRUE(set_standing("bob", Standing::kQuarantined).ok());
  EXPECT_EQ(ask(ann, message_for(both, "m3", "*", "x")), "audience_changed m3");
  EXPECT_EQ(ask(ann, message_for(audience_of_names({"cid"}), "m4", "*", "x")), "ack m4 for 1");
  ASSERT_TRUE(set_standing("bob", Standing::kAdmitted).ok());
  EXPECT_EQ(ask(ann, message_for(both, "m5", "*", "x")), "ack m5 for 2");
}

TEST_F(Audiences, AnAudienceIsNoPartOfWhatARetryMustRepeat) {
  start();
  FakeConnection& ann = peer("ann");
  const std::string both = audience_of(ann, "*");
  EXPECT_EQ(ask(ann, message_for(both, "m1", "*", "x")), "ack m1 for 2");
  EXPECT_EQ(ask(ann, message_for(both, "m1", "*", "x")), "ack m1 for 2");
  EXPECT_EQ(ask(ann, message("m1", "*", "x")), "ack m1 for 2") << "without it";
  EXPECT_EQ(metric("signet_duplicate_sends_total"), 2);
  ASSERT_TRUE(set_standing("bob", Standing::kQuarantined).ok());
  const std::string now = audience_of(ann, "*");
  EXPECT_EQ(ask(ann, message_for(now, "m1", "*", "x")), "ack m1 for 2") << "another one";
  EXPECT_EQ(ask(ann, message_for(now, "m1", "*", "sealed anew")), "id_reused m1")
      << "so a client knows that its first attempt was stored";
}

TEST_F(Audiences, AskingCountsAsASend) {
  options_.sends_per_second = 10;
  options_.sends_burst = 2;
  start();
  FakeConnection& ann = peer("ann");
  EXPECT_EQ(list(ann), "bob cid ");
  EXPECT_EQ(list(ann), "bob cid ");
  EXPECT_EQ(list(ann), "rate_limited");
  clock_.advance(100ms);
  EXPECT_EQ(list(ann), "bob cid ");
}

TEST_F(Audiences, WhoIsOverItsRateIsNotToldOfAudiences) {
  options_.sends_per_second = 10;
  options_.sends_burst = 1;
  start();
  FakeConnection& ann = peer("ann");
  EXPECT_EQ(ask(ann, message_for(std::string(32, '0'), "m1", "*", "x")), "audience_changed m1");
  EXPECT_EQ(ask(ann, message_for(std::string(32, '0'), "m1", "*", "x")), "rate_limited m1");
}

}  // namespace
}  // namespace signet::broker
