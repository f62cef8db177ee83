#include "routing/pattern.h"

#include <algorithm>

namespace signet::routing {
namespace {

constexpr std::string_view kOne = "*";
constexpr std::string_view kRest = ">";

// The rule that a segment breaks, if any. `is_last`: nothing follows it.
const char* broken_by(std::string_view segment, bool is_last) {
  if (segment.empty()) return "pattern has an empty segment";
  if (segment == kOne) return nullptr;
  if (segment == kRest) return is_last ? nullptr : "pattern has > before its end";
  if (std::ranges::all_of(segment, is_topic_character)) return nullptr;
  return segment.find_first_of("*>") != std::string_view::npos
             ? "pattern has a wildcard inside a segment"
             : "pattern has a character that no topic has";
}

}  // namespace

Result<Pattern> Pattern::parse(std::string_view text) {
  const auto refuse = [](const char* rule) { return Error{ErrorCode::kMalformed, rule}; };
  if (text.empty()) return refuse("pattern is empty");
  if (text.size() > kMaxTopicBytes) return refuse("pattern is too long");
  std::size_t segments = 0;
  bool is_exact = true;
  for (SegmentCursor cursor(text); !cursor.at_end();) {
    const std::string_view segment = cursor.next();
    if (++segments > kMaxTopicSegments) return refuse("pattern is too deep");
    if (const char* rule = broken_by(segment, cursor.at_end())) return refuse(rule);
    is_exact = is_exact && segment != kOne && segment != kRest;
  }
  return Pattern(std::string(text), is_exact);
}

bool Pattern::matches(std::string_view name) const {
  if (name.empty()) return false;
  if (is_exact_) return name == text_;
  SegmentCursor pattern(text_);
  SegmentCursor segments(name);
  while (!pattern.at_end()) {
    if (segments.at_end()) return false;
    const std::string_view wanted = pattern.next();
    if (wanted == kRest) return true;
    if (const std::string_view segment = segments.next(); wanted != kOne && wanted != segment) {
      return false;
    }
  }
  return segments.at_end();
}

}  // namespace signet::routing
