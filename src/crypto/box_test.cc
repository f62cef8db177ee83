#include "crypto/box.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <cstring>
#include <memory>
#include <type_traits>

#include "crypto/random.h"
#include "crypto/small_order_for_test.h"
#include "crypto/wycheproof_test.h"

namespace signet::crypto {
namespace {

using Bytes32 = std::array<unsigned char, 32>;

Bytes32 counting(unsigned first, unsigned step) {
  Bytes32 bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<unsigned char>(first + step * i);
  }
  return bytes;
}

BoxNonce counting_nonce() {
  BoxNonce nonce;
  for (std::size_t i = 0; i < nonce.size(); ++i) nonce[i] = static_cast<unsigned char>(i);
  return nonce;
}

SecretKey key_a() { return SecretKey::from_seed(counting(0x00, 1)); }
SecretKey key_b() { return SecretKey::from_seed(counting(0xFF, static_cast<unsigned>(-1))); }

DirectBox box_between(const SecretKey& mine, const PublicKey& theirs) {
  auto box = DirectBox::between(mine, theirs);
  EXPECT_TRUE(box.ok());
  return *std::move(box);
}

// The vector of protocol/claudemesh.md: A to B, "hello bob", nonce 00..17.
TEST(DirectBox, MakesTheBoxOfTheProtocolPage) {
  const DirectBox from_a = box_between(key_a(), key_b().public_key());
  const std::string sealed = from_a.seal("hello bob", counting_nonce());
  EXPECT_EQ(to_base64(bytes_of(sealed)), "gfkor8nWa5uRPvAv/v90aPGtVSfy9kPwrA==");
  const DirectBox from_b = box_between(key_b(), key_a().public_key());
  EXPECT_EQ(from_b.open(sealed, counting_nonce()), "hello bob");
}

// The format authenticates the pair, not the direction: a sender's own box opens as if the peer had
// sent it. A receiver must therefore refuse its own messages coming back (header of box.h).
TEST(DirectBox, OpensItsOwnMessageReflected) {
  const DirectBox from_a = box_between(key_a(), key_b().public_key());
  const std::string sealed = from_a.seal("pay bob", counting_nonce());
  EXPECT_EQ(from_a.open(sealed, counting_nonce()), "pay bob");
}

TEST(DirectBox, OpensNothingThatWasTouched) {
  const DirectBox box = box_between(key_a(), key_b().public_key());
  const BoxNonce nonce = counting_nonce();
  const std::string sealed = box.seal("text", nonce);
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string flipped = sealed;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_EQ(box.open(flipped, nonce), std::nullopt) << bit;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    ASSERT_EQ(box.open(std::string_view(sealed).substr(0, size), nonce), std::nullopt) << size;
  }
  EXPECT_EQ(box.open(sealed + '\0', nonce), std::nullopt);
  BoxNonce other = nonce;
  other[23] ^= 1;
  EXPECT_EQ(box.open(sealed, other), std::nullopt);
  const DirectBox stranger = box_between(SecretKey::generate(), key_b().public_key());
  EXPECT_EQ(stranger.open(sealed, nonce), std::nullopt);
}

TEST(DirectBox, CarriesEveryLength) {
  const DirectBox from_a = box_between(key_a(), key_b().public_key());
  const DirectBox from_b = box_between(key_b(), key_a().public_key());
  for (const std::size_t size : {0U, 1U, 15U, 16U, 17U, 63U, 64U, 65U, 4096U, 65536U}) {
    const std::string plain(size, 'x');
    BoxNonce nonce;
    random_bytes(nonce);
    const std::string sealed = from_a.seal(plain, nonce);
    EXPECT_EQ(sealed.size(), size + 16);
    EXPECT_EQ(from_b.open(sealed, nonce), plain);
  }
}

TEST(DirectBox, RefusesKeysThatCanNotBeSealedTo) {
  for (const char* hex : {"0000000000000000000000000000000000000000000000000000000000000000",
                          "0100000000000000000000000000000000000000000000000000000000000000",
                          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                          "0200000000000000000000000000000000000000000000000000000000000000",
                          "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"}) {
    const auto box = DirectBox::between(key_a(), *public_key_from_hex(hex));
    ASSERT_FALSE(box.ok()) << hex;
    EXPECT_EQ(box.error().code, ErrorCode::kForbidden);
  }
}

