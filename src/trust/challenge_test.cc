#include "trust/challenge.h"

#include <gtest/gtest.h>

#include <set>

#include "base/encoding.h"
#include "crypto/random.h"

namespace signet::trust {
namespace {

using crypto::RelayBox;
using crypto::RelaySecretKey;

constexpr WallTime kNow{1'767'616'490'123};  // 2026-01-05T12:34:50.123Z

std::string answer_of(const std::variant<crypto::RelayKey, RegisterRefusal>& checked) {
  const auto* code = std::get_if<RegisterRefusal>(&checked);
  return code == nullptr ? "proven" : std::string(name_of(*code));
}

// One client before one server, and the response it would give.
struct Scene {
  RelaySecretKey server = RelaySecretKey::generate();
  RelaySecretKey client = RelaySecretKey::generate();
  IssuedChallenge issued = issue_challenge(kNow);
  std::string from = crypto::relay_key_text(client.public_key());
  std::string to = crypto::relay_key_text(server.public_key());
  std::string nonce = to_base64url(issued.nonce);
  std::string message = sealed(issued.text);

  std::string sealed(std::string_view text) const {
    const auto box = RelayBox::between(client, server.public_key());
    return to_base64url(bytes_of(box->seal(text, issued.nonce)));
  }
  std::variant<crypto::RelayKey, RegisterRefusal> check(bool allow_samples = false) const {
    return check_response({from, to, nonce, message}, issued, server, allow_samples);
  }
};

// Every other path of the check is a row of protocol/vectors/securewebsocket.json, which
// dialects/simpatico_test.cc runs from the bytes of the frame.
TEST(CheckResponse, AnswersWithTheKeyThatWasProven) {
  const Scene scene;
  const auto checked = scene.check();
  ASSERT_EQ(answer_of(checked), "proven");
  EXPECT_EQ(std::get<crypto::RelayKey>(checked), scene.client.public_key());
}

TEST(CheckResponse, TakesAnAnswerForItsOwnChallengeOnly) {
  Scene first;
  Scene second;
  second.issued.nonce = first.issued.nonce;  // even where a nonce came again
  EXPECT_EQ(answer_of(check_response({first.from, first.to, first.nonce, first.message},
                                     second.issued, first.server)),
            "wrong_text");
  second.issued = first.issued;  // a man in the middle hands one server's challenge to another
  EXPECT_EQ(answer_of(check_response({first.from, first.to, first.nonce, first.message},
                                     second.issued, second.server)),
            "wrong_server");
  EXPECT_EQ(answer_of(check_response({first.from, second.to, first.nonce, first.message},
                                     second.issued, second.server)),
            "bad_response");
}

TEST(CheckResponse, AnswersWithTheFirstRuleThatIsBroken) {
  Scene scene;
  scene.message = scene.sealed("another text");
  EXPECT_EQ(answer_of(scene.check()), "wrong_text");
  scene.message = to_base64url(bytes_of(scene.issued.text));
  EXPECT_EQ(answer_of(scene.check()), "bad_response");
  scene.from = std::string(43, 'A');
  EXPECT_EQ(answer_of(scene.check()), "bad_key");
  EXPECT_EQ(answer_of(scene.check(true)), "bad_key");  // small order is no matter of samples
  scene.nonce = std::string(32, 'A');
  EXPECT_EQ(answer_of(scene.check()), "wrong_nonce");
  scene.to = std::string(43, 'A');
  EXPECT_EQ(answer_of(scene.check()), "wrong_server");
  scene.message = "?";
  EXPECT_EQ(answer_of(scene.check()), "malformed");
}

TEST(CheckResponse, RefusesSampleKeysUnlessTheyAreAllowed) {
  Scene scene;
  std::array<unsigned char, 32> letters{};
  letters.fill('a');
  scene.client = RelaySecretKey::from_bytes(letters);
  scene.from = crypto::relay_key_text(scene.client.public_key());
  scene.message = scene.sealed(scene.issued.text);
  EXPECT_EQ(answer_of(scene.check()), "bad_key");
  EXPECT_EQ(answer_of(scene.check(true)), "proven");
}

TEST(IssueChallenge, WelcomesWithTheTimeAndNeverTheSameTwice) {
  std::set<std::string> texts;
  std::set<crypto::BoxNonce> nonces;
  for (int i = 0; i < 1'000; ++i) {
    const IssuedChallenge issued = issue_challenge(kNow);
    texts.insert(issued.text);
    nonces.insert(issued.nonce);
    EXPECT_NE(issued.text.find("2026-01-05T12:34:50.123Z"), std::string::npos) << issued.text;
    const auto secret = from_base64url(issued.text.substr(issued.text.rfind(' ') + 1));
    ASSERT_TRUE(secret) << issued.text;
    EXPECT_EQ(secret->size(), 32U);
  }
  EXPECT_EQ(texts.size(), 1'000U);
  EXPECT_EQ(nonces.size(), 1'000U);
}

// A client that seals JSON for a server may have sealed a message to a friend: no welcome is one.
TEST(IssueChallenge, IsNoJson) { EXPECT_FALSE(issue_challenge(kNow).text.starts_with('{')); }

}  // namespace
}  // namespace signet::trust
