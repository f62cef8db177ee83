// SecretText is a shared secret as text: it is compared, keyed with and stored, and never printed.
#pragma once

#include <memory>
#include <string_view>

#include "base/secret_memory.h"

namespace signet::crypto {

// Copies share one immutable memory, which no core dump holds and which is wiped when the last of
// them ends: snapshots for other threads and commands to the store cost no copy of the secret. No
// operator prints it; whoever calls reveal() answers for where the bytes go.
class SecretText {
 public:
  SecretText() = default;  // no secret: matches nothing

  // Copies `text`; wiping that is the caller's part. An empty text is no secret.
  explicit SecretText(std::string_view text);
  // 32 random bytes as base64url.
  static SecretText random();

  bool empty() const { return text_ == nullptr; }
  // Borrowed from this object and its copies.
  std::string_view reveal() const { return text_ ? text_->text() : std::string_view(); }

  // In a time that does not tell where they differ. No secret matches nothing, not even itself.
  bool matches(std::string_view shown) const;

 private:
  std::shared_ptr<const SecretBytes> text_;
};

}  // namespace signet::crypto
