#include "crypto/secret_base64.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "base/core_for_test.h"

namespace signet::crypto {
namespace {

std::optional<std::string> decoded(std::string_view text) {
  const auto secret = from_secret_base64(text);
  if (!secret) return std::nullopt;
  return std::string(secret->text());
}

TEST(SecretBase64, WritesWhatThePublicOneWrites) {
  std::mt19937 random(1);
  for (std::size_t size = 0; size < 100; ++size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(random()));
    const SecretBytes text = to_secret_base64(bytes_of(bytes));
    EXPECT_EQ(text.text(), to_base64(bytes_of(bytes))) << size;
    EXPECT_EQ(decoded(text.text()), bytes) << size;
  }
}

// Every text of up to four characters out of these, and so all paddings and stray bits.
TEST(SecretBase64, TakesWhatThePublicOneTakes) {
  constexpr std::string_view kCharacters("AQw/-= \0", 8);
  int taken = 0;
  const auto check = [&taken](const std::string& text) {
    const auto expected = from_base64(text);
    ASSERT_EQ(decoded(text), expected) << to_hex(bytes_of(text));
    taken += expected.has_value() ? 1 : 0;
  };
  std::vector<std::string> texts{""};
  for (std::size_t size = 0; size <= 4; ++size) {
    std::vector<std::string> longer;
    for (const std::string& text : texts) {
      check(text);
      check("AAAA" + text);
      if (size == 4) continue;
      for (const char c : kCharacters) longer.push_back(text + c);
    }
    texts = std::move(longer);
  }
  EXPECT_GT(taken, 500);
}

TEST(SecretBase64, LeavesNoCopyOfASecretBehind) {
  const Needle needle(21);  // hex digits, which are base64 of something
  {
    const auto secret = from_secret_base64(needle.reveal().text());
    ASSERT_TRUE(secret);
    const SecretBytes text = to_secret_base64(secret->bytes());
    EXPECT_EQ(times_in_memory(needle, Memory::kOfCores), 0U);
    EXPECT_EQ(times_in_memory(needle, Memory::kAll), 1U) << "the test can tell";
  }
  EXPECT_EQ(times_in_memory(needle, Memory::kAll), 0U);
}

}  // namespace
}  // namespace signet::crypto
