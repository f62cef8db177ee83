#include "client/intake.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "client/reader.h"
#include "client/state_fixture_test.h"
#include "wire/json.h"

namespace signet::client {
namespace {

using std::chrono::seconds;

constexpr const char* kMesh = "mesh-1";

// Ada writes to Bob, whose intake this is.
class IntakeStory : public testing::Test {
 protected:
  IntakeStory() { open({}); }
  void open(const StateOptions& options) {
    intake_.reset();
    pump_.reset();
    auto opened = State::open(options, bob_);
    EXPECT_TRUE(opened.ok());
    state_ = *std::move(opened);
    pump_.emplace(OutboxPumpOptions{}, kMesh, bob_.public_key(), *state_, sealing_, requests_,
                  [](const std::string&) {});
    pump_->connected();
    intake_.emplace(kMesh, *state_, sealing_, *pump_);
  }
  dialects::PushedMessage push(const SealedBody& body, const std::string& target) {
    dialects::PushedMessage push;
    push.message_id = id_of(++pushed_);
    push.mesh_id = kMesh;
    push.sender_key = crypto::to_hex(ada_.public_key());
    push.target = target;
    push.created_at = "2026-01-05T12:34:50.123Z";
    push.nonce = body.nonce;
    push.ciphertext = body.ciphertext;
    return push;
  }
  dialects::PushedMessage direct(const std::string& text) {
    return push(*adas_.direct(bob_.public_key(), text), crypto::to_hex(bob_.public_key()));
  }
  dialects::PushedMessage in_ops(const std::string& text) {
    return push(*adas_.to_audience("#ops", key_, text), "#ops");
  }
  dialects::PushedMessage key_message(const KeyMessage& message) {
    return push(*adas_.key_message(bob_.public_key(), message), crypto::to_hex(bob_.public_key()));
  }
  dialects::PushedMessage grant() {
    return key_message(KeyGrant{
        "#ops", crypto::ChannelKey::from_bytes(key_.bytes(), {kMesh, "#ops", ada_.public_key()})});
  }
  // The ids of the receipts that a settle says.
  std::vector<std::string> settle(const std::vector<dialects::PushedMessage>& pushes) {
    for (const auto& push : pushes) intake_->on_push(push);
    confirmed_.clear();
    const auto senders = intake_->settle(say_);
    EXPECT_TRUE(senders.ok());
    news_ = senders.ok() ? senders->size() : 0;
    return confirmed_;
  }
  std::vector<std::string> inbox() { return ids_of(*state_->unread(10'000)); }
  // How many key requests the pump says.
  std::size_t asked() {
    std::size_t frames = 0;
    EXPECT_TRUE(
        pump_->pump(Elapsed{seconds(9)}, WallTime{}, [&](std::string_view) { ++frames; }).ok());
    return frames;
  }
  std::string read(std::size_t index) {
    Reader reader(kMesh, bob_, *state_);
    const Message message = reader.read(state_->unread(100)->at(index), "ada");
    return message.text ? *message.text : "(" + message.why + ")";
  }

  const crypto::SecretKey ada_ = crypto::SecretKey::from_seed({1, 9});
  const crypto::SecretKey bob_ = crypto::SecretKey::from_seed({2, 9});
  Sealing adas_{kMesh, ada_}, sealing_{kMesh, bob_};
  crypto::ChannelKey key_ = *adas_.new_channel_key("#ops");
  Requests requests_{seconds(10)};
  std::unique_ptr<State> state_;
  std::optional<OutboxPump> pump_;
  std::optional<Intake> intake_;
  std::vector<std::string> confirmed_;
  Say say_ = [this](std::string_view frame) {
    wire::JsonDocument document;
    EXPECT_TRUE(document.parse(frame).ok());
    EXPECT_EQ(document.root()["type"].string(), "receipt");
    EXPECT_EQ(document.root()["state"].string(), "received");
    confirmed_.emplace_back(*document.root()["messageId"].string());
    // Whatever is confirmed is on disk: the inbox has it, or it was no message.
    if (expect_kept_) {
      const auto kept = inbox();
      EXPECT_NE(std::find(kept.begin(), kept.end(), confirmed_.back()), kept.end());
    }
  };
  bool expect_kept_ = false;
  std::size_t news_ = 0;
  std::uint64_t pushed_ = 0;
};

TEST_F(IntakeStory, ConfirmsWhatIsOnDisk) {
  expect_kept_ = true;
  EXPECT_EQ(settle({direct("one"), direct("two")}), ids({1, 2}));
  EXPECT_EQ(news_, 2U);
  EXPECT_EQ(inbox(), ids({1, 2}));
  EXPECT_EQ(read(0), "one");
  EXPECT_TRUE(settle({}).empty()) << "once";
}

TEST_F(IntakeStory, ConfirmsReplaysAndDropsThem) {
  const auto first = direct("one");
  auto copy = first, without_target = first;
  copy.message_id = id_of(77);
  without_target.message_id = id_of(78);
  without_target.target.clear();
  settle({first});
  EXPECT_EQ(settle({first}), ids({1})) << "the receipt got lost";
  EXPECT_EQ(settle({copy}), ids({77})) << "a copy under another id";
  EXPECT_EQ(settle({without_target}), ids({78})) << "a copy without its target";
  EXPECT_EQ(settle({first, copy}), ids({1, 77}));
  EXPECT_EQ(news_, 0U);
  EXPECT_EQ(inbox(), ids({1}));
}

TEST_F(IntakeStory, KeepsKeysWhereKeysAreKept) {
  EXPECT_EQ(settle({grant(), in_ops("hello")}), ids({1, 2}));
  EXPECT_EQ(inbox(), ids({2})) << "a key message is no message";
  EXPECT_EQ(read(0), "hello");
  EXPECT_EQ(asked(), 0U);
}

TEST_F(IntakeStory, KeepsNoKeyMessageInTheInboxWhateverItsPushSays) {
  const KeyMessage request = KeyRequest{"#ops", key_.id()};
  const auto with = [](dialects::PushedMessage push, auto change) {
    change(push);
    return push;
  };
  // clang-format off
  const struct { const char* name; dialects::PushedMessage push; bool is_confirmed; } rows[] = {
      {"a key", grant(), true},
      {"a request", key_message(request), true},
      {"a key without a target", with(grant(), [](auto& push) { push.target.clear(); }), true},
      {"a key without a mesh", with(grant(), [](auto& push) { push.mesh_id.clear(); }), true},
      {"a key of another mesh", with(grant(), [](auto& push) { push.mesh_id = "mesh-2"; }), false},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(settle({row.push}).size(), row.is_confirmed ? 1U : 0U);
    EXPECT_TRUE(inbox().empty());
  }
}

// Kept, it would be read as a message of this mesh: a box does not say which it is of.
TEST_F(IntakeStory, TakesNothingThatNamesAnotherMesh) {
  auto other = direct("of another mesh");
  other.mesh_id = "mesh-2";
  EXPECT_TRUE(settle({other}).empty());
  EXPECT_TRUE(inbox().empty());
}

TEST_F(IntakeStory, ShowsNoTextOfWhatIsNotBelieved) {
  auto tampered = direct("one"), misdirected = direct("two"), no_target = direct("three");
  tampered.ciphertext[3] = tampered.ciphertext[3] == 'A' ? 'B' : 'A';
  misdirected.target = std::string(64, 'c');
  no_target.target.clear();
  EXPECT_EQ(settle({tampered, misdirected, no_target}), ids({1, 2, 3}));
  EXPECT_EQ(read(0), "(does_not_open)");
  EXPECT_EQ(read(1), "(misdirected)");
  EXPECT_EQ(read(2), "three");
}

TEST_F(IntakeStory, AsksOnceForAKeyThatIsMissing) {
  EXPECT_EQ(settle({in_ops("one"), in_ops("two")}), ids({1, 2})) << "kept, to be read later";
  EXPECT_EQ(read(0), "(key_missing)");
  EXPECT_EQ(asked(), 1U);
  settle({in_ops("three")});
  EXPECT_EQ(asked(), 0U);
  settle({grant()});
  EXPECT_EQ(read(0), "one");
  EXPECT_EQ(read(2), "three");
}

TEST_F(IntakeStory, AsksForNoKeyOfAForgedBody) {
  auto forged = in_ops("one");
  std::string bytes = *from_base64(forged.ciphertext);
  bytes[30] ^= 1;  // in the signature
  forged.ciphertext = to_base64(bytes_of(bytes));
  settle({forged});
  EXPECT_EQ(asked(), 0U);
}

TEST_F(IntakeStory, ConfirmsWhatHadNoRoomOnlyWhenItIsTaken) {
  StateOptions options;
  options.inbox_messages = 2;
  open(options);
  EXPECT_EQ(settle({direct("1"), direct("2"), direct("3"), direct("4")}), ids({1, 2}));
  EXPECT_TRUE(intake_->has_waiting());
  EXPECT_TRUE(settle({}).empty());
  EXPECT_EQ(settle({grant()}), ids({5})) << "keys need no room";
  ASSERT_TRUE(state_->lease(1).ok());
  ASSERT_TRUE(state_->confirm({id_of(1)}).ok());
  EXPECT_EQ(settle({direct("6")}), ids({3})) << "in order: the sixth waits behind the fourth";
  ASSERT_TRUE(state_->lease(10).ok());
  ASSERT_TRUE(state_->confirm(ids({2, 3})).ok());
  EXPECT_EQ(settle({}), ids({4, 6}));
  EXPECT_FALSE(intake_->has_waiting());
}

TEST_F(IntakeStory, ForgetsWhatWaitsWithTheConnection) {
  StateOptions options;
  options.inbox_messages = 1;
  open(options);
  settle({direct("1"), direct("2")});
  intake_->disconnected();
  EXPECT_FALSE(intake_->has_waiting());
  EXPECT_TRUE(settle({}).empty()) << "the broker has it still";
}

// A broker that pushes on and on, past what it may leave unconfirmed.
TEST_F(IntakeStory, HoldsOnlySoManyAndSoMuch) {
  const auto body = [&](std::size_t bytes) {
    return push({"nonce " + std::to_string(pushed_), std::string(bytes, 'x')}, "*");
  };
  StateOptions options;
  options.inbox_messages = 5'000;
  open(options);
  std::vector<dialects::PushedMessage> many, large;
  for (int i = 0; i < 1'500; ++i) many.push_back(body(10));
  EXPECT_EQ(settle(many).size(), 1'024U);
  for (int i = 0; i < 100; ++i) large.push_back(body(60'000));
  const std::size_t taken = settle(large).size();
  EXPECT_GE(taken, 30U);
  EXPECT_LE(taken, 35U);
  EXPECT_EQ(settle(large).size(), taken) << "there is room again: confirmed as known";
}

}  // namespace
}  // namespace signet::client
