#include "dialects/pulsemesh.h"

#include <gtest/gtest.h>

#include "dialects/vectors_for_test.h"
#include "trust/secret_hello.h"

namespace signet::dialects {
namespace {

using wire::JsonKind;
using wire::JsonValue;

// "hello", or the code of the refusal.
std::string_view said(const Verb& verb) {
  if (const auto* bad = std::get_if<BadHandshake>(&verb)) return signet::name_of(bad->code);
  if (std::holds_alternative<TokenHello>(verb)) return "token";
  return std::holds_alternative<SecretHello>(verb) ? "hello" : "another verb";
}

TEST(PulseMesh, ReadsAHandshakeOrNamesItsFault) {
  PulseMesh topic;
  PulseMeshNode node;
  each_vector("pulsemesh.json", "handshakes", 80, [&](JsonValue vector) {
    for (Dialect* dialect : {static_cast<Dialect*>(&topic), static_cast<Dialect*>(&node)}) {
      const Verb verb = dialect->read(view_in(vector, "frame"), Stage::kUnproven);
      if (vector["refusal"]) {
        EXPECT_EQ(said(verb), view_in(vector, "refusal"));
        continue;
      }
      if (const JsonValue wanted = vector["by_token"]) {
        ASSERT_EQ(said(verb), "token");
        EXPECT_EQ(std::get<TokenHello>(verb).source, view_in(wanted, "source"));
        EXPECT_EQ(std::get<TokenHello>(verb).token, view_in(wanted, "token"));
        continue;
      }
      ASSERT_EQ(said(verb), "hello");
      const trust::SecretClaim& claim = std::get<SecretHello>(verb).claim;
      EXPECT_EQ(claim.source, view_in(vector["claim"], "source"));
      EXPECT_EQ(claim.timestamp, vector["claim"]["timestamp"].string());
      EXPECT_EQ(claim.hmac_only, vector["claim"]["hmac_only"].boolean().value_or(false));
      EXPECT_FALSE(claim.spaced.empty());
    }
  });
}

// Whoever signed it, Python, Node or an attacker: from the frame to the verdict.
TEST(PulseMesh, ASignatureShowsTheSecretOverExactlyTheseForms) {
  PulseMesh dialect;
  each_vector("pulsemesh.json", "proofs", 80, [&](JsonValue vector) {
    const Verb verb = dialect.read(view_in(vector, "frame"), Stage::kUnproven);
    ASSERT_EQ(said(verb), "hello") << view_in(vector, "frame");
    const bool shown =
        trust::shows_secret(std::get<SecretHello>(verb).claim, view_in(vector, "secret"), true);
    EXPECT_EQ(shown, vector["shown"].boolean());
  });
}

struct ThePage {
  std::string_view message;
  std::string_view signature;
};
// protocol/pulsemesh.md, "Vectors".
constexpr ThePage kPage[] = {
    {R"({"source":"test_client","target":"pulsemesh","timestamp":"2025-10-31T20:00:00Z"})",
     "fa102de49623d81eecc4e58d46bcce0fcbcb346be84cec03c0490cbaebdb309e"},
    {R"({"source":"test_client","target":"pulsemesh","timestamp":"2025-10-31T20:00:00Z"})",
     "ed9aceafe1832ce2c409b009e0b0eb54af212a9b84b8c110e57986ff67a6bd93"},
    {R"({"source":"test_client","target":"pulsemesh","timestamp":"2025-10-31T20:00:00Z"})",
     "31a45cccaef1df38153a7b4facbeedd55280faabcbc27a6c1ee11ea270f73f8e"},
    {R"({"source":"mirror","target":"pulsemesh","timestamp":"2025-10-31T20:00:00.000Z"})",
     "e26462008639ebdf01b052a9f2fcf3193931c27f24152dd8feeccde43a22bc40"},
};

TEST(PulseMesh, TakesTheSignaturesOfThePage) {
  PulseMesh dialect;
  for (const ThePage& row : kPage) {
    const std::string frame = R"({"message":)" + std::string(row.message) + R"(,"signature":")" +
                              std::string(row.signature) + "\"}";
    const Verb verb = dialect.read(frame, Stage::kUnproven);
    ASSERT_EQ(said(verb), "hello") << frame;
    EXPECT_TRUE(trust::shows_secret(std::get<SecretHello>(verb).claim, "mirror:logos:2025", true));
  }
}

// The page's third vector: its source is no name here, but its text is as it says.
TEST(PulseMesh, ASourceBeyondAsciiIsNoSource) {
  PulseMesh dialect;
  const Verb verb = dialect.read(
      R"({"message":{"source":"é","n":1.0,"b":null,"t":true},"signature":"862d33578d4465451c07431d87c89a54c43d61b30def16a8a83db0d5c3349bd1"})",
      Stage::kUnproven);
  EXPECT_EQ(said(verb), "no_source");
}

TEST(PulseMesh, EveryCutOfAHandshakeIsRefused) {
  const std::string frame =
      R"({"message":{"source":"a"},"signature":")" + std::string(64, 'a') + "\"}";
  PulseMesh dialect;
  for (std::size_t size = 0; size < frame.size(); ++size) {
    EXPECT_EQ(said(dialect.read(frame.substr(0, size), Stage::kUnproven)), "not_json") << size;
  }
  EXPECT_EQ(said(dialect.read(frame, Stage::kUnproven)), "hello");
}

