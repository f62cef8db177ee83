#include "client/sealing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "crypto/random.h"
#include "crypto/small_order_for_test.h"

namespace signet::client {
namespace {

using namespace std::string_literals;
using crypto::ChannelKey;
using crypto::ChannelKeyId;
using crypto::ChannelScope;
using crypto::PublicKey;
using crypto::SecretKey;

const SecretKey& secret_of(unsigned char seed) {
  static const auto* keys = [] {
    auto* made = new std::array<std::optional<SecretKey>, 4>;
    for (unsigned char i = 0; i < 4; ++i) (*made)[i] = SecretKey::from_seed({i, 42});
    return made;
  }();
  return *(*keys)[seed];
}
const SecretKey& ada() { return secret_of(0); }
const SecretKey& bob() { return secret_of(1); }
const SecretKey& eve() { return secret_of(2); }  // a member too

std::string hex(const SecretKey& key) { return crypto::to_hex(key.public_key()); }

// A push that owns its texts, for a test to change.
struct Push {
  std::string mesh = "mesh-1", sender, target, nonce, ciphertext;
  PushedBody view() const { return {mesh, sender, target, nonce, ciphertext}; }
};

// Ada and Bob are members; Bob has Ada's key for #ops, and nobody's else.
class SealingStory : public testing::Test {
 protected:
  Push direct(std::string_view text) {
    const auto body = ada_.direct(bob().public_key(), text);
    EXPECT_TRUE(body.ok());
    return {"mesh-1", hex(ada()), hex(bob()), body->nonce, body->ciphertext};
  }
  // Any plaintext in a box, as a member with a client of its own may make it.
  Push boxed(std::string_view plaintext) {
    const auto box = crypto::DirectBox::between(ada(), bob().public_key());
    crypto::BoxNonce nonce{};
    crypto::random_bytes(nonce);
    return {"mesh-1", hex(ada()), hex(bob()), to_base64(nonce),
            to_base64(bytes_of(box->seal(plaintext, nonce)))};
  }
  Push to_ops(std::string_view text) {
    const auto body = ada_.to_audience("#ops", key_, text);
    EXPECT_TRUE(body.ok());
    return {"mesh-1", hex(ada()), "#ops", body->nonce, body->ciphertext};
  }
  Push in_ops(std::string_view plaintext) {  // as above, any plaintext
    crypto::ChannelNonce nonce{};
    crypto::random_bytes(nonce);
    const auto body = crypto::seal_channel_body(ada(), key_, "mesh-1", "#ops", plaintext, nonce);
    return {"mesh-1", hex(ada()), "#ops", to_base64(nonce), to_base64(bytes_of(body))};
  }
  Push clear(std::string target, std::string ciphertext) {
    return {"mesh-1", hex(ada()), std::move(target), to_base64(std::array<unsigned char, 24>{}),
            std::move(ciphertext)};
  }

  Opened at_bob(const Push& push) {
    return bob_.open(push.view(), [this](const ChannelScope& scope, const ChannelKeyId& id) {
      ++lookups_;
      auto known = ChannelKey::from_bytes(key_.bytes(), {"mesh-1", "#ops", ada().public_key()});
      const bool is_it = scope.sender == ada().public_key() && scope.target == "#ops" &&
                         scope.mesh_id == "mesh-1" && id == known.id();
      return is_it ? std::optional(std::move(known)) : std::nullopt;
    });
  }
  // "sealed: TEXT", "clear: TEXT", or why there is none.
  std::string verdict(const Push& push) {
    const Opened opened = at_bob(push);
    if (opened.text() != nullptr) {
      return (opened.is_sealed() ? "sealed: " : "clear: ") + *opened.text();
    }
    if (std::holds_alternative<KeyGrant>(opened.body)) return "grant";
    if (std::holds_alternative<KeyRequest>(opened.body)) return "request";
    return std::string(opened.why());
  }

