#include "crypto/compare.h"

#include <gtest/gtest.h>

#include <string>

namespace signet::crypto {
namespace {

TEST(EqualSecrets, ComparesEveryByteAndTheLength) {
  const std::string secret = "0123456789abcdef";
  EXPECT_TRUE(equal_secrets(secret, std::string(secret)));
  EXPECT_TRUE(equal_secrets({}, ""));
  for (std::size_t i = 0; i < secret.size(); ++i) {
    std::string other = secret;
    other[i] = 'x';
    EXPECT_FALSE(equal_secrets(secret, other)) << i;
    EXPECT_FALSE(equal_secrets(secret, secret.substr(0, i))) << i;
    EXPECT_FALSE(equal_secrets(secret.substr(0, i), secret)) << i;
  }
  EXPECT_FALSE(equal_secrets(secret, secret + '\0'));
}

}  // namespace
}  // namespace signet::crypto
