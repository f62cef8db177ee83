#include "crypto/relay_box.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <set>
#include <type_traits>

#include "base/encoding.h"
#include "crypto/random.h"
#include "crypto/wycheproof_test.h"

namespace signet::crypto {
namespace {

using Bytes32 = std::array<unsigned char, 32>;

RelaySecretKey secret_from(std::string_view text) {
  const auto bytes = relay_key_from(text);
  EXPECT_TRUE(bytes) << text;
  return RelaySecretKey::from_bytes(bytes.value_or(RelayKey{}));
}

constexpr std::string_view kClient = "eHkjk5vg6qo6BynuTPTnnSHtFlR8hX8gvuzWvyAiztk";
constexpr std::string_view kServer = "kpfW8bQ24Ez8s2ABsLRvPEy_30G-IvqOQ2Y6kRHpjXg";
constexpr std::string_view kLetters = "Y2xpZW50LXNlZWQtMTIzMDAwMDAwMDAwMDAwMDAwMDA";
constexpr std::string_view kPeer = "JAYrwjVrveFvh2DPXQUtsKpGTuFM3qtC1Jk1YH_nfkg";

RelayKey from_hex_text(std::string_view hex) {
  RelayKey key{};
  EXPECT_TRUE(from_hex(hex, key)) << hex;
  return key;
}

BoxNonce counting_nonce() {
  BoxNonce nonce{};
  for (std::size_t i = 0; i < nonce.size(); ++i) nonce[i] = static_cast<unsigned char>(i);
  return nonce;
}

RelayBox box_between(const RelaySecretKey& mine, const RelayKey& theirs) {
  auto box = RelayBox::between(mine, theirs);
  EXPECT_TRUE(box.ok());
  return *std::move(box);
}

// What crypto_secretbox makes under a shared key that is known.
std::string secretbox(std::string_view text, const BoxNonce& nonce, const Bytes32& shared) {
  std::string sealed(text.size() + crypto_secretbox_MACBYTES, '\0');
  crypto_secretbox_easy(reinterpret_cast<unsigned char*>(sealed.data()), bytes_of(text).data(),
                        text.size(), nonce.data(), shared.data());
  return sealed;
}

TEST(RelayKeys, HaveThePublicHalvesOfTheProtocolPage) {
  // clang-format off
  const struct { std::string_view secret; std::string_view key; } rows[] = {
      {kClient, "u3I5RMw41QpBtvUcogAZc_N5h3YCTHVWIJV-wlNXgFU"},
      {kServer, "KOiZFcEslzcVp65XDvZD0Kia7VMFGgtBDq7QFKqDhEE"},
      {kLetters, "QW17q0hnZxzGyPNjToXtqBiCvcyxMA9o9ZbzwMOziw0"},
  };
  // clang-format on
  for (const auto& row : rows) {
    EXPECT_EQ(relay_key_text(secret_from(row.secret).public_key()), row.key);
  }
}

TEST(RelayBox, AgreesOnTheSharedKeysOfTheProtocolPage) {
  // clang-format off
  const struct { const char* name; std::string_view secret; std::string_view peer; std::string_view shared; } rows[] = {
      {"client", kClient, "KOiZFcEslzcVp65XDvZD0Kia7VMFGgtBDq7QFKqDhEE", "8ue5-nNYXjYRHYOZGXT8wA2l0VsAs0yWltdEr8pe5Ks"},
      {"server", kServer, "u3I5RMw41QpBtvUcogAZc_N5h3YCTHVWIJV-wlNXgFU", "8ue5-nNYXjYRHYOZGXT8wA2l0VsAs0yWltdEr8pe5Ks"},
      {"letters", kLetters, kPeer, "8nBcOFEy9nxA4V0nuwE274_KHNQH4R2svuqX4oc6H4E"},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const RelayBox box = box_between(secret_from(row.secret), *relay_key_from(row.peer));
    const std::string expected = secretbox("text", counting_nonce(), *relay_key_from(row.shared));
    EXPECT_EQ(box.seal("text", counting_nonce()), expected);
    EXPECT_EQ(box.open(expected, counting_nonce()), "text");
  }
}

TEST(RelayBox, MakesTheBoxOfTheProtocolPage) {
  const RelaySecretKey client = secret_from(kClient);
  const RelaySecretKey server = secret_from(kServer);
  const std::string text = R"({"text":"hello bob"})";
  const std::string sealed = box_between(client, server.public_key()).seal(text, counting_nonce());
  EXPECT_EQ(to_base64url(bytes_of(sealed)), "V6uBSvyL2-Ar6V2jeYZCRj2n9HCb9u9esiVjPekTsy3b-ZP2");
  EXPECT_EQ(box_between(server, client.public_key()).open(sealed, counting_nonce()), text);
}

TEST(RelayBox, OpensNothingThatWasTouched) {
  const RelaySecretKey mine = RelaySecretKey::generate();
  const RelaySecretKey theirs = RelaySecretKey::generate();
  const RelayBox box = box_between(mine, theirs.public_key());
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
  other[0] ^= 1;
  EXPECT_EQ(box.open(sealed, other), std::nullopt);
  const RelayBox stranger = box_between(RelaySecretKey::generate(), theirs.public_key());
  EXPECT_EQ(stranger.open(sealed, nonce), std::nullopt);
}

TEST(RelayBox, CarriesEveryLength) {
  const RelaySecretKey a = RelaySecretKey::generate();
  const RelaySecretKey b = RelaySecretKey::generate();
  const RelayBox from_a = box_between(a, b.public_key());
  const RelayBox from_b = box_between(b, a.public_key());
  for (const std::size_t size : {0U, 1U, 31U, 32U, 33U, 64U, 4'096U, 65'536U}) {
    const std::string plain(size, 'x');
    BoxNonce nonce;
    random_bytes(nonce);
    const std::string sealed = from_a.seal(plain, nonce);
    EXPECT_EQ(sealed.size(), size + 16);
    EXPECT_EQ(from_b.open(sealed, nonce), plain);
  }
}

constexpr std::string_view kSmall[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

// A secret shared with a point of small order is zero, so everybody has it.
TEST(RelayBox, AgreesWithNoPointOfSmallOrder) {
  const RelaySecretKey mine = RelaySecretKey::generate();
  for (const std::string_view hex : kSmall) {
    const auto box = RelayBox::between(mine, from_hex_text(hex));
    ASSERT_FALSE(box.ok()) << hex;
    EXPECT_EQ(box.error().code, ErrorCode::kForbidden);
  }
}

// Where the shared secret is zero there is no box; else it is the one under HSalsa20 of the secret.
void check_wycheproof_case(const Bytes32& mine, const RelayKey& theirs, const Bytes32& secret) {
  const auto box = RelayBox::between(RelaySecretKey::from_bytes(mine), theirs);
  const bool is_zero = std::all_of(secret.begin(), secret.end(), [](auto b) { return b == 0; });
  ASSERT_NE(box.ok(), is_zero);
  if (is_zero) return;
  constexpr std::array<unsigned char, 16> kZero{};
  Bytes32 shared;
  crypto_core_hsalsa20(shared.data(), kZero.data(), secret.data(), nullptr);
  EXPECT_EQ(box->seal("text", counting_nonce()), secretbox("text", counting_nonce(), shared));
}

TEST(RelayBox, AgreesWithEveryWycheproofVector) {
  const auto text = wycheproof_file("x25519_test.json");
  if (!text) GTEST_SKIP() << "the Wycheproof files are not beside this tree";
  Bytes32 theirs{}, mine{};
  int checked = 0;
  for (const auto& [name, value] : string_members(*text)) {
    if (name == "public") theirs = from_hex_text(value);
    if (name == "private") mine = from_hex_text(value);
    if (name != "shared") continue;
    SCOPED_TRACE(value);
    check_wycheproof_case(mine, theirs, from_hex_text(value));
    ++checked;
  }
  EXPECT_EQ(checked, 518);
}

TEST(RelayKeys, AreCanonicalBelowThePrimeOnly) {
  // clang-format off
  const struct { const char* name; const char* hex; bool canonical; } rows[] = {
      {"zero", "0000000000000000000000000000000000000000000000000000000000000000", true},
      {"nine", "0900000000000000000000000000000000000000000000000000000000000000", true},
      {"p - 1", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", true},
      {"p", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false},
      {"p + 9", "f6ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false},
      {"2^255 - 1", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", false},
      {"ff, then less", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7e", true},
      {"one byte under", "fffeffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", true},
      {"another byte under", "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe7f", true},
      {"nine with the top bit", "0900000000000000000000000000000000000000000000000000000000000080", false},
      {"all bits", "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", false},
  };
  // clang-format on
  for (const auto& row : rows) {
    EXPECT_EQ(is_canonical(from_hex_text(row.hex)), row.canonical) << row.name;
  }
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(is_canonical(RelaySecretKey::generate().public_key()));
}

TEST(RelayKeys, KnowTheKeysWhoseSecretsAreNone) {
  for (const auto secret : {kClient, kServer, kLetters}) {
    EXPECT_TRUE(is_published_sample(secret_from(secret).public_key())) << secret;
  }
  EXPECT_TRUE(is_published_sample(*relay_key_from(kPeer)));
  for (const unsigned byte : {0x00U, 0x01U, 0x42U, 0x55U, 0x61U, 0xAAU, 0xFFU}) {
    Bytes32 repeated;
    repeated.fill(static_cast<unsigned char>(byte));
    EXPECT_TRUE(is_published_sample(RelaySecretKey::from_bytes(repeated).public_key())) << byte;
  }
  for (unsigned byte = 0; byte < 256; ++byte) {
    RelayKey repeated;
    repeated.fill(static_cast<unsigned char>(byte));
    EXPECT_TRUE(is_published_sample(repeated)) << byte;
  }
  EXPECT_FALSE(is_published_sample(RelaySecretKey::generate().public_key()));
}

TEST(RelayKeys, AreReadInEverySpellingAndWrittenInOne) {
  const RelayKey key =
      from_hex_text("fbff0f83e0f83e0f83e0f83e0f83e0f83e0f83e0f83e0f83e0f83e0f83e0f83e");
  const std::string url = relay_key_text(key);
  EXPECT_EQ(url.size(), 43U);
  std::set<std::string> texts{url, url + "=", to_base64(key)};
  texts.insert(to_base64(key).substr(0, 43));
  EXPECT_EQ(texts.size(), 4U);
  for (const std::string& text : texts) {
    EXPECT_EQ(relay_key_from(text), key) << text;
    EXPECT_EQ(relay_key_text(*relay_key_from(text)), url);
  }
  for (const std::string& text :
       {std::string(), url.substr(1), url + "A", url + "==", to_hex(key)}) {
    EXPECT_EQ(relay_key_from(text), std::nullopt) << text;
  }
}

template <class Secret>
void expect_moves_and_wipes(Secret first, Secret other) {
  static_assert(!std::is_copy_constructible_v<Secret> && !std::is_copy_assignable_v<Secret>);
  constexpr std::array<unsigned char, 32> kZero{};  // the secret comes first in both
  const auto is_wiped = [&](const void* secret) {
    return std::memcmp(secret, kZero.data(), kZero.size()) == 0;
  };
  ASSERT_FALSE(is_wiped(&first));
  Secret second = std::move(first);
  EXPECT_TRUE(is_wiped(&first));
  other = std::move(second);
  EXPECT_TRUE(is_wiped(&second));
  Secret& same = other;
  other = std::move(same);
  EXPECT_FALSE(is_wiped(&other));
  alignas(Secret) std::array<unsigned char, sizeof(Secret)> memory{};
  auto* placed = new (memory.data()) Secret(std::move(other));
  ASSERT_FALSE(is_wiped(memory.data()));
  std::destroy_at(placed);
  EXPECT_TRUE(is_wiped(memory.data()));
}

TEST(RelayBox, LeavesNoSecretWhereItWas) {
  const RelayKey peer = RelaySecretKey::generate().public_key();
  expect_moves_and_wipes(box_between(RelaySecretKey::generate(), peer),
                         box_between(RelaySecretKey::generate(), peer));
}

}  // namespace
}  // namespace signet::crypto
