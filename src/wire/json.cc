// Reading. simdjson finds the tokens, checks UTF-8 and unescapes; this file walks them once,
// checks what it leaves open (numbers, duplicate keys, depth) and keeps where every value stands.
#include "wire/json.h"

#include <simdjson.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/secret_memory.h"

namespace signet::wire {
namespace {

namespace ondemand = simdjson::ondemand;

// Objects up to this size have their keys compared pair by pair; larger ones are sorted, which no
// choice of keys makes slow.
constexpr std::size_t kSmallObject = 8;

// Positions are 32 bits wide, and simdjson itself stops at 4 GiB.
constexpr std::size_t kMaxTextBytes = std::size_t{1} << 30;

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

struct Node {
  const char* raw = nullptr;
  const char* text = nullptr;  // a string's, unescaped
  const char* key = nullptr;   // of a member, unescaped
  std::uint32_t raw_size = 0;
  std::uint32_t text_size = 0;
  std::uint32_t key_size = 0;
  std::uint32_t first_child = 0;  // in Impl::children
  std::uint32_t size = 0;
  JsonKind kind = JsonKind::kNull;

  std::string_view raw_view() const { return {raw, raw_size}; }
  std::string_view text_view() const { return {text, text_size}; }
  std::string_view key_view() const { return {key, key_size}; }
};

std::string_view without_space_after(std::string_view token) {
  return token.substr(0, token.find_last_not_of(kSpace) + 1);
}

const char* rule_of(simdjson::error_code error) {
  switch (error) {
    case simdjson::UTF8_ERROR:
      return "utf-8";
    case simdjson::UNESCAPED_CHARS:
      return "control character";
    case simdjson::UNCLOSED_STRING:
      return "unclosed string";
    case simdjson::STRING_ERROR:
      return "escape";
    case simdjson::EMPTY:
      return "empty";
    case simdjson::TRAILING_CONTENT:
      return "trailing bytes";
    default:
      return "syntax";
  }
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

// RFC 8259 section 6: -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
bool is_number(std::string_view text) {
  const auto at_is = [&](std::size_t at, std::string_view any_of) {
    return at < text.size() && any_of.find(text[at]) != std::string_view::npos;
  };
  std::size_t at = at_is(0, "-") ? 1 : 0;
  std::size_t end = at_is(at, "0") ? at + 1 : skip_digits(text, at);
  if (end == at) return false;
  if (at_is(end, ".")) {
    at = end + 1;
    end = skip_digits(text, at);
    if (end == at) return false;
  }
  if (at_is(end, "eE")) {
    at = at_is(end + 1, "+-") ? end + 2 : end + 1;
    end = skip_digits(text, at);
    if (end == at) return false;
  }
  return end == text.size();
}

// Does a number that no double holds overflow (or come too close to zero)? Its decimal exponent
// says so: it is far from 0 in either case.
bool is_huge(std::string_view number) {
  const std::size_t e = std::min(number.find_first_of("eE"), number.size());
  std::int64_t exponent = 0;
  if (e < number.size()) {
    std::string_view digits = number.substr(e + 1);
    if (digits.front() == '+') digits.remove_prefix(1);
    const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (read.ec != std::errc{}) return digits.front() != '-';
    constexpr std::int64_t kFarOut = 1'000'000'000'000;  // beyond what digits can make up for
    exponent = std::clamp(exponent, -kFarOut, kFarOut);
  }
  const std::string_view mantissa = number.substr(0, e);
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  const std::size_t digit = std::min(mantissa.find_first_of("123456789"), mantissa.size());
  return exponent + static_cast<std::int64_t>(point) - static_cast<std::int64_t>(digit) > 0;
}

}  // namespace

// Impl holds the text and the tape: nodes in the order of the text, and the children of every
// container side by side. Scratch memory is kept from parse to parse.
struct JsonDocument::Impl {
  bool read(std::string_view input, const JsonLimits& with);
  bool walk(ondemand::value value, std::uint32_t& node, std::size_t depth);
  bool walk_array(ondemand::value value, std::uint32_t node, std::size_t depth);
  bool walk_object(ondemand::value value, std::uint32_t node, std::size_t depth);
  template <class Source>  // ondemand::value or ondemand::document
  bool read_scalar(Source& source, std::string_view token, std::uint32_t node);
  template <class Source>
  bool read_string(Source& source, std::string_view token, Node& node);
  bool read_key(ondemand::field& field, std::string_view& key);
  bool close(std::uint32_t node, const char* after, std::size_t first_pending, char bracket);
  bool has_duplicate(std::uint32_t node);
  bool add_node(const char* raw, std::uint32_t& node);
  const char* text_end() const { return reinterpret_cast<const char*>(text.data()) + text_size; }
  bool fail(const char* broken) {
    rule = broken;
    return false;
  }

