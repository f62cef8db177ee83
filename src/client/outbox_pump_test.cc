#include "client/outbox_pump.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>

#include "base/encoding.h"
#include "client/channel_keys.h"
#include "client/state_fixture_test.h"
#include "membership/audience.h"
#include "wire/json.h"

namespace signet::client {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kMesh = "mesh-1";

const crypto::SecretKey& secret_of(std::size_t number) {
  static const auto* keys = [] {
    auto* made = new std::vector<crypto::SecretKey>;
    for (unsigned char i = 0; i < 24; ++i) made->push_back(crypto::SecretKey::from_seed({i, 77}));
    return made;
  }();
  return keys->at(number);
}
std::string hex(std::size_t number) { return crypto::to_hex(secret_of(number).public_key()); }

// Ada sends; the others are members.
constexpr std::size_t kAda = 0, kBob = 1, kCyd = 2, kDan = 3;

std::string audience_of(const std::vector<std::size_t>& members) {
  std::vector<crypto::PublicKey> keys;
  for (const std::size_t member : members) keys.push_back(secret_of(member).public_key());
  return to_hex(membership::audience_of(std::move(keys)));
}

// One frame that the pump or the requests said.
struct Said {
  std::string type, id, to, nonce, ciphertext, audience, priority;
};
Said said_of(std::string_view frame) {
  wire::JsonDocument document;
  EXPECT_TRUE(document.parse(frame).ok()) << frame;
  const auto field = [&](std::string_view name) {
    return std::string(document.root()[name].string().value_or(""));
  };
  const std::string target = field("targetSpec");
  return {field("type"),
          target.empty() ? field("target") : field("id"),
          target,
          field("nonce"),
          field("ciphertext"),
          field("audience"),
          field("priority")};
}

// What `member` makes of a send of Ada.
Opened opened_by(std::size_t member, const Said& said, const KeyLookup& keys = {}) {
  return Sealing(std::string(kMesh), secret_of(member))
      .open({kMesh, hex(kAda), said.to, said.nonce, said.ciphertext}, keys);
}

class PumpStory : public testing::Test {
 protected:
  PumpStory() {
    auto opened = State::open(StateOptions{}, secret_of(kAda));
    EXPECT_TRUE(opened.ok());
    state_ = *std::move(opened);
    renew_pump();
  }
  void renew_pump() {
    pump_.emplace(options_, std::string(kMesh), secret_of(kAda).public_key(), *state_, sealing_,
                  requests_, [this](const std::string& ticket) { reports_.push_back(ticket); });
  }

  std::string enqueue(const std::string& to, const std::string& text, bool sealed = true) {
    OutboxEntry entry;
    entry.to = to;
    entry.text = text;
    entry.sealed = sealed;
    auto ticket = state_->enqueue(entry);
    EXPECT_TRUE(ticket.ok());
    pump_->wake();
    return ticket.ok() ? *ticket : "";
  }
  // As the client's thread does it; what was said meanwhile.
  std::vector<Said> turn() {
    const Say say = [this](std::string_view frame) { frames_.push_back(said_of(frame)); };
    requests_.pump(now_, say);
    last_ = pump_->pump(now_, wall_, say);
    requests_.pump(now_, say);
    return std::exchange(frames_, {});
  }
  std::vector<Said> after(milliseconds wait) {
    now_ = now_ + wait;
    return turn();
  }
  void reconnect() {
    requests_.disconnected();
    pump_->disconnected();
    pump_->connected();
  }
  void ack(const Said& said) {
    EXPECT_TRUE(pump_->on_ack({said.id, "00112233445566778899aabbccddeeff", 1})) << said.id;
  }
  void error(const Said& said, std::string code, std::optional<std::int64_t> wait = std::nullopt) {
    EXPECT_TRUE(pump_->on_error({std::move(code), said.id, wait}, now_)) << said.id;
  }
  // The broker's list, whose audience is `digest` or the true one.
  void list(const std::string& target, const std::vector<std::size_t>& members,
            std::string digest = "") {
    dialects::MembersAnswer answer;
    answer.target = target;
    for (const std::size_t member : members) answer.members.push_back({hex(member), "", "member"});
    answer.audience = digest.empty() ? audience_of(members) : digest;
    dialects::Answer any(std::move(answer));
    const Say say = [this](std::string_view frame) { frames_.push_back(said_of(frame)); };
    EXPECT_TRUE(requests_.on_answer(any, say, now_));
  }
  // Sends `text` to #ops where `members` are, and plays its whole story; the send.
  Said story(const std::string& text, const std::vector<std::size_t>& members) {
    enqueue("#ops", text);
    auto heard = turn();
    EXPECT_EQ(types(heard), "list_members");
    list("#ops", members);
    heard = turn();
    for (const Said& key : heard) {
      if (key.to != "#ops") ack(key);
    }
    if (heard.empty() || heard.back().to != "#ops") heard = turn();
    EXPECT_FALSE(heard.empty());
    return heard.empty() ? Said{} : heard.back();
  }
  static std::string types(const std::vector<Said>& heard) {
    std::string text;
    for (const Said& said : heard) text += (text.empty() ? "" : " ") + said.type;
    return text;
  }
  std::vector<std::string> receivers(const std::vector<Said>& heard) {
    std::vector<std::string> keys;
    for (const Said& said : heard) keys.push_back(said.to);
    std::sort(keys.begin(), keys.end());
    return keys;
  }
  static std::vector<std::string> sorted(std::vector<std::string> keys) {
    std::sort(keys.begin(), keys.end());
    return keys;
  }
  SendReport report(const std::string& ticket) {
    const auto found = state_->report(ticket);
    EXPECT_TRUE(found.ok());
    return found.ok() ? *found : SendReport{};
  }
  // Nothing can be done: whoever sleeps until the deadline sleeps.
  void expect_rest() {
    const auto due = pump_->next_deadline(now_);
    EXPECT_TRUE(!due || *due > now_);
  }
  std::string key_id_of(const Said& said) {
    const std::string bytes = from_base64(said.ciphertext).value_or("");
    const auto body = crypto::ChannelBody::read(bytes);
    return body ? to_hex(body->key_id()) : "";
  }

