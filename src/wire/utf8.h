// UTF-8 after RFC 3629, checked as it arrives: no overlong forms, no surrogates, nothing above
// U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace signet::wire {

// Utf8Checker reads one text in pieces. Four bytes, copied freely.
class Utf8Checker {
 public:
  // False as soon as no continuation could make the text valid; the checker is then spent.
  bool feed(std::string_view piece);
  // True where no character is unfinished.
  bool complete() const { return needed_ == 0; }

 private:
  bool step(unsigned char byte);
  std::uint8_t needed_ = 0;  // continuation bytes still missing
  std::uint8_t low_ = 0x80;  // what the next continuation byte may be
  std::uint8_t high_ = 0xbf;
};

bool is_utf8(std::string_view text);

// The length of the longest start of `text` that is whole, valid characters.
std::size_t valid_utf8_prefix(std::string_view text);

}  // namespace signet::wire
