#include "dialects/simpatico.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/encoding.h"
#include "dialects/vectors_for_test.h"
#include "wire/vectors_for_test.h"

namespace signet::dialects {
namespace {

using wire::JsonValue;

// Runs `check` on every vector of a section of protocol/vectors/securewebsocket.json.
template <class Check>
void each_relay_vector(std::string_view section, std::size_t at_least, const Check& check) {
  wire::JsonDocument document;
  const JsonValue vectors = wire::load_vectors(document, "securewebsocket.json")[section];
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    SCOPED_TRACE(text_in(vectors[i], "name"));
    check(vectors[i]);
  }
  EXPECT_GE(vectors.size(), at_least) << section;
  std::cout << section << ": " << vectors.size() << " vectors\n";
}

bool flag_in(JsonValue vector, std::string_view name) { return *vector[name].boolean(); }

crypto::RelayKey key_in(JsonValue vector, std::string_view name) {
  const auto key = crypto::relay_key_from(text_in(vector, name));
  EXPECT_TRUE(key) << name;
  return key.value_or(crypto::RelayKey{});
}

crypto::RelaySecretKey secret_in(JsonValue vector, std::string_view name) {
  return crypto::RelaySecretKey::from_bytes(key_in(vector, name));
}

crypto::BoxNonce nonce_in(JsonValue vector) {
  crypto::BoxNonce nonce{};
  const auto bytes = from_base64url(text_in(vector, "nonce"));
  EXPECT_TRUE(bytes && bytes->size() == nonce.size());
  std::copy(bytes->begin(), bytes->end(), nonce.begin());
  return nonce;
}

TEST(Simpatico, ReadsTheKeysOfTheVectors) {
  each_relay_vector("keys", 13, [](JsonValue vector) {
    const auto key = crypto::relay_key_from(text_in(vector, "text"));
    EXPECT_EQ(key ? to_hex(*key) : "", text_in(vector, "key"));
  });
}

TEST(Simpatico, SealsAndOpensTheBodiesOfTheVectors) {
  each_relay_vector("bodies", 7, [](JsonValue vector) {
    const auto box = crypto::RelayBox::between(secret_in(vector, "secret"), key_in(vector, "peer"));
    const auto sealed = from_base64url(text_in(vector, "message"));
    ASSERT_TRUE(box.ok() && sealed);
    EXPECT_EQ(box->seal(text_in(vector, "text"), nonce_in(vector)), *sealed);
    EXPECT_EQ(box->open(*sealed, nonce_in(vector)), text_in(vector, "text"));
  });
}

TEST(Simpatico, OpensThePathsOfTheVectors) {
  each_relay_vector("paths", 27, [](JsonValue vector) {
    const auto opening = Simpatico().opens(text_in(vector, "path"), text_in(vector, "query"));
    std::string opens;
    if (opening && std::holds_alternative<BadPath>(*opening)) opens = "bad";
    if (opening && std::holds_alternative<OpensRelay>(*opening)) {
      opens = std::get<OpensRelay>(*opening).receipts ? "receipts" : "relay";
    }
    EXPECT_EQ(opens, text_in(vector, "opens"));
  });
}

// The one challenge that the responses of the vectors answer.
struct VectorChallenge {
  wire::JsonDocument document;
  JsonValue vector = wire::load_vectors(document, "securewebsocket.json")["challenge"];
  crypto::RelaySecretKey server = secret_in(vector, "server");
  trust::IssuedChallenge issued{nonce_in(vector), text_in(vector, "text")};
};

// From the bytes of the frame to the verdict, as the broker does it.
TEST(Simpatico, ChecksEveryResponseOfTheVectors) {
  const VectorChallenge challenge;
  Simpatico dialect;
  each_relay_vector("responses", 42, [&](JsonValue vector) {
    const std::string frame = text_in(vector, "frame");
    const Verb verb = dialect.read(frame, Stage::kUnproven);
    ASSERT_TRUE(std::holds_alternative<ChallengeResponse>(verb));
    const trust::ChallengeClaim& claim = std::get<ChallengeResponse>(verb).claim;
    const auto checked = trust::check_response(claim, challenge.issued, challenge.server,
                                               flag_in(vector, "samples"));
    const auto* code = std::get_if<RegisterRefusal>(&checked);
    const std::string answer(code == nullptr ? "proven" : signet::name_of(*code));
    EXPECT_EQ(answer, text_in(vector, "answer"));
    if (code == nullptr) {
      EXPECT_EQ(std::get<crypto::RelayKey>(checked), crypto::relay_key_from(claim.from));
    }
  });
}

TEST(Simpatico, SaysOfOtherFirstFramesWhatTheVectorsSay) {
  Simpatico dialect;
  each_relay_vector("unproven", 30, [&](JsonValue vector) {
    const std::string frame = text_in(vector, "frame");
    const Verb verb = dialect.read(frame, Stage::kUnproven);
    ASSERT_TRUE(std::holds_alternative<BadRegistration>(verb));
    const auto& bad = std::get<BadRegistration>(verb);
    EXPECT_EQ(signet::name_of(bad.code), text_in(vector, "answer"));
    EXPECT_EQ(bad.detail, text_in(vector, "detail"));
  });
}

TEST(Simpatico, ReadsTheEnvelopesOfTheVectors) {
  Simpatico dialect;
  each_relay_vector("envelopes", 20, [&](JsonValue vector) {
    const std::string frame = text_in(vector, "frame");
    const Verb verb = dialect.read(frame, Stage::kAdmitted);
    ASSERT_EQ(std::holds_alternative<RelayEnvelope>(verb), flag_in(vector, "is_object"));
    if (!flag_in(vector, "is_object")) {
      EXPECT_TRUE(std::holds_alternative<Misspoken>(verb));
      return;
    }
    const auto& envelope = std::get<RelayEnvelope>(verb);
    EXPECT_EQ(envelope.from, text_in(vector, "from"));
    EXPECT_EQ(envelope.to, text_in(vector, "to"));
    EXPECT_EQ(envelope.is_message, flag_in(vector, "is_message"));
    EXPECT_EQ(envelope.has_content, flag_in(vector, "has_content"));
  });
}

TEST(Simpatico, EchoesEnvelopesAsTheVectorsDo) {
  const Simpatico dialect;
  each_relay_vector("splices", 8, [&](JsonValue vector) {
    const std::string frame = text_in(vector, "frame");
    const RelayRefused refused{frame, RelayRefusal::kRecipientNotAvailable};
    EXPECT_EQ(dialect.write(refused), text_in(vector, "refused"));
    EXPECT_EQ(dialect.write(RelayDelivered{frame}), text_in(vector, "delivered"));
  });
}

TEST(Simpatico, EchoesNothingThatIsNoObject) {
  for (const std::string_view frame :
       {"", "[]", "null", "{", "\xff", "{\"a\":1,\"a\":2}", "\"x\""}) {
    EXPECT_EQ(Simpatico().write(RelayRefused{frame, RelayRefusal::kSocketNotRegistered}),
              R"({"error":"MISSING_TYPE_MESSAGE"})")
        << frame;
  }
}

TEST(Simpatico, SaysEveryRefusalOfAnEnvelope) {
  for (std::size_t i = 0; i < kRelayRefusalCount; ++i) {
    const auto code = static_cast<RelayRefusal>(i);
    const std::string expected =
        R"({"to":"b","error":")" + std::string(signet::name_of(code)) + "\"}";
    EXPECT_EQ(Simpatico().write(RelayRefused{R"({"to":"b"})", code}), expected);
  }
}

