// Every type that keeps a secret keeps it out of cores while it lives, and nowhere after its end.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "base/core_for_test.h"
#include "crypto/mac.h"
#include "crypto/relay_box.h"
#include "crypto/secret_text.h"
#include "crypto/sign.h"
#include "crypto/wipe.h"

namespace signet::crypto {
namespace {

std::array<unsigned char, 32> seed_of(const Needle& needle) {
  const SecretBytes bytes = needle.reveal();
  std::array<unsigned char, 32> seed{};
  std::copy_n(bytes.data(), seed.size(), seed.begin());
  return seed;
}

TEST(SecretCore, TheSearchFindsWhatIsThere) {
  const Needle needle(1);
  EXPECT_EQ(times_in_memory(needle, Memory::kAll), 0U);
  std::string told(needle.reveal().text());
  EXPECT_EQ(times_in_memory(needle, Memory::kOfCores), 1U);
  wipe(told);
  const SecretBytes kept = needle.reveal();
  EXPECT_EQ(times_in_memory(needle, Memory::kOfCores), 0U);
  EXPECT_EQ(times_in_memory(needle, Memory::kAll), 1U);
}

TEST(SecretCore, ASecretTextIsInNoneAndGoneAtItsEnd) {
  const Needle needle(2);
  {
    const SecretText secret(needle.reveal().text());
    const SecretText copy = secret;
    EXPECT_TRUE(copy.matches(needle.reveal().text()));
    EXPECT_EQ(times_in_memory(needle, Memory::kOfCores), 0U);
    EXPECT_EQ(times_in_memory(needle, Memory::kAll), 1U) << "the test can tell";
  }
  EXPECT_EQ(times_in_memory(needle, Memory::kAll), 0U);
}

TEST(SecretCore, AKeyThatSignsIsInNoneAndGoneAtItsEnd) {
  const Needle needle(3);
  {
    auto seed = seed_of(needle);
    SecretKey first = SecretKey::from_seed(seed);
    wipe(seed);
    const SecretKey key = std::move(first);
    EXPECT_TRUE(verify(key.public_key(), bytes_of("text"), key.sign(bytes_of("text"))));
    EXPECT_EQ(times_in_memory(needle, Memory::kOfCores), 0U);
    EXPECT_EQ(times_in_memory(needle, Memory::kAll), 1U);
  }
  EXPECT_EQ(times_in_memory(needle, Memory::kAll), 0U);
}

TEST(SecretCore, AKeyOfTheRelayIsInNoneAndGoneAtItsEnd) {
  const Needle needle(4);
  {
    auto bytes = seed_of(needle);
    RelaySecretKey first = RelaySecretKey::from_bytes(bytes);
    wipe(bytes);
    const RelaySecretKey key = std::move(first);
    const auto other = RelaySecretKey::generate();
    ASSERT_TRUE(RelayBox::between(key, other.public_key()).ok());
    EXPECT_EQ(times_in_memory(needle, Memory::kOfCores), 0U);
    EXPECT_EQ(times_in_memory(needle, Memory::kAll), 1U);
  }
  EXPECT_EQ(times_in_memory(needle, Memory::kAll), 0U);
}

TEST(SecretCore, DigestsLeaveNoCopyOfTheirKey) {
  const Needle needle(5);
  const SecretText secret(needle.reveal().text());
  static_cast<void>(hmac_sha256(secret.reveal(), "a message"));
  static_cast<void>(sha256({"a message", secret.reveal()}));
  EXPECT_EQ(times_in_memory(needle, Memory::kOfCores), 0U);
}

}  // namespace
}  // namespace signet::crypto
