// Memory for what must not leave the process: left out of every core dump (MADV_DONTDUMP), kept out
// of swap as far as RLIMIT_MEMLOCK lets it, and wiped when it is given back. Short secrets share
// pages, so that ten thousand of them cost what they weigh.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace signet {

// SecretBytes owns a fixed number of bytes in such memory; nothing prints them. Movable, not
// copyable. Any thread may make, move and end one of its own.
class SecretBytes {
 public:
  SecretBytes() = default;                      // none
  explicit SecretBytes(std::size_t size);       // zeros
  explicit SecretBytes(std::string_view text);  // a copy; wiping `text` is the caller's part
  SecretBytes(SecretBytes&& other) noexcept;
  SecretBytes& operator=(SecretBytes&& other) noexcept;
  ~SecretBytes();

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  unsigned char* data() { return at_; }
  const unsigned char* data() const { return at_; }
  std::span<const unsigned char> bytes() const { return {at_, size_}; }
  std::string_view text() const;

 private:
  unsigned char* at_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace signet
