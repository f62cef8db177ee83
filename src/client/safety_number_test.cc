#include "client/safety_number.h"

#include <gtest/gtest.h>

#include <set>

namespace signet::client {
namespace {

crypto::PublicKey key(unsigned char seed) {
  return crypto::SecretKey::from_seed({seed}).public_key();
}

// Whether `text` is so many groups of five digits with one space between.
bool is_groups(const std::string& text, std::size_t groups) {
  if (text.size() != groups * 6 - 1) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_digit = text[i] >= '0' && text[i] <= '9';
    if (i % 6 == 5 ? text[i] != ' ' : !is_digit) return false;
  }
  return true;
}

TEST(SafetyNumber, IsTheSameOnBothSidesAndNowhereElse) {
  std::set<std::string> seen;
  for (unsigned char a = 0; a < 12; ++a) {
    for (unsigned char b = a; b < 12; ++b) {
      for (const char* mesh : {"mesh-1", "mesh-2"}) {
        const std::string number = safety_number(mesh, key(a), key(b));
        EXPECT_TRUE(is_groups(number, 12)) << number;
        EXPECT_EQ(number, safety_number(mesh, key(b), key(a)));
        EXPECT_TRUE(seen.insert(number).second) << number;
      }
    }
  }
}

// A broker that shows one of the two another key changes all of the number, not a digit at its end.
TEST(SafetyNumber, ChangesThroughout) {
  const std::string real = safety_number("mesh-1", key(1), key(2));
  const std::string swapped = safety_number("mesh-1", key(1), key(3));
  for (std::size_t group = 0; group < 12; ++group) {
    EXPECT_NE(real.substr(group * 6, 5), swapped.substr(group * 6, 5)) << group;
  }
}

TEST(Fingerprint, TellsKeysApart) {
  std::set<std::string> seen;
  for (unsigned char a = 0; a < 100; ++a) {
    const std::string text = fingerprint(key(a));
    EXPECT_TRUE(is_groups(text, 6)) << text;
    EXPECT_TRUE(seen.insert(text).second) << text;
  }
}

}  // namespace
}  // namespace signet::client
