#include "wire/utf8.h"

#include <cstring>

namespace signet::wire {
namespace {

// Bytes at the start of `text` that are ASCII, in blocks of 16 and then one by one.
std::size_t ascii_prefix(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080U;
  std::size_t at = 0;
  for (; at + 16 <= text.size(); at += 16) {
    std::uint64_t words[2];
    std::memcpy(words, text.data() + at, sizeof words);
    if (((words[0] | words[1]) & kHighBits) != 0) break;
  }
  while (at < text.size() && static_cast<unsigned char>(text[at]) < 0x80) ++at;
  return at;
}

}  // namespace

bool Utf8Checker::step(unsigned char byte) {
  if (needed_ > 0) {
    if (byte < low_ || byte > high_) return false;
    low_ = 0x80;
    high_ = 0xbf;
    --needed_;
    return true;
  }
  if (byte < 0x80) return true;
  if (byte < 0xc2 || byte > 0xf4) return false;
  needed_ = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
  if (byte == 0xe0) low_ = 0xa0;   // else overlong
  if (byte == 0xed) high_ = 0x9f;  // else a surrogate
  if (byte == 0xf0) low_ = 0x90;   // else overlong
  if (byte == 0xf4) high_ = 0x8f;  // else above U+10FFFF
  return true;
}

bool Utf8Checker::feed(std::string_view piece) {
  std::size_t at = 0;
  while (at < piece.size()) {
    if (needed_ == 0) {
      at += ascii_prefix(piece.substr(at));
      if (at == piece.size()) break;
    }
    if (!step(static_cast<unsigned char>(piece[at++]))) return false;
  }
  return true;
}

bool is_utf8(std::string_view text) {
  Utf8Checker checker;
  return checker.feed(text) && checker.complete();
}

std::size_t valid_utf8_prefix(std::string_view text) {
  Utf8Checker checker;
  std::size_t whole = ascii_prefix(text);
  for (std::size_t at = whole; at < text.size(); ++at) {
    if (!checker.feed(text.substr(at, 1))) break;
    if (checker.complete()) whole = at + 1;
  }
  return whole;
}

}  // namespace signet::wire
