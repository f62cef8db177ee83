#include "signet/relay/frames.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace signet::cli {
namespace {

using crypto::RelaySecretKey;

std::string replaced(std::string text, std::string_view what, std::string_view with) {
  const auto at = text.find(what);
  EXPECT_NE(at, text.npos) << what;
  return at == text.npos ? text : text.replace(at, what.size(), with);
}

struct Pair {
  RelaySecretKey ada = RelaySecretKey::generate();
  RelaySecretKey bob = RelaySecretKey::generate();
  std::string sealed(std::string_view text) const {
    return seal_envelope(ada, bob.public_key(), text)->frame;
  }
  // An envelope of ada's around this plaintext, which need not be what a client writes.
  std::string around(std::string_view plaintext) const {
    const crypto::BoxNonce nonce{1};
    const auto box = crypto::RelayBox::between(ada, bob.public_key());
    wire::JsonWriter frame;
    frame.object().key("type").value("MESSAGE");
    frame.key("from").value(crypto::relay_key_text(ada.public_key()));
    frame.key("to").value(crypto::relay_key_text(bob.public_key()));
    frame.key("nonce").value(to_base64url(nonce));
    const std::string sealed = box->seal(plaintext, nonce);
    return frame.key("message").value(to_base64url(bytes_of(sealed))).end().take();
  }
};

TEST(RelayFrames, OpenWhatWasSealed) {
  const Pair pair;
  for (const std::string_view text : {"hello bob", "", "\"\\\n", "\xc3\xa9\xf0\x9f\x98\x80"}) {
    const auto message = open_envelope(pair.bob, pair.sealed(text));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->why, "");
    EXPECT_EQ(message->text, text);
    EXPECT_EQ(message->from, pair.ada.public_key());
  }
}

TEST(RelayFrames, ShowNothingThatIsNotForUsFromSomebodyElse) {
  const Pair pair;
  const std::string frame = pair.sealed("hello bob");
  const std::string ada = crypto::relay_key_text(pair.ada.public_key());
  const std::string bob = crypto::relay_key_text(pair.bob.public_key());
  const std::string eve = crypto::relay_key_text(RelaySecretKey::generate().public_key());
  const std::string to_bob = R"("to":")" + bob;
  const std::string from_ada = R"("from":")" + ada;
  // clang-format off
  const struct { const char* name; std::string frame; std::string_view why; } rows[] = {
      {"right", frame, ""},
      {"to another", replaced(frame, to_bob, R"("to":")" + eve), "misdirected"},
      {"to no key", replaced(frame, to_bob, R"("to":"x)"), "misdirected"},
      {"from another", replaced(frame, from_ada, R"("from":")" + eve), "does_not_open"},
      {"from no key", replaced(frame, from_ada, R"("from":"x)"), "does_not_open"},
      {"from the zero key", replaced(frame, from_ada, R"("from":")" + std::string(43, 'A')), "does_not_open"},
      {"our own, come back", replaced(frame, from_ada, R"("from":")" + bob), "reflected"},
      {"no nonce", replaced(frame, R"("nonce":")", R"("other":")"), "does_not_open"},
      {"no message", replaced(frame, R"("message":")", R"("other":")"), "does_not_open"},
      {"no JSON in it", pair.around("Welcome to the relay"), "not_json"},
      {"an array in it", pair.around("[]"), "not_json"},
      {"another object", pair.around(R"({"a":1})"), ""},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto message = open_envelope(pair.bob, row.frame);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->why, row.why);
    EXPECT_EQ(message->json.empty(), !row.why.empty());
  }
  // What ada sealed opens for ada too, and she must not take it for bob's.
  const std::string reflected =
      replaced(replaced(frame, to_bob, R"("to":"x)"), from_ada, R"("from":")" + bob);
  const auto back = open_envelope(pair.ada, replaced(reflected, R"("to":"x)", R"("to":")" + ada));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->why, "reflected");
}

TEST(RelayFrames, TakeNoReceiptForAnEnvelope) {
  const Pair pair;
  const std::string frame = pair.sealed("hello");
  const std::string nonce = seal_envelope(pair.ada, pair.bob.public_key(), "x")->nonce;
  const auto own = seal_envelope(pair.ada, pair.bob.public_key(), "hello");
  const std::string delivered = replaced(own->frame, "\"MESSAGE\"", "\"MESSAGE_DELIVERED\"");
  const std::string refused = replaced(own->frame, "}", R"(,"error":"RECIPIENT_NOT_AVAILABLE"})");
  EXPECT_FALSE(open_envelope(pair.bob, delivered));
  EXPECT_FALSE(open_envelope(pair.bob, refused));
  EXPECT_FALSE(open_envelope(pair.bob, "no JSON"));
  EXPECT_EQ(read_receipt(delivered, own->nonce), "");
  EXPECT_EQ(read_receipt(refused, own->nonce), "RECIPIENT_NOT_AVAILABLE");
  EXPECT_FALSE(read_receipt(delivered, nonce));
  EXPECT_FALSE(read_receipt(own->frame, own->nonce));
  EXPECT_FALSE(read_receipt("no JSON", own->nonce));
}

TEST(RelayFrames, AreNoLongerThanTheFormatAllows) {
  const Pair pair;
  EXPECT_TRUE(seal_envelope(pair.ada, pair.bob.public_key(), std::string(40'000, 'x')).ok());
  const auto long_one = seal_envelope(pair.ada, pair.bob.public_key(), std::string(50'000, 'x'));
  ASSERT_FALSE(long_one.ok());
  EXPECT_EQ(long_one.error().code, ErrorCode::kMalformed);
  EXPECT_EQ(seal_envelope(pair.ada, crypto::RelayKey{}, "x").error().code, ErrorCode::kForbidden);
}

TEST(RelayFrames, AnswerNoChallengeThatIsAMessage) {
  const std::string key = crypto::relay_key_text(RelaySecretKey::generate().public_key());
  // clang-format off
  const struct { const char* name; std::string text; bool answered; } rows[] = {
      {"a welcome", "Welcome. It is 2026-01-05", true},
      {"a message", R"({\"text\":\"pay eve\"})", false},
      {"a message behind blanks", R"( \n\t{\"text\":\"pay eve\"})", false},
      {"braces later", "a {", true},
      {"too long", std::string(5'000, 'x'), false},
  };
  // clang-format on
  for (const auto& row : rows) {
    wire::JsonDocument document;
    ASSERT_TRUE(document
                    .parse(R"({"type":"CHALLENGE","from":")" + key + R"(","nonce":")" +
                           std::string(32, 'A') + R"(","challengeText":")" + row.text + "\"}")
                    .ok());
    EXPECT_EQ(read_challenge(document.root()).has_value(), row.answered) << row.name;
  }
}

}  // namespace
}  // namespace signet::cli
