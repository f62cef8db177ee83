// Topics: what a pulse is published on. Segments between dots, `mirror.intent`; a name that no log,
// URL or pattern can misread. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace signet::routing {

// Sixteen segments are what one look-up ever descends: no topic makes the tree deeper. 128 bytes
// are one path segment of a URL with room to spare.
inline constexpr std::size_t kMaxTopicBytes = 128;
inline constexpr std::size_t kMaxTopicSegments = 16;

// 1 to 16 segments separated by '.', none empty, of letters, digits, '_', '-', ':', '/' and '@'.
// Neither `*` nor `>`, so that a topic is never taken for a pattern.
bool is_topic(std::string_view text);
bool is_topic_character(char c);  // of a segment: '.' is none

// SegmentCursor reads a text dot by dot, however many there are. `a..b` has three segments, the
// second one empty, and the empty text has one. Borrows the text.
class SegmentCursor {
 public:
  explicit SegmentCursor(std::string_view text) : rest_(text) {}

  bool at_end() const { return at_end_; }
  // REQUIRES: !at_end().
  std::string_view next();

 private:
  std::string_view rest_;
  bool at_end_ = false;
};

// Segments are those of a topic or a pattern side by side; nothing behind the sixteenth is read.
// Borrows the text.
class Segments {
 public:
  explicit Segments(std::string_view text);

  std::size_t size() const { return size_; }
  std::string_view operator[](std::size_t at) const { return segments_[at]; }
  const std::string_view* begin() const { return segments_.data(); }
  const std::string_view* end() const { return segments_.data() + size_; }

 private:
  std::array<std::string_view, kMaxTopicSegments> segments_{};
  std::size_t size_ = 0;
};

}  // namespace signet::routing
