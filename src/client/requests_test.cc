#include "client/requests.h"

#include <gtest/gtest.h>

#include "client/broker_codes.h"
#include "signet/client.h"

namespace signet::client {
namespace {

using dialects::Answer;
using dialects::ChannelChangeAnswer;
using dialects::ChannelsAnswer;
using dialects::MembersAnswer;
using dialects::PeersAnswer;
using Kind = Requests::Kind;
using std::chrono::seconds;

class RequestsStory : public testing::Test {
 protected:
  void ask(Kind kind, const std::string& subject, seconds patience = seconds(60)) {
    requests_.ask({kind, subject, now_ + patience, [this, subject](Result<Answer> answer) {
                     const auto* list =
                         answer.ok() ? std::get_if<MembersAnswer>(&*answer) : nullptr;
                     done_ += subject + ": ";
                     done_ += !answer.ok() ? std::string(code_of(answer.error())) : "ok";
                     if (list != nullptr) done_ += " " + std::to_string(list->members.size());
                     done_ += "; ";
                   }});
  }
  bool answer(Answer any) { return requests_.on_answer(any, say_, now_); }
  bool error(std::string code, std::string id = "") {
    return requests_.on_error({std::move(code), std::move(id), std::nullopt});
  }
  void pump() { requests_.pump(now_, say_); }
  static MembersAnswer page(const std::string& target, const std::string& key, bool more) {
    return {target, {{key, "", "member"}}, "audience", more};
  }