// A shared key of zeros is everybody's: no spelling of a point of small order may lead to one, nor
// a sound key with such a point added to it.
TEST(DirectBox, AgreesWithNoPointOfSmallOrder) {
  for (const char* hex : kSmallOrder) {
    EXPECT_FALSE(DirectBox::between(key_a(), *public_key_from_hex(hex)).ok()) << hex;
  }
  const PublicKey sound = key_b().public_key();
  ASSERT_TRUE(DirectBox::between(key_a(), sound).ok());
  int mixed = 0;
  for (const char* hex : kSmallOrder) {
    PublicKey sum;
    const PublicKey small = *public_key_from_hex(hex);
    if (crypto_core_ed25519_add(sum.bytes.data(), sound.bytes.data(), small.bytes.data()) != 0 ||
        sum == sound) {
      continue;
    }
    ++mixed;
    EXPECT_FALSE(DirectBox::between(key_a(), sum).ok()) << hex;
  }
  EXPECT_GE(mixed, 4);
}

TEST(DirectBox, LeavesNoKeyWhereItWas) {
  static_assert(!std::is_copy_constructible_v<DirectBox> && !std::is_copy_assignable_v<DirectBox>);
  constexpr std::array<unsigned char, sizeof(DirectBox)> kZero{};
  const auto is_wiped = [&](const void* box) {
    return std::memcmp(box, kZero.data(), kZero.size()) == 0;
  };
  DirectBox first = box_between(key_a(), key_b().public_key());
  const std::string sealed = first.seal("text", counting_nonce());
  ASSERT_FALSE(is_wiped(&first));
  DirectBox second = std::move(first);
  EXPECT_TRUE(is_wiped(&first));
  DirectBox third = box_between(key_b(), SecretKey::generate().public_key());
  third = std::move(second);
  EXPECT_TRUE(is_wiped(&second));
  DirectBox& same = third;
  third = std::move(same);
  EXPECT_EQ(third.open(sealed, counting_nonce()), "text");

  alignas(DirectBox) std::array<unsigned char, sizeof(DirectBox)> memory{};
  auto* box = new (memory.data()) DirectBox(std::move(third));
  ASSERT_FALSE(is_wiped(memory.data()));
  std::destroy_at(box);
  EXPECT_TRUE(is_wiped(memory.data()));
}

// The conversion of keys, against the X25519 halves that the protocol page prints.
TEST(DirectBox, ConvertsKeysAsTheProtocolPageDoes) {
  Bytes32 public_b;
  const PublicKey signing_b = key_b().public_key();
  ASSERT_EQ(crypto_sign_ed25519_pk_to_curve25519(public_b.data(), signing_b.bytes.data()), 0);
  EXPECT_EQ(to_hex(public_b), "70f4e49243478752384d91bcc1330d740e7353667eb1f5fa02dc1488a2403112");
  std::array<unsigned char, 64> signing_a;
  Bytes32 scalar_a;
  const Bytes32 seed = key_a().seed();
  std::memcpy(signing_a.data(), seed.data(), 32);
  std::memcpy(signing_a.data() + 32, key_a().public_key().bytes.data(), 32);
  crypto_sign_ed25519_sk_to_curve25519(scalar_a.data(), signing_a.data());
  EXPECT_EQ(to_hex(scalar_a), "3894eea49c580aef816935762be049559d6d1440dede12e6a125f1841fff8e6f");
}

// The primitive below the box. "acceptable" vectors are odd public keys: the answer must be the
// printed one, or, where that is zero, a refusal.
TEST(X25519, AgreesWithEveryWycheproofVector) {
  const auto text = wycheproof_file("x25519_test.json");
  if (!text) GTEST_SKIP() << "the Wycheproof files are not beside this tree";
  Bytes32 theirs{}, mine{}, shared{};
  int checked = 0, refused = 0;
  for (const auto& [name, value] : string_members(*text)) {
    if (name == "public") {
      ASSERT_TRUE(from_hex(value, theirs));
    }
    if (name == "private") {
      ASSERT_TRUE(from_hex(value, mine));
    }
    if (name == "shared") {
      ASSERT_TRUE(from_hex(value, shared));
    }
    if (name != "result") continue;
    ++checked;
    Bytes32 answer{};
    const bool agreed = crypto_scalarmult(answer.data(), mine.data(), theirs.data()) == 0;
    EXPECT_EQ(agreed, shared != Bytes32{}) << "vector " << checked;
    if (agreed) {
      EXPECT_EQ(answer, shared) << "vector " << checked;
    } else {
      ++refused;
    }
  }
  EXPECT_EQ(checked, 518);
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace signet::crypto
