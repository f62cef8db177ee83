// Topics: a pattern is read as its grammar says, and the subscription tree answers what asking
// every pattern answers, whatever is added, removed and published in whatever order. One line of
// the input is one operation: a sign, a subscriber, and a text.
//   +3a.*   subscribe    -3a.*   unsubscribe    any other sign: publish on the text
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "routing/pattern.h"
#include "routing/slow_subscriptions_for_test.h"
#include "routing/subscription_tree.h"
#include "routing/topic.h"

namespace {

using namespace signet::routing;

constexpr std::size_t kMaxOperations = 200;  // the slow list asks every pattern each time

void check(bool holds) {
  if (!holds) std::abort();
}

// What topic.h says, word by word.
bool slow_is_topic(std::string_view text) {
  std::size_t segments = 0;
  for (SegmentCursor cursor(text); !cursor.at_end(); ++segments) {
    const std::string_view segment = cursor.next();
    if (segment.empty()) return false;
    for (const char c : segment) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      const bool digit = c >= '0' && c <= '9';
      if (!letter && !digit && std::string_view("_-:/@").find(c) == std::string_view::npos) {
        return false;
      }
    }
  }
  return segments <= 16 && text.size() <= 128;
}

// A pattern is a topic when each wildcard in it is replaced by a letter.
bool slow_is_pattern(std::string_view text) {
  std::string topic;
  for (SegmentCursor cursor(text); !cursor.at_end();) {
    const std::string_view segment = cursor.next();
    const bool wild = segment == "*" || (segment == ">" && cursor.at_end());
    topic += wild ? "x" : std::string(segment);
    if (!cursor.at_end()) topic += '.';
  }
  return slow_is_topic(topic);
}

// Matching by every way there is, told of segments.
bool slow_matches(const std::vector<std::string>& pattern, const std::vector<std::string>& name) {
  for (std::size_t at = 0; at < pattern.size(); ++at) {
    if (at == name.size()) return false;
    if (pattern[at] == ">") return true;
    if (pattern[at] != "*" && pattern[at] != name[at]) return false;
  }
  return pattern.size() == name.size();
}

std::vector<std::string> segments_of(std::string_view text) {
  std::vector<std::string> segments(1);
  for (const char c : text) {
    if (c == '.') {
      segments.emplace_back();
    } else {
      segments.back() += c;
    }
  }
  return segments;
}

void check_match(const Pattern& pattern, std::string_view name) {
  const bool expected =
      !name.empty() && slow_matches(segments_of(pattern.text()), segments_of(name));
  check(pattern.matches(name) == expected);
}

struct Subscriptions {
  SubscriptionTree tree;
  SlowSubscriptions slow;

  void apply(char sign, SubscriptionTree::Subscriber subscriber, std::string_view text) {
    check(is_topic(text) == slow_is_topic(text));
    const auto pattern = Pattern::parse(text);
    check(pattern.ok() == slow_is_pattern(text));
    if (pattern.ok()) {
      check(pattern->text() == text && pattern->is_exact() == is_topic(text));
    } else {
      check(pattern.error().code == signet::ErrorCode::kMalformed);
    }
    if ((sign == '+' || sign == '-') && pattern.ok()) {
      check(sign == '+' ? tree.add(*pattern, subscriber) == slow.add(*pattern, subscriber)
                        : tree.remove(*pattern, subscriber) == slow.remove(*pattern, subscriber));
    }
    publish(text);
    check(tree.size() == slow.size());
  }

  void publish(std::string_view topic) {
    for (const auto& pair : slow.pairs()) check_match(pair.first, topic);
    check(matched(tree, topic) == slow.match(topic));
    const auto nobody = [](SubscriptionTree::Subscriber) {};
    check(tree.match(topic, nobody) <= tree.nodes() + 2);
  }

  // Everybody leaves, and nothing may be left.
  void end() {
    check(tree.nodes() == slow.nodes());
    for (const auto& pair : slow.pairs()) check(tree.remove(pair.first, pair.second));
    check(tree.size() == 0 && tree.nodes() == 0);
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  Subscriptions subscriptions;
  for (std::size_t i = 0; i < kMaxOperations && !rest.empty(); ++i) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(line.size() == rest.size() ? line.size() : line.size() + 1);
    if (line.size() < 2) continue;
    const auto subscriber = static_cast<unsigned char>(line[1]) % 4u;
    subscriptions.apply(line[0], subscriber, line.substr(2));
  }
  subscriptions.end();
  return 0;
}
