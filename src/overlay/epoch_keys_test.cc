#include "overlay/epoch_keys.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "base/core_for_test.h"
#include "base/encoding.h"
#include "crypto/fresh_box.h"
#include "crypto/hkdf.h"
#include "crypto/mac.h"

namespace signet::overlay {
namespace {

constexpr std::uint64_t kEpoch = 7;

EpochSecret counting_secret() {
  std::string bytes;
  for (char byte = 0; byte < 32; ++byte) bytes.push_back(byte);
  return EpochSecret::of(bytes);
}

WireGuardKey key_of_one_byte(unsigned char byte) {
  WireGuardKey key;
  key.fill(byte);
  return key;
}

std::vector<WireGuardKey> random_keys(std::size_t count) {
  std::mt19937_64 random(11);
  std::vector<WireGuardKey> keys(count);
  for (WireGuardKey& key : keys) {
    std::generate(key.begin(), key.end(), [&] { return static_cast<unsigned char>(random()); });
  }
  return keys;
}

std::string raw(const PresharedKey& key) { return std::string(key.bytes.text()); }

std::string raw_of_pair(const EpochSecret& secret, const WireGuardKey& one,
                        const WireGuardKey& other, std::uint64_t epoch = kEpoch) {
  return raw(psk_of_pair(secret, epoch, one, other));
}

TEST(EpochKeys, AreThoseOfThePage) {
  const EpochSecret secret = counting_secret();
  EXPECT_EQ(secret.hash(), "sha256:630dcd2966c43366");
  EXPECT_EQ(psk_of_node(secret, "node-a").base64().text(),
            "ebkOt/Q0rU4xkQHHTqkNtHdye5S3k4ur/iBtebDIJeY=");
  EXPECT_EQ(psk_of_node(secret, "node-b").base64().text(),
            "+2cg3i7VSfBikWtdzqDSs8r9CzSIJxUDLx4297I6IPk=");
  EXPECT_EQ(
      psk_of_pair(secret, kEpoch, key_of_one_byte(0x11), key_of_one_byte(0x22)).base64().text(),
      "AblVoh3f2neb6n+SAeA0x7unMBNe3hHgWL6hTgoRrkE=");
}

TEST(EpochSecret, IsRandomAndOf32Bytes) {
  const EpochSecret one = EpochSecret::random(), other = EpochSecret::random();
  EXPECT_EQ(one.reveal().size(), 32U);
  EXPECT_NE(one.reveal(), other.reveal());
  EXPECT_NE(one.hash(), other.hash());
  EXPECT_EQ(EpochSecret::of(one.reveal()).hash(), one.hash());
  EXPECT_DEATH(EpochSecret::of(std::string(31, 'x')), "");
  EXPECT_DEATH(EpochSecret::of(std::string(33, 'x')), "");
  EXPECT_FALSE(std::is_copy_constructible_v<EpochSecret>);
  EXPECT_FALSE(std::is_copy_constructible_v<PresharedKey>);
}

TEST(PairKeys, AreTheSameFromEitherEnd) {
  const EpochSecret secret = EpochSecret::random();
  const auto keys = random_keys(200);
  for (std::size_t i = 0; i + 1 < keys.size(); i += 2) {
    EXPECT_EQ(raw_of_pair(secret, keys[i], keys[i + 1]), raw_of_pair(secret, keys[i + 1], keys[i]));
  }
  // Keys that differ in one byte only, at each place: their order is that of their bytes.
  for (std::size_t at = 0; at < keys[0].size(); ++at) {
    WireGuardKey near = keys[0];
    near[at] ^= 0x80;
    EXPECT_EQ(raw_of_pair(secret, keys[0], near), raw_of_pair(secret, near, keys[0])) << at;
  }
}

TEST(PairKeys, AreDistinct) {
  const EpochSecret secret = EpochSecret::random();
  constexpr std::size_t kPairs = 10'000;
  const auto keys = random_keys(2 * kPairs);
  std::set<std::string> made;
  for (std::size_t i = 0; i < kPairs; ++i) {
    made.insert(raw_of_pair(secret, keys[2 * i], keys[2 * i + 1]));
  }
  EXPECT_EQ(made.size(), kPairs);
}

TEST(PairKeys, AreOthersInAnotherEpochAndOfAnotherSecret) {
  const EpochSecret secret = EpochSecret::random(), other = EpochSecret::random();
  const auto keys = random_keys(2);
  std::set<std::string> made;
  std::size_t asked = 0;
  for (const EpochSecret* each : {&secret, &other}) {
    made.insert(raw(psk_of_node(*each, text_of(keys[0]))));
    ++asked;
    for (int bit = 0; bit < 64; ++bit, ++asked) {  // a byte of the epoch that were lost would show
      made.insert(raw_of_pair(*each, keys[0], keys[1], std::uint64_t{1} << bit));
    }
  }
  EXPECT_EQ(made.size(), asked);
}

// Threat K5. A node's material is the keys of its pairs and all that is public: the keys of all
// nodes, the epoch, the formulas.
TEST(PairKeys, OfANodeTellNoneOfTheOthers) {
  const EpochSecret secret = EpochSecret::random();
  const auto nodes = random_keys(24);
  const auto psk = [&](std::size_t a, std::size_t b) {
    return raw_of_pair(secret, nodes[a], nodes[b]);
  };
  for (std::size_t leaked = 0; leaked < nodes.size(); ++leaked) {
    std::set<std::string> material;
    for (std::size_t peer = 0; peer < nodes.size(); ++peer) {
      if (peer != leaked) material.insert(psk(leaked, peer));
    }
    ASSERT_EQ(material.size(), nodes.size() - 1);
    for (std::size_t a = 0; a < nodes.size(); ++a) {
      for (std::size_t b = a + 1; b < nodes.size(); ++b) {
        if (a == leaked || b == leaked) continue;
        EXPECT_FALSE(material.contains(psk(a, b))) << leaked << " has the key of " << a << "-" << b;
      }
    }
  }
}

// The formulas with a leaked key in the secret's place, or its salted half, come to no other key.
TEST(PairKeys, AreNoSecretsOfTheFormulas) {
  const EpochSecret secret = EpochSecret::random();
  const auto nodes = random_keys(12);
  std::set<std::string> of_others;
  for (std::size_t a = 1; a < nodes.size(); ++a) {
    for (std::size_t b = a + 1; b < nodes.size(); ++b) {
      of_others.insert(raw_of_pair(secret, nodes[a], nodes[b]));
    }
  }
  const std::string leaked = raw_of_pair(secret, nodes[0], nodes[1]);
  const EpochSecret as_secret = EpochSecret::of(leaked);
  std::set<std::string> guesses{leaked};
  for (std::size_t a = 1; a < nodes.size(); ++a) {
    guesses.insert(raw(psk_of_node(as_secret, text_of(nodes[a]))));
    for (std::size_t b = a + 1; b < nodes.size(); ++b) {
      guesses.insert(raw_of_pair(as_secret, nodes[a], nodes[b]));
      std::string info = "signet-psk-v1";
      info.append(text_of(std::min(nodes[a], nodes[b])));
      info.append(text_of(std::max(nodes[a], nodes[b])));
      info.push_back('\x01');
      guesses.insert(std::string(text_of(crypto::hmac_sha256(leaked, info))));  // HKDF's expansion
    }
  }
  for (const std::string& guess : guesses) EXPECT_FALSE(of_others.contains(guess));
  EXPECT_EQ(of_others.size(), 55U);
  EXPECT_EQ(guesses.size(), 1U + 11U + 2U * 55U);
}

TEST(DeliveryContext, IsTheTextOfThePage) {
  EXPECT_EQ(to_hex(bytes_of(delivery_context("m", "a", 7))),
            "1800000000000000" + to_hex(bytes_of("signet-overlay-config-v1")) +
                "0100000000000000"
                "6d"
                "0100000000000000"
                "61"
                "0100000000000000"
                "37");
  EXPECT_NE(delivery_context("ma", "b", 7), delivery_context("m", "ab", 7));
}

TEST(DeliveryContext, OpensAConfigurationForItsNodeMeshAndEpochOnly) {
  const auto pair = crypto::FreshKeyPair::generate();
  const std::string context = delivery_context("mesh", "node-a", kEpoch);
  const auto sealed = crypto::seal_to_fresh(pair.public_key(), context, "configuration");
  ASSERT_TRUE(sealed.ok());
  EXPECT_TRUE(crypto::open_fresh(pair, context, *sealed));
  // clang-format off
  const struct { const char* name; std::string other; } rows[] = {
      {"another node", delivery_context("mesh", "node-b", kEpoch)},
      {"another mesh", delivery_context("mesg", "node-a", kEpoch)},
      {"the epoch before", delivery_context("mesh", "node-a", kEpoch - 1)},
      {"the epoch behind", delivery_context("mesh", "node-a", kEpoch + 1)},
      {"an epoch that is the same in its low half", delivery_context("mesh", "node-a", kEpoch + (std::uint64_t{1} << 32))},
      {"another border between mesh and node", delivery_context("meshn", "ode-a", kEpoch)},
      {"mesh and node swapped", delivery_context("node-a", "mesh", kEpoch)},
  };
  // clang-format on
  for (const auto& row : rows) {
    EXPECT_FALSE(crypto::open_fresh(pair, row.other, *sealed)) << row.name;
  }
}

TEST(EpochSecret, IsInNoCoreAndGoneAtItsEnd) {
  const Needle needle(41);
  {
    EpochSecret first = EpochSecret::of(needle.reveal().text());
    const EpochSecret secret = std::move(first);
    static_cast<void>(secret.hash());
    static_cast<void>(psk_of_node(secret, "node-a"));
    static_cast<void>(psk_of_pair(secret, kEpoch, key_of_one_byte(1), key_of_one_byte(2)));
    EXPECT_EQ(times_in_memory(needle, Memory::kOfCores), 0U);
    EXPECT_EQ(times_in_memory(needle, Memory::kAll), 1U) << "the test can tell";
  }
  EXPECT_EQ(times_in_memory(needle, Memory::kAll), 0U);
}

}  // namespace
}  // namespace signet::overlay
