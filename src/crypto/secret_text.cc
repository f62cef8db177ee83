#include "crypto/secret_text.h"

#include <array>

#include "base/encoding.h"
#include "crypto/compare.h"
#include "crypto/random.h"
#include "crypto/wipe.h"

namespace signet::crypto {

SecretText::SecretText(std::string_view text) {
  if (!text.empty()) text_ = std::make_shared<const SecretBytes>(text);
}

SecretText SecretText::random() {
  std::array<unsigned char, 32> bytes{};
  random_bytes(bytes);
  std::string text = to_base64url(bytes);
  const WipedAtEnd wiped(text);
  SecretText secret(text);
  wipe(bytes);
  return secret;
}

bool SecretText::matches(std::string_view shown) const {
  return !empty() && equal_secrets(reveal(), shown);
}

}  // namespace signet::crypto
