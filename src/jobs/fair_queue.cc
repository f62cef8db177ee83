#include "jobs/fair_queue.h"

#include <cassert>

namespace signet::jobs {

FairQueue::Rank FairQueue::rank_of(const User& user) {
  const auto& [priority, order] = *user.waiting.begin();
  return {priority, user.under_way, user.served, order};
}

template <class Do>
void FairQueue::with(const std::string& user, Do change) {
  User& found = users_[user];
  if (!found.waiting.empty()) ranks_.erase(rank_of(found));
  change(found);
  if (!found.waiting.empty()) ranks_.insert(rank_of(found));
}

void FairQueue::add(const std::string& user, std::int32_t priority, std::uint64_t order) {
  with(user, [&](User& found) { found.waiting.emplace(-std::int64_t{priority}, order); });
}

void FairQueue::remove(const std::string& user, std::int32_t priority, std::uint64_t order) {
  with(user, [&](User& found) { found.waiting.erase({-std::int64_t{priority}, order}); });
}

std::optional<std::uint64_t> FairQueue::first() const {
  if (ranks_.empty()) return std::nullopt;
  return std::get<3>(*ranks_.begin());
}

void FairQueue::began(const std::string& user) {
  with(user, [this](User& found) {
    ++found.under_way;
    found.served = ++services_;
  });
}

void FairQueue::ended(const std::string& user) {
  with(user, [](User& found) {
    assert(found.under_way > 0);
    --found.under_way;
  });
}

void FairQueue::was_served(const std::string& user) {
  with(user, [this](User& found) { found.served = ++services_; });
}

void FairQueue::forget(const std::string& user) {
  const auto found = users_.find(user);
  if (found == users_.end()) return;
  assert(found->second.waiting.empty() && found->second.under_way == 0);
  users_.erase(found);
}

}  // namespace signet::jobs
