#include "routing/topic.h"

namespace signet::routing {
namespace {

constexpr std::array<bool, 256> kInSegment = [] {
  std::array<bool, 256> allowed{};
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789_-:/@")) {
    allowed[static_cast<unsigned char>(c)] = true;
  }
  return allowed;
}();

}  // namespace

bool is_topic_character(char c) { return kInSegment[static_cast<unsigned char>(c)]; }

bool is_topic(std::string_view text) {
  if (text.size() > kMaxTopicBytes) return false;
  std::size_t segments = 1;
  bool segment_is_empty = true;
  for (const char c : text) {
    if (c == '.') {
      if (segment_is_empty || ++segments > kMaxTopicSegments) return false;
      segment_is_empty = true;
    } else {
      if (!is_topic_character(c)) return false;
      segment_is_empty = false;
    }
  }
  return !segment_is_empty;
}

std::string_view SegmentCursor::next() {
  const std::size_t dot = rest_.find('.');
  const std::string_view segment = rest_.substr(0, dot);
  at_end_ = dot == std::string_view::npos;
  if (!at_end_) rest_.remove_prefix(dot + 1);
  return segment;
}

Segments::Segments(std::string_view text) {
  SegmentCursor cursor(text);
  while (!cursor.at_end() && size_ < segments_.size()) segments_[size_++] = cursor.next();
}

}  // namespace signet::routing
