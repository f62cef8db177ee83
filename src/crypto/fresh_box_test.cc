#include "crypto/fresh_box.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "base/core_for_test.h"
#include "crypto/fields.h"

namespace signet::crypto {
namespace {

constexpr std::string_view kContext = "a context";

FreshKeyPair counting_pair() {
  std::vector<unsigned char> secret;
  for (unsigned char byte = 0; byte < 32; ++byte) secret.push_back(byte);
  return FreshKeyPair::from_bytes(secret);
}

FreshKey key_from(std::string_view hex) {
  FreshKey key{};
  EXPECT_TRUE(from_hex(hex, key)) << hex;
  return key;
}

std::string bytes_from(std::string_view hex) {
  std::vector<unsigned char> bytes(hex.size() / 2);
  EXPECT_TRUE(from_hex(hex, bytes)) << hex;
  return std::string(text_of(bytes));
}

std::string sealed_to(const FreshKeyPair& pair, std::string_view plaintext,
                      std::string_view context = kContext) {
  auto sealed = seal_to_fresh(pair.public_key(), context, plaintext);
  EXPECT_TRUE(sealed.ok());
  return sealed.ok() ? *std::move(sealed) : std::string();
}

std::optional<std::string> opened(const FreshKeyPair& pair, std::string_view sealed,
                                  std::string_view context = kContext) {
  const auto plaintext = open_fresh(pair, context, sealed);
  if (!plaintext) return std::nullopt;
  return std::string(plaintext->text());
}

// Made after the layout in the header by another X25519, HMAC and ChaCha20-Poly1305 than
// libsodium's (pyca/cryptography; HChaCha20 by hand): secrets 00..1f and, ephemeral, 20..3f.
TEST(FreshBox, OpensWhatAnotherProgramSealed) {
  // clang-format off
  const struct { std::string_view text; std::string_view sealed; } rows[] = {
      {"what nobody else is to read",
       "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254"
       "34429f774c57d6922e8f6437ad15dad129e7e5b999c5af38d53d0d62d5786048856f984e8d0917f94012fb"},
      {"",
       "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254"
       "1d922e3b709323c515cbfe6690a0550f"},
  };
  // clang-format on
  const FreshKeyPair pair = counting_pair();
  EXPECT_EQ(to_hex(pair.public_key()),
            "8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f");
  for (const auto& row : rows) {
    EXPECT_EQ(opened(pair, bytes_from(row.sealed)), row.text);
  }
}

TEST(FreshBox, CarriesEveryLength) {
  const FreshKeyPair pair = FreshKeyPair::generate();
  for (const std::size_t size : {0U, 1U, 15U, 16U, 63U, 64U, 65U, 4'096U, 1'000'000U}) {
    const std::string plaintext(size, 'x');
    const std::string sealed = sealed_to(pair, plaintext);
    EXPECT_EQ(sealed.size(), size + kFreshBoxBytes);
    EXPECT_EQ(opened(pair, sealed), plaintext);
  }
}

TEST(FreshBox, OpensNothingThatWasTouched) {
  const FreshKeyPair pair = FreshKeyPair::generate();
  const std::string sealed = sealed_to(pair, "text");
  ASSERT_EQ(opened(pair, sealed), "text");
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string flipped = sealed;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_EQ(opened(pair, flipped), std::nullopt) << "bit " << bit;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    ASSERT_EQ(opened(pair, sealed.substr(0, size)), std::nullopt) << size << " bytes";
  }
  EXPECT_EQ(opened(pair, sealed + '\0'), std::nullopt);
}

TEST(FreshBox, OpensForItsKeyAndItsContextOnly) {
  const FreshKeyPair pair = FreshKeyPair::generate();
  const std::string sealed = sealed_to(pair, "text");
  for (const std::string_view other : {"", "a contex", "a context ", "A context", "b context"}) {
    EXPECT_EQ(opened(pair, sealed, other), std::nullopt) << other;
  }
  EXPECT_EQ(opened(FreshKeyPair::generate(), sealed), std::nullopt);
  EXPECT_EQ(opened(pair, sealed_to(pair, "text", "")), std::nullopt);
  const std::string of_fields = joined_fields("purpose", {"mesh", "node"});
  EXPECT_EQ(
      opened(pair, sealed_to(pair, "text", of_fields), joined_fields("purpose", {"meshnode"})),
      std::nullopt);
}

TEST(FreshBox, NeverSealsAlike) {
  const FreshKeyPair pair = FreshKeyPair::generate();
  std::set<std::string> ephemeral, rest;
  constexpr int kTimes = 100;
  for (int i = 0; i < kTimes; ++i) {
    const std::string sealed = sealed_to(pair, "text");
    ephemeral.insert(sealed.substr(0, 32));
    rest.insert(sealed.substr(32));
  }
  EXPECT_EQ(ephemeral.size(), kTimes);
  EXPECT_EQ(rest.size(), kTimes);
  EXPECT_NE(FreshKeyPair::generate().public_key(), FreshKeyPair::generate().public_key());
}

// Zero is what they agree on with every key, so anybody could open it.
TEST(FreshBox, SealsToAndOpensFromNoKeyOfSmallOrder) {
  const FreshKeyPair pair = FreshKeyPair::generate();
  const std::string sealed = sealed_to(pair, "text");
  for (const std::string_view hex :
       {"0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000080"}) {
    const auto refused = seal_to_fresh(key_from(hex), kContext, "text");
    ASSERT_FALSE(refused.ok()) << hex;
    EXPECT_EQ(refused.error().code, ErrorCode::kForbidden);
    EXPECT_EQ(opened(pair, bytes_from(hex) + sealed.substr(32)), std::nullopt) << hex;
  }
}

TEST(FreshBox, TakesASecretOf32BytesAndCopiesNone) {
  const std::vector<unsigned char> bytes(33, 1);
  EXPECT_DEATH(FreshKeyPair::from_bytes(ByteView(bytes).first(31)), "");
  EXPECT_DEATH(FreshKeyPair::from_bytes(bytes), "");
  EXPECT_FALSE(std::is_copy_constructible_v<FreshKeyPair>);
  EXPECT_FALSE(std::is_copy_assignable_v<FreshKeyPair>);
}

TEST(FreshBox, LeavesNeitherSecretNorTextBehind) {
  const Needle secret(31), text(32);
  {
    FreshKeyPair first = FreshKeyPair::from_bytes(secret.reveal().bytes());
    const FreshKeyPair pair = std::move(first);
    const auto sealed = seal_to_fresh(pair.public_key(), kContext, text.reveal().text());
    ASSERT_TRUE(sealed.ok());
    const auto plaintext = open_fresh(pair, kContext, *sealed);
    ASSERT_TRUE(plaintext);
    EXPECT_EQ(times_in_memory(secret, Memory::kOfCores), 0U);
    EXPECT_EQ(times_in_memory(text, Memory::kOfCores), 0U);
    EXPECT_EQ(times_in_memory(secret, Memory::kAll), 1U) << "the test can tell";
    EXPECT_EQ(times_in_memory(text, Memory::kAll), 1U) << "the test can tell";
  }
  EXPECT_EQ(times_in_memory(secret, Memory::kAll), 0U);
  EXPECT_EQ(times_in_memory(text, Memory::kAll), 0U);
}

}  // namespace
}  // namespace signet::crypto
