#include "crypto/token_key.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

#include "crypto/compare.h"
#include "crypto/evp_key.h"
#include "crypto/mac.h"
#include "crypto/random.h"
#include "crypto/secret_text.h"
#include "crypto/sign.h"
#include "crypto/wipe.h"

namespace signet::crypto {
namespace {

constexpr std::array<std::string_view, 4> kNames{"HS256", "EdDSA", "ES256", "RS256"};
constexpr std::array<std::string TokenKeyParts::*, 11> kMembers{
    &TokenKeyParts::k,  &TokenKeyParts::x,  &TokenKeyParts::y, &TokenKeyParts::n,
    &TokenKeyParts::e,  &TokenKeyParts::d,  &TokenKeyParts::p, &TokenKeyParts::q,
    &TokenKeyParts::dp, &TokenKeyParts::dq, &TokenKeyParts::qi};
constexpr std::string_view kProbe = "signet";  // signed once to see that a pair is one

Error bad(const char* detail) { return {ErrorCode::kMalformed, detail}; }

Result<PublicKey> ed25519_key(const TokenKeyParts& parts) {
  PublicKey key;
  if (parts.x.size() != key.bytes.size()) return bad("x is not of 32 bytes");
  std::copy(parts.x.begin(), parts.x.end(), key.bytes.begin());
  if (!is_enrollable(key)) return bad("x is no point of Ed25519, or one of small order");
  return key;
}

Result<SecretKey> ed25519_secret(const TokenKeyParts& parts) {
  std::array<unsigned char, 32> seed{};
  if (parts.d.size() != seed.size()) return bad("d is not of 32 bytes");
  std::copy(parts.d.begin(), parts.d.end(), seed.begin());
  SecretKey key = SecretKey::from_seed(seed);
  wipe(seed);
  return key;
}

Digest32 digest_of(const TokenKeyParts& parts) {
  return digest32("signet token key",
                  {name_of(parts.algorithm), parts.k, parts.x, parts.y, parts.n, parts.e});
}

std::string text_of_array(std::span<const unsigned char> bytes) {
  return {bytes.begin(), bytes.end()};
}

}  // namespace

std::string_view name_of(TokenAlgorithm algorithm) {
  return kNames[static_cast<std::size_t>(algorithm)];
}

std::optional<TokenAlgorithm> token_algorithm_from(std::string_view alg) {
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == alg) return static_cast<TokenAlgorithm>(i);
  }
  return std::nullopt;
}

void TokenKeyParts::wipe() {
  for (const auto member : kMembers) crypto::wipe(this->*member);
}

TokenKeyParts::~TokenKeyParts() { wipe(); }

TokenKeyParts& TokenKeyParts::operator=(TokenKeyParts&& other) noexcept {
  if (this == &other) return *this;
  wipe();
  algorithm = other.algorithm;
  for (const auto member : kMembers) this->*member = std::move(other.*member);
  return *this;
}

TokenKeyParts generate_token_key(TokenAlgorithm algorithm) {
  TokenKeyParts parts;
  parts.algorithm = algorithm;
  switch (algorithm) {
    case TokenAlgorithm::kHs256: {
      std::array<unsigned char, kLeastTokenSecretBytes> secret{};
      random_bytes(secret);
      parts.k = text_of_array(secret);
      wipe(secret);
      return parts;
    }
    case TokenAlgorithm::kEdDsa: {
      const SecretKey key = SecretKey::generate();
      auto seed = key.seed();
      parts.d = text_of_array(seed);
      wipe(seed);
      parts.x = text_of_array(key.public_key().bytes);
      return parts;
    }
    case TokenAlgorithm::kEs256:
    case TokenAlgorithm::kRs256:
      break;
  }
  generate_evp_parts(parts);
  return parts;
}

// One of the members is set, by the algorithm; what signs is there only in a signing key.
struct TokenKey::Impl {
  TokenAlgorithm algorithm;
  Digest32 digest;
  SecretText secret;
  PublicKey ed25519;
  std::optional<SecretKey> ed25519_secret;
  EvpKey evp;
};

Result<TokenKey> TokenKey::verifying(const TokenKeyParts& parts) {
  Impl impl{parts.algorithm, digest_of(parts), {}, {}, {}, {}};
  switch (parts.algorithm) {
    case TokenAlgorithm::kHs256:
      if (parts.k.size() < kLeastTokenSecretBytes) return bad("k has less than 32 bytes");
      impl.secret = SecretText(parts.k);
      break;
    case TokenAlgorithm::kEdDsa: {
      SIGNET_TRY(impl.ed25519, ed25519_key(parts));
      break;
    }
    case TokenAlgorithm::kEs256:
    case TokenAlgorithm::kRs256: {
      SIGNET_TRY(impl.evp, public_evp_key(parts));
      break;
    }
  }
  return TokenKey(std::make_shared<const Impl>(std::move(impl)));
}

Result<TokenKey> TokenKey::signing(const TokenKeyParts& parts) {
  SIGNET_TRY(const TokenKey known, verifying(parts));
  if (parts.algorithm == TokenAlgorithm::kHs256) return known;
  Impl impl{parts.algorithm, known.digest(), {}, known.impl_->ed25519, {}, {}};
  if (parts.algorithm == TokenAlgorithm::kEdDsa) {
    SIGNET_TRY(impl.ed25519_secret, ed25519_secret(parts));
  } else {
    SIGNET_TRY(impl.evp, private_evp_key(parts));
  }
  const TokenKey made(std::make_shared<const Impl>(std::move(impl)));
  const auto signature = made.sign(kProbe);
  if (!signature.ok() || !known.verify(kProbe, bytes_of(*signature))) {
    return bad("its private part is not that of its public part");
  }
  return made;
}

TokenAlgorithm TokenKey::algorithm() const { return impl_->algorithm; }

const Digest32& TokenKey::digest() const { return impl_->digest; }

bool TokenKey::verify(std::string_view text, ByteView signature) const {
  switch (impl_->algorithm) {
    case TokenAlgorithm::kHs256: {
      const Digest32 expected = hmac_sha256(impl_->secret.reveal(), text);
      return equal_secrets(text_of(expected), text_of(signature));
    }
    case TokenAlgorithm::kEdDsa: {
      Signature bytes{};
      if (signature.size() != bytes.size()) return false;
      std::copy(signature.begin(), signature.end(), bytes.begin());
      return crypto::verify(impl_->ed25519, bytes_of(text), bytes);
    }
    case TokenAlgorithm::kEs256:
      return verify_p256(impl_->evp, text, signature);
    case TokenAlgorithm::kRs256:
      break;
  }
  return verify_rsa(impl_->evp, text, signature);
}

Result<std::string> TokenKey::sign(std::string_view text) const {
  switch (impl_->algorithm) {
    case TokenAlgorithm::kHs256:
      return text_of_array(hmac_sha256(impl_->secret.reveal(), text));
    case TokenAlgorithm::kEdDsa:
      if (!impl_->ed25519_secret) std::abort();  // the promise of signing()
      return text_of_array(impl_->ed25519_secret->sign(bytes_of(text)));
    case TokenAlgorithm::kEs256:
      return sign_p256(impl_->evp, text);
    case TokenAlgorithm::kRs256:
      break;
  }
  return sign_rsa(impl_->evp, text);
}

}  // namespace signet::crypto
