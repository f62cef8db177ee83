// The verifier as a hello meets it: every signature and key that verifiers are known to disagree
// about must come to nothing here.
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "crypto/small_order_for_test.h"
#include "crypto/wycheproof_test.h"
#include "trust/hello_for_test.h"

namespace signet::trust {
namespace {

using namespace std::string_literals;
using crypto::PublicKey;

// 2^252 + 27742317777372353535851937790883648493, the order of the group, little-endian.
constexpr Scalar kOrder = {0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7,
                           0xA2, 0xDE, 0xF9, 0xDE, 0x14, 0,    0,    0,    0,    0,    0,
                           0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

// `text` is a signature in hex; adds `times` the order to its second half.
std::string with_order_added(const std::string& text, unsigned times) {
  crypto::Signature signature{};
  EXPECT_TRUE(from_hex(text, signature));
  for (unsigned i = 0; i < times; ++i) {
    unsigned carry = 0;
    for (std::size_t at = 0; at < kOrder.size(); ++at) {
      carry += signature[32 + at] + unsigned{kOrder[at]};
      signature[32 + at] = static_cast<unsigned char>(carry & 255U);
      carry >>= 8;
    }
  }
  return to_hex(signature);
}

// What OpenSSL says of the same hello: the verifier that others use.
bool is_taken_elsewhere(const Hello& hello) {
  std::array<unsigned char, 32> key{};
  crypto::Signature signature{};
  if (!from_hex(hello.pubkey, key) || !from_hex(hello.signature, signature)) return false;
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> loaded(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()),
      &EVP_PKEY_free);
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(),
                                                                        &EVP_MD_CTX_free);
  if (!loaded || EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, loaded.get()) != 1)
    return false;
  const std::string text = hello.text();
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes_of(text).data(),
                          text.size()) == 1;
}

// Each of the vectors, good or bad, signs another text than the hello that carries it.
TEST(HelloKeys, NoWycheproofSignatureProvesAHello) {
  const auto file = crypto::wycheproof_file("ed25519_test.json");
  if (!file) GTEST_SKIP() << "the Wycheproof files are not beside this tree";
  Hello hello;
  int vectors = 0;
  for (const auto& [name, value] : crypto::string_members(*file)) {
    if (name == "pk") hello.pubkey = value;
    if (name != "sig") continue;
    hello.signature = value;
    EXPECT_EQ(answer(hello), value.size() == 128 ? "bad_signature" : "malformed") << value;
    ++vectors;
  }
  EXPECT_EQ(vectors, 151);
}

// What those vectors are made of, done to the signature of this very hello.
TEST(HelloKeys, RefusesEveryFlawThatAGoodSignatureCanBeGiven) {
  Hello hello;
  hello.sign(key_a());
  const std::string good = hello.signature;
  const std::string r = good.substr(0, 64), s = good.substr(64);
  const std::string zero(64, '0');
  const std::string one = "01" + std::string(62, '0');
  const std::string order = to_hex(kOrder);
  const auto sign_bit_flipped = [](std::string half) {
    half[62] = "89abcdef01234567"[std::stoul(half.substr(62, 1), nullptr, 16)];
    return half;
  };
  struct Case {
    std::string name;
    std::string signature;
    std::string_view answer;
  };
  std::vector<Case> cases = {
      {"as it was made", good, "proven"},
      {"R negated", sign_bit_flipped(r) + s, "bad_signature"},
      {"S with its highest bit", r + sign_bit_flipped(s), "bad_signature"},
      {"halves exchanged", s + r, "bad_signature"},
      {"S of zero", r + zero, "bad_signature"},
      {"S of one", r + one, "bad_signature"},
      {"S of the order", r + order, "bad_signature"},
      {"S of all ones", r + std::string(64, 'f'), "bad_signature"},
      {"R of zero", zero + s, "bad_signature"},
      {"R of the identity", one + s, "bad_signature"},
      {"R past the field", std::string(64, 'f') + s, "bad_signature"},
      {"the key as R", hello.pubkey + s, "bad_signature"},
      {"all zero", zero + zero, "bad_signature"},
      {"empty", "", "malformed"},
      {"R alone", r, "malformed"},
      {"a byte short", good.substr(2), "malformed"},
      {"a byte long", good + "00", "malformed"},
      {"a zero in front", "00" + good, "malformed"},
      {"twice", good + good, "malformed"},
  };
  for (unsigned times = 1; times <= 15; ++times) {
    cases.push_back({"S and " + std::to_string(times) + " orders", with_order_added(good, times),
                     "bad_signature"});
  }
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    hello.signature = c.signature;
    EXPECT_EQ(answer(hello), c.answer);
  }
}

// Under such a key R = a point of small order and S = 0 hold for one text in a few: an attacker
// only waits for the right millisecond.
TEST(HelloKeys, NobodySpeaksForAKeyOfSmallOrder) {
  const std::string zero(64, '0');
  int forged = 0;
  int taken_elsewhere = 0;
  for (const char* key : crypto::kSmallOrder) {
    for (const char* r : crypto::kSmallOrder) {
      for (int ms = 0; ms < 8; ++ms) {
        Hello hello;
        hello.pubkey = key;
        hello.timestamp = std::to_string(kNow.ms + ms);
        hello.signature = r + zero;
        ASSERT_EQ(answer(hello), "bad_signature") << key << " " << r;
        ++forged;
        taken_elsewhere += is_taken_elsewhere(hello);
      }
    }
  }
  EXPECT_EQ(forged, 12 * 12 * 8);
  EXPECT_GT(taken_elsewhere, 50) << "these forgeries are real ones";
}

// The key of A plus a point of order 8. Its holder is A, whose signatures can hold for it too; so
// it must be somebody else here, and nobody who could be enrolled.
PublicKey mixed_order_key() {
  PublicKey small, mixed;
  EXPECT_TRUE(
      from_hex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"s, small.bytes));
  EXPECT_EQ(crypto_core_ed25519_add(mixed.bytes.data(), key_a().public_key().bytes.data(),
                                    small.bytes.data()),
            0);
  return mixed;
}

TEST(HelloKeys, AKeyOfMixedOrderIsAnotherKeyAndIsNeverEnrolled) {
  const PublicKey mixed = mixed_order_key();
  EXPECT_FALSE(crypto::is_enrollable(mixed));
  Hello hello;
  hello.pubkey = crypto::to_hex(mixed);
  int proven = 0;
  for (unsigned char n = 1; n <= 100; ++n) {
    Scalar nonce{};
    nonce[0] = n;
    hello.signature = to_hex(sign_with_nonce(key_a(), mixed, hello.text(), nonce));
    const auto checked = check_hello(hello.claim(), kNow, kSkew, true);
    const auto* proof = std::get_if<ProvenHello>(&checked);
    if (proof == nullptr) continue;
    ++proven;
    EXPECT_EQ(proof->key, mixed);
    EXPECT_NE(proof->key, key_a().public_key()) << "never the member of the honest key";
  }
  EXPECT_GT(proven, 0) << "one in eight holds: enrolment is what keeps such keys out";
}

}  // namespace
}  // namespace signet::trust