  ondemand::parser parser;
  SecretBytes text;  // the input and simdjson's padding; it may hold a token, so no core has it
  std::size_t text_size = 0;
  std::vector<Node> nodes;
  std::vector<std::uint32_t> children;
  std::vector<std::uint32_t> pending;  // children of the containers that are still open
  std::vector<std::string_view> sorted_keys;
  JsonLimits limits;
  const char* rule = "";
};

bool JsonDocument::Impl::read(std::string_view input, const JsonLimits& with) {
  limits = with;
  nodes.clear();
  children.clear();
  pending.clear();
  if (input.size() > kMaxTextBytes) return fail("size");
  if (input.substr(0, kByteOrderMark.size()) == kByteOrderMark) return fail("byte order mark");
  const std::size_t start = input.find_first_not_of(kSpace);
  if (start == std::string_view::npos) return fail("empty");
  text_size = input.find_last_not_of(kSpace) + 1;
  const std::size_t wanted = text_size + simdjson::SIMDJSON_PADDING;
  if (text.size() < wanted) text = SecretBytes(std::bit_ceil(wanted));
  std::copy_n(input.data(), text_size, text.data());
  std::fill_n(text.data() + text_size, simdjson::SIMDJSON_PADDING, '\0');

  ondemand::document document;
  const simdjson::padded_string_view padded(reinterpret_cast<const char*>(text.data()), text_size,
                                            text.size());
  if (const auto error = parser.iterate(padded).get(document)) return fail(rule_of(error));
  const char first = input[start];
  std::uint32_t root = 0;
  if (first == '{' || first == '[') {
    ondemand::value value;
    if (const auto error = document.get_value().get(value)) return fail(rule_of(error));
    if (!walk(value, root, 1)) return false;
  } else {
    std::string_view token;
    if (document.raw_json_token().get(token)) return fail("syntax");
    if (!add_node(token.data(), root) || !read_scalar(document, without_space_after(token), root)) {
      return false;
    }
  }
  const bool whole = nodes[root].raw + nodes[root].raw_size == text_end();
  return whole || fail("trailing bytes");
}

bool JsonDocument::Impl::add_node(const char* raw, std::uint32_t& node) {
  if (nodes.size() >= limits.max_values) return fail("too many values");
  node = static_cast<std::uint32_t>(nodes.size());
  nodes.emplace_back().raw = raw;
  return true;
}

bool JsonDocument::Impl::walk(ondemand::value value, std::uint32_t& node, std::size_t depth) {
  const std::string_view token = without_space_after(value.raw_json_token());
  if (token.empty()) return fail("syntax");
  if (!add_node(token.data(), node)) return false;
  const char first = token.front();
  if (first != '{' && first != '[') return read_scalar(value, token, node);
  if (depth > limits.max_depth) return fail("depth");
  return first == '{' ? walk_object(value, node, depth) : walk_array(value, node, depth);
}

bool JsonDocument::Impl::walk_array(ondemand::value value, std::uint32_t node, std::size_t depth) {
  nodes[node].kind = JsonKind::kArray;
  const std::size_t first_pending = pending.size();
  const char* after = nodes[node].raw + 1;
  ondemand::array array;
  if (const auto error = value.get_array().get(array)) return fail(rule_of(error));
  for (auto next : array) {
    ondemand::value item;
    std::uint32_t child = 0;
    if (const auto error = std::move(next).get(item)) return fail(rule_of(error));
    if (!walk(item, child, depth + 1)) return false;
    pending.push_back(child);
    after = nodes[child].raw + nodes[child].raw_size;
  }
  return close(node, after, first_pending, ']');
}

bool JsonDocument::Impl::walk_object(ondemand::value value, std::uint32_t node, std::size_t depth) {
  nodes[node].kind = JsonKind::kObject;
  const std::size_t first_pending = pending.size();
  const char* after = nodes[node].raw + 1;
  ondemand::object object;
  if (const auto error = value.get_object().get(object)) return fail(rule_of(error));
  for (auto next : object) {
    ondemand::field field;
    std::string_view key;
    std::uint32_t child = 0;
    if (const auto error = std::move(next).get(field)) return fail(rule_of(error));
    if (!read_key(field, key) || !walk(field.value(), child, depth + 1)) return false;
    nodes[child].key = key.data();
    nodes[child].key_size = static_cast<std::uint32_t>(key.size());
    pending.push_back(child);
    after = nodes[child].raw + nodes[child].raw_size;
  }
  if (!close(node, after, first_pending, '}')) return false;
  return !has_duplicate(node) || fail("duplicate key");
}

// Ends a container behind its last child, and moves its children from `pending` to their place.
bool JsonDocument::Impl::close(std::uint32_t node, const char* after, std::size_t first_pending,
                               char bracket) {
  const char* end = text_end();
  while (after < end && kSpace.find(*after) != std::string_view::npos) ++after;
  if (after >= end || *after != bracket) return fail("syntax");
  Node& closed = nodes[node];
  closed.raw_size = static_cast<std::uint32_t>(after + 1 - closed.raw);
  closed.first_child = static_cast<std::uint32_t>(children.size());
  closed.size = static_cast<std::uint32_t>(pending.size() - first_pending);
  children.insert(children.end(), pending.begin() + static_cast<std::ptrdiff_t>(first_pending),
                  pending.end());
  pending.resize(first_pending);
  return true;
}

bool JsonDocument::Impl::has_duplicate(std::uint32_t node) {
  const std::uint32_t* ids = children.data() + nodes[node].first_child;
  const std::size_t count = nodes[node].size;
  if (count <= kSmallObject) {
    for (std::size_t i = 1; i < count; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (nodes[ids[i]].key_view() == nodes[ids[j]].key_view()) return true;
      }
    }
    return false;
  }
  sorted_keys.clear();
  for (std::size_t i = 0; i < count; ++i) sorted_keys.push_back(nodes[ids[i]].key_view());
  const auto shorter_first = [](std::string_view a, std::string_view b) {
    return a.size() != b.size() ? a.size() < b.size() : a < b;
  };
  std::sort(sorted_keys.begin(), sorted_keys.end(), shorter_first);
  return std::adjacent_find(sorted_keys.begin(), sorted_keys.end()) != sorted_keys.end();
}

bool JsonDocument::Impl::read_key(ondemand::field& field, std::string_view& key) {
  const char* start = field.key().raw();
  const char* at = start;
  while (*at != '"' && *at != '\\') ++at;  // the key has an end: simdjson saw the colon behind it
  if (*at == '"') {
    key = {start, static_cast<std::size_t>(at - start)};
    return true;
  }
  const auto error = field.unescaped_key().get(key);
  return error == simdjson::SUCCESS || fail(rule_of(error));
}

template <class Source>
bool JsonDocument::Impl::read_string(Source& source, std::string_view token, Node& node) {
  if (token.size() < 2 || token.back() != '"') return fail("syntax");
  std::string_view unescaped = token.substr(1, token.size() - 2);
  // Both ways consume the token, so that the walk goes on behind it.
  const bool plain = std::memchr(unescaped.data(), '\\', unescaped.size()) == nullptr;
  ondemand::raw_json_string as_sent;
  const auto error =
      plain ? source.get_raw_json_string().get(as_sent) : source.get_string().get(unescaped);
  if (error != simdjson::SUCCESS) return fail(rule_of(error));
  node.kind = JsonKind::kString;
  node.text = unescaped.data();
  node.text_size = static_cast<std::uint32_t>(unescaped.size());
  return true;
}

template <class Source>
bool JsonDocument::Impl::read_scalar(Source& source, std::string_view token, std::uint32_t id) {
  Node& node = nodes[id];
  node.raw_size = static_cast<std::uint32_t>(token.size());
  if (token.empty()) return fail("syntax");
  if (token.front() == '"') return read_string(source, token, node);
  if (token == "true" || token == "false") {
    node.kind = JsonKind::kBool;
  } else if (token == "null") {
    node.kind = JsonKind::kNull;
  } else if (is_number(token)) {
    node.kind = JsonKind::kNumber;
  } else {
    return fail(token.front() == '-' || is_digit(token.front()) ? "number" : "syntax");
  }
  return true;
}

JsonDocument::JsonDocument() : impl_(std::make_unique<Impl>()) {}
JsonDocument::JsonDocument(JsonDocument&&) noexcept = default;
JsonDocument& JsonDocument::operator=(JsonDocument&&) noexcept = default;
JsonDocument::~JsonDocument() = default;

Status JsonDocument::parse(std::string_view text, const JsonLimits& limits) {
  if (!impl_) impl_ = std::make_unique<Impl>();  // moved from
  if (impl_->read(text, limits)) return Done{};
  impl_->nodes.clear();
  return Error{ErrorCode::kMalformed, impl_->rule};
}

JsonValue JsonDocument::root() const {
  if (!impl_ || impl_->nodes.empty()) std::abort();
  return {impl_.get(), 0};
}

std::optional<JsonKind> JsonValue::kind() const {
  if (document_ == nullptr) return std::nullopt;
  return document_->nodes[node_].kind;
}

std::optional<bool> JsonValue::boolean() const {
  if (!is(JsonKind::kBool)) return std::nullopt;
  return raw().front() == 't';
}

std::optional<std::string_view> JsonValue::string() const {
  if (!is(JsonKind::kString)) return std::nullopt;
  return document_->nodes[node_].text_view();
}

std::optional<std::int64_t> JsonValue::integer() const {
  if (!is(JsonKind::kNumber)) return std::nullopt;
  const std::string_view text = raw();
  std::int64_t value = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> JsonValue::number() const {
  if (!is(JsonKind::kNumber)) return std::nullopt;
  const std::string_view text = raw();
  double value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec == std::errc{}) return value;
  if (is_huge(text)) return std::nullopt;
  return text.front() == '-' ? -0.0 : 0.0;
}

std::string_view JsonValue::raw() const {
  if (document_ == nullptr) return {};
  return document_->nodes[node_].raw_view();
}

std::size_t JsonValue::size() const {
  return document_ == nullptr ? 0 : document_->nodes[node_].size;
}

JsonValue JsonValue::operator[](std::size_t index) const {
  if (index >= size()) return {};
  return {document_, document_->children[document_->nodes[node_].first_child + index]};
}

std::string_view JsonValue::key(std::size_t index) const {
  const JsonValue member = (*this)[index];
  if (!member) return {};
  return document_->nodes[member.node_].key_view();
}

JsonValue JsonValue::operator[](std::string_view name) const {
  if (!is(JsonKind::kObject)) return {};
  for (std::size_t i = 0; i < size(); ++i) {
    if (key(i) == name) return (*this)[i];
  }
  return {};
}

}  // namespace signet::wire