  Sealing ada_{"mesh-1", ada()};
  Sealing bob_{"mesh-1", bob()};
  ChannelKey key_ = *ada_.new_channel_key("#ops");
  int lookups_ = 0;
};

// What each side sends, the other reads.

TEST_F(SealingStory, DirectMessagesOpen) {
  for (const std::string& text : {"hello bob"s, ""s, "gr\xc3\xbc\xc3\x9f"s, "a\0b"s, "SGC1"s,
                                  std::string(kMaxTextBytes, 'x')}) {
    EXPECT_EQ(verdict(direct(text)), "sealed: " + text);
  }
  const Opened opened = at_bob(direct("hello bob"));
  EXPECT_EQ(opened.kind, MessageKind::kDirect);
  EXPECT_EQ(opened.sender, ada().public_key());
  EXPECT_EQ(opened.why(), "");
}

TEST_F(SealingStory, AudiencesOpen) {
  for (const std::string& text :
       {"deploy at noon"s, ""s, "SGC1"s, std::string(kMaxTextBytes, 'x')}) {
    EXPECT_EQ(verdict(to_ops(text)), "sealed: " + text);
  }
  EXPECT_EQ(at_bob(to_ops("x")).kind, MessageKind::kChannel);
}

TEST_F(SealingStory, FramesHoldTheLongestText) {
  const std::string text(kMaxTextBytes, 'x');
  EXPECT_LT(to_ops(text).ciphertext.size() + 1'024, 65'536U);
}

TEST_F(SealingStory, KeyMessagesComeAsKeys) {
  const auto grant = ada_.key_message(
      bob().public_key(),
      KeyGrant{"#ops",
               ChannelKey::from_bytes(key_.bytes(), {"mesh-1", "#ops", ada().public_key()})});
  ASSERT_TRUE(grant.ok());
  const Push push{"mesh-1", hex(ada()), hex(bob()), grant->nonce, grant->ciphertext};
  const Opened opened = at_bob(push);
  const auto* granted = std::get_if<KeyGrant>(&opened.body);
  ASSERT_NE(granted, nullptr);
  EXPECT_EQ(granted->target, "#ops");
  EXPECT_EQ(granted->key.bytes(), key_.bytes());
  EXPECT_EQ(opened.text(), nullptr);
  EXPECT_EQ(opened.why(), "");
  EXPECT_FALSE(opened.is_sealed());

  const auto asked = ada_.key_message(bob().public_key(), KeyRequest{"tag:gpu", {7}});
  ASSERT_TRUE(asked.ok());
  const Opened request =
      at_bob({"mesh-1", hex(ada()), hex(bob()), asked->nonce, asked->ciphertext});
  ASSERT_TRUE(std::holds_alternative<KeyRequest>(request.body));
  EXPECT_EQ(std::get<KeyRequest>(request.body).target, "tag:gpu");
  EXPECT_EQ(std::get<KeyRequest>(request.body).key_id, ChannelKeyId{7});
}

TEST_F(SealingStory, AMissingKeyIsNamed) {
  const ChannelKey newer = *ada_.new_channel_key("#ops");
  const auto body = ada_.to_audience("#ops", newer, "text");
  const Opened opened = at_bob({"mesh-1", hex(ada()), "#ops", body->nonce, body->ciphertext});
  ASSERT_TRUE(std::holds_alternative<KeyMissing>(opened.body));
  EXPECT_EQ(std::get<KeyMissing>(opened.body).key_id, newer.id());
  EXPECT_EQ(opened.why(), "key_missing");
  EXPECT_EQ(opened.text(), nullptr);
  const Push push = to_ops("text");
  EXPECT_EQ(bob_.open(push.view(), nullptr).why(), "key_missing");
}

// A row per attack. `push` is what the broker makes of the honest message.
TEST_F(SealingStory, NothingPassesThatSomebodyMade) {
  const Push box = direct("pay bob"), channel = to_ops("pay bob");
  const auto with = [](Push push, auto&& change) {
    change(push);
    return push;
  };
  const auto eves = [](const auto& body, std::string target) {
    return Push{"mesh-1", hex(eve()), std::move(target), body->nonce, body->ciphertext};
  };
  Sealing eve_("mesh-1", eve());
  const auto bobs_own = bob_.direct(ada().public_key(), "pay ada");
  const ChannelKey as_if_eves =
      ChannelKey::from_bytes(key_.bytes(), {"mesh-1", "#ops", eve().public_key()});
  const auto from_eve = eve_.to_audience("#ops", as_if_eves, "pay eve");
  const std::string b64_text = to_base64(bytes_of("pay eve, says the broker"));
  const std::string other_nonce = to_base64(std::array<unsigned char, 24>{1});

  const struct {
    const char* name;
    Push push;
    const char* verdict;
  } rows[] = {
      {"nothing", box, "sealed: pay bob"},
      {"nothing, to a channel", channel, "sealed: pay bob"},
      // reflection
      {"bob's own box comes back as ada's",
       {"mesh-1", hex(ada()), hex(bob()), bobs_own->nonce, bobs_own->ciphertext},
       "reflected"},  // it opens: the box names the pair, not the direction
      {"under bob's own key", with(box, [](Push& p) { p.sender = hex(bob()); }), "reflected"},
      {"under it in upper case",
       with(box,
            [](Push& p) {
              p.sender = hex(bob());
              for (char& c : p.sender) c = static_cast<char>(toupper(c));
            }),
       "reflected"},
      {"a channel body under it", with(channel, [](Push& p) { p.sender = hex(bob()); }),
       "reflected"},
      {"a text in the clear under it",
       with(clear("*", b64_text), [](Push& p) { p.sender = hex(bob()); }), "reflected"},
      {"to oneself",
       with(box,
            [](Push& p) {
              p.sender = hex(bob());
              p.target = hex(bob());
            }),
       "reflected"},
      // another place
      {"another mesh", with(box, [](Push& p) { p.mesh = "mesh-2"; }), "misdirected"},
      {"a channel body in another mesh", with(channel, [](Push& p) { p.mesh = "mesh-2"; }),
       "misdirected"},
      {"to another member", with(box, [](Push& p) { p.target = hex(eve()); }), "misdirected"},
      {"a channel body in another channel", with(channel, [](Push& p) { p.target = "#dev"; }),
       "bad_signature"},
      {"a channel body to everybody", with(channel, [](Push& p) { p.target = "*"; }),
       "bad_signature"},
      {"a channel body to a tag", with(channel, [](Push& p) { p.target = "tag:ops"; }),
       "bad_signature"},
      {"a channel body as a direct one", with(channel, [](Push& p) { p.target = hex(bob()); }),
       "does_not_open"},
      {"a channel body to nobody named", with(channel, [](Push& p) { p.target = ""; }),
       "does_not_open"},
      {"a box in a channel", with(box, [](Push& p) { p.target = "#ops"; }), "body_malformed"},
      {"a box to everybody", with(box, [](Push& p) { p.target = "*"; }), "body_malformed"},
      // another sender
      {"a box as eve's", with(box, [](Push& p) { p.sender = hex(eve()); }), "does_not_open"},
      {"a channel body as eve's", with(channel, [](Push& p) { p.sender = hex(eve()); }),
       "bad_signature"},
      {"eve under ada's key, as ada",
       with(eves(from_eve, "#ops"), [](Push& p) { p.sender = hex(ada()); }), "bad_signature"},
      {"eve under ada's key, as herself", eves(from_eve, "#ops"), "key_missing"},
      {"no sender", with(box, [](Push& p) { p.sender = ""; }), "body_malformed"},
      {"a sender that is no key", with(box, [](Push& p) { p.sender = "ada"; }), "body_malformed"},
      {"a sender of small order", with(box, [](Push& p) { p.sender = crypto::kSmallOrder[3]; }),
       "does_not_open"},
      {"a channel body of small order",
       with(channel, [](Push& p) { p.sender = crypto::kSmallOrder[3]; }), "bad_signature"},
      // injected plaintext
      {"a text to bob", with(box, [&](Push& p) { p.ciphertext = b64_text; }), "does_not_open"},
      {"a text to bob that is no base64", with(box, [](Push& p) { p.ciphertext = "pay eve!"; }),
       "body_malformed"},
      {"nothing to bob", with(box, [](Push& p) { p.ciphertext = ""; }), "does_not_open"},
      {"a text to nobody named", with(clear("", b64_text), [](Push&) {}), "does_not_open"},
      {"a text to something unheard of", clear("@all", b64_text), "misdirected"},
      {"a box to something unheard of", with(box, [](Push& p) { p.target = "# 2"; }),
       "misdirected"},
      {"a text in a channel", clear("#ops", b64_text), "clear: pay eve, says the broker"},
      {"a text with the magic", clear("#ops", to_base64(bytes_of("SGC1 pay eve"))),
       "body_malformed"},
      {"a text that is long enough to be a body",
       clear("#ops", to_base64(bytes_of("SGC1" + std::string(200, 'x')))), "bad_signature"},
      {"the magic without base64", clear("#ops", "SGC1 pay eve!"), "body_malformed"},
      // broken encodings
      {"another nonce for a box", with(box, [&](Push& p) { p.nonce = other_nonce; }),
       "does_not_open"},
      {"another nonce for a channel", with(channel, [&](Push& p) { p.nonce = other_nonce; }),
       "bad_signature"},
      {"no nonce", with(box, [](Push& p) { p.nonce = ""; }), "body_malformed"},
      {"no nonce in a channel", with(channel, [](Push& p) { p.nonce = ""; }), "body_malformed"},
      {"a nonce of 23",
       with(box, [](Push& p) { p.nonce = to_base64(bytes_of("x23456789012345678901xx")); }),
       "body_malformed"},
      {"a nonce of 25", with(channel, [](Push& p) { p.nonce += "AA=="; }), "body_malformed"},
      {"a nonce that is no base64", with(box, [](Push& p) { p.nonce[5] = '-'; }), "body_malformed"},
      {"a box without padding", with(box, [](Push& p) { p.ciphertext.pop_back(); }),
       "body_malformed"},
      {"a space behind a channel body", with(channel, [](Push& p) { p.ciphertext += " "; }),
       "body_malformed"},
  };
  for (const auto& row : rows) EXPECT_EQ(verdict(row.push), row.verdict) << row.name;
}

TEST_F(SealingStory, PlaintextsThatAreNoTextAreNotShown) {
  const auto other = ada_.new_channel_key("#dev");
  const std::string grant = write_key_message(KeyGrant{
      "#dev", ChannelKey::from_bytes(other->bytes(), {"mesh-1", "#dev", ada().public_key()})});
  const std::string eves = write_key_message(KeyGrant{
      "#dev", ChannelKey::from_bytes(other->bytes(), {"mesh-1", "#dev", eve().public_key()})});
  const struct {
    const char* name;
    Push push;
    const char* verdict;
  } rows[] = {
      {"a key message", boxed(grant), "grant"},
      {"a key of another sender", boxed(eves), "body_malformed"},
      {"a NUL", boxed("\0"s), "body_malformed"},
      {"a text behind a NUL", boxed("\0pay eve"s), "body_malformed"},
      {"a key message of another version", boxed("\0signet/2 {}"s), "body_malformed"},
      {"not UTF-8", boxed("caf\xe9"), "body_malformed"},
      {"a key message in a channel", in_ops(grant), "body_malformed"},
      {"a NUL in a channel", in_ops("\0"s), "body_malformed"},
      {"not UTF-8 in a channel", in_ops("caf\xe9"), "body_malformed"},
      {"a key message in the clear", clear("#ops", to_base64(bytes_of(grant))), "body_malformed"},
      {"a key message in the clear, to bob", clear(hex(bob()), to_base64(bytes_of(grant))),
       "does_not_open"},
      {"a NUL in the clear", clear("#ops", "\0pay"s), "body_malformed"},
  };
  for (const auto& row : rows) EXPECT_EQ(verdict(row.push), row.verdict) << row.name;
}

// Old clients: base64 of a text, or the text itself. Always told apart from what was sealed.
TEST_F(SealingStory, OldBodiesAreTextsInTheClear) {
  const struct {
    const char* name;
    std::string ciphertext;
    std::string verdict;
  } rows[] = {
      {"base64", to_base64(bytes_of("standup in five")), "clear: standup in five"},
      {"base64 beyond ASCII", to_base64(bytes_of("gr\xc3\xbc\xc3\x9f")),
       "clear: gr\xc3\xbc\xc3\x9f"},
      {"the text itself", "standup in five!", "clear: standup in five!"},
      {"the text itself beyond ASCII", "gr\xc3\xbc\xc3\x9f", "clear: gr\xc3\xbc\xc3\x9f"},
      {"a word that could be base64", "okay", "clear: okay"},
      {"nothing", "", "clear: "},
      {"base64 of 15 bytes that are no text", to_base64(bytes_of(std::string(15, '\xff'))),
       "clear: " + to_base64(bytes_of(std::string(15, '\xff')))},
      {"base64 of 16 bytes that are no text", to_base64(bytes_of(std::string(16, '\xff'))),
       "body_malformed"},
      {"not UTF-8", "caf\xe9!", "body_malformed"},
  };
  for (const auto& row : rows) {
    for (const char* target : {"*", "#ops", "tag:gpu"}) {
      EXPECT_EQ(verdict(clear(target, row.ciphertext)), row.verdict) << row.name << target;
    }
    for (const std::string& target : {""s, hex(bob()), "@all"s}) {
      const Opened opened = at_bob(clear(target, row.ciphertext));
      EXPECT_EQ(opened.text(), nullptr) << row.name << target;
    }
  }
}

TEST_F(SealingStory, WhatIsSentInTheClearIsReadInTheClear) {
  const auto body = Sealing::in_the_clear("standup in five");
  ASSERT_TRUE(body.ok());
  EXPECT_EQ(verdict({"mesh-1", hex(ada()), "*", body->nonce, body->ciphertext}),
            "clear: standup in five");
}

TEST_F(SealingStory, NoBitOfAFieldCanBeChanged) {
  for (const Push& honest : {direct("pay bob"), to_ops("pay bob")}) {
    for (std::string Push::*field : {&Push::nonce, &Push::ciphertext}) {
      const std::string bytes = *from_base64(honest.*field);
      for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        std::string flipped = bytes;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
        Push push = honest;
        push.*field = to_base64(bytes_of(flipped));
        ASSERT_EQ(at_bob(push).text(), nullptr) << honest.target << " " << bit;
      }
    }
    // And of the texts that the broker writes beside them.
    for (std::string Push::*field : {&Push::sender, &Push::target, &Push::mesh}) {
      for (std::size_t bit = 0; bit < (honest.*field).size() * 8; ++bit) {
        Push push = honest;
        char& changed = (push.*field)[bit / 8];
        changed = static_cast<char>(changed ^ (1 << (bit % 8)));
        // `A` for `a` in a key is the same key.
        if (changed != (honest.*field)[bit / 8] && field != &Push::mesh && bit % 8 == 5 &&
            crypto::public_key_from_hex(push.*field)) {
          continue;
        }
        ASSERT_EQ(at_bob(push).text(), nullptr) << push.*field << " " << bit;
      }
    }
  }
}

TEST_F(SealingStory, NoBodyCanBeCut) {
  const Push box = direct("pay bob"), channel = to_ops("pay bob");
  for (const Push& honest : {box, channel}) {
    const std::string bytes = *from_base64(honest.ciphertext);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      Push push = honest;
      push.ciphertext = to_base64(bytes_of(bytes.substr(0, size)));
      // What is left of the magic is a text like any other that a broker makes up.
      const bool is_text = &honest != &box && honest.target == "#ops" && size < 4;
      ASSERT_EQ(at_bob(push).text() != nullptr, is_text) << honest.target << " " << size;
    }
    for (std::size_t size = 6; size < honest.ciphertext.size(); ++size) {
      Push push = honest;
      push.ciphertext.resize(size);
      ASSERT_EQ(at_bob(push).text(), nullptr) << honest.target << " " << size;
    }
  }
}

