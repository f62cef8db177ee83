// Bytes as text: hex and the two base64 alphabets. Decoders are strict: one text for one value,
// but for the one that says otherwise.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace signet {

using ByteView = std::span<const unsigned char>;

inline ByteView bytes_of(std::string_view text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}
inline std::string_view text_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string to_hex(ByteView bytes);  // lower case

// Decodes exactly out.size() bytes; either case. False, with `out` unspecified, when `text` has
// another length or a character that is no hex digit.
bool from_hex(std::string_view text, std::span<unsigned char> out);

std::string to_base64(ByteView bytes);     // standard alphabet, padded
std::string to_base64url(ByteView bytes);  // URL alphabet, no padding

// Strict: the exact alphabet and padding that the encoders above write, and no stray bits.
std::optional<std::string> from_base64(std::string_view text);
std::optional<std::string> from_base64url(std::string_view text);

// For formats whose clients write both: either alphabet, not mixed; with its padding or without;
// no stray bits. A value has several texts, so compare what it answers, not what it was given.
std::optional<std::string> from_any_base64(std::string_view text);

}  // namespace signet
