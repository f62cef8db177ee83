// Channel keys and pins: what is forgotten when, and nothing readable on disk.
#include "base/encoding.h"
#include "client/database.h"
#include "client/state_fixture_test.h"

namespace signet::client {
namespace {

std::string channel_key(char fill) { return std::string(32, fill); }

class KeysTest : public StateTest {
 protected:
  KeysTest() { state_ = open(); }
  OwnChannelKey own(std::string target) {
    auto key = state_->own_key(target);
    EXPECT_TRUE(key.ok() && key->has_value());
    return key.ok() && *key ? **key : OwnChannelKey{};
  }
  std::string peer(std::uint64_t sender, std::string target, std::uint64_t id) {
    auto key = state_->peer_key(key_of(sender), target, id_of(id));
    EXPECT_TRUE(key.ok());
    return key.ok() ? key->value_or("none") : "failed";
  }
};

TEST_F(KeysTest, KeepsOneOwnKeyPerTarget) {
  EXPECT_FALSE(state_->own_key("#a")->has_value());
  ASSERT_TRUE(state_->keep_own_key({"#a", id_of(1), channel_key('a'), {key_of(1)}, {1'234}}).ok());
  ASSERT_TRUE(state_->keep_own_key({"#b", id_of(2), channel_key('b'), {}, {}}).ok());
  ASSERT_TRUE(state_->add_key_holder("#a", id_of(1), key_of(2)).ok());
  ASSERT_TRUE(state_->add_key_holder("#a", id_of(1), key_of(2)).ok());
  reopen();
  const OwnChannelKey key = own("#a");
  EXPECT_EQ(key.target, "#a");
  EXPECT_EQ(key.key_id, id_of(1));
  EXPECT_EQ(key.key, channel_key('a'));
  EXPECT_EQ(key.holders, (std::vector{key_of(1), key_of(2)}));
  EXPECT_EQ(key.made.ms, 1'234);
  ASSERT_TRUE(state_->keep_own_key({"#a", id_of(3), channel_key('c'), {}, {}}).ok());
  ASSERT_TRUE(state_->add_key_holder("#a", id_of(1), key_of(2)).ok());
  EXPECT_EQ(own("#a").key, channel_key('c'));
  EXPECT_TRUE(own("#a").holders.empty()) << "of another key, and late";
  EXPECT_EQ(own("#b").key, channel_key('b'));
}

TEST_F(KeysTest, KeepsPeersKeysUntilEnoughNewerOnesCame) {
  for (std::uint64_t i = 1; i <= 17; ++i) {
    ASSERT_TRUE(state_->keep_peer_key(key_of(1), "#a", id_of(i), channel_key('k')).ok());
  }
  ASSERT_TRUE(state_->keep_peer_key(key_of(1), "#b", id_of(1), channel_key('l')).ok());
  ASSERT_TRUE(state_->keep_peer_key(key_of(2), "#a", id_of(1), channel_key('m')).ok());
  reopen();
  EXPECT_EQ(peer(1, "#a", 1), "none");
  EXPECT_EQ(peer(1, "#a", 2), channel_key('k'));
  EXPECT_EQ(peer(1, "#a", 17), channel_key('k'));
  EXPECT_EQ(peer(1, "#b", 1), channel_key('l'));
  EXPECT_EQ(peer(2, "#a", 1), channel_key('m'));
  EXPECT_EQ(peer(2, "#b", 1), "none");
}

// Two processes plan for audiences that differ: neither forgets whom the other gave the key.
TEST_F(KeysTest, ForgetsNoHolderThatAnotherProcessAdded) {
  const auto other = open();
  const auto make = [](std::uint64_t id) {
    return [id]() -> Result<OwnChannelKey> {
      return OwnChannelKey{"#a", id_of(id), channel_key('k'), {}, {1'000}};
    };
  };
  const auto offer = [&](State& state, const std::vector<std::string>& audience, std::uint64_t id) {
    auto offered = state.offer_own_key("#a", audience, {2'000}, make(id));
    EXPECT_TRUE(offered.ok());
    return offered.ok() ? *offered : KeyOffer{};
  };
  const std::string bob = key_of(1), cyd = key_of(2);
  EXPECT_EQ(offer(*state_, {bob}, 1).key.key_id, id_of(1));
  ASSERT_TRUE(state_->add_key_holder("#a", id_of(1), bob).ok());
  OwnChannelKey stale = own("#a");
  const auto before = *state_->others_version();
  EXPECT_EQ(offer(*other, {bob, cyd}, 2).seal_to, std::vector{cyd});
  EXPECT_NE(*state_->others_version(), before);
  EXPECT_EQ(*state_->others_version(), *state_->others_version());
  ASSERT_TRUE(state_->keep_own_key(stale).ok());
  EXPECT_EQ(own("#a").holders, (std::vector{bob, "?" + bob, "?" + cyd}));
  const KeyOffer rotated = offer(*state_, {bob}, 3);
  EXPECT_EQ(rotated.key.key_id, id_of(3)) << "cyd may have the old one";
  EXPECT_EQ(rotated.seal_to, std::vector{bob});
  EXPECT_EQ(own("#a").holders, std::vector{"?" + bob});
  const auto failing = state_->offer_own_key("#a", {}, {2'000}, []() -> Result<OwnChannelKey> {
    return Error{ErrorCode::kUnavailable, "none"};
  });
  EXPECT_FALSE(failing.ok());
  EXPECT_EQ(own("#a").key_id, id_of(3));
}

TEST_F(KeysTest, PinsANameOnceWhoeverIsFirst) {
  const auto other = open();
  EXPECT_EQ(state_->first_pin("ada", key_of(1))->key, key_of(1));
  EXPECT_EQ(other->first_pin("ada", key_of(2))->key, key_of(1)) << "the one that is there";
  ASSERT_TRUE(other->keep_pin("ada", key_of(3), true).ok());
  const auto found = state_->first_pin("ada", key_of(1));
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->key, key_of(3));
  EXPECT_TRUE(found->verified);
  EXPECT_EQ((*state_->pin("ada"))->key, key_of(3)) << "and stays";
  EXPECT_EQ(code_in(state_->first_pin("bob", "short").error()), "bad_key");
}

TEST_F(KeysTest, KeepsABoundedNumberOfPinsThatNobodyVerified) {
  options_.unverified_pins = 3;
  reopen();
  ASSERT_TRUE(state_->keep_pin("a", key_of(1), true).ok());
  for (const char* name : {"b", "c", "d", "e", "f"}) {
    EXPECT_TRUE(state_->first_pin(name, key_of(2)).ok());
  }
  std::string names;
  const auto pins = state_->pins();
  ASSERT_TRUE(pins.ok());
  for (const Pin& pin : *pins) names += pin.name;
  EXPECT_EQ(names, "adef") << "the oldest went, the verified one stays";
}

TEST_F(KeysTest, RefusesWhatIsNoKey) {
  EXPECT_EQ(code_in(state_->keep_peer_key(key_of(1), "#a", id_of(1), "short").error()), "bad_key");
  EXPECT_EQ(code_in(state_->keep_own_key({"#a", id_of(1), "short", {}, {}}).error()), "bad_key");
  EXPECT_EQ(code_in(state_->keep_pin("ada", "short", false).error()), "bad_key");
}

TEST_F(KeysTest, KeepsAPinUntilAnotherOneIsTrusted) {
  EXPECT_FALSE(state_->pin("ada")->has_value());
  ASSERT_TRUE(state_->keep_pin("bob", key_of(2), false).ok());
  ASSERT_TRUE(state_->keep_pin("ada", key_of(1), false).ok());
  reopen();
  const Pin first = **state_->pin("ada");
  EXPECT_EQ(first.name, "ada");
  EXPECT_EQ(first.key, key_of(1));
  EXPECT_FALSE(first.verified);
  EXPECT_EQ(first.since.size(), 24u);
  ASSERT_TRUE(state_->keep_pin("ada", key_of(1), true).ok());
  EXPECT_TRUE((*state_->pin("ada"))->verified);
  EXPECT_EQ((*state_->pin("ada"))->since, first.since) << "it is the same key";
  ASSERT_TRUE(state_->keep_pin("ada", key_of(3), false).ok());
  const auto pins = state_->pins();
  ASSERT_TRUE(pins.ok());
  ASSERT_EQ(pins->size(), 2u);
  EXPECT_EQ(pins->at(0).key, key_of(3));
  EXPECT_FALSE(pins->at(0).verified);
  EXPECT_EQ(pins->at(1).name, "bob");
}

// Threat J5: what this side wrote, and every key, is sealed wherever SQLite puts it.
TEST_F(KeysTest, LeavesNothingReadableOnDisk) {
  const std::string text = "canary-text-of-this-side";
  const std::string key = "canary-key-0123456789abcdefghij!";
  ASSERT_EQ(key.size(), 32u);
  const std::string clear = "canary-sent-in-the-clear";
  const std::string ticket = enqueue(text);
  ASSERT_TRUE(state_->keep_attempt(ticket, "nonce", clear, "").ok());
  ASSERT_TRUE(state_->keep_own_key({"#a", id_of(1), key, {}, {}}).ok());
  ASSERT_TRUE(state_->keep_peer_key(key_of(1), "#a", id_of(1), key).ok());
  ASSERT_TRUE(state_->keep_pin("ada", key_of(0xabcdef), true).ok());
  // The control: what is not sealed would be found.
  ASSERT_EQ(take(*state_, push_of(77)), Taken::kNew);
  const auto seed = identity_.seed();
  const std::string canaries[] = {text,
                                  clear,
                                  key,
                                  to_hex(bytes_of(key)),
                                  key_of(0xabcdef),
                                  std::string(text_of(ByteView(seed))),
                                  to_hex(ByteView(seed))};
  const auto look = [&](const char* when) {
    SCOPED_TRACE(when);
    bool is_control_found = false;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path())) {
      if (!entry.is_regular_file()) continue;
      const std::string bytes = bytes_of_file(entry.path());
      is_control_found |= bytes.find("body 77") != std::string::npos;
      for (const std::string& canary : canaries) {
        EXPECT_EQ(bytes.find(canary), std::string::npos) << canary << " in " << entry.path();
      }
    }
    EXPECT_TRUE(is_control_found);
  };
  look("while it is open");
  state_.reset();
  look("after it was closed");
}

// Whoever can write to the disk can't give a name another key, or a message another text.
TEST_F(KeysTest, DoesNotBelieveWhatWasChangedOnDisk) {
  const std::string one = enqueue("one");
  const std::string two = enqueue("two");
  ASSERT_TRUE(state_->keep_own_key({"#a", id_of(1), channel_key('a'), {}, {}}).ok());
  ASSERT_TRUE(state_->keep_peer_key(key_of(1), "#a", id_of(1), channel_key('k')).ok());
  ASSERT_TRUE(state_->keep_pin("ada", key_of(1), true).ok());
  ASSERT_TRUE(state_->keep_pin("mallory", key_of(2), true).ok());
  {
    Database disk;
    ASSERT_TRUE(disk.open(options_.file, options_.busy_timeout).ok());
    ASSERT_TRUE(
        disk.run("UPDATE pin SET pin = (SELECT pin FROM pin WHERE name = 'mallory') "
                 "WHERE name = 'ada'"));
    ASSERT_TRUE(
        disk.run("UPDATE outbox SET text = (SELECT text FROM outbox ORDER BY number "
                 "LIMIT 1) WHERE number = 2"));
    ASSERT_TRUE(disk.run("UPDATE own_key SET target = '#b'"));
    ASSERT_TRUE(disk.run("UPDATE peer_key SET target = '#b'"));
  }
  EXPECT_EQ(code_in(state_->pin("ada").error()), "state_corrupt");
  EXPECT_EQ(code_in(state_->pins().error()), "state_corrupt");
  EXPECT_TRUE(state_->pin("mallory").ok());
  EXPECT_TRUE(state_->keep_pin("ada", key_of(1), false).ok()) << "to trust again heals it";
  EXPECT_TRUE(state_->pins().ok());
  EXPECT_FALSE(state_->own_key("#b")->has_value());
  EXPECT_EQ(peer(1, "#b", 1), "none");
  EXPECT_EQ(claimed(*state_), std::vector<std::string>{"one"});
  EXPECT_EQ(report(two).state, SendState::kRefused) << "said, and not sent as something else";
  EXPECT_EQ(report(two).why, "state_corrupt");
}

}  // namespace
}  // namespace signet::client
