#include "crypto/secret_base64.h"

#include <sodium.h>

namespace signet::crypto {
namespace {

constexpr int kVariant = sodium_base64_VARIANT_ORIGINAL;

// Of the bytes that a text of whole groups stands for. Its last two characters say it, and they are
// padding or not whatever the secret is.
std::size_t decoded_size(std::string_view text) {
  std::size_t size = text.size() / 4 * 3;
  for (int i = 0; i < 2 && text.ends_with('='); ++i, --size) text.remove_suffix(1);
  return size;
}

}  // namespace

SecretBytes to_secret_base64(ByteView secret) {
  SecretBytes ended(sodium_base64_encoded_len(secret.size(), kVariant));  // with a NUL behind it
  sodium_bin2base64(reinterpret_cast<char*>(ended.data()), ended.size(), secret.data(),
                    secret.size(), kVariant);
  return SecretBytes(ended.text().substr(0, ended.size() - 1));
}

std::optional<SecretBytes> from_secret_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  SecretBytes secret(decoded_size(text));
  if (text.empty()) return secret;
  std::size_t size = 0;
  const int failed = sodium_base642bin(secret.data(), secret.size(), text.data(), text.size(),
                                       nullptr, &size, nullptr, kVariant);
  if (failed != 0 || size != secret.size()) return std::nullopt;
  return secret;
}

}  // namespace signet::crypto
