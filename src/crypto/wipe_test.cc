#include "crypto/wipe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace signet::crypto {
namespace {

TEST(Wipe, LeavesZeros) {
  std::array<unsigned char, 4> bytes{1, 2, 3, 4};
  wipe(bytes);
  EXPECT_EQ(bytes, (std::array<unsigned char, 4>{}));
  wipe(std::span<unsigned char>());
}

TEST(Wipe, EmptiesATextAndWhatALongerOneLeftBehindItsEnd) {
  std::string text(100, 's');
  text.resize(50);
  wipe(text);
  EXPECT_TRUE(text.empty());
  const char* memory = text.data();  // all of its capacity is still the text's own
  ASSERT_GE(text.capacity(), 100U);
  EXPECT_TRUE(std::all_of(memory, memory + 100, [](char c) { return c == '\0'; }));
  std::string never;
  wipe(never);
  EXPECT_TRUE(never.empty());
}

TEST(WipedAtEnd, WipesWhenItsScopeEnds) {
  std::string text(100, 's');
  {
    const WipedAtEnd wiped(text);
    EXPECT_EQ(text.size(), 100U);
  }
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(*(text.data() + 99), '\0');
}

}  // namespace
}  // namespace signet::crypto
