// Text of others, one character at a time: what is one, what may be shown, and how what may not is
// written instead. For logs and terminals. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace signet {

// One character of UTF-8. `size` is what it took: 1 for a byte that begins no character.
struct Character {
  char32_t code = 0xFFFD;
  std::size_t size = 1;
  bool broken = true;
};

// REQUIRES: text is not empty. Refuses overlong forms, surrogates and what lies past U+10FFFF.
Character first_character(std::string_view text);

// False for everything that a terminal or a viewer obeys or hides instead of showing.
bool is_printable(char32_t c);

// Appends `\u001b`, or two such for a character that takes two units of UTF-16, as JSON has it.
void append_escaped(std::string& out, char32_t c);

}  // namespace signet
