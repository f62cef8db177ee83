#include "crypto/secret_text.h"

#include <gtest/gtest.h>

#include <set>

#include "crypto/sign.h"

namespace signet::crypto {
namespace {

TEST(SecretText, MatchesTheSameBytesAlone) {
  const SecretText secret("the heron waits");
  EXPECT_TRUE(secret.matches("the heron waits"));
  EXPECT_FALSE(secret.matches("the heron wait"));
  EXPECT_FALSE(secret.matches("the heron waits "));
  EXPECT_FALSE(secret.matches(""));
}

TEST(SecretText, NoSecretMatchesNothingNotEvenNothing) {
  for (const SecretText& none : {SecretText(), SecretText("")}) {
    EXPECT_TRUE(none.empty());
    EXPECT_FALSE(none.matches(""));
    EXPECT_EQ(none.reveal(), "");
  }
}

TEST(SecretText, CopiesShareOneMemory) {
  const SecretText secret("the heron waits at the third lock");
  const SecretText copy = secret;
  EXPECT_EQ(copy.reveal().data(), secret.reveal().data());
}

TEST(SecretText, DrawsAnotherOneEachTime) {
  std::set<std::string> drawn;
  for (int i = 0; i < 100; ++i) drawn.emplace(SecretText::random().reveal());
  EXPECT_EQ(drawn.size(), 100U);
  EXPECT_EQ(drawn.begin()->size(), 43U) << "32 bytes as base64url";
}

TEST(ToX25519, ConvertsWhatIsEnrollableAndNothingOfSmallOrder) {
  const PublicKey key = SecretKey::from_seed({9}).public_key();
  EXPECT_TRUE(to_x25519(key).has_value());
  PublicKey identity;
  identity.bytes[0] = 1;
  EXPECT_FALSE(to_x25519(identity).has_value());
  PublicKey nowhere;
  nowhere.bytes.fill(0xff);
  EXPECT_FALSE(to_x25519(nowhere).has_value());
}

}  // namespace
}  // namespace signet::crypto