// A forged body asks nobody for a key, and makes nobody ask for one.
TEST_F(SealingStory, KeysAreLookedForOnceTheSenderIsProven) {
  Push forged = to_ops("text");
  forged.sender = hex(eve());
  EXPECT_EQ(verdict(forged), "bad_signature");
  EXPECT_EQ(lookups_, 0);
  EXPECT_EQ(verdict(to_ops("text")), "sealed: text");
  EXPECT_EQ(lookups_, 1);
}

TEST_F(SealingStory, AKeyOfAnotherIdIsAMissingOne) {
  const Push push = to_ops("text");
  const Opened opened = bob_.open(push.view(), [](const ChannelScope& scope, const ChannelKeyId&) {
    return std::optional(ChannelKey::generate(scope));
  });
  EXPECT_EQ(opened.why(), "key_missing");
}

// Also what an earlier process of this member sealed, and a key message, and whatever the broker
// leaves out.
TEST_F(SealingStory, OwnBoxesAreToldInEveryLife) {
  Sealing earlier("mesh-1", bob());
  const auto text = earlier.direct(ada().public_key(), "pay ada");
  const auto asked = earlier.key_message(ada().public_key(), KeyRequest{"#ops", {}});
  for (const auto* body : {&text, &asked}) {
    for (const std::string& target : {hex(bob()), ""s}) {
      const Push push{"mesh-1", hex(ada()), target, (*body)->nonce, (*body)->ciphertext};
      EXPECT_EQ(verdict(push), "reflected") << target;
    }
  }
}