TEST(PulseMesh, AnyObjectAfterTheHandshakeIsAPulse) {
  PulseMesh dialect;
  for (const std::string_view frame :
       {R"({})", R"({"type":"pulse","topic":"other"})", R"({"message":{},"signature":""})",
        R"({"n":1e400,"_mesh_topic":"x"})", R"({"type":"token_refresh"})"}) {
    const Verb verb = dialect.read(frame, Stage::kAdmitted);
    const auto* publish = std::get_if<Publish>(&verb);
    ASSERT_NE(publish, nullptr) << frame;
    EXPECT_EQ(publish->topic, "") << frame;
    EXPECT_EQ(publish->client_id, "") << frame;
    EXPECT_TRUE(publish->pulse.starts_with("{")) << frame;
    EXPECT_EQ(publish->pulse.find("_mesh_topic"), std::string::npos) << frame;
  }
}

// It is a credential: never a pulse, and never for another node.
TEST(PulseMesh, ATokenIsNotSpread) {
  struct Row {
    std::string_view frame, token;
  };
  constexpr Row kRows[] = {
      {R"({"type":"token_refresh","token":"a.b.c"})", "a.b.c"},
      {R"({"type":"token_refresh","token":"a.b.c","target":"core","topic":"x"})", "a.b.c"},
      {R"({"type":"token_refresh","token":""})", ""},
      {R"({"type":"token_refresh","token":7})", ""},
      {R"({"type":"token_refresh","token":null})", ""},
      {R"({"type":"token_refresh","token":["a.b.c"]})", ""},
  };
  PulseMesh topic;
  PulseMeshNode node;
  for (const Row& row : kRows) {
    for (Dialect* dialect : {static_cast<Dialect*>(&topic), static_cast<Dialect*>(&node)}) {
      const Verb verb = dialect->read(row.frame, Stage::kAdmitted);
      const auto* refresh = std::get_if<TokenRefresh>(&verb);
      ASSERT_NE(refresh, nullptr) << row.frame;
      EXPECT_EQ(refresh->token, row.token) << row.frame;
      EXPECT_EQ(said(dialect->read(row.frame, Stage::kUnproven)), "missing_proof") << row.frame;
    }
  }
}

// A connection may bring a proof of its own: then the message says who speaks.
TEST(PulseMesh, AMessageWithoutAProofSaysWhoseItIs) {
  struct Row {
    const char* name;
    std::string_view frame, refusal, source;
  };
  // clang-format off
  constexpr Row kRows[] = {
      {"no proof", R"({"message":{"source":"a"}})", "missing_proof", "a"},
      {"an empty one", R"({"message":{"source":"a"},"signature":""})", "missing_proof", "a"},
      {"two that are nothing", R"({"message":{"source":"a"},"signature":null,"token":{}})", "missing_proof", "a"},
      {"with more in it", R"({"message":{"source":"lab/a","x":[1]},"y":2})", "missing_proof", "lab/a"},
      {"no source", R"({"message":{"target":"a"}})", "missing_proof", ""},
      {"a source that is no name", R"({"message":{"source":"a b"}})", "missing_proof", ""},
      {"a source that is no text", R"({"message":{"source":["a"]}})", "missing_proof", ""},
      {"the shared one", R"({"message":{"source":"*"}})", "missing_proof", ""},
      {"no message", R"({"source":"a"})", "missing_proof", ""},
      {"a message that is text", R"({"message":"a"})", "missing_proof", ""},
      {"an empty message", R"({"message":{}})", "missing_proof", ""},
      {"a proof that is none", R"({"message":{"source":"a"},"signature":7})", "bad_signature", ""},
      {"a token that is none", R"({"message":{"source":"a"},"token":7})", "bad_token", ""},
      {"an algorithm that is none", R"({"message":{"source":"a"},"signature":"x","alg":"x"})", "bad_signature", ""},
      {"no JSON", R"({"message":{"source":"a"})", "not_json", ""},
  };
  // clang-format on
  PulseMesh dialect;
  for (const Row& row : kRows) {
    const Verb verb = dialect.read(row.frame, Stage::kUnproven);
    const auto* bad = std::get_if<BadHandshake>(&verb);
    ASSERT_NE(bad, nullptr) << row.name;
    EXPECT_EQ(signet::name_of(bad->code), row.refusal) << row.name;
    EXPECT_EQ(bad->source, row.source) << row.name;
  }
}

