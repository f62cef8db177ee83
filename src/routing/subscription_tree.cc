#include "routing/subscription_tree.h"

#include <algorithm>
#include <utility>

namespace signet::routing {
namespace {

// A table of fewer buckets costs less than counting them.
constexpr std::size_t kFewBuckets = 1024;

template <class Table>
void shrink_if_sparse(Table& table) {
  const std::size_t buckets = table.bucket_count();
  // From an eighth to a quarter: the next shrinking is as many removals away as this one moves.
  if (buckets > kFewBuckets && table.size() < buckets / 8) table.rehash(buckets / 4);
}

}  // namespace

bool SubscriptionTree::insert(Subscribers& subscribers, Subscriber subscriber) {
  const auto at = std::lower_bound(subscribers.begin(), subscribers.end(), subscriber);
  if (at != subscribers.end() && *at == subscriber) return false;
  subscribers.insert(at, subscriber);
  return true;
}

bool SubscriptionTree::erase(Subscribers& subscribers, Subscriber subscriber) {
  const auto at = std::lower_bound(subscribers.begin(), subscribers.end(), subscriber);
  if (at == subscribers.end() || *at != subscriber) return false;
  subscribers.erase(at);
  if (subscribers.size() < subscribers.capacity() / 4) subscribers.shrink_to_fit();
  return true;
}

bool SubscriptionTree::add(const Pattern& pattern, Subscriber subscriber) {
  const bool added =
      insert(pattern.is_exact() ? exact_[pattern.text()] : grow(pattern), subscriber);
  if (added) ++size_;
  return added;
}

// The subscribers of a pattern with wildcards, after making what nodes it lacks.
SubscriptionTree::Subscribers& SubscriptionTree::grow(const Pattern& pattern) {
  Node* node = &root_;
  for (const std::string_view segment : pattern.segments()) {
    if (segment == ">") return node->below;
    auto& child = segment == "*" ? node->any : node->named[std::string(segment)];
    if (!child) {
      child = std::make_unique<Node>();
      ++tree_nodes_;
    }
    node = child.get();
  }
  return node->here;
}

bool SubscriptionTree::remove(const Pattern& pattern, Subscriber subscriber) {
  const bool removed =
      pattern.is_exact() ? remove_exact(pattern, subscriber) : remove_wildcard(pattern, subscriber);
  if (removed) --size_;
  return removed;
}

bool SubscriptionTree::remove_exact(const Pattern& pattern, Subscriber subscriber) {
  const auto found = exact_.find(pattern.text());
  if (found == exact_.end() || !erase(found->second, subscriber)) return false;
  if (found->second.empty()) {
    exact_.erase(found);
    shrink_if_sparse(exact_);
  }
  return true;
}

bool SubscriptionTree::remove_wildcard(const Pattern& pattern, Subscriber subscriber) {
  const Segments segments = pattern.segments();
  std::array<Node*, kMaxTopicSegments + 1> path;  // path[i] is above segments[i]
  std::size_t depth = 0;
  path[0] = &root_;
  while (depth < segments.size() && segments[depth] != ">") {
    Node& node = *path[depth];
    if (segments[depth] == "*") {
      path[++depth] = node.any.get();
    } else {
      const auto named = node.named.find(segments[depth]);
      path[++depth] = named == node.named.end() ? nullptr : named->second.get();
    }
    if (path[depth] == nullptr) return false;
  }
  Node& last = *path[depth];
  if (!erase(depth < segments.size() ? last.below : last.here, subscriber)) return false;
  for (; depth > 0 && path[depth]->empty(); --depth) {
    Node& above = *path[depth - 1];
    if (segments[depth - 1] == "*") {
      above.any.reset();
    } else {
      above.named.erase(above.named.find(segments[depth - 1]));
    }
    --tree_nodes_;
  }
  return true;
}

}  // namespace signet::routing
