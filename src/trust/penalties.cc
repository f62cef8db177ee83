#include "trust/penalties.h"

#include <algorithm>
#include <iterator>

namespace signet::trust {

bool Penalties::failed(const Key& key, Elapsed now) {
  if (options_.max_keys == 0) return false;
  Record& record = record_of(key);
  forget_old(record, now);
  if (record.steps == 0) {
    record.failures.push_back(now);
    if (record.failures.size() < options_.free_failures) return false;
    record.failures = {};
  }
  ++record.steps;
  record.until = std::max(record.until, now + wait_of(record.steps));
  return record.steps == 1;
}

void Penalties::succeeded(const Key& key, Elapsed now) {
  const auto found = places_.find(key);
  if (found == places_.end()) return;
  Record& record = *found->second;
  forget_old(record, now);
  if (!record.failures.empty()) record.failures.pop_back();
  if (record.steps > 0) --record.steps;
  if (record.failures.empty() && record.steps == 0) forget(found->second);
}

std::optional<std::chrono::nanoseconds> Penalties::must_wait(const Key& key, Elapsed now) const {
  const auto found = places_.find(key);
  if (found == places_.end() || found->second->steps == 0) return std::nullopt;
  const std::chrono::nanoseconds left = found->second->until - now;
  if (left.count() <= 0) return std::nullopt;
  return left;
}

Penalties::Record& Penalties::record_of(const Key& key) {
  if (const auto found = places_.find(key); found != places_.end()) {
    records_.splice(records_.begin(), records_, found->second);
    return records_.front();
  }
  if (places_.size() >= options_.max_keys) forget(std::prev(records_.end()));
  records_.push_front(Record{key, {}, 0, {}});
  places_.emplace(key, records_.begin());
  return records_.front();
}

// A wait is followed by a window in which it is remembered: else who waits patiently has all his
// free failures again after each wait.
void Penalties::forget_old(Record& record, Elapsed now) const {
  if (record.steps > 0 && now - record.until >= options_.window) record.steps = 0;
  std::erase_if(record.failures, [&](Elapsed failure) { return now - failure >= options_.window; });
}

void Penalties::forget(Place place) {
  places_.erase(place->key);
  records_.erase(place);
}

std::chrono::nanoseconds Penalties::wait_of(std::uint32_t steps) const {
  std::chrono::nanoseconds wait = std::min(options_.first, options_.most);
  for (std::uint32_t i = 1; i < steps && wait < options_.most; ++i) {
    wait = wait > options_.most / 2 ? options_.most : wait * 2;
  }
  return wait;
}

}  // namespace signet::trust
