#include "crypto/hash.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace signet::crypto {
namespace {

using namespace std::string_literals;

// The layout of the header, spelled out byte by byte; the values are BLAKE2b of RFC 7693 over
// those bytes, from an implementation that is not libsodium's.
TEST(Digest, IsBlake2bOverLengthPrefixedFields) {
  EXPECT_EQ(to_hex(digest16("signet.test", {"ab", ""})), "f4faa0e3732f82d3675a21c8e34c96c9");
  EXPECT_EQ(to_hex(digest32("signet.test", {"ab", ""})),
            "1030552095d7c2173a2a7bbe79b8803f7b292bbc7b72022aea981b9a97418851");
  EXPECT_EQ(to_hex(digest32("", {})),
            "81e47a19e6b29b0a65b9591762ce5143ed30d0261e5d24a3201752506b20f15c");
}

TEST(Digest, TellsEveryShiftedBorderApart) {
  struct Case {
    const char* name;
    Digest16 digest;
  };
  const Case cases[] = {
      {"two fields", digest16("d", {"ab", "c"})},
      {"border moved", digest16("d", {"a", "bc"})},
      {"joined", digest16("d", {"abc"})},
      {"empty last", digest16("d", {"abc", ""})},
      {"empty first", digest16("d", {"", "abc"})},
      {"three", digest16("d", {"a", "b", "c"})},
      {"other domain", digest16("e", {"ab", "c"})},
      {"domain eats the field", digest16("dab", {"c"})},
      {"no domain", digest16("", {"d", "ab", "c"})},
      {"no fields", digest16("d", {})},
      {"one empty field", digest16("d", {""})},
      {"a length as text", digest16("d", {"ab\1\0\0\0\0\0\0\0c"s})},
      {"zero byte", digest16("d", {"ab", "c\0"s})},
  };
  std::set<Digest16> seen;
  for (const Case& c : cases) EXPECT_TRUE(seen.insert(c.digest).second) << c.name;
}

// A random pair of field lists over two letters and a length byte, so that borders, and not the
// content, are mostly all that differs.
TEST(Digest, IsInjectiveInItsFields) {
  std::mt19937 random(4);
  const auto field = [&] {
    std::string text(random() % 4, '\0');
    for (char& c : text) c = "\0\1a"[random() % 3];
    return text;
  };
  int different = 0;
  for (int i = 0; i < 100'000; ++i) {
    const std::string a[] = {field(), field(), field()};
    const std::string b[] = {field(), field(), field()};
    const bool same = a[0] == b[0] && a[1] == b[1] && a[2] == b[2];
    different += same ? 0 : 1;
    ASSERT_EQ(digest16(a[0], {a[1], a[2]}) == digest16(b[0], {b[1], b[2]}), same);
    // The same bytes with the last border elsewhere are never the same digest.
    ASSERT_NE(digest16(a[0], {a[1], a[2]}), digest16(a[0], {a[1] + a[2]}));
  }
  EXPECT_GT(different, 90'000);
}

TEST(KeyedHash, IsTheSameForTheSameBytesOnly) {
  const KeyedHash hash;
  std::set<std::size_t> seen;
  for (int i = 0; i < 10'000; ++i) {
    const std::string text = "key-" + std::to_string(i);
    EXPECT_EQ(hash(text), hash(std::string_view(text)));
    seen.insert(hash(text));
  }
  EXPECT_EQ(seen.size(), 10'000U);
  const Digest16 digest = digest16("d", {"x"});
  EXPECT_EQ(hash(digest), hash(text_of(ByteView(digest))));
  EXPECT_NE(hash(""), hash("\0"s));
}

}  // namespace
}  // namespace signet::crypto
