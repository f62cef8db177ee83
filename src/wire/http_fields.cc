#include "wire/http_fields.h"

#include <algorithm>
#include <array>
#include <utility>

namespace signet::wire {
namespace {

// What may occur once only: a second one is read by one parser and skipped by another.
constexpr std::array<std::string_view, 9> kSingle = {
    "host",   "content-length",    "content-type",          "authorization",       "upgrade",
    "origin", "sec-websocket-key", "sec-websocket-version", "sec-websocket-accept"};

constexpr bool is_token_char(char c) {
  const bool alphanumeric =
      (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  return alphanumeric || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}
constexpr std::array<bool, 256> kTokenChars = [] {
  std::array<bool, 256> table{};
  for (std::size_t i = 0; i < 128; ++i) table[i] = is_token_char(static_cast<char>(i));
  return table;
}();

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool is_value_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7f);
}

// Where in kSingle `name` stands; its size where it does not.
std::size_t single_index(std::string_view name) {
  const auto same = [&](std::string_view single) { return same_ignoring_case(single, name); };
  return static_cast<std::size_t>(std::find_if(kSingle.begin(), kSingle.end(), same) -
                                  kSingle.begin());
}

std::variant<Header, BadRequest> read_field(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') return BadRequest{400, "line folding"};
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return BadRequest{400, "header without colon"};
  const std::string_view name = line.substr(0, colon);
  if (!is_token(name)) return BadRequest{400, "header name"};
  const std::string_view value = trimmed(line.substr(colon + 1));
  if (!std::all_of(value.begin(), value.end(), is_value_char)) {
    return BadRequest{400, "header value"};
  }
  return Header{name, value};
}

}  // namespace

std::variant<std::string_view, NeedMore, BadRequest> LineReader::next() {
  const std::size_t end = bytes_.find('\n', at_);
  if (end == std::string_view::npos) return NeedMore{};
  const std::string_view line = bytes_.substr(at_, end - at_);
  at_ = end + 1;
  if (line.empty() || line.back() != '\r') return BadRequest{400, "bare LF"};
  return line.substr(0, line.size() - 1);
}

std::variant<FieldLines, NeedMore, BadRequest> find_fields(std::string_view bytes,
                                                           LineReader& reader,
                                                           const HttpLimits& limits) {
  const std::size_t start = reader.position();
  for (std::size_t count = 0;; ++count) {
    const std::size_t line_start = reader.position();
    const auto next = reader.next();
    const bool unfinished = std::holds_alternative<NeedMore>(next);
    const std::size_t seen = unfinished ? bytes.size() : reader.position();
    if (seen > limits.max_head_bytes) return BadRequest{431, "head size"};
    if (unfinished) return NeedMore{};
    if (const auto* bad = std::get_if<BadRequest>(&next)) return *bad;
    if (std::get<std::string_view>(next).empty()) {
      return FieldLines{bytes.substr(start, line_start - start), reader.position()};
    }
    if (count == limits.max_headers) return BadRequest{431, "too many headers"};
  }
}

std::optional<BadRequest> read_fields(std::string_view lines, std::vector<Header>& headers) {
  std::array<bool, kSingle.size()> seen{};
  LineReader reader(lines);
  while (reader.position() < lines.size()) {
    const auto next = reader.next();
    const auto read = read_field(std::get<std::string_view>(next));
    if (const auto* bad = std::get_if<BadRequest>(&read)) return *bad;
    const Header& header = std::get<Header>(read);
    const std::size_t single = single_index(header.name);
    if (single < seen.size() && std::exchange(seen[single], true)) {
      return BadRequest{400, "repeated header"};
    }
    headers.push_back(header);
  }
  return std::nullopt;
}

std::optional<std::string_view> field(const std::vector<Header>& headers, std::string_view name) {
  for (const Header& header : headers) {
    if (same_ignoring_case(header.name, name)) return header.value;
  }
  return std::nullopt;
}

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

bool is_token(std::string_view text) {
  const auto ok = [](char c) { return kTokenChars[static_cast<unsigned char>(c)]; };
  return !text.empty() && std::all_of(text.begin(), text.end(), ok);
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") + 1 - first);
}

bool lists_token(const std::vector<Header>& headers, std::string_view name,
                 std::string_view token) {
  bool found = false;
  for (const Header& header : headers) {
    if (!same_ignoring_case(header.name, name)) continue;
    for_each_element(header.value, [&](std::string_view element) {
      found = found || same_ignoring_case(element, token);
    });
  }
  return found;
}

}  // namespace signet::wire
