// Text of others on a terminal: what a peer wrote can neither move the cursor, colour the screen,
// hide itself nor turn the reading direction. Pure.
#pragma once

#include <string>
#include <string_view>

namespace signet::cli {

// One line: everything that a terminal obeys or hides becomes a visible escape (`\u001b`), broken
// bytes become U+FFFD, and line ends become `\n`. Joiners and variation selectors are escaped, too:
// in a name they only make it look like another.
std::string printable_line(std::string_view text);

// The same for a text of several lines: line ends stay, and each line after the first begins with
// `indent`, so that no text can look like the start of another message.
std::string printable_text(std::string_view text, std::string_view indent);

// JSON with the same characters escaped inside its strings. REQUIRES: valid JSON.
std::string printable_json(std::string_view json);

// Columns that a printable line takes on a terminal: 2 for wide characters, 0 for marks that
// combine.
std::size_t width_of(std::string_view text);

}  // namespace signet::cli