// A foreign broker does not say to whom: the box proves that it was sealed to this member.
TEST_F(SealingStory, ABoxThatOpensIsDirect) {
  Push push = direct("hello bob");
  push.target = "";
  push.mesh = "";
  const Opened opened = at_bob(push);
  EXPECT_EQ(opened.kind, MessageKind::kDirect);
  ASSERT_NE(opened.text(), nullptr);
  EXPECT_EQ(*opened.text(), "hello bob");
  push.ciphertext = to_base64(bytes_of("an old broadcast"));
  EXPECT_EQ(at_bob(push).kind, MessageKind::kUnknown);
  EXPECT_EQ(at_bob(push).text(), nullptr);
}

TEST_F(SealingStory, KindsAreWhatTheTargetSays) {
  const struct {
    std::string target;
    MessageKind kind;
  } rows[] = {
      {hex(bob()), MessageKind::kDirect}, {hex(eve()), MessageKind::kDirect},
      {"*", MessageKind::kBroadcast},     {"tag:gpu", MessageKind::kBroadcast},
      {"#ops", MessageKind::kChannel},    {"", MessageKind::kUnknown},
      {"#", MessageKind::kUnknown},       {"tag:", MessageKind::kUnknown},
      {"@all", MessageKind::kUnknown},    {"ab", MessageKind::kUnknown},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(at_bob(clear(row.target, "AAAA")).kind, row.kind) << row.target;
  }
}