  OutboxPumpOptions options_;
  std::unique_ptr<State> state_;
  Sealing sealing_{std::string(kMesh), secret_of(kAda)};
  Requests requests_{seconds(10)};
  std::vector<std::string> reports_;
  std::optional<OutboxPump> pump_;
  std::vector<Said> frames_;
  Elapsed now_{seconds(1'000)};
  WallTime wall_{1'700'000'000'000};
  Status last_ = Done{};
};

TEST_F(PumpStory, SaysNothingWithoutAConnection) {
  enqueue(hex(kBob), "hello");
  EXPECT_TRUE(turn().empty());
  EXPECT_FALSE(pump_->next_deadline(now_));
  pump_->connected();
  EXPECT_EQ(types(turn()), "send");
}

TEST_F(PumpStory, SaysTheSameBytesAfterEveryReconnectUntilTheyAreAcknowledged) {
  pump_->connected();
  const std::string ticket = enqueue(hex(kBob), "hello");
  const Said first = turn().at(0);
  EXPECT_EQ(first.id, ticket);
  EXPECT_EQ(*opened_by(kBob, first).text(), "hello");
  EXPECT_TRUE(turn().empty()) << "once a connection";
  for (int i = 0; i < 3; ++i) {
    reconnect();
    const auto again = turn();
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].id, first.id);
    EXPECT_EQ(again[0].nonce, first.nonce);
    EXPECT_EQ(again[0].ciphertext, first.ciphertext);
  }
  ack(first);
  EXPECT_EQ(report(ticket).state, SendState::kStored);
  EXPECT_EQ(reports_, std::vector{ticket});
  reconnect();
  EXPECT_TRUE(turn().empty());
  expect_rest();
}

TEST_F(PumpStory, SaysTheSameBytesAfterTheProcessEnded) {
  pump_->connected();
  enqueue(hex(kBob), "hello");
  const Said first = turn().at(0);
  pump_.emplace(options_, std::string(kMesh), secret_of(kAda).public_key(), *state_, sealing_,
                requests_, [](const std::string&) {});
  pump_->connected();
  const auto again = turn();
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].ciphertext, first.ciphertext);
}

TEST_F(PumpStory, MakesOfEveryCodeWhatItMeans) {
  enum class Then { kRefused, kLater, kStored };
  // clang-format off
  const struct { const char* code; Then then; } rows[] = {
      {"no_such_member", Then::kRefused}, {"denied", Then::kRefused},
      {"quota_exceeded", Then::kRefused}, {"bad_frame", Then::kRefused},
      {"unknown_type", Then::kRefused},   {"unknown_error", Then::kRefused},
      {"audience_changed", Then::kRefused},  // of a message that named none: no reason to try again
      {"rate_limited", Then::kLater},     {"store_full", Then::kLater},
      {"unavailable", Then::kLater},      {"id_reused", Then::kStored},
  };
  // clang-format on
  pump_->connected();
  for (const auto& row : rows) {
    SCOPED_TRACE(row.code);
    const std::string ticket = enqueue(hex(kBob), row.code);
    const Said said = turn().at(0);
    error(said, row.code);
    EXPECT_TRUE(turn().empty());
    expect_rest();
    if (row.then == Then::kRefused) {
      EXPECT_EQ(report(ticket).state, SendState::kRefused);
      EXPECT_EQ(report(ticket).why, row.code);
    }
    if (row.then == Then::kStored) {
      EXPECT_EQ(report(ticket).state, SendState::kStored);
    }
    if (row.then != Then::kLater) continue;
    EXPECT_EQ(report(ticket).state, SendState::kWaiting);
    EXPECT_EQ(pump_->next_deadline(now_), now_ + options_.retry_after);
    const auto again = after(options_.retry_after);
    ASSERT_EQ(again.size(), 1U);
    EXPECT_EQ(again[0].ciphertext, said.ciphertext);
    ack(again[0]);
  }
  std::cout << "codes: " << std::size(rows) << "\n";
}

TEST_F(PumpStory, WaitsAsLongAsItIsToldWithinReason) {
  // clang-format off
  const struct { const char* name; std::int64_t said; milliseconds waits; } rows[] = {
      {"what it says", 1'700, milliseconds(1'700)},
      {"nothing: not at once either", 0, milliseconds(10)},
      {"a year: a minute", 31'536'000'000, milliseconds(60'000)},
      {"2^63 - 1", std::numeric_limits<std::int64_t>::max(), milliseconds(60'000)},
  };
  // clang-format on
  pump_->connected();
  enqueue(hex(kBob), "hello");
  Said said = turn().at(0);
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    error(said, "rate_limited", row.said);
    EXPECT_EQ(pump_->next_deadline(now_), now_ + row.waits);
    EXPECT_TRUE(after(row.waits - milliseconds(1)).empty());
    const auto again = after(milliseconds(1));
    ASSERT_EQ(again.size(), 1U);
    said = again[0];
  }
}

