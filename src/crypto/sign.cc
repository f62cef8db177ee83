#include "crypto/sign.h"

#include <sodium.h>

#include <algorithm>

namespace signet::crypto {
namespace {

// Keys whose secret half anybody can look up or guess; lower-case hex.
constexpr std::string_view kPublishedSamples[] = {
    // protocol/claudemesh.md, "Vectors": seed A = 00..1f, seed B = ff..e0.
    "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8",
    "bafc71bead3ac5e4b63e9c8216ee71a34aaec65722eedbca728b4e9b3ccce396",
    // The same idea one off: seed 01..20, a habit of test suites.
    "79b5562e8fe654f94078b112e8a98ba7901f853ae695bed7e0e3910bad049664",
    // RFC 8032, section 7.1: TEST 1, 2, 3, 1024 and SHA(abc).
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "278117fc144c72340f67d0f2316e8386ceffbf2b2428c9c51fef7c597f1d426e",
    "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
    // Seeds of one repeated byte, as examples everywhere write them: 00 (a buffer nobody filled),
    // 01, 02, 03, 04, 05, 07, 11, 22, 2a, '0', 'A', 'B', 55, 'a', aa, ff.
    "3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29",
    "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
    "8139770ea87d175f56a35466c34c7ecccb8d8a91b4ee37a25df60f5b8fc9b394",
    "ed4928c628d1c2c6eae90338905995612959273a5c63f93636c14614ac8737d1",
    "ca93ac1705187071d67b83c7ff0efe8108e8ec4530575d7726879333dbdabe7c",
    "6e7a1cdd29b0b78fd13af4c5598feff4ef2a97166e3ca6f2e4fbfccd80505bf1",
    "ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c",
    "d04ab232742bb4ab3a1368bd4615e4e6d0224ab71a016baf8520a332c9778737",
    "a09aa5f47a6759802ff955f8dc2d2a14a5c99d23be97f864127ff9383455a4f0",
    "197f6b23e16c8532c6abc838facd5ea789be0c76b2920334039bfa8b3d368d61",
    "1ba4075b77c9e3fb3ecde15cdaf5221f3c10373e623f7b0e1ef76366b0af7137",
    "db995fe25169d141cab9bbba92baa01f9f2e1ece7df4cb2ac05190f37fcc1f9d",
    "2152f8d19b791d24453242e15f2eab6cb7cffa7b6a5ed30097960e069881db12",
    "c6822637c7d310ec57627be00ba259d253749f4aaf644470cffbe53a35f73242",
    "af06a3e3291714e4f356c19c9b15cd1951ec6e6662aa77be07547f289383341d",
    "e734ea6c2b6257de72355e472aa05a4c487e6b463c029ed306df2f01b5636b58",
    "76a1592044a6e4f511265bca73a604d90b0529d1df602be30a19a9257660d1f5",
};

static_assert(crypto_sign_PUBLICKEYBYTES == 32 && crypto_sign_BYTES == 64 &&
              crypto_sign_SEEDBYTES == 32 && crypto_sign_SECRETKEYBYTES == 64 &&
              crypto_scalarmult_BYTES == 32);

}  // namespace

std::optional<PublicKey> public_key_from_hex(std::string_view hex) {
  PublicKey key;
  if (!from_hex(hex, key.bytes)) return std::nullopt;
  return key;
}

std::string to_hex(const PublicKey& key) { return to_hex(key.bytes); }

bool verify(const PublicKey& key, ByteView message, const Signature& signature) {
  return crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                     key.bytes.data()) == 0;
}

bool is_enrollable(const PublicKey& key) {
  return crypto_core_ed25519_is_valid_point(key.bytes.data()) == 1 && to_x25519(key);
}

std::optional<std::array<unsigned char, 32>> to_x25519(const PublicKey& key) {
  std::array<unsigned char, 32> converted{};
  if (crypto_sign_ed25519_pk_to_curve25519(converted.data(), key.bytes.data()) != 0) {
    return std::nullopt;
  }
  return converted;
}

bool is_published_sample(const PublicKey& key) {
  const std::string hex = to_hex(key);
  return std::find(std::begin(kPublishedSamples), std::end(kPublishedSamples), hex) !=
         std::end(kPublishedSamples);
}

SecretKey SecretKey::generate() {
  SecretKey key;
  crypto_sign_keypair(key.public_.bytes.data(), key.secret_.data());
  return key;
}

SecretKey SecretKey::from_seed(const std::array<unsigned char, 32>& seed) {
  SecretKey key;
  crypto_sign_seed_keypair(key.public_.bytes.data(), key.secret_.data(), seed.data());
  return key;
}

Signature SecretKey::sign(ByteView message) const {
  Signature signature;
  crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(), secret_.data());
  return signature;
}

std::array<unsigned char, 32> SecretKey::seed() const {
  std::array<unsigned char, 32> out;
  crypto_sign_ed25519_sk_to_seed(out.data(), secret_.data());
  return out;
}

}  // namespace signet::crypto