TEST_F(SealingStory, WhatCanNotBeReadIsNotSent) {
  const PublicKey small = *crypto::public_key_from_hex(crypto::kSmallOrder[0]);
  const auto code = [](const auto& result) {
    return result.ok() ? "" : result.error().detail.substr(0, result.error().detail.find(':'));
  };
  EXPECT_EQ(code(ada_.direct(bob().public_key(), "\0text"s)), "text_begins_with_nul");
  EXPECT_EQ(code(ada_.direct(bob().public_key(), "caf\xe9")), "text_not_utf8");
  EXPECT_EQ(code(ada_.direct(bob().public_key(), std::string(kMaxTextBytes + 1, 'x'))),
            "text_too_long");
  EXPECT_EQ(code(ada_.direct(small, "text")), "bad_key");
  EXPECT_EQ(code(ada_.direct(ada().public_key(), "text")), "bad_key");
  EXPECT_EQ(code(ada_.key_message(ada().public_key(), KeyRequest{"#ops", {}})), "bad_key");
  EXPECT_EQ(code(ada_.new_channel_key("ops")), "bad_target");
  EXPECT_EQ(code(ada_.new_channel_key(hex(bob()))), "bad_target");
  EXPECT_EQ(code(ada_.to_audience("ops", key_, "text")), "bad_target");
  EXPECT_EQ(code(ada_.to_audience("#ops", key_, "\0text"s)), "text_begins_with_nul");
  EXPECT_EQ(code(ada_.to_audience("#ops", key_, std::string(kMaxTextBytes + 1, 'x'))),
            "text_too_long");
  EXPECT_EQ(code(Sealing::in_the_clear("\0text"s)), "text_begins_with_nul");
  EXPECT_EQ(code(Sealing::in_the_clear("SGC1 text")), "text_reads_as_sealed");
  EXPECT_TRUE(check_text("SGC1 text").ok());
  EXPECT_EQ(code(check_text("caf\xe9")), "text_not_utf8");
}

// More members than agreed keys are kept for.
TEST_F(SealingStory, ManyMembersAreMet) {
  for (int i = 0; i < 300; ++i) {
    const SecretKey other = SecretKey::generate();
    Sealing sealing("mesh-1", other);
    const auto body = sealing.direct(bob().public_key(), "hello");
    ASSERT_TRUE(body.ok());
    ASSERT_EQ(verdict({"mesh-1", hex(other), hex(bob()), body->nonce, body->ciphertext}),
              "sealed: hello");
  }
  EXPECT_EQ(verdict(direct("hello")), "sealed: hello");
}

TEST(BodyFault, HasNames) {
  EXPECT_EQ(name_of(BodyFault::kReflected), "reflected");
  EXPECT_EQ(name_of(BodyFault::kMisdirected), "misdirected");
  EXPECT_EQ(name_of(BodyFault::kBadSignature), "bad_signature");
  EXPECT_EQ(name_of(BodyFault::kDoesNotOpen), "does_not_open");
  EXPECT_EQ(name_of(BodyFault::kMalformed), "body_malformed");
}

}  // namespace
}  // namespace signet::client