  Elapsed now_{seconds(1)};
  Requests requests_{seconds(10)};
  std::vector<std::string> said_;
  Say say_ = [this](std::string_view frame) { said_.emplace_back(frame); };
  std::string done_;
};

TEST_F(RequestsStory, AskOneAfterTheOther) {
  ask(Kind::kPeers, "peers");
  ask(Kind::kChannels, "channels");
  pump();
  pump();
  ASSERT_EQ(said_.size(), 1U);
  EXPECT_FALSE(answer(ChannelsAnswer{})) << "an answer to nothing that was asked";
  EXPECT_TRUE(answer(PeersAnswer{}));
  EXPECT_FALSE(answer(ChannelsAnswer{})) << "not said yet";
  pump();
  EXPECT_TRUE(answer(ChannelsAnswer{}));
  EXPECT_EQ(done_, "peers: ok; channels: ok; ");
  EXPECT_FALSE(requests_.next_deadline());
}

TEST_F(RequestsStory, KnowTheirAnswers) {
  // clang-format off
  const struct { const char* name; Kind kind; const char* subject; Answer answer; bool is_it; }
  rows[] = {
      {"joined", Kind::kChannelJoin, "#ops", ChannelChangeAnswer{"ops", true}, true},
      {"joined without its #", Kind::kChannelJoin, "ops", ChannelChangeAnswer{"#ops", true}, true},
      {"left instead", Kind::kChannelJoin, "#ops", ChannelChangeAnswer{"ops", false}, false},
      {"another channel", Kind::kChannelJoin, "#ops", ChannelChangeAnswer{"dev", true}, false},
      {"left", Kind::kChannelLeave, "#ops", ChannelChangeAnswer{"ops", false}, true},
      {"members", Kind::kMembers, "#ops", page("#ops", "a", false), true},
      {"members of another", Kind::kMembers, "#ops", page("#dev", "a", false), false},
      {"peers for members", Kind::kMembers, "*", PeersAnswer{}, false},
      {"subscribed", Kind::kTopicSubscribe, "a.>", dialects::SubscriptionAnswer{"a.>", true}, true},
      {"unsubscribed instead", Kind::kTopicSubscribe, "a.>",
       dialects::SubscriptionAnswer{"a.>", false}, false},
      {"another pattern", Kind::kTopicSubscribe, "a.>", dialects::SubscriptionAnswer{"a.*", true},
       false},
      {"unsubscribed", Kind::kTopicUnsubscribe, "a.>", dialects::SubscriptionAnswer{"a.>", false},
       true},
      {"history", Kind::kTopicHistory, "a.>", dialects::TopicHistoryAnswer{}, true},
      {"topics", Kind::kTopics, "", dialects::TopicsAnswer{}, true},
      {"topics for history", Kind::kTopicHistory, "", dialects::TopicsAnswer{}, false},
      {"a pulse", Kind::kTopicHistory, "", dialects::PulseAnswer{}, false},
      {"an ack", Kind::kPeers, "", dialects::AckAnswer{}, false},
      {"noise", Kind::kPeers, "", dialects::NotUnderstood{}, false},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    ask(row.kind, row.subject);
    pump();
    EXPECT_EQ(answer(row.answer), row.is_it);
    requests_.stop({ErrorCode::kUnavailable, "stopped: x"});
  }
}

TEST_F(RequestsStory, PutPagesTogether) {
  ask(Kind::kMembers, "*");
  pump();
  EXPECT_TRUE(answer(page("*", "k1", true)));
  EXPECT_TRUE(answer(page("*", "k2", true)));
  EXPECT_EQ(done_, "");
  EXPECT_TRUE(answer(page("*", "k3", false)));
  EXPECT_EQ(done_, "*: ok 3; ");
  ASSERT_EQ(said_.size(), 3U);
  EXPECT_EQ(said_[0].find("after"), std::string::npos);
  EXPECT_NE(said_[1].find(R"("after":"k1")"), std::string::npos);
  EXPECT_NE(said_[2].find(R"("after":"k2")"), std::string::npos);
}

TEST_F(RequestsStory, BeginAListAnewOnAnotherConnection) {
  ask(Kind::kMembers, "*");
  pump();
  answer(page("*", "k1", true));
  requests_.disconnected();
  EXPECT_FALSE(answer(page("*", "k2", false))) << "of the connection before";
  pump();
  EXPECT_EQ(said_.back().find("after"), std::string::npos);
  answer(page("*", "k9", false));
  EXPECT_EQ(done_, "*: ok 1; ");
}

TEST_F(RequestsStory, EndAListThatSaysMoreAndHasNone) {
  ask(Kind::kMembers, "*");
  pump();
  EXPECT_TRUE(answer(MembersAnswer{"*", {}, "audience", true}));
  EXPECT_EQ(done_, "*: ok 0; ");
}

TEST_F(RequestsStory, TakeAnErrorThatNamesNoMessageForTheirs) {
  EXPECT_FALSE(error("denied")) << "nothing was asked";
  ask(Kind::kPeers, "peers");
  EXPECT_FALSE(error("denied")) << "nothing was said";
  pump();
  EXPECT_FALSE(error("denied", "a-send"));
  EXPECT_FALSE(error("no_such_message")) << "of a receipt";
  EXPECT_EQ(done_, "");
  EXPECT_TRUE(error("denied"));
  EXPECT_EQ(done_, "peers: denied; ");
}

TEST_F(RequestsStory, AreGivenUpInTime) {
  ask(Kind::kPeers, "one", seconds(1));
  ask(Kind::kChannels, "two", seconds(2));
  ask(Kind::kChannels, "three", seconds(30));
  pump();
  EXPECT_EQ(requests_.next_deadline(), now_ + seconds(1));
  now_ = now_ + seconds(2);
  requests_.expire(now_, {});
  EXPECT_EQ(done_, "one: timeout; two: timeout; ");
  const auto due = requests_.next_deadline();
  ASSERT_TRUE(due);
  EXPECT_GT(*due, now_) << "nothing can be done before";
  pump();
  EXPECT_EQ(said_.size(), 1U) << "the late answer could be taken for the next one's";
  EXPECT_TRUE(answer(PeersAnswer{}));
  EXPECT_EQ(done_, "one: timeout; two: timeout; ") << "each is done once";
  pump();
  EXPECT_EQ(said_.size(), 2U);
  answer(ChannelsAnswer{});
  EXPECT_EQ(done_, "one: timeout; two: timeout; three: ok; ");
}

TEST_F(RequestsStory, ThatWereGivenUpAreNotAskedAgain) {
  ask(Kind::kPeers, "one", seconds(1));
  pump();
  now_ = now_ + seconds(1);
  requests_.expire(now_, {ErrorCode::kUnavailable, "connection_lost: x"});
  requests_.disconnected();
  pump();
  EXPECT_EQ(said_.size(), 1U);
  EXPECT_EQ(done_, "one: connection_lost; ");
}

TEST_F(RequestsStory, MakeAConnectionOverdue) {
  ask(Kind::kPeers, "one");
  EXPECT_FALSE(requests_.is_overdue(now_ + seconds(100)));
  pump();
  EXPECT_FALSE(requests_.is_overdue(now_ + std::chrono::milliseconds(9'999)));
  EXPECT_TRUE(requests_.is_overdue(now_ + seconds(10)));
  EXPECT_EQ(requests_.next_deadline(), now_ + seconds(10));
}

TEST_F(RequestsStory, AllEndWhenTheClientStops) {
  ask(Kind::kPeers, "one");
  ask(Kind::kPeers, "two");
  pump();
  requests_.stop({ErrorCode::kUnavailable, "stopped: x"});
  EXPECT_EQ(done_, "one: stopped; two: stopped; ");
}

TEST(BrokerCodes, SayWhatACallerDoesNext) {
  EXPECT_EQ(error_of("rate_limited").code, ErrorCode::kOverloaded);
  EXPECT_EQ(error_of("no_such_member").code, ErrorCode::kNotFound);
  EXPECT_EQ(error_of("unavailable").code, ErrorCode::kUnavailable);
  EXPECT_EQ(error_of("of_later").code, ErrorCode::kForbidden);
  for (const BrokerCode& known : kBrokerCodes) {
    EXPECT_EQ(code_of(error_of(known.code)), known.code);
  }
}

}  // namespace
}  // namespace signet::client
