// Wiping what held a secret: the compiler may not leave it out, as it may a plain memset.
#pragma once

#include <span>
#include <string>

namespace signet::crypto {

void wipe(std::span<unsigned char> bytes);
void wipe(std::string& text);  // its memory is zero, then it is empty

// WipedAtEnd wipes a text when its scope ends, however it ends. Borrows the text.
class WipedAtEnd {
 public:
  explicit WipedAtEnd(std::string& text) : text_(text) {}
  ~WipedAtEnd() { wipe(text_); }
  WipedAtEnd(const WipedAtEnd&) = delete;
  WipedAtEnd& operator=(const WipedAtEnd&) = delete;

 private:
  std::string& text_;
};

}  // namespace signet::crypto
