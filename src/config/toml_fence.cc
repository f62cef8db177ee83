#include "config/toml_fence.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace signet::config {
namespace {

// Dots of keys make tables in tables, and toml++ takes those apart with one call a level: a text of
// dots would be the end of the stack. No document needs a thousandth of these.
constexpr std::size_t kMaxDots = 2'048;

// Where the string that opens at `at` has ended; the end of the text where it has not.
std::size_t behind_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const std::string three(3, quote);
  const bool is_long = text.substr(at, 3) == three;
  const std::string_view end = is_long ? std::string_view(three) : text.substr(at, 1);
  for (std::size_t i = at + end.size(); i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text.substr(i, end.size()) == end) {
      return i + end.size();
    } else if (!is_long && text[i] == '\n') {
      return i;
    }
  }
  return text.size();
}

// Outside of strings and comments.
std::size_t dots_in(std::string_view text) {
  std::size_t dots = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '"' || text[i] == '\'') {
      i = behind_string(text, i);
      continue;
    }
    if (text[i] == '#') {
      i = std::min(text.find('\n', i), text.size());
      continue;
    }
    dots += text[i] == '.' ? 1 : 0;
    ++i;
  }
  return dots;
}

}  // namespace

void throw_broken(const char* assertion) {
  throw std::logic_error(std::string("the TOML library does not understand this: ") + assertion);
}

Result<toml::table> parse_table(std::string_view text, const std::string& name) {
  const auto refuse = [&](std::size_t line, std::size_t column, std::string_view sentence) {
    return Error{ErrorCode::kMalformed, name + ":" + std::to_string(line) + ":" +
                                            std::to_string(column) + ": " + std::string(sentence)};
  };
  if (dots_in(text) > kMaxDots) return refuse(1, 1, "the keys have too many dots");
  try {
    toml::parse_result result = toml::parse(text, name);
    if (result) return std::move(result).table();
    const toml::source_position at = result.error().source().begin;
    return refuse(at.line, at.column, result.error().description());
  } catch (const std::exception& thrown) {
    return refuse(1, 1, thrown.what());
  }
}

}  // namespace signet::config
