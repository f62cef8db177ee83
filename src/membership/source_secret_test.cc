#include "membership/source_secret.h"

#include <gtest/gtest.h>

namespace signet::membership {
namespace {

TEST(SourceSecret, KnowsSecretsThatEverybodyCanLookUpOrGuess) {
  const struct {
    const char* name;
    const char* text;
    bool is_sample;
  } rows[] = {
      {"what PulseMesh prints", "mirror:logos:2025", true},
      {"with another year", "mirror:logos:2031", true},
      {"with other marks and case", "Mirror-Logos-2025!", true},
      {"twice", "mirror:logos:mirror:logos", true},
      {"one byte", "aaaaaaaaaaaaaaaaaaaaaaaa", true},
      {"a short piece again and again", "abc123abc123abc123abc1", true},
      {"two bytes by turns", "0101101001011010010110", true},
      {"the figures in their order", "0123456789abcdef0123456789abcdef", true},
      {"a password", "password-password", true},
      {"a word to be replaced", "CHANGE_ME_CHANGE_ME", true},
      {"the page of every token", "your-256-bit-secret", true},
      {"a comic strip", "correct horse battery staple", true},
      {"a keyboard", "qwertyuiopasdfghjkl", true},
      {"what Hub prints for tokens", "microbridge_jwt_secret_dev_12345", true},
      {"and elsewhere", "JWT_SECRET_123456789", true},
      {"for actions", "HMAC_SECRET_987654321", true},
      {"for engines", "engine_shared_secret_mno345", true},
      {"and elsewhere", "ENGINE_SHARED_SECRET_123", true},
      {"nothing", "", true},
      {"drawn, base64url", "Zm9vYmFyLXF1dXgtMTIzNC14eXotNTY3OC1hYmM", false},
      {"drawn, hexadecimal", "9f86d081884c7d659a2feaa0c55ad015", false},
      {"a sentence of its own", "the heron waits at the third lock", false},
      {"drawn figures behind a word", "secret-84729375601937", false},
      {"that begins like one", "mirror:logos:2025-then-heron", false},
  };
  for (const auto& row : rows) EXPECT_EQ(is_sample_secret(row.text), row.is_sample) << row.name;
}

TEST(SourceSecret, NeverTakesADrawnSecretForASample) {
  for (int i = 0; i < 2'000; ++i) {
    const auto secret = crypto::SecretText::random();
    ASSERT_FALSE(is_sample_secret(secret.reveal()));
    ASSERT_TRUE(is_secret(secret.reveal()));
  }
}

TEST(SourceSecret, HasALengthThatHoldsAndNoControlCharacters) {
  const struct {
    const char* name;
    std::string text;
    bool is_secret;
  } rows[] = {
      {"nothing", "", false},
      {"a byte too few", std::string(kLeastSecretBytes - 1, 'x'), false},
      {"the least", std::string(kLeastSecretBytes, 'x'), true},
      {"the most", std::string(kMostSecretBytes, 'x'), true},
      {"a byte too many", std::string(kMostSecretBytes + 1, 'x'), false},
      {"pasted with its line break", "the heron waits at noon\n", false},
      {"with a zero", std::string("the heron waits\0here", 20), false},
      {"with a delete", "the heron waits \x7f here", false},
      {"with spaces and letters of any script", "der Reiher wartet früh", true},
  };
  for (const auto& row : rows) EXPECT_EQ(is_secret(row.text), row.is_secret) << row.name;
}

TEST(SourceSecret, HasANameThatAnyLogAndUrlCanHold) {
  const struct {
    const char* name;
    std::string text;
    bool is_source;
  } rows[] = {
      {"a word", "mirror", true},
      {"every mark", "a.b_c-d:e/F9", true},
      {"the longest", std::string(64, 'n'), true},
      {"one more", std::string(65, 'n'), false},
      {"nothing", "", false},
      {"the shared one", std::string(kSharedSource), false},
      {"a space", "a b", false},
      {"a line break", "a\nb", false},
      {"another script", "größe", false},
  };
  for (const auto& row : rows) EXPECT_EQ(is_source(row.text), row.is_source) << row.name;
}

TEST(SourceSecret, HoldsWithinItsTime) {
  SourceSecret source;
  EXPECT_FALSE(holds(source)) << "no secret at all";
  source.secret = crypto::SecretText("a new one that is long");
  EXPECT_TRUE(holds(source));
  EXPECT_FALSE(previous_holds(source, WallTime{0})) << "there is none";
  source.previous = crypto::SecretText("an old one that is long");
  source.previous_until = WallTime{1'000};
  EXPECT_TRUE(previous_holds(source, WallTime{999}));
  EXPECT_FALSE(previous_holds(source, WallTime{1'000}));
  source.revoked = true;
  EXPECT_FALSE(holds(source));
  EXPECT_FALSE(previous_holds(source, WallTime{0}));
}

}  // namespace
}  // namespace signet::membership
