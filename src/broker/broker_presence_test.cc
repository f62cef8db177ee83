// Stories of presence: who is here, what they do, and what they follow.
#include "broker/story_for_test.h"

namespace signet::broker {
namespace {

using namespace std::chrono_literals;
using dialects::Status;

class Presence : public Story {
 protected:
  // The peers_list that `asker` gets, as `name:status:summary` sorted.
  std::string peers(FakeConnection& asker) {
    say(asker, R"({"type":"list_peers"})");
    settle();
    wire::JsonDocument document;
    EXPECT_EQ(asker.texts.size(), 1u);
    if (asker.texts.empty() || !document.parse(asker.take_texts()[0]).ok()) return "none";
    const wire::JsonValue list = document.root()["peers"];
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < list.size(); ++i) {
      lines.push_back(name_of_key(std::string(*list[i]["pubkey"].string())) + ":" +
                      std::string(*list[i]["status"].string()) + ":" +
                      std::string(*list[i]["summary"].string()));
    }
    std::sort(lines.begin(), lines.end());
    std::string text;
    for (const std::string& line : lines) text += line + " ";
    return text;
  }
};

TEST_F(Presence, ListsWhoIsConnectedOnEveryShard) {
  start();
  FakeConnection& ann = peer("ann", 0);
  EXPECT_EQ(peers(ann), "ann:idle: ");
  FakeConnection& bob = peer("bob", 1);
  FakeConnection& again = peer("bob", 0);
  ask(bob, status("dnd"));
  ask(bob, R"({"type":"set_summary","summary":"reviewing"})");
  EXPECT_EQ(peers(ann), "ann:idle: bob:dnd:reviewing bob:idle: ");
  EXPECT_EQ(peers(bob), peers(ann));
  shards_[1]->hang_up(bob);
  shards_[0]->hang_up(again);
  EXPECT_EQ(peers(ann), "ann:idle: ") << "no ghosts";
}

TEST_F(Presence, ShowsNobodyOfAnotherMesh) {
  start();
  FakeConnection& ann = peer("ann");
  HelloFields other;
  other.mesh = "mesh-other";
  FakeConnection& dan = peer("dan", 1, other);
  EXPECT_EQ(peers(ann), "ann:idle: ");
  EXPECT_EQ(peers(dan), "?:idle: ");
}

TEST_F(Presence, TheAskerMayGoWhileTheListIsMade) {
  start();
  FakeConnection& ann = peer("ann");
  say(ann, R"({"type":"list_peers"})");
  shards_[0]->hang_up(ann);
  settle();
}

TEST_F(Presence, OneListAtATimeIsMadeForASessionAndAnswersAllThatWait) {
  start();
  FakeConnection& ann = peer("ann");
  for (int i = 0; i < 3; ++i) say(ann, R"({"type":"list_peers"})");
  EXPECT_EQ(shards_[0]->mailbox().drain(), 1u);
  say(ann, status("dnd"));
  say(ann, R"({"type":"list_peers"})");
  settle();
  const auto lists = ann.take_texts();
  ASSERT_EQ(lists.size(), 4u);
  EXPECT_EQ(lists[1], lists[3]);
  EXPECT_NE(lists[3].find(R"("status":"dnd")"), std::string::npos);
}

TEST_F(Presence, AHookFindsItsProcess) {
  start();
  HelloFields fields;
  fields.pid = 77;
  fields.cwd = "/repo";
  FakeConnection& ann = peer("ann", 0, fields);
  EXPECT_EQ(brokers_[0]->apply_hook({78, "/repo"}, Status::kWorking), "");
  EXPECT_EQ(brokers_[0]->apply_hook({77, "/other"}, Status::kWorking), "");
  EXPECT_EQ(peers(ann), "ann:idle: ");
  EXPECT_EQ(brokers_[0]->apply_hook({77, "/repo"}, Status::kWorking).size(), 32u);
  EXPECT_EQ(peers(ann), "ann:working: ");
}

TEST_F(Presence, AHookThatCameFirstWaitsForItsProcess) {
  start();
  HelloFields fields;
  fields.pid = 77;
  brokers_[0]->apply_or_remember_hook({77, "/home"}, Status::kDnd);
  FakeConnection& other = peer("bob", 0);
  FakeConnection& ann = peer("ann", 0, fields);
  EXPECT_EQ(peers(ann), "ann:dnd: bob:idle: ");
  shards_[0]->hang_up(ann);
  FakeConnection& again = peer("ann", 0, fields);
  EXPECT_EQ(peers(again), "ann:idle: bob:idle: ") << "once";
  EXPECT_FALSE(other.closed);
}

TEST_F(Presence, AHookThatWaitedOnAllShardsIsForgottenOnAll) {
  start();
  HelloFields fields;
  fields.pid = 77;
  for (auto& broker : brokers_) broker->apply_or_remember_hook({77, "/home"}, Status::kDnd);
  FakeConnection& ann = peer("ann", 0, fields);
  EXPECT_EQ(peers(ann), "ann:dnd: ");
  shards_[0]->hang_up(ann);
  FakeConnection& elsewhere = peer("ann", 1, fields);
  EXPECT_EQ(peers(elsewhere), "ann:idle: ") << "once";
}

TEST_F(Presence, AHookWaitsTenSecondsOnly) {
  start();
  HelloFields fields;
  fields.pid = 77;
  brokers_[0]->apply_or_remember_hook({77, "/home"}, Status::kDnd);
  clock_.advance(10s);
  FakeConnection& ann = peer("ann", 0, fields);
  EXPECT_EQ(peers(ann), "ann:idle: ");
}

TEST_F(Presence, WaitingHooksHaveABound) {
  options_.pending_hooks = 2;
  start();
  for (std::int64_t pid = 1; pid <= 3; ++pid) {
    brokers_[0]->apply_or_remember_hook({pid, "/home"}, Status::kDnd);
  }
  HelloFields third;
  third.pid = 3;
  FakeConnection& ann = peer("ann", 0, third);
  EXPECT_EQ(peers(ann), "ann:idle: ") << "the third found no room";
}

TEST_F(Presence, ChannelsAreJoinedListedAndLeft) {
  start();
  FakeConnection& ann = peer("ann", 0);
  FakeConnection& bob = peer("bob", 1);
  EXPECT_EQ(ask(ann, R"({"type":"channel_join","name":"#ops"})"), "channel_joined");
  EXPECT_EQ(ask(bob, R"({"type":"channel_join","name":"ops"})"), "channel_joined");
  EXPECT_EQ(ask(bob, R"({"type":"channel_join","name":"ops"})"), "channel_joined") << "twice";
  EXPECT_EQ(ask(ann, message("m1", "#ops", "x")), "ack m1 for 1");
  EXPECT_EQ(heard(bob), "push x");
  say(bob, R"({"type":"channel_list"})");
  EXPECT_EQ(bob.take_texts().at(0),
            R"({"type":"channel_list","channels":[{"name":"ops","members":2,"joined":true}]})");
  EXPECT_EQ(ask(bob, R"({"type":"channel_leave","name":"ops"})"), "channel_left");
  EXPECT_EQ(ask(bob, R"({"type":"channel_leave","name":"ops"})"), "channel_left") << "twice";
  EXPECT_EQ(ask(ann, message("m2", "#ops", "x")), "ack m2 for 0");
}

TEST_F(Presence, ChannelsHaveALimitPerMemberAndPerMesh) {
  start();  // two for a member, three for the mesh
  FakeConnection& ann = peer("ann");
  FakeConnection& bob = peer("bob");
  const auto join = [&](FakeConnection& who, const std::string& name) {
    return ask(who, R"({"type":"channel_join","name":")" + name + "\"}");
  };
  EXPECT_EQ(join(ann, "a"), "channel_joined");
  EXPECT_EQ(join(ann, "b"), "channel_joined");
  EXPECT_EQ(join(ann, "c"), "limit_exceeded");
  EXPECT_EQ(join(bob, "c"), "channel_joined");
  EXPECT_EQ(join(bob, "d"), "limit_exceeded");
  EXPECT_EQ(join(bob, "a"), "channel_joined") << "one that is there already";
}

TEST_F(Presence, ChangesOfChannelsHaveARateOfTheirOwn) {
  options_.channel_changes_per_minute = 30;
  options_.channel_changes_burst = 4;
  start();
  FakeConnection& ann = peer("ann", 0);
  FakeConnection& again = peer("ann", 1);
  FakeConnection& bob = peer("bob", 1);
  const std::string join = R"({"type":"channel_join","name":"ops"})";
  const std::string leave = R"({"type":"channel_leave","name":"ops"})";
  for (int i = 0; i < 2; ++i) {
    for (int same = 0; same < 5; ++same)
      EXPECT_EQ(ask(ann, join), "channel_joined") << "one change";
    for (int same = 0; same < 5; ++same) EXPECT_EQ(ask(again, leave), "channel_left");
  }
  const auto wait = [&](FakeConnection& who) {
    say(who, join);
    settle();
    const std::string text = who.texts.at(0);
    EXPECT_EQ(heard(who), "rate_limited");
    return text.substr(std::min(text.find("retryAfterMs\":"), text.size()), 18);
  };
  EXPECT_EQ(wait(ann), R"(retryAfterMs":2000)");
  EXPECT_EQ(wait(again), R"(retryAfterMs":2000)") << "all sessions of the member";
  EXPECT_EQ(ask(bob, join), "channel_joined");
  EXPECT_EQ(ask(ann, leave), "channel_left");
  EXPECT_EQ(store_.committed.size(), 5U);

  clock_.advance(2s);
  EXPECT_EQ(ask(ann, join), "channel_joined");
  EXPECT_EQ(ask(ann, leave), "channel_left") << "leaving is never refused for it";
  EXPECT_EQ(wait(ann), R"(retryAfterMs":4000)") << "and has to be paid for";
}

TEST_F(Presence, AMemberMayJoinAllItsChannelsWhenItStarts) {
  start();
  FakeConnection& ann = peer("ann");
  for (int i = 0; i < 100; ++i) {
    const std::string name = std::to_string(i);
    say(ann, R"({"type":"channel_join","name":")" + name + "\"}");
    settle();
    EXPECT_NE(heard(ann), "rate_limited") << i;
  }
}

TEST_F(Presence, AChannelThatCouldNotBeWrittenIsNotJoined) {
  start();
  FakeConnection& ann = peer("ann");
  store_.commit_answers = {Error{ErrorCode::kUnavailable, "disk"}};
  EXPECT_EQ(ask(ann, R"({"type":"channel_join","name":"ops"})"), "unavailable");
  EXPECT_EQ(ask(ann, R"({"type":"channel_list"})"), "channel_list");
  EXPECT_EQ(ask(ann, message("m1", "#ops", "x")), "ack m1 for 0");
}

}  // namespace
}  // namespace signet::broker
