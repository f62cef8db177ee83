#include "jobs/world.h"

namespace signet::jobs {

void World::add(std::uint64_t job) {
  jobs_.insert(job);
  not_completed_.insert(job);
}

bool World::may_begin(std::uint64_t job) const { return *not_completed_.begin() == job; }

bool World::is_hopeless(std::uint64_t job) const {
  return !failed_.empty() && *failed_.begin() < job;
}

void World::block(std::uint64_t job) { blocked_.insert(job); }

bool World::unblock(std::uint64_t job) { return blocked_.erase(job) > 0; }

std::optional<std::uint64_t> World::completed(std::uint64_t job) {
  not_completed_.erase(job);
  if (not_completed_.empty()) return std::nullopt;
  const std::uint64_t first = *not_completed_.begin();
  if (!unblock(first)) return std::nullopt;
  return first;
}

std::set<std::uint64_t> World::failed(std::uint64_t job) {
  failed_.insert(job);
  const auto from = blocked_.upper_bound(job);
  std::set<std::uint64_t> hopeless(from, blocked_.end());
  blocked_.erase(from, blocked_.end());
  return hopeless;
}

void World::again(std::uint64_t job) { failed_.erase(job); }

}  // namespace signet::jobs
