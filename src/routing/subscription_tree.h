// SubscriptionTree knows which subscriber asked for which pattern, and finds those that match a
// topic. Topics by name are one look-up; patterns with wildcards hang in a tree by segment that is
// walked without recursion and never deeper than kMaxTopicSegments. Pure; owned by one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "crypto/hash.h"
#include "routing/pattern.h"

namespace signet::routing {

class SubscriptionTree {
 public:
  using Subscriber = std::uint32_t;  // what the owner calls it: the slot of a connection

  // False: it is there already.
  bool add(const Pattern& pattern, Subscriber subscriber);

  // False: it was not there. What the pattern took is given back with its last subscriber.
  bool remove(const Pattern& pattern, Subscriber subscriber);

  // match calls visit(Subscriber) once for each pattern that matches: a subscriber with two such
  // patterns comes twice, and the caller tells by a stamp. Nobody, if `topic` is none (is_topic).
  // Allocates nothing. `visit` must not change the tree.
  // Returns how many nodes it looked at, at least 1: what this topic cost, for whoever charges it.
  // That is never more than nodes() + 2, nor than 2^17 whatever anybody subscribes to.
  template <class Visit>
  std::size_t match(std::string_view topic, Visit&& visit) const;

  std::size_t size() const { return size_; }  // pairs of pattern and subscriber
  // What is allocated: one for each topic that is subscribed by name, and those of the tree.
  std::size_t nodes() const { return exact_.size() + tree_nodes_; }

 private:
  // Sorted, so that a pair is found, and looked at side by side when a pulse fans out. To insert or
  // erase moves what lies behind: 2 KiB at a thousand subscribers, less than a look-up costs.
  using Subscribers = std::vector<Subscriber>;

  // Segments are a peer's choice, hence ordered and not hashed; a node that loses a million
  // children holds no empty buckets for them.
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> named;
    std::unique_ptr<Node> any;  // behind `*`
    Subscribers here;           // of the pattern that ends with this node
    Subscribers below;          // of the pattern that goes on with `>` and ends

    bool empty() const { return named.empty() && !any && here.empty() && below.empty(); }
  };
  // The tree destroys itself by as many nested calls as it is deep: kMaxTopicSegments.

  static bool insert(Subscribers& subscribers, Subscriber subscriber);
  static bool erase(Subscribers& subscribers, Subscriber subscriber);
  Subscribers& grow(const Pattern& pattern);
  bool remove_exact(const Pattern& pattern, Subscriber subscriber);
  bool remove_wildcard(const Pattern& pattern, Subscriber subscriber);

  template <class Visit>
  std::size_t match_wildcards(const Segments& topic, Visit& visit) const;

  std::unordered_map<std::string, Subscribers, crypto::KeyedHash, std::equal_to<>> exact_;
  Node root_;
  std::size_t tree_nodes_ = 0;  // without the root
  std::size_t size_ = 0;
};

template <class Visit>
std::size_t SubscriptionTree::match(std::string_view topic, Visit&& visit) const {
  if (!is_topic(topic)) return 1;
  if (const auto found = exact_.find(topic); found != exact_.end()) {
    for (const Subscriber subscriber : found->second) visit(subscriber);
  }
  return root_.empty() ? 1 : 1 + match_wildcards(Segments(topic), visit);
}

template <class Visit>
std::size_t SubscriptionTree::match_wildcards(const Segments& topic, Visit& visit) const {
  struct Step {
    const Node* node;
    std::size_t depth;
  };
  // Depth first: of each level above the current one at most one node waits, and the current two.
  std::array<Step, kMaxTopicSegments + 1> waiting;
  std::size_t count = 0;
  std::size_t visited = 0;
  waiting[count++] = {&root_, 0};
  while (count > 0) {
    const Step step = waiting[--count];
    ++visited;
    if (step.depth == topic.size()) {
      for (const Subscriber subscriber : step.node->here) visit(subscriber);
      continue;
    }
    for (const Subscriber subscriber : step.node->below) visit(subscriber);
    if (step.node->any) waiting[count++] = {step.node->any.get(), step.depth + 1};
    const auto named = step.node->named.find(topic[step.depth]);
    if (named != step.node->named.end()) waiting[count++] = {named->second.get(), step.depth + 1};
  }
  return visited;
}

}  // namespace signet::routing