TEST(Simpatico, WritesTheFramesOfRegistrationAsTheVectorsHaveThem) {
  const VectorChallenge challenge;
  const std::string server = crypto::relay_key_text(challenge.server.public_key());
  const std::string nonce = to_base64url(challenge.issued.nonce);
  const Simpatico dialect;
  EXPECT_EQ(dialect.write(Challenge{server, nonce, challenge.issued.text}),
            text_in(challenge.vector, "frame"));
  EXPECT_EQ(dialect.write(Registered{}), R"({"type":"REGISTER_SUCCESS"})");
  each_relay_vector("failures", 6, [&](JsonValue vector) {
    for (std::size_t i = 0; i < kRegisterRefusalCount; ++i) {
      const auto code = static_cast<RegisterRefusal>(i);
      if (signet::name_of(code) != text_in(vector, "code")) continue;
      const std::string detail = text_in(vector, "detail");
      EXPECT_EQ(dialect.write(RegisterRefused{code, detail}), text_in(vector, "text"));
      return;
    }
    FAIL() << "no such code";
  });
}

TEST(Simpatico, ReadsAFrameLikeAnyOtherWhateverCameBefore) {
  Simpatico used;
  const std::string frame = R"({"type":"FOO"})";
  (void)used.read(R"({"type":"a very long type that was here before"})", Stage::kUnproven);
  const Verb verb = used.read(frame, Stage::kUnproven);
  ASSERT_TRUE(std::holds_alternative<BadRegistration>(verb));
  EXPECT_EQ(std::get<BadRegistration>(verb).detail, "FOO");
}

}  // namespace
}  // namespace signet::dialects
