#include "broker/topic_hub.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "broker/fake_shard.h"
#include "broker/session.h"

namespace signet::broker {
namespace {

class TopicHubTest : public testing::Test {
 protected:
  Session& session(const std::string& name, std::int64_t mesh = 1) {
    Place& place = places_[name];
    place.connection = std::make_unique<FakeConnection>(
        net::ConnectionId{0, static_cast<std::uint32_t>(places_.size()), 1});
    place.session = std::make_unique<MailSession>(*place.connection, *dialects_.front());
    place.session->mesh = {mesh};
    return *place.session;
  }
  bool subscribe(Session& session, const std::string& pattern) {
    return hub_.subscribe(session, *routing::Pattern::parse(pattern));
  }
  bool unsubscribe(Session& session, const std::string& pattern) {
    return hub_.unsubscribe(session, *routing::Pattern::parse(pattern));
  }
  std::string name_of(const Session& session) const {
    for (const auto& [name, place] : places_) {
      if (place.session.get() == &session) return name;
    }
    return "?";
  }
  // Who took it and under which topic, and how often anybody was asked. The first `refusals` of
  // each are not taken.
  std::multiset<std::string> hearers(const std::string& topic, int refusals = 0,
                                     std::int64_t mesh = 1) {
    std::multiset<std::string> heard;
    std::map<const Session*, int> refused;
    hub_.each_hearer({mesh}, topic, routes_, [&](Session& session, std::string_view heard_on) {
      if (refused[&session]++ < refusals) return false;
      heard.insert(name_of(session) + " on " + std::string(heard_on));
      return true;
    });
    return heard;
  }
  using Heard = std::multiset<std::string>;

  struct Place {
    std::unique_ptr<FakeConnection> connection;
    std::unique_ptr<MailSession> session;
  };
  std::vector<std::unique_ptr<dialects::Dialect>> dialects_ = dialects::all_dialects();
  std::map<std::string, Place> places_;
  TopicHub hub_;
  routing::RoutingTable routes_;
};

TEST_F(TopicHubTest, NobodyHearsWhereNobodyListens) { EXPECT_EQ(hearers("a.b"), Heard{}); }

TEST_F(TopicHubTest, EachSessionTakesAPulseOnceHoweverManyOfItsPatternsMatch) {
  Session& ann = session("ann");
  for (const char* pattern : {"a.b", "a.*", "*.b", "a.>", ">"})
    EXPECT_TRUE(subscribe(ann, pattern));
  subscribe(session("bob"), "a.*");
  subscribe(session("cid"), "a.c");
  EXPECT_EQ(hearers("a.b"), (Heard{"ann on a.b", "bob on a.b"}));
  EXPECT_EQ(hearers("a.b"), (Heard{"ann on a.b", "bob on a.b"})) << "and the next one, too";
}

TEST_F(TopicHubTest, APulseGoesOnToTheTopicsOfItsTargetsAndNoFurther) {
  routes_ = *routing::RoutingTable::compile({{{"core", {"core.a", "core.b"}}, {"sage", {"log"}}},
                                             {{"in", {"core"}}, {"core.a", {"sage"}}}});
  subscribe(session("ann"), "in");
  subscribe(session("bob"), "core.b");
  subscribe(session("cid"), "core.*");
  subscribe(session("dan"), "log");
  Session& eve = session("eve");
  subscribe(eve, "in");
  subscribe(eve, "core.a");
  EXPECT_EQ(hearers("in"), (Heard{"ann on in", "eve on in", "bob on core.b", "cid on core.a"}));
}

// Who may not hear it by one way may hear it by another.
TEST_F(TopicHubTest, WhoDoesNotTakeItIsAskedAgainByEachWay) {
  routes_ = *routing::RoutingTable::compile({{{"core", {"core.a"}}}, {{"in", {"core"}}}});
  Session& ann = session("ann");
  subscribe(ann, "in");
  subscribe(ann, "core.a");
  EXPECT_EQ(hearers("in", 1), (Heard{"ann on core.a"}));
  EXPECT_EQ(hearers("in", 2), Heard{});
}

TEST_F(TopicHubTest, KeepsMeshesApart) {
  subscribe(session("ann", 1), "a");
  subscribe(session("dan", 2), "a");
  EXPECT_EQ(hearers("a", 0, 1), (Heard{"ann on a"}));
  EXPECT_EQ(hearers("a", 0, 2), (Heard{"dan on a"}));
  EXPECT_EQ(hearers("a", 0, 3), Heard{});
}

TEST_F(TopicHubTest, SaysWhetherASubscriptionIsNewOrThere) {
  Session& ann = session("ann");
  EXPECT_FALSE(unsubscribe(ann, "a"));
  EXPECT_TRUE(subscribe(ann, "a"));
  EXPECT_FALSE(subscribe(ann, "a"));
  EXPECT_EQ(hub_.subscriptions(), 1U);
  EXPECT_FALSE(unsubscribe(ann, "b"));
  EXPECT_TRUE(unsubscribe(ann, "a"));
  EXPECT_FALSE(unsubscribe(ann, "a"));
  EXPECT_EQ(hub_.subscriptions(), 0U);
  EXPECT_EQ(ann.listener.subscriptions, nullptr) << "who listens to nothing costs a pointer";
}

TEST_F(TopicHubTest, ForgetsASessionWithAllItsSubscriptions) {
  Session& ann = session("ann");
  for (const char* pattern : {"a", "b.*", ">"}) subscribe(ann, pattern);
  subscribe(session("bob"), "a");
  hub_.forget(ann);
  hub_.forget(ann);
  EXPECT_EQ(hearers("a"), (Heard{"bob on a"}));
  EXPECT_EQ(hub_.subscriptions(), 1U);
  ASSERT_EQ(hub_.topics({1}).size(), 1U);
  EXPECT_EQ(hub_.topics({1})[0].subscribers, 1U);
}

// The slot of one that went is given to the next one, who must hear nothing for the other.
TEST_F(TopicHubTest, ASlotThatIsUsedAgainIsNobodyElses) {
  Session& ann = session("ann");
  subscribe(ann, "a");
  subscribe(session("bob"), "a");
  EXPECT_EQ(hearers("a"), (Heard{"ann on a", "bob on a"}));
  const auto slot = ann.listener.subscriptions->slot;
  hub_.forget(ann);
  Session& cid = session("cid");
  subscribe(cid, "b");
  EXPECT_EQ(cid.listener.subscriptions->slot, slot);
  EXPECT_EQ(hearers("a"), (Heard{"bob on a"}));
  EXPECT_EQ(hearers("b"), (Heard{"cid on b"})) << "it took no pulse before";
}

TEST_F(TopicHubTest, CountsTheSubscribersOfTopicsAndNotOfWildcards) {
  Session& ann = session("ann");
  Session& bob = session("bob");
  for (const char* pattern : {"b", "a", "a.*"}) subscribe(ann, pattern);
  subscribe(bob, "b");
  const auto counts = hub_.topics({1});
  ASSERT_EQ(counts.size(), 2U);
  EXPECT_EQ(counts[0].name, "a");
  EXPECT_EQ(counts[0].subscribers, 1U);
  EXPECT_EQ(counts[1].name, "b");
  EXPECT_EQ(counts[1].subscribers, 2U);
  unsubscribe(ann, "b");
  unsubscribe(bob, "b");
  EXPECT_EQ(hub_.topics({1}).size(), 1U);
  EXPECT_TRUE(hub_.topics({2}).empty());
}

}  // namespace
}  // namespace signet::broker
