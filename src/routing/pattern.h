// Pattern names topics: by name, with `*` for exactly one segment, or with `>` as the last segment
// for one or more. It is what clients subscribe to and what the policy permits, of topics and of
// channels alike. Pure.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <utility>

#include "routing/topic.h"
#include "signet/result.h"

namespace signet::routing {

class Pattern {
 public:
  // Fails kMalformed, naming the rule that is broken: "pattern is empty", "pattern is too long",
  // "pattern is too deep", "pattern has an empty segment", "pattern has a wildcard inside a
  // segment", "pattern has > before its end" or "pattern has a character that no topic has".
  static Result<Pattern> parse(std::string_view text);

  // Whether it names `name`, a topic or a channel. A channel may have dots where no topic has them:
  // `a..b` has three segments, and the empty one is a segment like any other to `*` and `>`.
  // Nothing matches the empty text.
  bool matches(std::string_view name) const;

  // True without wildcards: it then names exactly the topic that is its text.
  bool is_exact() const { return is_exact_; }

  const std::string& text() const { return text_; }
  Segments segments() const { return Segments(text_); }  // borrows the pattern

  bool operator==(const Pattern& other) const { return text_ == other.text_; }
  auto operator<=>(const Pattern& other) const { return text_ <=> other.text_; }

 private:
  Pattern(std::string text, bool is_exact) : text_(std::move(text)), is_exact_(is_exact) {}

  std::string text_;
  bool is_exact_;
};

}  // namespace signet::routing
