#include "client/subscriptions.h"

#include <gtest/gtest.h>

#include "client/publisher.h"

namespace signet::client {
namespace {

using dialects::ErrorAnswer;
using dialects::PulseAnswer;
using dialects::SubscriptionAnswer;
using dialects::TopicHistoryAnswer;
using std::chrono::milliseconds;
using std::chrono::seconds;

PulseAnswer pulse(const std::string& topic, std::uint64_t topic_number, std::uint64_t number) {
  return {topic, number, topic_number, "ada", "then", "{}"};
}

// A client's subscriptions, and a broker that the test plays.
class SubscriptionsStory : public testing::Test {
 protected:
  SubscriptionsStory() { connect(); }

  void connect() {
    subscriptions_.connected();
    connected_ = true;
  }
  void disconnect() {
    connected_ = false;
    requests_.disconnected();
    subscriptions_.disconnected();
  }
  std::shared_ptr<Feed> subscribe(const std::string& pattern,
                                  std::optional<std::uint64_t> after = {}) {
    const auto feed = std::make_shared<Feed>(
        *routing::Pattern::parse(pattern), [this, pattern](const Pulse& heard) {
          heard_ += pattern + " " + heard.topic + ":" + std::to_string(heard.topic_number);
          if (heard.missed > 0) heard_ += "+" + std::to_string(heard.missed);
          if (heard.gap) heard_ += "!";
          heard_ += "; ";
        });
    subscriptions_.add(feed, after, now_ + seconds(5), [this, pattern](const Status& told) {
      told_ += pattern + " " + (told.ok() ? "ok" : std::string(code_of(told.error()))) + "; ";
    });
    return feed;
  }
  // What is said next, without its type's quotes and braces; empty: nothing.
  std::string said() {
    if (!connected_) return "";
    said_.clear();
    subscriptions_.pump(now_);
    requests_.pump(now_, [this](std::string_view frame) { said_ = frame; });
    return said_;
  }
  void answer(dialects::Answer any) {
    const Say say = [this](std::string_view frame) { said_ = frame; };
    if (const auto* error = std::get_if<ErrorAnswer>(&any)) {
      EXPECT_TRUE(requests_.on_error(*error));
    } else {
      EXPECT_TRUE(requests_.on_answer(any, say, now_));
    }
  }
  void refuse(const std::string& code) { answer(ErrorAnswer{code, "", std::nullopt}); }
  // Subscribed, and where it begins is known.
  std::shared_ptr<Feed> listen(const std::string& pattern, std::uint64_t newest) {
    auto feed = subscribe(pattern);
    EXPECT_EQ(said(), R"({"type":"topic_subscribe","pattern":")" + pattern + "\"}");
    answer(SubscriptionAnswer{pattern, true});
    EXPECT_EQ(said(), R"({"type":"topic_history","pattern":")" + pattern + R"(","limit":1})");
    answer(TopicHistoryAnswer{{pulse("old.one", 1, newest)}, false, false, newest});
    EXPECT_EQ(said(), "");
    told_.clear();
    return feed;
  }
  std::string heard() {
    while (subscriptions_.deliver([] { return true; })) {
    }
    return std::exchange(heard_, "");
  }
  static std::string history(const std::string& pattern, std::uint64_t after) {
    return R"({"type":"topic_history","pattern":")" + pattern + R"(","after":)" +
           std::to_string(after) + R"(,"limit":250})";
  }

