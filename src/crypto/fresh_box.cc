#include "crypto/fresh_box.h"

#include <sodium.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "crypto/fields.h"
#include "crypto/hkdf.h"
#include "crypto/random.h"

namespace signet::crypto {
namespace {

constexpr std::size_t kTagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t kKeyBytes = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
// libsodium leaves the last, partial block of a text on the stack: cleared so far down.
constexpr std::size_t kStackBytes = 4'096;
constexpr std::size_t kNonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;

static_assert(crypto_scalarmult_BYTES == 32 && crypto_scalarmult_SCALARBYTES == 32);
static_assert(kFreshBoxBytes == sizeof(FreshKey) + kTagBytes);

// The key and the nonce of one box. Empty when `theirs` is of small order: crypto_scalarmult then
// agrees on zero.
SecretBytes agreed(const SecretBytes& secret, const FreshKey& theirs, const FreshKey& ephemeral,
                   const FreshKey& fresh, std::string_view context) {
  SecretBytes shared(crypto_scalarmult_BYTES);
  if (crypto_scalarmult(shared.data(), secret.data(), theirs.data()) != 0) return {};
  std::string keys(text_of(ephemeral));
  keys += text_of(fresh);
  SecretBytes made(kKeyBytes + kNonceBytes);
  hkdf_sha256(shared.text(), keys, {joined_fields("signet/fresh-box/v1", {context})},
              {made.data(), made.size()});
  return made;
}

}  // namespace

FreshKeyPair::FreshKeyPair(SecretBytes secret) : secret_(std::move(secret)) {
  if (secret_.size() != crypto_scalarmult_SCALARBYTES) std::abort();
  crypto_scalarmult_base(public_.data(), secret_.data());
}

FreshKeyPair FreshKeyPair::generate() {
  SecretBytes secret(crypto_scalarmult_SCALARBYTES);
  random_bytes({secret.data(), secret.size()});
  return FreshKeyPair(std::move(secret));
}

FreshKeyPair FreshKeyPair::from_bytes(ByteView secret) {
  return FreshKeyPair(SecretBytes(text_of(secret)));
}

Result<std::string> seal_to_fresh(const FreshKey& fresh_key, std::string_view context,
                                  std::string_view plaintext) {
  const FreshKeyPair ephemeral = FreshKeyPair::generate();
  const SecretBytes keys =
      agreed(ephemeral.secret_, fresh_key, ephemeral.public_, fresh_key, context);
  if (keys.empty()) return Error{ErrorCode::kForbidden, "fresh key agrees on nothing"};
  std::string sealed(text_of(ephemeral.public_));
  sealed.resize(kFreshBoxBytes + plaintext.size());
  crypto_aead_xchacha20poly1305_ietf_encrypt(
      reinterpret_cast<unsigned char*>(sealed.data()) + ephemeral.public_.size(), nullptr,
      bytes_of(plaintext).data(), plaintext.size(), nullptr, 0, nullptr, keys.data() + kKeyBytes,
      keys.data());
  sodium_stackzero(kStackBytes);
  return sealed;
}

std::optional<SecretBytes> open_fresh(const FreshKeyPair& mine, std::string_view context,
                                      std::string_view sealed) {
  if (sealed.size() < kFreshBoxBytes) return std::nullopt;
  FreshKey ephemeral{};
  std::copy_n(sealed.begin(), ephemeral.size(), ephemeral.begin());
  const SecretBytes keys = agreed(mine.secret_, ephemeral, ephemeral, mine.public_, context);
  if (keys.empty()) return std::nullopt;
  const std::string_view ciphertext = sealed.substr(ephemeral.size());
  SecretBytes plaintext(ciphertext.size() - kTagBytes);
  const int failed = crypto_aead_xchacha20poly1305_ietf_decrypt(
      plaintext.data(), nullptr, nullptr, bytes_of(ciphertext).data(), ciphertext.size(), nullptr,
      0, keys.data() + kKeyBytes, keys.data());
  sodium_stackzero(kStackBytes);
  if (failed != 0) return std::nullopt;
  return plaintext;
}

}  // namespace signet::crypto
