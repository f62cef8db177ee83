#include "signetd/token_secret.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/token_key.h"
#include "crypto/wipe.h"
#include "membership/source_secret.h"

namespace signet {
namespace {

constexpr std::string_view kSamples[] = {
    "microbridge_jwt_secret_dev_12345", "JWT_SECRET_123456789",     "HMAC_SECRET_987654321",
    "engine_shared_secret_mno345",      "ENGINE_SHARED_SECRET_123",
};

}  // namespace

Result<std::string> token_secret_key(std::string_view secret, bool dev) {
  if (!dev && membership::is_sample_secret(secret)) {
    return Error{ErrorCode::kMalformed, "everybody can look this one up or guess it"};
  }
  std::string bytes(std::max(secret.size(), crypto::kLeastTokenSecretBytes), '\0');
  const crypto::WipedAtEnd wiped(bytes);
  std::copy(secret.begin(), secret.end(), bytes.begin());
  if (!dev) bytes.resize(secret.size());
  std::string text = to_base64url(bytes_of(bytes));
  const crypto::WipedAtEnd wiped_text(text);
  constexpr std::string_view kHead = R"({"kty":"oct","alg":"HS256","k":")";
  std::string key;
  key.reserve(kHead.size() + text.size() + 2);  // grows no more, which would leave a copy behind
  return key.append(kHead).append(text).append("\"}");
}

bool has_sample_key(const trust::KeySet& keys) {
  return std::any_of(std::begin(kSamples), std::end(kSamples), [&](std::string_view sample) {
    const auto key = token_secret_key(sample, true);
    const auto set = key.ok() ? trust::KeySet::parse(*key) : Result<trust::KeySet>(key.error());
    return set.ok() && set->shares_key_with(keys);
  });
}

}  // namespace signet
