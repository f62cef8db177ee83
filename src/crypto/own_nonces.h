// Nonces that their maker knows again. A direct box names the pair of keys and not the direction,
// so a broker could push a member's own body back to it as the other side's. Nothing in the body
// tells; the nonce does: 16 random bytes, and 8 that only the maker's key makes of them. To
// everybody else it is 24 random bytes, as the format asks for.
#pragma once

#include <array>

#include "crypto/box.h"
#include "crypto/sign.h"

namespace signet::crypto {

// OwnNonces draws and recognises the nonces of one identity, in any process and without memory. Its
// key is BLAKE2b-256 keyed with the identity's seed over the domain "signet/nonce/v1". Wiped on
// destruction. Movable, not copyable.
class OwnNonces {
 public:
  explicit OwnNonces(const SecretKey& identity);
  OwnNonces(OwnNonces&&) noexcept;
  OwnNonces& operator=(OwnNonces&&) noexcept;
  ~OwnNonces();

  BoxNonce draw() const;
  // True for what draw() gave, now or in an earlier life. Another's nonce passes for an own one
  // once in 2^64; nobody can choose one that does.
  bool is_own(const BoxNonce& nonce) const;

 private:
  void write_mark(BoxNonce& nonce) const;
  std::array<unsigned char, 32> key_{};
};

}  // namespace signet::crypto
