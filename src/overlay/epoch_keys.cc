#include "overlay/epoch_keys.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "base/encoding.h"
#include "crypto/fields.h"
#include "crypto/hkdf.h"
#include "crypto/mac.h"
#include "crypto/random.h"
#include "crypto/secret_base64.h"
#include "crypto/wipe.h"

namespace signet::overlay {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kKeyBytes = 32;    // of WireGuard
constexpr std::size_t kHashDigits = 16;  // of the page: enough to tell epochs apart

std::array<unsigned char, 8> big_endian(std::uint64_t number) {
  std::array<unsigned char, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<unsigned char>(number >> (56 - 8 * i));
  }
  return bytes;
}

}  // namespace

EpochSecret::EpochSecret(SecretBytes bytes) : bytes_(std::move(bytes)) {
  if (bytes_.size() != kSecretBytes) std::abort();
}

EpochSecret EpochSecret::random() {
  SecretBytes bytes(kSecretBytes);
  crypto::random_bytes({bytes.data(), bytes.size()});
  return EpochSecret(std::move(bytes));
}

EpochSecret EpochSecret::of(std::string_view bytes) { return EpochSecret(SecretBytes(bytes)); }

std::string EpochSecret::hash() const {
  return "sha256:" + to_hex(crypto::sha256({reveal()})).substr(0, kHashDigits);
}

SecretBytes PresharedKey::base64() const { return crypto::to_secret_base64(bytes.bytes()); }

PresharedKey psk_of_node(const EpochSecret& secret, std::string_view node) {
  crypto::Digest32 digest = crypto::hmac_sha256(secret.reveal(), node);
  PresharedKey key{SecretBytes(text_of(digest))};
  crypto::wipe(digest);
  return key;
}

PresharedKey psk_of_pair(const EpochSecret& secret, std::uint64_t epoch, const WireGuardKey& one,
                         const WireGuardKey& other) {
  const auto [low, high] = std::minmax(one, other);
  const auto salt = big_endian(epoch);
  PresharedKey key{SecretBytes(kKeyBytes)};
  crypto::hkdf_sha256(secret.reveal(), text_of(salt),
                      {"signet-psk-v1", text_of(low), text_of(high)},
                      {key.bytes.data(), key.bytes.size()});
  return key;
}

std::string delivery_context(std::string_view mesh, std::string_view node, std::uint64_t epoch) {
  return crypto::joined_fields("signet-overlay-config-v1", {mesh, node, std::to_string(epoch)});
}

}  // namespace signet::overlay