  Elapsed now_{seconds(1)};
  bool connected_ = false;
  std::string heard_, told_, said_, lost_;
  Requests requests_{seconds(10)};
  Subscriptions subscriptions_{{}, requests_, [this](const std::string& pattern, const Error& why) {
                                 lost_ += pattern + " " + std::string(code_of(why)) + "; ";
                               }};
};

TEST_F(SubscriptionsStory, HearWhatTheirPatternNames) {
  const auto all = listen("a.>", 10);
  const auto one = listen("a.b", 10);
  for (const auto& each : {pulse("a.b", 1, 11), pulse("a.c", 1, 12)}) subscriptions_.on_pulse(each);
  EXPECT_EQ(heard(), "a.> a.b:1; a.b a.b:1; a.> a.c:1; ");
  subscriptions_.on_pulse(pulse("b", 1, 13));
  EXPECT_EQ(heard(), "a.> b:1; a.b b:1; ") << "what the routes bring";
}

TEST_F(SubscriptionsStory, ToldOnceWhatCameOfThem) {
  // clang-format off
  const struct { const char* name; const char* code; const char* told; } rows[] = {
      {"denied", "denied", "a denied; "},
      {"too many", "limit_exceeded", "a limit_exceeded; "},
      {"too fast", "rate_limited", "a rate_limited; "},
      {"a broker of before", "unknown_type", "a unknown_type; "},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto feed = subscribe("a");
    EXPECT_NE(said(), "");
    refuse(row.code);
    EXPECT_EQ(std::exchange(told_, ""), row.told);
    EXPECT_TRUE(feed->has_ended());
    EXPECT_EQ(said(), "") << "it is not asked for again";
    EXPECT_EQ(subscriptions_.size(), 0U);
  }
  const auto late = subscribe("a");
  EXPECT_NE(said(), "");
  now_ = now_ + seconds(6);
  requests_.expire(now_, {ErrorCode::kUnavailable, ""});
  EXPECT_EQ(told_, "a timeout; ");
  answer(SubscriptionAnswer{"a", true});
  EXPECT_EQ(said(), "");
  EXPECT_EQ(lost_, "");
}

TEST_F(SubscriptionsStory, AskForHistoryFirstWhereANumberIsGiven) {
  const auto feed = subscribe("a", 5);
  EXPECT_NE(said(), "");
  answer(SubscriptionAnswer{"a", true});
  EXPECT_EQ(told_, "a ok; ");
  subscriptions_.on_pulse(pulse("a", 4, 9));
  EXPECT_EQ(heard(), "") << "history comes first";
  EXPECT_EQ(said(), history("a", 5));
  answer(TopicHistoryAnswer{{pulse("a", 2, 6), pulse("a", 3, 8)}, false, true, 8});
  EXPECT_EQ(said(), "") << "what came is handed over before more is asked for";
  EXPECT_EQ(heard(), "a a:2; a a:3; ");
  EXPECT_EQ(said(), history("a", 8));
  answer(TopicHistoryAnswer{{pulse("a", 4, 9)}, false, false, 9});
  EXPECT_EQ(heard(), "a a:4; ");
  subscriptions_.on_pulse(pulse("a", 5, 10));
  EXPECT_EQ(heard(), "a a:5; ");
  EXPECT_EQ(said(), "");
}

TEST_F(SubscriptionsStory, ComeBackAndCatchUpAfterAReconnect) {
  const auto feed = listen("a", 10);
  subscriptions_.on_pulse(pulse("a", 1, 11));
  disconnect();
  EXPECT_EQ(heard(), "a a:1; ") << "what came is handed over without a broker, too";
  connect();
  EXPECT_EQ(said(), R"({"type":"topic_subscribe","pattern":"a"})");
  answer(SubscriptionAnswer{"a", true});
  subscriptions_.on_pulse(pulse("a", 4, 20));
  EXPECT_EQ(said(), history("a", 11));
  answer(TopicHistoryAnswer{{pulse("a", 2, 15), pulse("a", 3, 16)}, false, false, 19});
  EXPECT_EQ(heard(), "a a:2; a a:3; a a:4; ");
  EXPECT_EQ(told_, "") << "the caller was told long ago";
}

TEST_F(SubscriptionsStory, CatchUpFromWhereTheyBeganWhereNothingWasHeard) {
  const auto feed = listen("a", 10);
  disconnect();
  connect();
  EXPECT_NE(said(), "");
  answer(SubscriptionAnswer{"a", true});
  EXPECT_EQ(said(), history("a", 10));
}

TEST_F(SubscriptionsStory, SayWhenWhatCameMeanwhileIsGone) {
  const auto feed = listen("a", 10);
  subscriptions_.on_pulse(pulse("a", 1, 11));
  disconnect();
  connect();
  EXPECT_NE(said(), "");
  answer(SubscriptionAnswer{"a", true});
  EXPECT_EQ(said(), "") << "what came is handed over first";
  EXPECT_EQ(heard(), "a a:1; ");
  EXPECT_NE(said(), "");
  answer(TopicHistoryAnswer{{pulse("a", 900, 5'000)}, true, false, 5'000});
  subscriptions_.on_pulse(pulse("a", 901, 5'001));
  EXPECT_EQ(heard(), "a a:900!; a a:901; ");
}

TEST_F(SubscriptionsStory, CatchUpAnewWhenTheConnectionEndsMeanwhile) {
  const auto feed = listen("a", 10);
  disconnect();
  connect();
  EXPECT_NE(said(), "");
  answer(SubscriptionAnswer{"a", true});
  EXPECT_EQ(said(), history("a", 10));
  answer(TopicHistoryAnswer{{pulse("a", 1, 11)}, false, true, 11});
  EXPECT_EQ(heard(), "a a:1; ");
  EXPECT_EQ(said(), history("a", 11));
  subscriptions_.on_pulse(pulse("a", 3, 13));
  disconnect();
  connect();
  // The question of before comes first; its answer is of no use before the subscription is there.
  EXPECT_EQ(said(), history("a", 11));
  answer(TopicHistoryAnswer{{pulse("a", 2, 12)}, false, false, 12});
  EXPECT_EQ(heard(), "");
  EXPECT_EQ(said(), R"({"type":"topic_subscribe","pattern":"a"})");
  answer(SubscriptionAnswer{"a", true});
  EXPECT_EQ(said(), history("a", 11));
  answer(TopicHistoryAnswer{{pulse("a", 2, 12), pulse("a", 3, 13)}, false, false, 13});
  EXPECT_EQ(heard(), "a a:2; a a:3; ");
}

TEST_F(SubscriptionsStory, GoOnWithoutHistoryWhereItIsRefused) {
  const auto feed = subscribe("a", 5);
  EXPECT_NE(said(), "");
  answer(SubscriptionAnswer{"a", true});
  EXPECT_NE(said(), "");
  subscriptions_.on_pulse(pulse("a", 4, 9));
  refuse("denied");
  EXPECT_EQ(heard(), "a a:4!; ");
  EXPECT_EQ(said(), "");
}

TEST_F(SubscriptionsStory, AskAgainForHistoryWhereTheBrokerIsBusy) {
  const auto feed = subscribe("a", 5);
  EXPECT_NE(said(), "");
  answer(SubscriptionAnswer{"a", true});
  EXPECT_NE(said(), "");
  refuse("rate_limited");
  EXPECT_EQ(said(), "");
  now_ = now_ + milliseconds(1'000);
  EXPECT_EQ(said(), history("a", 5));
}

TEST_F(SubscriptionsStory, StopAskingABrokerWhoseHistoryGoesNowhere) {
  const auto feed = subscribe("a", 5);
  EXPECT_NE(said(), "");
  answer(SubscriptionAnswer{"a", true});
  EXPECT_NE(said(), "");
  answer(TopicHistoryAnswer{{}, false, true, 5});
  EXPECT_EQ(said(), "");
  subscriptions_.on_pulse(pulse("a", 4, 9));
  EXPECT_EQ(heard(), "a a:4!; ");
  const auto other = subscribe("a", 5);
  EXPECT_NE(said(), "");
  answer(SubscriptionAnswer{"a", true});
  std::uint64_t asked = 0;
  for (; said() != ""; ++asked) answer(TopicHistoryAnswer{{}, false, true, 6 + asked});
  EXPECT_EQ(asked, 64U) << "nor one that never ends";
}

TEST_F(SubscriptionsStory, TellOnceThatTheyWereNotRestoredAndAskNowAndThen) {
  const auto feed = listen("a", 10);
  disconnect();
  connect();
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(said(), R"({"type":"topic_subscribe","pattern":"a"})");
    refuse("denied");
    EXPECT_EQ(said(), "");
    now_ = now_ + seconds(30);
  }
  EXPECT_EQ(lost_, "a denied; ");
  EXPECT_NE(said(), "");
  answer(SubscriptionAnswer{"a", true});
  EXPECT_EQ(said(), history("a", 10)) << "and what came meanwhile";
}

TEST_F(SubscriptionsStory, EndAtTheBrokerWithTheLastOfTheirPattern) {
  const auto one = listen("a", 10);
  const auto other = listen("a", 10);
  one->end();
  EXPECT_EQ(said(), "");
  subscriptions_.on_pulse(pulse("a", 1, 11));
  EXPECT_EQ(heard(), "a a:1; ") << "one of them hears it";
  other->end();
  subscriptions_.on_pulse(pulse("a", 2, 12));
  EXPECT_EQ(heard(), "");
  EXPECT_EQ(said(), R"({"type":"topic_unsubscribe","pattern":"a"})");
  EXPECT_EQ(subscriptions_.size(), 0U);
}

TEST_F(SubscriptionsStory, EndAtTheBrokerAlsoWhereItAnswersLate) {
  const auto feed = subscribe("a");
  EXPECT_NE(said(), "");
  feed->end();
  EXPECT_EQ(said(), "");
  answer(SubscriptionAnswer{"a", true});
  EXPECT_EQ(said(), R"({"type":"topic_unsubscribe","pattern":"a"})");
  EXPECT_EQ(told_, "");
}

TEST_F(SubscriptionsStory, WaitForAConnection) {
  disconnect();
  const auto feed = subscribe("a");
  EXPECT_EQ(said(), "");
  connect();
  EXPECT_EQ(said(), R"({"type":"topic_subscribe","pattern":"a"})");
  disconnect();
  connect();
  EXPECT_EQ(said(), R"({"type":"topic_subscribe","pattern":"a"})") << "nobody answered";
  answer(SubscriptionAnswer{"a", true});
  EXPECT_EQ(told_, "a ok; ");
}

TEST_F(SubscriptionsStory, StopAtOnceInTheirOwnHandler) {
  std::shared_ptr<Feed> feed;
  int heard = 0;
  feed = std::make_shared<Feed>(*routing::Pattern::parse("a"), [&](const Pulse&) {
    ++heard;
    feed->end();
  });
  feed->hand({});
  feed->hand({});
  EXPECT_EQ(heard, 1);
}

TEST_F(SubscriptionsStory, LeaveTheSocketItsTurn) {
  const auto feed = listen("a", 10);
  for (std::uint64_t i = 1; i <= 3; ++i) subscriptions_.on_pulse(pulse("a", i, 10 + i));
  EXPECT_TRUE(subscriptions_.deliver([] { return false; }));
  EXPECT_EQ(std::exchange(heard_, ""), "a a:1; ");
  EXPECT_TRUE(subscriptions_.has_pulses());
  EXPECT_EQ(heard(), "a a:2; a a:3; ");
  EXPECT_FALSE(subscriptions_.has_pulses());
}

// --- publishing ---

class PublisherStory : public testing::Test {
 protected:
  void publish(const std::string& topic, bool waits = true) {
    Publisher::Pulse said{topic, R"({"n":1})", now_ + seconds(5), nullptr};
    if (waits) {
      said.done = [this, topic](const Result<dialects::PublishedAnswer>& answer) {
        done_ += topic + " ";
        done_ += answer.ok() ? std::to_string(answer->number) : answer.error().detail;
        done_ += "; ";
      };
    }
    publisher_.publish(std::move(said), now_,
                       [this](std::string_view frame) { said_.emplace_back(frame); });
  }
  Elapsed now_{seconds(1)};
  Publisher publisher_{seconds(10)};
  std::vector<std::string> said_;
  std::string done_;
};

TEST_F(PublisherStory, MatchesAnswersByTheirIds) {
  publish("a");
  publish("b");
  publish("c", false);
  EXPECT_EQ(said_[1], R"({"type":"topic_publish","id":"pulse-2","topic":"b","pulse":{"n":1}})");
  EXPECT_EQ(publisher_.on_published({"pulse-2", 7, 1}), "b");
  EXPECT_FALSE(publisher_.on_published({"pulse-2", 7, 1})) << "once";
  EXPECT_TRUE(publisher_.on_error({"denied", "pulse-1", std::nullopt, "r-1"}));
  EXPECT_EQ(done_, "b 7; a denied: the mesh does not allow it (ask the operator about r-1); ");
  EXPECT_EQ(publisher_.on_published({"pulse-3", 8, 1}), "c") << "the own is known all the same";
  for (const char* id : {"", "pulse-", "pulse-9", "pulse-1x", "pulse--1", "c-1"}) {
    EXPECT_FALSE(publisher_.on_published({id, 7, 1})) << id;
    EXPECT_FALSE(publisher_.on_error({"denied", id, std::nullopt})) << id;
  }
}

TEST_F(PublisherStory, KeepsNothingForAnotherConnection) {
  publish("a");
  publish("b", false);
  publisher_.disconnected();
  EXPECT_EQ(done_, "a connection_lost: the connection ended before the broker answered; ");
  EXPECT_FALSE(publisher_.on_published({"pulse-1", 7, 1}));
  EXPECT_FALSE(publisher_.next_deadline());
}

TEST_F(PublisherStory, WaitsAsLongAsItsCallerAndNoLongerThanABrokerMayTake) {
  publish("a");
  EXPECT_EQ(publisher_.next_deadline(), now_ + seconds(5));
  now_ = now_ + seconds(5);
  publisher_.expire(now_);
  EXPECT_EQ(done_, "a timeout: the broker did not answer in time; ");
  EXPECT_FALSE(publisher_.is_overdue(now_));
  EXPECT_EQ(publisher_.on_published({"pulse-1", 7, 1}), "a") << "late, but it was published";
  publish("b");
  now_ = now_ + seconds(10);
  EXPECT_TRUE(publisher_.is_overdue(now_));
}

TEST_F(PublisherStory, HasOnlySoManyUnderWay) {
  for (int i = 0; i < 256; ++i) publish("a", false);
  publish("b");
  EXPECT_EQ(said_.size(), 256U);
  EXPECT_EQ(done_, "b too_many_pulses: the broker has not answered the last 256 yet; ");
  EXPECT_TRUE(publisher_.on_published({"pulse-1", 7, 1}));
  publish("c");
  EXPECT_EQ(said_.size(), 257U);
}

}  // namespace
}  // namespace signet::client
