#include "crypto/sign.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <cstring>
#include <memory>
#include <type_traits>
#include <vector>

#include "crypto/random.h"
#include "crypto/small_order_for_test.h"
#include "crypto/wycheproof_test.h"

namespace signet::crypto {
namespace {

using Seed = std::array<unsigned char, 32>;

Seed seed_from(unsigned first, unsigned step) {
  Seed seed;
  for (std::size_t i = 0; i < seed.size(); ++i)
    seed[i] = static_cast<unsigned char>(first + step * i);
  return seed;
}
const Seed kSeedA = seed_from(0x00, 1);
const Seed kSeedB = seed_from(0xFF, static_cast<unsigned>(-1));

PublicKey key_from(std::string_view hex) {
  const auto key = public_key_from_hex(hex);
  EXPECT_TRUE(key.has_value()) << hex;
  return key.value_or(PublicKey{});
}

Signature signature_from(std::string_view hex) {
  Signature signature{};
  EXPECT_TRUE(from_hex(hex, signature)) << hex;
  return signature;
}

// The vectors of protocol/claudemesh.md.
TEST(Sign, MakesTheSignaturesOfTheProtocolPage) {
  const SecretKey a = SecretKey::from_seed(kSeedA);
  const std::string pub_a = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
  EXPECT_EQ(to_hex(a.public_key()), pub_a);
  EXPECT_EQ(to_hex(SecretKey::from_seed(kSeedB).public_key()),
            "bafc71bead3ac5e4b63e9c8216ee71a34aaec65722eedbca728b4e9b3ccce396");
  struct Case {
    const char* name;
    std::string text;
    const char* signature;
  };
  const Case cases[] = {
      {"hello", "mesh-1|member-1|" + pub_a + "|1700000000000",
       "0de0a3d2b018b6fed13786bdd0b8a9b5346e7797e31a46d30609d783a5c87ecc"
       "eeec8fcc5ee9b4b32f9dfb0d59e9e85bafe4c37874dc611b916ae377959a5200"},
      {"invite", "1|mesh-1|team|ws://localhost:7900/ws|1893456000|cm9vdGtleQ|member|" + pub_a,
       "80dd4eebd56d3881ffaa58cb167bc38a1a0184fcb339f35f175969670d6e657a"
       "9749481a228417842e238b8f859fc5e72c9e64374db624bb8481f85f86995902"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const Signature signature = a.sign(bytes_of(c.text));
    EXPECT_EQ(to_hex(signature), c.signature);
    EXPECT_TRUE(verify(a.public_key(), bytes_of(c.text), signature));
    EXPECT_FALSE(verify(a.public_key(), bytes_of(c.text + " "), signature));
  }
}

TEST(Verify, AgreesWithEveryWycheproofVector) {
  const auto text = wycheproof_file("ed25519_test.json");
  if (!text) GTEST_SKIP() << "the Wycheproof files are not beside this tree";
  PublicKey key;
  std::vector<unsigned char> message;
  std::string signature;
  int checked = 0;
  for (const auto& [name, value] : string_members(*text)) {
    if (name == "pk") key = key_from(value);
    if (name == "msg") {
      message.assign(value.size() / 2, 0);
      ASSERT_TRUE(from_hex(value, message));
    }
    if (name == "sig") signature = value;
    if (name != "result") continue;
    Signature raw{};
    const bool accepted = from_hex(signature, raw) && verify(key, message, raw);
    EXPECT_EQ(accepted, value == "valid") << "vector " << checked + 1 << " " << signature;
    ++checked;
  }
  EXPECT_EQ(checked, 151);
}

TEST(Verify, RefusesKeysOfSmallOrder) {
  // R = the key itself or the identity and S = 0 satisfy the bare equation under such keys.
  for (const char* hex : kSmallOrder) {
    const PublicKey key = key_from(hex);
    for (const char* r : kSmallOrder) {
      const Signature forged = signature_from(std::string(r) + std::string(64, '0'));
      for (const char* message : {"", "a", "b", "c", "d", "e", "f", "g"}) {
        EXPECT_FALSE(verify(key, bytes_of(message), forged)) << hex << r;
      }
    }
  }
}

// S + L names the same number: accepting it would give one hello two signatures.
TEST(Verify, RefusesTheSecondFormOfS) {
  const SecretKey key = SecretKey::from_seed(kSeedA);
  const Signature signature = key.sign(bytes_of("text"));
  constexpr std::array<unsigned char, 32> kOrder = {0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58,
                                                    0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14,
                                                    0,    0,    0,    0,    0,    0,    0,    0,
                                                    0,    0,    0,    0,    0,    0,    0,    0x10};
  Signature second = signature;
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry += second[32 + i] + unsigned{kOrder[i]};
    second[32 + i] = static_cast<unsigned char>(carry & 255U);
    carry >>= 8;
  }
  EXPECT_TRUE(verify(key.public_key(), bytes_of("text"), signature));
  EXPECT_FALSE(verify(key.public_key(), bytes_of("text"), second));
}

TEST(Verify, RefusesEveryFlippedBit) {
  const SecretKey key = SecretKey::from_seed(kSeedA);
  const Signature signature = key.sign(bytes_of("text"));
  for (std::size_t bit = 0; bit < 512; ++bit) {
    Signature flipped = signature;
    flipped[bit / 8] ^= static_cast<unsigned char>(1U << (bit % 8));
    ASSERT_FALSE(verify(key.public_key(), bytes_of("text"), flipped)) << bit;
  }
  for (std::size_t bit = 0; bit < 256; ++bit) {
    PublicKey flipped = key.public_key();
    flipped.bytes[bit / 8] ^= static_cast<unsigned char>(1U << (bit % 8));
    ASSERT_FALSE(verify(flipped, bytes_of("text"), signature)) << bit;
  }
}

TEST(PublicKeyFromHex, TakesSixtyFourDigitsOfEitherCase) {
  const std::string lower = "bafc71bead3ac5e4b63e9c8216ee71a34aaec65722eedbca728b4e9b3ccce396";
  const std::string upper = "BAFC71BEAD3AC5E4B63E9C8216EE71A34AAEC65722EEDBCA728B4E9B3CCCE396";
  EXPECT_EQ(public_key_from_hex(lower), public_key_from_hex(upper));
  EXPECT_EQ(to_hex(key_from(upper)), lower);
  for (const std::string& bad : {std::string(), lower.substr(1), lower + "0", lower + "00",
                                 "g" + lower.substr(1), " " + lower.substr(1)}) {
    EXPECT_EQ(public_key_from_hex(bad), std::nullopt) << bad;
  }
}

TEST(IsEnrollable, TakesKeysThatSignAndCanBeSealedTo) {
  EXPECT_TRUE(is_enrollable(SecretKey::from_seed(kSeedA).public_key()));
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(is_enrollable(SecretKey::generate().public_key()));
}

TEST(IsEnrollable, RefusesEverythingElse) {
  for (const char* hex : kSmallOrder) EXPECT_FALSE(is_enrollable(key_from(hex))) << hex;
  struct Case {
    const char* name;
    const char* hex;
  };
  const Case cases[] = {
      {"not on the curve", "0200000000000000000000000000000000000000000000000000000000000000"},
      {"y past the field", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"},
      {"all ones", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"},
  };
  for (const Case& c : cases) EXPECT_FALSE(is_enrollable(key_from(c.hex))) << c.name;
}

// A key plus a point of small order is another key that agrees on the same secrets: two identities
// for one holder, and no way to tell them apart by what they seal.
TEST(IsEnrollable, RefusesPointsOutsideThePrimeOrderGroup) {
  const PublicKey good = SecretKey::from_seed(kSeedA).public_key();
  int mixed = 0;
  for (const char* hex : kSmallOrder) {
    PublicKey sum;
    const PublicKey small = key_from(hex);
    if (crypto_core_ed25519_add(sum.bytes.data(), good.bytes.data(), small.bytes.data()) != 0) {
      continue;  // another spelling, which is no point to the library
    }
    if (sum == good) continue;  // the identity
    ++mixed;
    EXPECT_FALSE(is_enrollable(sum)) << hex;
  }
  EXPECT_GE(mixed, 7);
}

TEST(IsPublishedSample, KnowsTheSeedsThatPagesPrint) {
  std::vector<Seed> seeds = {kSeedA, kSeedB, seed_from(0x01, 1)};
  for (const unsigned byte : {0x00U, 0x01U, 0x02U, 0x03U, 0x04U, 0x05U, 0x07U, 0x11U, 0x22U, 0x2AU,
                              0x30U, 0x41U, 0x42U, 0x55U, 0x61U, 0xAAU, 0xFFU}) {
    seeds.push_back(seed_from(byte, 0));
  }
  for (const char* hex : {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                          "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
                          "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                          "f5e5767cf153319517630f226876b86c8160cc583bc013744c6bf255f5cc0ee5",
                          "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42"}) {
    Seed seed;
    ASSERT_TRUE(from_hex(hex, seed));
    seeds.push_back(seed);
  }
  for (const Seed& seed : seeds) {
    EXPECT_TRUE(is_published_sample(SecretKey::from_seed(seed).public_key())) << to_hex(seed);
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(is_published_sample(SecretKey::generate().public_key()));
  }
}

TEST(SecretKey, GivesItsSeedBack) {
  EXPECT_EQ(SecretKey::from_seed(kSeedB).seed(), kSeedB);
  const SecretKey made = SecretKey::generate();
  EXPECT_EQ(SecretKey::from_seed(made.seed()).public_key(), made.public_key());
}

TEST(SecretKey, MovesAndIsNeverCopied) {
  static_assert(!std::is_copy_constructible_v<SecretKey> && !std::is_copy_assignable_v<SecretKey>);
  SecretKey first = SecretKey::from_seed(kSeedB);
  SecretKey second = std::move(first);
  EXPECT_EQ(second.seed(), kSeedB);
  SecretKey third = SecretKey::from_seed(kSeedA);
  third = std::move(second);
  SecretKey& same = third;
  third = std::move(same);
  EXPECT_EQ(third.seed(), kSeedB);
  EXPECT_EQ(to_hex(third.public_key()), to_hex(SecretKey::from_seed(kSeedB).public_key()));
}

}  // namespace
}  // namespace signet::crypto
