#include "crypto/own_nonces.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <set>
#include <type_traits>

#include "crypto/derive.h"
#include "crypto/random.h"

namespace signet::crypto {
namespace {

SecretKey identity() { return SecretKey::from_seed({1, 2, 3}); }

TEST(OwnNonces, AreKnownAgainByTheirMakerOnly) {
  const OwnNonces mine(identity());
  const OwnNonces mine_later(identity());
  const OwnNonces theirs(SecretKey::from_seed({1, 2, 4}));
  std::set<BoxNonce> seen;
  for (int i = 0; i < 10'000; ++i) {
    const BoxNonce nonce = mine.draw();
    ASSERT_TRUE(seen.insert(nonce).second);
    ASSERT_TRUE(mine_later.is_own(nonce));
    ASSERT_FALSE(theirs.is_own(nonce));
    BoxNonce random;
    random_bytes(random);
    ASSERT_FALSE(mine.is_own(random));
  }
}

TEST(OwnNonces, AreOwnWithEveryBitOnly) {
  const OwnNonces mine(identity());
  const BoxNonce nonce = mine.draw();
  for (std::size_t bit = 0; bit < nonce.size() * 8; ++bit) {
    BoxNonce flipped = nonce;
    flipped[bit / 8] = static_cast<unsigned char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_FALSE(mine.is_own(flipped)) << bit;
  }
  EXPECT_FALSE(mine.is_own({}));
}

TEST(OwnNonces, LeaveNoKeyWhereItWas) {
  static_assert(!std::is_copy_constructible_v<OwnNonces> && !std::is_copy_assignable_v<OwnNonces>);
  constexpr std::array<unsigned char, sizeof(OwnNonces)> kZero{};
  const auto is_wiped = [&](const void* nonces) {
    return std::memcmp(nonces, kZero.data(), kZero.size()) == 0;
  };
  OwnNonces first(identity());
  const BoxNonce nonce = first.draw();
  OwnNonces second = std::move(first);
  EXPECT_TRUE(is_wiped(&first));
  OwnNonces third(SecretKey::generate());
  third = std::move(second);
  EXPECT_TRUE(is_wiped(&second));
  OwnNonces& same = third;
  third = std::move(same);
  EXPECT_TRUE(third.is_own(nonce));

  alignas(OwnNonces) std::array<unsigned char, sizeof(OwnNonces)> memory{};
  auto* nonces = new (memory.data()) OwnNonces(std::move(third));
  ASSERT_FALSE(is_wiped(memory.data()));
  std::destroy_at(nonces);
  EXPECT_TRUE(is_wiped(memory.data()));
}

TEST(DerivedKey, IsAnotherOneForEveryIdentityAndPurpose) {
  const SecretKey mine = identity(), other = SecretKey::from_seed({1, 2, 4});
  std::set<std::array<unsigned char, 32>> keys{mine.seed(), other.seed()};
  for (const SecretKey* key : {&mine, &other}) {
    for (const char* domain : {"", "a", "b", "ab"}) {
      EXPECT_TRUE(keys.insert(derived_key(*key, domain)).second) << domain;
    }
  }
  EXPECT_EQ(derived_key(mine, "a"), derived_key(identity(), "a"));
}

}  // namespace
}  // namespace signet::crypto