TEST(PulseMesh, WhatIsNoObjectIsNoPulse) {
  PulseMesh topic;
  PulseMeshNode node;
  for (const std::string_view frame : {"", "ping", "[]", "null", "1", "\"{}\"", "{", "{}{}",
                                       R"({"a":1,"a":2})", "{\"a\":\"\xff\"}", R"({"a":NaN})"}) {
    for (Dialect* dialect : {static_cast<Dialect*>(&topic), static_cast<Dialect*>(&node)}) {
      EXPECT_EQ(said(dialect->read(frame, Stage::kAdmitted)), "not_a_pulse") << frame;
    }
  }
}

TEST(PulseMeshNode, AFrameIsForItsTarget) {
  struct Row {
    std::string_view frame, target;
  };
  constexpr Row kRows[] = {
      {R"({"target":"core","x":1})", "core"},
      {R"({"target":"c\u006fre"})", "core"},
      {R"({"target":""})", ""},
      {R"({})", ""},
      {R"({"target":7})", ""},
      {R"({"target":null})", ""},
      {R"({"target":["core"]})", ""},
      {R"({"payload":{"target":"core"}})", ""},
  };
  PulseMeshNode dialect;
  for (const Row& row : kRows) {
    const Verb verb = dialect.read(row.frame, Stage::kAdmitted);
    const auto* forward = std::get_if<Forward>(&verb);
    ASSERT_NE(forward, nullptr) << row.frame;
    EXPECT_EQ(forward->target, row.target) << row.frame;
  }
}

// What a path opens, in a word.
std::string opened(const Dialect& dialect, std::string_view path) {
  const auto opening = dialect.opens(path, "");
  if (!opening) return "not mine";
  if (const auto* topic = std::get_if<OpensTopic>(&*opening)) return "topic " + topic->topic;
  if (const auto* node = std::get_if<OpensNode>(&*opening)) return "node " + node->node;
  if (const auto* bad = std::get_if<BadPath>(&*opening)) return "bad " + std::string(bad->rule);
  return "another conversation";
}