TEST_F(PumpStory, KeepsTheOrderOfATargetThroughARateLimit) {
  pump_->connected();
  std::vector<std::string> tickets;
  for (const char* text : {"1", "2", "3"}) tickets.push_back(enqueue(hex(kBob), text));
  const auto heard = turn();
  ASSERT_EQ(heard.size(), 3U);
  for (const Said& said : {heard[2], heard[0], heard[1]}) error(said, "rate_limited", 50);
  tickets.push_back(enqueue(hex(kBob), "4"));
  EXPECT_TRUE(turn().empty());
  const auto again = after(milliseconds(50));
  ASSERT_EQ(again.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(again[i].id, tickets[i]);
}

TEST_F(PumpStory, HasOnlySoManyAndSoMuchUnderWay) {
  pump_->connected();
  for (int i = 0; i < 80; ++i) enqueue(hex(kBob), "short");
  const auto heard = turn();
  EXPECT_EQ(heard.size(), options_.max_in_flight);
  expect_rest();
  ack(heard[0]);
  EXPECT_EQ(turn().size(), 1U);
  for (std::size_t i = 1; i < heard.size(); ++i) ack(heard[i]);
  for (const Said& said : turn()) ack(said);
  for (int i = 0; i < 20; ++i) enqueue(hex(kCyd), std::string(40'000, 'x'));
  const auto large = turn();
  EXPECT_GE(large.size(), 4U);
  EXPECT_LE(large.size(), options_.max_in_flight_bytes / 53'000 + 1);
  expect_rest();
  ack(large[0]);
  EXPECT_EQ(turn().size(), 1U);
}

TEST_F(PumpStory, TakesALateAckForAReasonToConnectAnew) {
  pump_->connected();
  enqueue(hex(kBob), "hello");
  turn();
  EXPECT_EQ(pump_->next_deadline(now_), now_ + options_.ack_timeout);
  EXPECT_FALSE(pump_->is_overdue(now_ + (options_.ack_timeout - milliseconds(1))));
  EXPECT_TRUE(pump_->is_overdue(now_ + options_.ack_timeout));
  pump_->disconnected();
  EXPECT_FALSE(pump_->is_overdue(now_ + options_.ack_timeout));
}

TEST_F(PumpStory, PassesOverAnswersToWhatItDidNotSay) {
  pump_->connected();
  const std::string ticket = enqueue(hex(kBob), "hello");
  EXPECT_FALSE(pump_->on_ack({ticket, "m", 1})) << "an ack before the send";
  turn();
  EXPECT_FALSE(pump_->on_ack({"", "m", 1}));
  EXPECT_FALSE(pump_->on_error({"denied", "", std::nullopt}, now_));
  EXPECT_FALSE(pump_->on_error({"denied", "no-such-id", std::nullopt}, now_));
  EXPECT_EQ(report(ticket).state, SendState::kWaiting);
}

TEST_F(PumpStory, RefusesWhatCanNotBeSealed) {
  pump_->connected();
  const std::string own = enqueue(hex(kAda), "to myself");
  const std::string looks = enqueue("*", "SGC1 in the clear", false);
  const std::string good = enqueue(hex(kBob), "hello");
  EXPECT_EQ(turn().size(), 1U);
  EXPECT_EQ(report(own).why, "bad_key");
  EXPECT_EQ(report(looks).why, "text_reads_as_sealed");
  EXPECT_EQ(report(good).state, SendState::kWaiting);
}

TEST_F(PumpStory, SendsInTheClearOnlyWhereItWasAskedFor) {
  pump_->connected();
  enqueue("*", "hello all", false);
  const Said said = turn().at(0);
  EXPECT_EQ(said.type, "send") << "nobody is asked who is there";
  EXPECT_EQ(from_base64(said.ciphertext), "hello all");
  EXPECT_EQ(said.audience, "");
}

TEST_F(PumpStory, SealsToTheMembersThatAreListedAndNamesThem) {
  pump_->connected();
  const std::string ticket = enqueue("#ops", "hello ops");
  EXPECT_EQ(types(turn()), "list_members");
  EXPECT_TRUE(turn().empty());
  list("#ops", {kBob, kCyd});
  const auto keys = turn();
  EXPECT_EQ(receivers(keys), sorted({hex(kBob), hex(kCyd)}));
  for (const Said& key : keys) {
    const std::size_t member = key.to == hex(kBob) ? kBob : kCyd;
    EXPECT_TRUE(std::holds_alternative<KeyGrant>(opened_by(member, key).body));
    EXPECT_EQ(key.priority, "now");
  }
  EXPECT_TRUE(turn().empty()) << "the message waits for the keys";
  expect_rest();
  ack(keys[0]);
  EXPECT_TRUE(turn().empty());
  ack(keys[1]);
  const auto heard = turn();
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_EQ(heard[0].audience, audience_of({kBob, kCyd}));
  Opened grant = opened_by(kBob, keys[0].to == hex(kBob) ? keys[0] : keys[1]);
  const KeyLookup lookup = [&](const crypto::ChannelScope& scope, const crypto::ChannelKeyId&) {
    return std::optional(
        crypto::ChannelKey::from_bytes(std::get<KeyGrant>(grant.body).key.bytes(), scope));
  };
  EXPECT_EQ(*opened_by(kBob, heard[0], lookup).text(), "hello ops");
  ack(heard[0]);
  EXPECT_EQ(report(ticket).state, SendState::kStored);

  enqueue("#ops", "more");
  EXPECT_EQ(types(turn()), "send") << "the key and the list are known";
}

TEST_F(PumpStory, SendsToAnEmptyChannel) {
  pump_->connected();
  const Said said = story("anybody?", {});
  EXPECT_EQ(said.audience, audience_of({}));
}

TEST_F(PumpStory, GivesWhoComesThePresentKey) {
  pump_->connected();
  const Said first = story("one", {kBob});
  ack(first);
  enqueue("#ops", "two");
  error(turn().at(0), "audience_changed");
  EXPECT_EQ(types(turn()), "list_members");
  list("#ops", {kBob, kCyd});
  const auto keys = turn();
  EXPECT_EQ(receivers(keys), std::vector{hex(kCyd)}) << "Bob has it";
  ack(keys.at(0));
  const Said second = turn().at(0);
  EXPECT_EQ(key_id_of(second), key_id_of(first));
  EXPECT_EQ(second.audience, audience_of({kBob, kCyd}));
}

TEST_F(PumpStory, MakesANewKeyWhenSomebodyLeft) {
  pump_->connected();
  const Said first = story("one", {kBob, kCyd});
  ack(first);
  enqueue("#ops", "two");
  error(turn().at(0), "audience_changed");
  EXPECT_EQ(types(turn()), "list_members");
  list("#ops", {kBob});
  const auto keys = turn();
  EXPECT_EQ(receivers(keys), std::vector{hex(kBob)});
  ack(keys.at(0));
  EXPECT_NE(key_id_of(turn().at(0)), key_id_of(first));
}

// The ack of a key message got lost: the member may hold the key all the same.
TEST_F(PumpStory, MakesANewKeyWhenSomebodyLeftWhoNeverAcknowledgedTheOldOne) {
  pump_->connected();
  ack(story("one", {kBob}));
  const std::string before = (*state_->own_key("#ops"))->key_id;
  reconnect();
  enqueue("#ops", "two");
  turn();
  list("#ops", {kBob, kCyd});
  EXPECT_EQ(receivers(turn()), std::vector{hex(kCyd)});
  reconnect();
  EXPECT_EQ(types(turn()), "list_members");
  list("#ops", {kBob});
  EXPECT_EQ(receivers(turn()), std::vector{hex(kBob)});
  EXPECT_NE((*state_->own_key("#ops"))->key_id, before);
}

// Two processes of one member have one state: what the other gave away, this one does not use.
class TwoProcesses : public PumpStory {
 protected:
  TwoProcesses() {
    StateOptions file;
    file.file = folder_.path() + "/ada.db";
    state_ = *State::open(file, secret_of(kAda));
    other_ = *State::open(file, secret_of(kAda));
    renew_pump();
  }
  ~TwoProcesses() override {
    pump_.reset();
    state_.reset();
  }
  KeyOffer offer_by_other(const std::vector<std::string>& audience) {
    const auto never = []() -> Result<OwnChannelKey> { return Error{ErrorCode::kBug, "new"}; };
    auto offer = other_->offer_own_key("#ops", audience, wall_, never);
    EXPECT_TRUE(offer.ok());
    return offer.ok() ? *offer : KeyOffer{};
  }
  StateFolder folder_;
  std::unique_ptr<State> other_;
};

TEST_F(TwoProcesses, SealUnderNoKeyThatTheOtherGaveToWhoIsNotInTheAudience) {
  pump_->connected();
  const Said first = story("one", {kBob});
  ack(first);
  EXPECT_EQ(offer_by_other({hex(kBob), hex(kCyd)}).seal_to, std::vector{hex(kCyd)});
  enqueue("#ops", "two");
  const auto keys = turn();
  EXPECT_EQ(receivers(keys), std::vector{hex(kBob)}) << "a new key, before the message";
  ack(keys.at(0));
  const Said second = turn().at(0);
  EXPECT_EQ(second.to, "#ops");
  EXPECT_NE(key_id_of(second), key_id_of(first));
}

TEST_F(TwoProcesses, HandTheKeyOutOnceThoughTheOtherWritesAllTheTime) {
  pump_->connected();
  enqueue("#ops", "one");
  turn();
  list("#ops", {kBob, kCyd});
  const auto keys = turn();
  EXPECT_EQ(keys.size(), 2U);
  ASSERT_TRUE(other_->keep_pin("a", hex(kDan), false).ok());
  EXPECT_TRUE(turn().empty());
  ack(keys.at(0));
  error(keys.at(1), "no_such_member");
  ASSERT_TRUE(other_->keep_pin("b", hex(kDan), false).ok());
  EXPECT_EQ(turn().at(0).to, "#ops") << "who refuses the key holds up nobody";
}

TEST_F(PumpStory, OffersTheKeyAgainToWhoNeverAcknowledgedIt) {
  pump_->connected();
  enqueue("#ops", "one");
  turn();
  list("#ops", {kBob, kCyd});
  const auto keys = turn();
  ack(keys.at(0));
  reconnect();
  EXPECT_EQ(types(turn()), "list_members");
  list("#ops", {kBob, kCyd});
  EXPECT_EQ(receivers(turn()), std::vector{keys.at(1).to});
}

TEST_F(PumpStory, MakesANewKeyWhenTheOldOneIsTooOldInALongConnection) {
  pump_->connected();
  const Said first = story("one", {kBob});
  ack(first);
  wall_ = wall_ + kMaxKeyAge + milliseconds(1);
  enqueue("#ops", "two");
  const auto keys = turn();
  EXPECT_EQ(receivers(keys), std::vector{hex(kBob)});
  ack(keys.at(0));
  EXPECT_NE(key_id_of(turn().at(0)), key_id_of(first));
}

// Many were under way when somebody came: one list is enough for all of them.
TEST_F(PumpStory, AsksOnceForManyThatCameTooLate) {
  pump_->connected();
  ack(story("zero", {kBob}));
  std::vector<std::string> tickets;
  for (const char* text : {"1", "2", "3"}) tickets.push_back(enqueue("#ops", text));
  const auto heard = turn();
  ASSERT_EQ(heard.size(), 3U);
  error(heard[0], "audience_changed");
  EXPECT_EQ(types(turn()), "list_members");
  list("#ops", {kBob, kCyd});
  error(heard[1], "audience_changed");
  error(heard[2], "audience_changed");
  const auto keys = turn();
  EXPECT_EQ(receivers(keys), std::vector{hex(kCyd)});
  ack(keys.at(0));
  const auto again = turn();
  ASSERT_EQ(again.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(again[i].id, tickets[i]);
}

TEST_F(PumpStory, TakesAnIdReusedAfterSealingAnewForStored) {
  pump_->connected();
  ack(story("zero", {kBob}));
  const std::string ticket = enqueue("#ops", "one");
  const Said lost = turn().at(0);  // it is stored, and its ack is lost
  reconnect();
  const Said again = turn().at(0);
  EXPECT_EQ(again.ciphertext, lost.ciphertext);
  error(again, "audience_changed");
  turn();
  list("#ops", {kBob, kCyd});
  ack(turn().at(0));
  const Said anew = turn().at(0);
  EXPECT_EQ(anew.id, ticket);
  EXPECT_NE(anew.ciphertext, lost.ciphertext);
  error(anew, "id_reused");
  EXPECT_EQ(report(ticket).state, SendState::kStored);
  EXPECT_TRUE(turn().empty());
}

// A broker that never agrees with its own list is asked now and then, not in a circle.
TEST_F(PumpStory, RestsWhenTheAudienceChangesAgainAndAgain) {
  pump_->connected();
  Said said = story("one", {kBob});
  int circles = 0;
  for (bool rests = false; !rests && circles < 20; ++circles) {
    error(said, "audience_changed");
    const auto heard = turn();
    rests = heard.empty();
    if (rests) break;
    list("#ops", {kBob});
    said = turn().at(0);
  }
  EXPECT_EQ(circles, 4);
  EXPECT_EQ(pump_->next_deadline(now_), now_ + options_.retry_after);
  EXPECT_EQ(types(after(options_.retry_after)), "list_members");
}

TEST_F(PumpStory, RefusesWhenTheListIsNotTheAudienceItSays) {
  pump_->connected();
  const std::string ticket = enqueue("#ops", "one");
  int lists = 0;
  for (auto heard = turn(); !heard.empty() && lists < 20; heard = turn()) {
    EXPECT_EQ(types(heard), "list_members") << "nothing is sealed to such a list";
    list("#ops", {kBob, kCyd}, audience_of({kBob}));
    ++lists;
  }
  EXPECT_EQ(lists, 5);
  EXPECT_EQ(report(ticket).why, "audience_changed");
  expect_rest();

  enqueue("#ops", "two");  // is asked for anew: a mesh that changed fast then may be calm now
  EXPECT_EQ(types(turn()), "list_members");
  list("#ops", {kBob});
  EXPECT_EQ(types(turn()), "send");  // the key
}

TEST_F(PumpStory, RefusesSealedOnesAtABrokerThatKnowsNoAudiences) {
  pump_->connected();
  const std::string sealed = enqueue("#ops", "one");
  const std::string clear = enqueue("#ops", "two", false);
  EXPECT_EQ(types(turn()), "list_members");
  EXPECT_TRUE(requests_.on_error({"unknown_type", "", std::nullopt}));
  EXPECT_EQ(types(turn()), "send");
  EXPECT_EQ(report(sealed).why, "unknown_type");
  EXPECT_EQ(report(clear).state, SendState::kWaiting);
}

// A list counts as a send: asking again at once would be limited again, without end.
TEST_F(PumpStory, RestsWhenItsListIsRateLimited) {
  pump_->connected();
  enqueue("#ops", "one");
  EXPECT_EQ(types(turn()), "list_members");
  EXPECT_TRUE(requests_.on_error({"rate_limited", "", 100}));
  EXPECT_TRUE(turn().empty());
  expect_rest();
  EXPECT_EQ(types(after(options_.retry_after)), "list_members");
}

TEST_F(PumpStory, SendsThoughTheKeyWasRefusedForOneMember) {
  pump_->connected();
  enqueue("#ops", "one");
  turn();
  list("#ops", {kBob, kCyd});
  const auto keys = turn();
  ack(keys.at(0));
  error(keys.at(1), "quota_exceeded");
  EXPECT_EQ(turn().at(0).to, "#ops");
}

TEST_F(PumpStory, HandsTheKeyOutAgainAfterARateLimit) {
  pump_->connected();
  enqueue("#ops", "one");
  turn();
  list("#ops", {kBob});
  error(turn().at(0), "rate_limited", 100);
  EXPECT_TRUE(turn().empty());
  EXPECT_EQ(pump_->next_deadline(now_), now_ + milliseconds(100));
  const auto again = after(milliseconds(100));
  EXPECT_EQ(receivers(again), std::vector{hex(kBob)});
  ack(again.at(0));
  EXPECT_EQ(turn().at(0).to, "#ops");
}

TEST_F(PumpStory, KeepsTheOrderOfATargetThroughSealedAndUnsealed) {
  pump_->connected();
  enqueue("#ops", "sealed");
  const std::string clear = enqueue("#ops", "clear", false);
  const std::string other = enqueue(hex(kBob), "other");
  const auto heard = turn();
  EXPECT_EQ(types(heard), "send list_members") << "the other target goes, this one waits";
  list("#ops", {});
  const auto then = turn();
  ASSERT_EQ(then.size(), 1U);
  EXPECT_EQ(then[0].audience, audience_of({})) << "it may yet be refused, and said again later";
  expect_rest();
  ack(then[0]);
  EXPECT_EQ(turn().at(0).id, clear);
}

TEST_F(PumpStory, AnswersAMemberThatLostTheKeyOnceAConnection) {
  pump_->connected();
  ack(story("one", {kBob, kCyd}));
  crypto::ChannelKeyId id{};
  ASSERT_TRUE(from_hex((*state_->own_key("#ops"))->key_id, id));
  pump_->grant_again(secret_of(kBob).public_key(), {"#ops", id});
  EXPECT_EQ(pump_->next_deadline(now_), now_) << "there is something to say";
  const auto heard = turn();
  EXPECT_EQ(receivers(heard), std::vector{hex(kBob)});
  for (int i = 0; i < 3; ++i) pump_->grant_again(secret_of(kBob).public_key(), {"#ops", id});
  EXPECT_TRUE(turn().empty()) << "who asks in a circle gets no second answer";
  ack(heard.at(0));

  pump_->disconnected();
  pump_->connected();
  pump_->grant_again(secret_of(kBob).public_key(), {"#ops", id});
  EXPECT_EQ(types(turn()), "list_members") << "is it still a member?";
  list("#ops", {kCyd});
  EXPECT_EQ(receivers(turn()), std::vector{hex(kCyd)}) << "it left: a new key, and not for it";
}

TEST_F(PumpStory, GivesNoKeyToAStranger) {
  pump_->connected();
  ack(story("one", {kBob}));
  crypto::ChannelKeyId id{};
  ASSERT_TRUE(from_hex((*state_->own_key("#ops"))->key_id, id));
  pump_->grant_again(secret_of(kDan).public_key(), {"#ops", id});
  EXPECT_TRUE(turn().empty());
  crypto::ChannelKeyId other = id;
  other[0] ^= 1;
  pump_->grant_again(secret_of(kBob).public_key(), {"#ops", other});
  pump_->grant_again(secret_of(kBob).public_key(), {"#none", id});
  EXPECT_TRUE(turn().empty());
  expect_rest();
}

TEST_F(PumpStory, AnswersWhoAskedBeforeTheConnectionWasLost) {
  pump_->connected();
  ack(story("one", {kBob}));
  crypto::ChannelKeyId id{};
  ASSERT_TRUE(from_hex((*state_->own_key("#ops"))->key_id, id));
  pump_->grant_again(secret_of(kBob).public_key(), {"#ops", id});
  reconnect();
  EXPECT_EQ(types(turn()), "list_members");
  list("#ops", {kBob});
  EXPECT_EQ(receivers(turn()), std::vector{hex(kBob)});
}

// A broker that answers no list lets those who ask wait, connection after connection.
TEST_F(PumpStory, RemembersABoundedNumberOfThoseWhoAsked) {
  options_.max_asked = 2;
  renew_pump();
  pump_->connected();
  ack(story("one", {kBob, kCyd, kDan}));
  crypto::ChannelKeyId id{};
  ASSERT_TRUE(from_hex((*state_->own_key("#ops"))->key_id, id));
  for (const std::size_t asker : {kBob, kCyd, kDan}) {
    reconnect();
    pump_->grant_again(secret_of(asker).public_key(), {"#ops", id});
  }
  EXPECT_EQ(types(turn()), "list_members");
  list("#ops", {kBob, kCyd, kDan});
  EXPECT_EQ(receivers(turn()), sorted({hex(kBob), hex(kCyd)}));
}

TEST_F(PumpStory, GrantsAgainThoughTheGrantWasRateLimitedAndNothingElseWaits) {
  pump_->connected();
  ack(story("one", {kBob}));
  crypto::ChannelKeyId id{};
  ASSERT_TRUE(from_hex((*state_->own_key("#ops"))->key_id, id));
  pump_->grant_again(secret_of(kBob).public_key(), {"#ops", id});
  error(turn().at(0), "rate_limited", 100);
  EXPECT_EQ(pump_->next_deadline(now_), now_ + milliseconds(100));
  EXPECT_EQ(receivers(after(milliseconds(100))), std::vector{hex(kBob)});
}

TEST_F(PumpStory, AsksForAMissingKeyOnceAConnection) {
  pump_->connected();
  turn();
  for (int i = 0; i < 3; ++i) pump_->ask_for_key(hex(kBob), "#ops", {1});
  EXPECT_EQ(pump_->next_deadline(now_), now_);
  const auto heard = turn();
  ASSERT_EQ(heard.size(), 1U);
  const Opened opened = opened_by(kBob, heard[0]);
  ASSERT_TRUE(std::holds_alternative<KeyRequest>(opened.body));
  EXPECT_EQ(std::get<KeyRequest>(opened.body).target, "#ops");
  error(heard[0], "rate_limited", 100);
  EXPECT_TRUE(turn().empty());
  EXPECT_EQ(after(milliseconds(100)).size(), 1U) << "a limited question is asked again";
  pump_->ask_for_key(hex(kBob), "#ops", {1});
  EXPECT_TRUE(turn().empty());
}

TEST_F(PumpStory, DropsWhatWasTakenBackBetweenClaimAndSend) {
  pump_->connected();
  const std::string taken_back = enqueue("#ops", "no");
  const std::string other = enqueue(hex(kBob), "yes");
  EXPECT_EQ(types(turn()), "send list_members");
  EXPECT_TRUE(state_->cancel(taken_back).ok());
  list("#ops", {});
  EXPECT_TRUE(turn().empty());
  EXPECT_TRUE(last_.ok()) << last_.error().detail;
  const std::string next = enqueue(hex(kBob), "next");
  EXPECT_EQ(turn().at(0).id, next) << "it is in nobody's way";
  EXPECT_EQ(report(taken_back).why, "cancelled");
}

// --- against a model of the broker ---

// A broker that keeps messages by id, compares audiences and loses nothing but connections.
class ModelBroker {
 public:
  struct Stored {
    std::string target, nonce, ciphertext;
  };
  void hear(const Said& said) {
    if (said.type == "list_members") {
      dialects::MembersAnswer list;
      list.target = "#ops";
      for (const std::size_t member : ops_) list.members.push_back({hex(member), "", "member"});
      list.audience = audience_of(ops_);
      lists_.push_back(dialects::Answer(std::move(list)));
      return;
    }
    if (!said.audience.empty() && said.audience != audience_of(ops_)) {
      answers_.push_back(dialects::ErrorAnswer{"audience_changed", said.id, std::nullopt});
    } else if (const auto known = by_id_.find(said.id); known != by_id_.end()) {
      const bool same = known->second.ciphertext == said.ciphertext &&
                        known->second.nonce == said.nonce && known->second.target == said.to;
      if (same) {
        answers_.push_back(dialects::AckAnswer{said.id, "m" + said.id, 1});
      } else {
        answers_.push_back(dialects::ErrorAnswer{"id_reused", said.id, std::nullopt});
      }
    } else {
      by_id_[said.id] = {said.to, said.nonce, said.ciphertext};
      store(said);
      answers_.push_back(dialects::AckAnswer{said.id, "m" + said.id, 1});
    }
  }
  void refuse(const Said& said) {
    answers_.push_back(dialects::ErrorAnswer{"unavailable", said.id, 5});
  }
  void lose_connection() {
    answers_.clear();
    lists_.clear();
  }

  std::vector<std::size_t> ops_;
  std::deque<dialects::Answer> answers_, lists_;
  std::map<std::string, std::vector<std::string>> texts_;  // by target, in order

 private:
  void store(const Said& said) {
    if (said.to != "#ops") return store_direct(said);
    const auto plain = Sealing(std::string(kMesh), secret_of(kBob))
                           .open({kMesh, hex(kAda), said.to, said.nonce, said.ciphertext}, {});
    if (const std::string* text = plain.text()) {
      texts_["#ops"].push_back(*text);
      return;
    }
    const std::string bytes = from_base64(said.ciphertext).value_or("");
    const auto body = crypto::ChannelBody::read(bytes);
    ASSERT_TRUE(body);
    const std::string id = to_hex(body->key_id());
    for (const std::size_t member : ops_) {
      EXPECT_TRUE(holders_[id].contains(hex(member))) << "a message that a member can't open";
    }
    for (const std::string& holder : holders_[id]) {
      const bool there = std::any_of(ops_.begin(), ops_.end(),
                                     [&](std::size_t member) { return hex(member) == holder; });
      EXPECT_TRUE(there) << "a message that somebody can open who left";
    }
    const KeyLookup lookup = [&](const crypto::ChannelScope& scope, const crypto::ChannelKeyId&) {
      const auto key = keys_.find(id);
      return key == keys_.end() ? std::nullopt
                                : std::optional(crypto::ChannelKey::from_bytes(key->second, scope));
    };
    const Opened opened = opened_by(ops_[0], said, lookup);
    ASSERT_TRUE(opened.text()) << opened.why();
    texts_["#ops"].push_back(*opened.text());
  }
  void store_direct(const Said& said) {
    for (std::size_t member = 1; member < 24; ++member) {
      if (hex(member) != said.to) continue;
      const Opened opened = opened_by(member, said);
      if (const auto* grant = std::get_if<KeyGrant>(&opened.body)) {
        holders_[to_hex(grant->key.id())].insert(said.to);
        keys_[to_hex(grant->key.id())] = grant->key.bytes();
      } else {
        ASSERT_TRUE(opened.text());
        texts_[said.to].push_back(*opened.text());
      }
    }
  }

  std::map<std::string, Stored> by_id_;
  std::map<std::string, std::set<std::string>> holders_;  // by key id
  std::map<std::string, crypto::ChannelKeyBytes> keys_;
};

class PumpModel : public PumpStory, public testing::WithParamInterface<unsigned> {
 protected:
  std::size_t below(std::size_t bound) { return random_() % bound; }
  void hear_some(std::size_t most) {
    for (; most > 0 && !wire_.empty(); --most) {
      const Said said = wire_.front();
      wire_.pop_front();
      if (limits_ && said.type == "send" && below(6) == 0) {
        broker_.refuse(said);
      } else {
        broker_.hear(said);
      }
    }
  }
  // One answer; lists come from memory and may overtake what waits for the disk.
  void answer_one() {
    auto& from = broker_.answers_.empty() || (!broker_.lists_.empty() && below(2) == 0)
                     ? broker_.lists_
                     : broker_.answers_;
    if (from.empty()) return;
    // Acks may come in any order.
    const std::size_t which = below(std::min<std::size_t>(from.size(), 3));
    dialects::Answer answer = std::move(from[which]);
    from.erase(from.begin() + static_cast<std::ptrdiff_t>(which));
    const Say say = [this](std::string_view frame) { wire_.push_back(said_of(frame)); };
    if (const auto* ack = std::get_if<dialects::AckAnswer>(&answer)) {
      EXPECT_TRUE(pump_->on_ack(*ack));
    } else if (const auto* error = std::get_if<dialects::ErrorAnswer>(&answer)) {
      EXPECT_TRUE(pump_->on_error(*error, now_));
    } else {
      requests_.on_answer(answer, say, now_);
    }
  }
  void say_all() {
    for (Said& said : turn()) wire_.push_back(std::move(said));
    EXPECT_TRUE(last_.ok());
    if (broker_.answers_.empty() && broker_.lists_.empty() && wire_.empty()) expect_rest();
  }
  void lose_connection() {
    hear_some(below(wire_.size() + 1));  // what arrived, unanswered
    wire_.clear();
    broker_.lose_connection();
    requests_.disconnected();
    pump_->disconnected();
  }
  // Who left does not come back, so that no audience is ever the same again.
  void change_members() {
    if (below(2) == 0 && next_member_ < 24) {
      broker_.ops_.push_back(next_member_++);
    } else if (broker_.ops_.size() > 1) {
      broker_.ops_.erase(broker_.ops_.begin() +
                         static_cast<std::ptrdiff_t>(below(broker_.ops_.size())));
    }
  }
  void enqueue_one() {
    if (sent_count_ >= 40) return;
    const std::string text = "text " + std::to_string(sent_count_++);
    const std::size_t which = below(4);
    const std::string target = which == 0 ? hex(kBob) : which == 1 ? hex(kCyd) : "#ops";
    enqueue(target, text, below(5) != 0);
    sent_[target].push_back(text);
  }
  void random_step() {
    now_ = now_ + milliseconds(below(3));
    switch (below(12)) {
      case 0:
      case 1:
        return enqueue_one();
      case 2:
        return below(3) == 0 ? change_members() : void();
      case 3:
        if (below(4) == 0) {
          lose_connection();
          pump_->connected();
        }
        return;
      case 4:
      case 5:
      case 6:
        return say_all();
      case 7:
      case 8:
        return hear_some(1 + below(4));
      default:
        return answer_one();
    }
  }
  void run(bool limits) {
    limits_ = limits;
    random_.seed(GetParam());
    broker_.ops_ = {4, 5};
    pump_->connected();
    for (int i = 0; i < 400; ++i) random_step();
    limits_ = false;
    for (int i = 0; i < 4'000 && !(*state_->waiting()).empty(); ++i) {
      now_ = now_ + milliseconds(50);
      say_all();
      hear_some(10);
      answer_one();
    }
    EXPECT_TRUE((*state_->waiting()).empty());
  }

  bool limits_ = false;
  std::mt19937 random_;
  ModelBroker broker_;
  std::deque<Said> wire_;
  std::size_t next_member_ = 6;
  std::size_t sent_count_ = 0;
  std::map<std::string, std::vector<std::string>> sent_;
};

TEST_P(PumpModel, StoresEachMessageOnceAndInTheOrderOfItsTarget) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  run(false);
  EXPECT_EQ(broker_.texts_, sent_);
}

TEST_P(PumpModel, StoresEachMessageOnceAtABrokerThatIsBusy) {
  SCOPED_TRACE("seed " + std::to_string(GetParam()));
  run(true);
  for (auto* side : {&broker_.texts_, &sent_}) {
    for (auto& [target, texts] : *side) std::sort(texts.begin(), texts.end());
  }
  EXPECT_EQ(broker_.texts_, sent_);
}

INSTANTIATE_TEST_SUITE_P(Seeds, PumpModel, testing::Range(1U, 13U));

}  // namespace
}  // namespace signet::client
