// Small records on the own disk, sealed under the own identity (XChaCha20-Poly1305, IETF): a copy
// of the disk shows their number and sizes and nothing of what they say. A record is its 24-byte
// nonce and the ciphertext with its tag.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "crypto/sign.h"

namespace signet::crypto {

// StateBox seals and opens. Its key is BLAKE2b-256 keyed with the identity's seed over the domain
// "signet/state/v1": it opens what the same identity sealed, in any process, and tells nothing
// about the seed. Wiped on destruction. Movable, not copyable.
//
// `kind` and `row` say where a record stands (a table, its primary key): it opens there only, so
// records can't be swapped. An older record of the same place does open: who writes to the disk can
// turn it back.
class StateBox {
 public:
  explicit StateBox(const SecretKey& identity);
  StateBox(StateBox&&) noexcept;
  StateBox& operator=(StateBox&&) noexcept;
  ~StateBox();

  std::string seal(std::string_view kind, std::string_view row, std::string_view plaintext) const;
  std::optional<std::string> open(std::string_view kind, std::string_view row,
                                  std::string_view sealed) const;

 private:
  std::array<unsigned char, 32> key_{};
};

}  // namespace signet::crypto