TEST(PulseMesh, OpensOneSegmentDecodedOnce) {
  struct Row {
    std::string path, topic, node;
  };
  const std::string longest(128, 'a'), longest_name(64, 'a');
  const std::vector<Row> rows = {
      {"/ws/mesh/mirror.intent", "topic mirror.intent", "not mine"},
      {"/ws/mesh/mirror%2Eintent", "topic mirror.intent", "not mine"},
      {"/ws/mesh/%6d", "topic m", "not mine"},
      {"/ws/mesh/%256d", "bad topic", "not mine"},  // decoded twice it would be `m`
      {"/ws/mesh/a%2Fb", "bad topic", "not mine"},
      {"/ws/mesh/a/b", "bad topic", "not mine"},
      {"/ws/mesh/a/", "bad topic", "not mine"},
      {"/ws/mesh/", "bad topic", "not mine"},
      {"/ws/mesh", "bad topic", "not mine"},
      {"/ws/mesh/..", "bad topic", "not mine"},
      {"/ws/mesh/a..b", "bad topic", "not mine"},
      {"/ws/mesh/*", "bad topic", "not mine"},
      {"/ws/mesh/%3E", "bad topic", "not mine"},
      {"/ws/mesh/a%00", "bad topic", "not mine"},
      {"/ws/mesh/a%0d%0a", "bad topic", "not mine"},
      {"/ws/mesh/a%", "bad topic", "not mine"},
      {"/ws/mesh/a%zz", "bad topic", "not mine"},
      {"/ws/mesh/a+b", "bad topic", "not mine"},
      {"/ws/mesh/%C3%A9", "bad topic", "not mine"},
      {"/ws/mesh/%FF", "bad topic", "not mine"},
      {"/ws/mesh/" + longest, "topic " + longest, "not mine"},
      {"/ws/mesh/" + longest + "a", "bad topic", "not mine"},
      {"/ws/node/core", "not mine", "node core"},
      {"/ws/node/c%6Fre", "not mine", "node core"},
      {"/ws/node/", "not mine", "bad node"},
      {"/ws/node", "not mine", "bad node"},
      {"/ws/node/a/b", "not mine", "bad node"},
      {"/ws/node/*", "not mine", "bad node"},
      {"/ws/node/a%20b", "not mine", "bad node"},
      {"/ws/node/" + longest_name, "not mine", "node " + longest_name},
      {"/ws/node/" + longest_name + "a", "not mine", "bad node"},
      {"/ws", "not mine", "not mine"},
      {"/ws/", "not mine", "not mine"},
      {"/ws/meshes/a", "not mine", "not mine"},
      {"/WS/mesh/a", "not mine", "not mine"},
      {"//ws/mesh/a", "not mine", "not mine"},
      {"", "not mine", "not mine"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(opened(PulseMesh(), row.path), row.topic) << row.path;
    EXPECT_EQ(opened(PulseMeshNode(), row.path), row.node) << row.path;
  }
}

TEST(PulseMesh, NoTwoFormatsOpenOnePath) {
  const auto formats = all_dialects();
  for (const std::string_view path :
       {"/ws", "/ws/mesh/a", "/ws/mesh", "/ws/mesh/", "/ws/node/a", "/ws/node", "/ws/node/a/b"}) {
    int openings = 0;
    for (const auto& format : formats) openings += format->opens(path, "") ? 1 : 0;
    EXPECT_EQ(openings, 1) << path;
  }
}

TEST(PulseMesh, WritesTheRepliesOfThePage) {
  const PulseMesh dialect;
  routing::Pulse pulse;
  pulse.text = R"({"a":1})";
  EXPECT_EQ(dialect.write(PulseOut{pulse}), R"({"a":1})");
  EXPECT_EQ(
      dialect.write(SecretAdmitted{"test_client", {1'761'940'800'123}, "s-1"}),
      R"({"type":"handshake_ok","client_id":"test_client","timestamp":"2025-10-31T20:00:00.123000","session_id":"s-1"})");
  EXPECT_EQ(dialect.write(HandshakeRefused{HandshakeRefusal::kReplayed}),
            R"({"type":"error","code":"replayed","message":")" +
                std::string(meaning_of(HandshakeRefusal::kReplayed)) + "\"}");
  EXPECT_EQ(dialect.write(HandshakeRefused{HandshakeRefusal::kNotPermitted, "r7"}),
            R"({"type":"error","code":"not_permitted","message":")" +
                std::string(meaning_of(HandshakeRefusal::kNotPermitted)) + R"(","ref":"r7"})");
  EXPECT_EQ(dialect.write(
                HandshakeRefused{HandshakeRefusal::kBadToken, {}, TokenRefusal::kWrongAudience}),
            R"({"type":"error","code":"bad_token","message":")" +
                std::string(meaning_of(HandshakeRefusal::kBadToken)) + " (wrong_audience: " +
                std::string(meaning_of(TokenRefusal::kWrongAudience)) + ")\"}");
  EXPECT_EQ(dialect.write(TokenTaken{{1'761'940'800'999}}),
            R"({"type":"token_ok","exp":1761940800})");
  EXPECT_EQ(dialect.write(Refused{Refusal::kRateLimited, "ignored", 250}),
            R"({"type":"error","code":"rate_limited","message":")" +
                std::string(meaning_of(Refusal::kRateLimited)) + R"(","retryAfterMs":250})");
  EXPECT_EQ(dialect.write(Refused{Refusal::kDenied, {}, {}, "r7"}),
            R"({"type":"error","code":"denied","message":")" +
                std::string(meaning_of(Refusal::kDenied)) + R"(","ref":"r7"})");
}

TEST(PulseMesh, AReplyOfAnotherFormatIsNoFrame) {
  for (const Reply& reply : {Reply(Published{"c", 1, 1}), Reply(Admitted{"p", "n"}),
                             Reply(Registered{}), Reply(SubscriptionChanged{"a", true})}) {
    EXPECT_EQ(PulseMesh().write(reply), "");
    EXPECT_EQ(PulseMeshNode().write(reply), "");
  }
}

}  // namespace
}  // namespace signet::dialects
