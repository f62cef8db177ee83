// The sections of protocol/vectors/claudemesh.json that tools/make_sealing_vectors.py makes with
// another implementation: what it sealed is opened here, and what is sealed here is its very bytes.
#include <gtest/gtest.h>

#include <array>

#include "client/key_message.h"
#include "client/safety_number.h"
#include "client/sealing.h"
#include "crypto/hash.h"
#include "dialects/vectors_for_test.h"

namespace signet::client {
namespace {

using dialects::each_vector;
using dialects::text_in;

std::array<unsigned char, 32> bytes32(std::string_view hex) {
  std::array<unsigned char, 32> bytes{};
  EXPECT_TRUE(from_hex(hex, bytes)) << hex;
  return bytes;
}

crypto::SecretKey key_of_seed(wire::JsonValue vector) {
  return crypto::SecretKey::from_seed(bytes32(text_in(vector, "sender_seed")));
}

// The receiver of every row: a member of the row's mesh that no row speaks of.
const crypto::SecretKey& receiver() {
  static const crypto::SecretKey key = crypto::SecretKey::from_seed({77});
  return key;
}

constexpr const char* kFile = "claudemesh.json";

// Knows the key of the row as its sender's key for the target of its push.
KeyLookup lookup_of(const crypto::ChannelKeyBytes& bytes) {
  return [bytes](const crypto::ChannelScope& scope,
                 const crypto::ChannelKeyId& id) -> std::optional<crypto::ChannelKey> {
    auto key = crypto::ChannelKey::from_bytes(bytes, scope);
    if (key.id() != id) return std::nullopt;
    return key;
  };
}

TEST(SealingVectors, ChannelBodies) {
  each_vector(kFile, "channel_bodies", 19, [](wire::JsonValue vector) {
    const auto sender = key_of_seed(vector);
    const std::string mesh = text_in(vector, "mesh"), target = text_in(vector, "target");
    const std::string nonce = text_in(vector, "nonce"), body = text_in(vector, "ciphertext");
    const std::string hex = crypto::to_hex(sender.public_key());
    const auto key = bytes32(text_in(vector, "key"));
    Sealing sealing(mesh, receiver());
    const Opened opened = sealing.open({mesh, hex, target, nonce, body}, lookup_of(key));
    EXPECT_EQ(opened.why(), text_in(vector, "why"));
    if (!vector["plaintext"]) {
      EXPECT_EQ(opened.text(), nullptr);
      return;
    }
    const std::string plaintext = text_in(vector, "plaintext");
    ASSERT_NE(opened.text(), nullptr);
    EXPECT_EQ(*opened.text(), plaintext);
    EXPECT_TRUE(opened.is_sealed());

    const crypto::ChannelScope scope{mesh, target, sender.public_key()};
    const auto ours = crypto::ChannelKey::from_bytes(key, scope);
    EXPECT_EQ(to_hex(ours.id()), text_in(vector, "keyId"));
    crypto::ChannelNonce raw{};
    std::ranges::copy(bytes_of(*from_base64(nonce)), raw.begin());
    const auto again = crypto::seal_channel_body(sender, ours, mesh, target, plaintext, raw);
    EXPECT_EQ(to_base64(bytes_of(again)), body);
  });
}

TEST(SealingVectors, KeyMessages) {
  each_vector(kFile, "key_messages", 27, [](wire::JsonValue vector) {
    const auto sender = key_of_seed(vector);
    const std::string plaintext = text_in(vector, "plaintext");
    const std::string verdict = text_in(vector, "verdict");
    const auto read = read_key_message(plaintext, text_in(vector, "mesh"), sender.public_key());
    ASSERT_EQ(read.ok(), verdict != "refused");
    if (!read.ok()) return;
    EXPECT_EQ(std::visit([](const auto& kind) { return write_key_message(kind); }, *read),
              plaintext);
    if (const auto* grant = std::get_if<KeyGrant>(&*read)) {
      EXPECT_EQ(verdict, "channel_key");
      EXPECT_EQ(grant->target, text_in(vector, "target"));
      EXPECT_EQ(to_hex(grant->key.id()), text_in(vector, "keyId"));
      EXPECT_EQ(to_hex(grant->key.bytes()), text_in(vector, "key"));
      return;
    }
    const auto& request = std::get<KeyRequest>(*read);
    EXPECT_EQ(verdict, "key_request");
    EXPECT_EQ(request.target, text_in(vector, "target"));
    EXPECT_EQ(to_hex(request.key_id), text_in(vector, "keyId"));
  });
}

TEST(SealingVectors, SafetyNumbers) {
  each_vector(kFile, "safety_numbers", 5, [](wire::JsonValue vector) {
    const auto one = crypto::public_key_from_hex(text_in(vector, "one"));
    const auto other = crypto::public_key_from_hex(text_in(vector, "other"));
    ASSERT_TRUE(one && other);
    EXPECT_EQ(safety_number(text_in(vector, "mesh"), *one, *other), text_in(vector, "number"));
    EXPECT_EQ(fingerprint(*one), text_in(vector, "fingerprint"));
  });
}

}  // namespace
}  // namespace signet::client
