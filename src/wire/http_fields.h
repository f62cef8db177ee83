// The header fields of HTTP/1.1, which requests and answers share: where a head ends, and what its
// lines hold. Inside wire only; others read RequestHead.
#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "wire/http_head.h"

namespace signet::wire {

using Header = RequestHead::Header;

// LineReader walks the lines of a head, each ended by CR LF, never by less.
class LineReader {
 public:
  explicit LineReader(std::string_view bytes) : bytes_(bytes) {}
  // The next line without its end; NeedMore where it has none yet; BadRequest for a bare LF.
  std::variant<std::string_view, NeedMore, BadRequest> next();
  std::size_t position() const { return at_; }  // where the next line starts

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

// FieldLines are the lines between the first line and the blank one, which stay to be read.
struct FieldLines {
  std::string_view lines;  // every line with its CR LF
  std::size_t head_bytes;
};
// Finds the end of the head. `reader` stands after the first line. Fails 400 for a bare LF, 431 for
// a head over its limits.
std::variant<FieldLines, NeedMore, BadRequest> find_fields(std::string_view bytes,
                                                           LineReader& reader,
                                                           const HttpLimits& limits);

// Reads the fields, and refuses a second one of a name that must be single.
std::optional<BadRequest> read_fields(std::string_view lines, std::vector<Header>& headers);

std::optional<std::string_view> field(const std::vector<Header>& headers, std::string_view name);

bool same_ignoring_case(std::string_view a, std::string_view b);
bool is_token(std::string_view text);             // RFC 9110 section 5.6.2: one character or more
std::string_view trimmed(std::string_view text);  // without spaces and tabs around it

// Is `token` (in any case) an element of a comma-separated list in any header of that name?
bool lists_token(const std::vector<Header>& headers, std::string_view name, std::string_view token);

// Calls `visit` with every element of a comma-separated list, trimmed, empty ones included.
template <class Visit>
void for_each_element(std::string_view list, Visit visit) {
  while (true) {
    const std::size_t comma = list.find(',');
    visit(trimmed(list.substr(0, comma)));
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace signet::wire
