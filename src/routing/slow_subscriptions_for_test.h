// SlowSubscriptions answers what SubscriptionTree answers, by asking every pattern: obvious, and
// what the tests and the fuzz target hold the tree against.
#pragma once

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "routing/subscription_tree.h"

namespace signet::routing {

class SlowSubscriptions {
 public:
  using Subscriber = SubscriptionTree::Subscriber;

  bool add(const Pattern& pattern, Subscriber subscriber) {
    return pairs_.emplace(pattern, subscriber).second;
  }
  bool remove(const Pattern& pattern, Subscriber subscriber) {
    return pairs_.erase({pattern, subscriber}) > 0;
  }
  std::vector<Subscriber> match(std::string_view topic) const {
    std::vector<Subscriber> found;
    if (!is_topic(topic)) return found;
    for (const auto& pair : pairs_) {
      if (pair.first.matches(topic)) found.push_back(pair.second);
    }
    std::sort(found.begin(), found.end());
    return found;
  }
  std::size_t size() const { return pairs_.size(); }

  const std::set<std::pair<Pattern, Subscriber>>& pairs() const { return pairs_; }

  // How many nodes a tree of these needs: one for each topic by name, and one for each beginning
  // of a pattern with wildcards, where a `>` at the end needs none.
  std::size_t nodes() const {
    std::set<std::string_view> exact;
    std::set<std::string_view> beginnings;
    for (const auto& pair : pairs_) {
      const std::string_view text = pair.first.text();
      if (pair.first.is_exact()) {
        exact.insert(text);
        continue;
      }
      for (std::size_t at = 0; at < text.size(); ++at) {
        const bool ends = at + 1 == text.size() || text[at + 1] == '.';
        if (ends && text[at] != '>') beginnings.insert(text.substr(0, at + 1));
      }
    }
    return exact.size() + beginnings.size();
  }

 private:
  std::set<std::pair<Pattern, Subscriber>> pairs_;
};

// What the tree answers, in the same order.
inline std::vector<SubscriptionTree::Subscriber> matched(const SubscriptionTree& tree,
                                                         std::string_view topic) {
  std::vector<SubscriptionTree::Subscriber> found;
  tree.match(topic, [&](SubscriptionTree::Subscriber subscriber) { found.push_back(subscriber); });
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace signet::routing
