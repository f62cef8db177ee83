// BucketMap is a map whose copies share what did not change: 64 small sorted maps behind pointers.
// A copy costs 64 pointers, a change after a copy one bucket. That is what lets every join publish
// a new immutable snapshot of a mesh of ten thousand without copying ten thousand members.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>

namespace signet::membership {

// `Spread` maps a key to any size_t; a bad spread costs speed only (buckets are sorted maps). Where
// peers choose the keys it must be keyed.
template <class Key, class Value, class Spread>
class BucketMap {
 public:
  // Borrowed until the next change of this copy; nullptr where there is none.
  const Value* find(const Key& key) const {
    const auto& bucket = buckets_[index_of(key)];
    if (!bucket) return nullptr;
    const auto found = bucket->find(key);
    return found == bucket->end() ? nullptr : &found->second;
  }

  void set(const Key& key, Value value) {
    auto& bucket = buckets_[index_of(key)];
    auto changed = bucket ? std::make_shared<std::map<Key, Value>>(*bucket)
                          : std::make_shared<std::map<Key, Value>>();
    changed->insert_or_assign(key, std::move(value));
    bucket = std::move(changed);
  }

  void each(const std::function<void(const Key&, const Value&)>& visit) const {
    for (const auto& bucket : buckets_) {
      if (!bucket) continue;
      for (const auto& [key, value] : *bucket) visit(key, value);
    }
  }

 private:
  static constexpr std::size_t kBuckets = 64;
  static std::size_t index_of(const Key& key) { return Spread{}(key) % kBuckets; }

  std::array<std::shared_ptr<const std::map<Key, Value>>, kBuckets> buckets_;
};

}  // namespace signet::membership
