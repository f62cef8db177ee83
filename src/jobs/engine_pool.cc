#include "jobs/engine_pool.h"

#include <cassert>
#include <iterator>
#include <utility>

namespace signet::jobs {

EnginePool::Rank EnginePool::rank_of(EngineSession session, const Engine& engine) {
  return {engine.jobs.size(), engine.given, session};
}

void EnginePool::rank(EngineSession session, const Engine& engine) {
  if (engine.jobs.size() < most_) free_.insert(rank_of(session, engine));
}

void EnginePool::set_most(std::size_t jobs_per_engine) {
  most_ = jobs_per_engine;
  free_.clear();
  for (const auto& [session, engine] : engines_) rank(session, engine);
}

void EnginePool::add(EngineSession session, std::string name) {
  const auto [at, is_new] = engines_.try_emplace(session);
  if (!is_new) return;
  at->second.name = std::move(name);
  rank(session, at->second);
}

std::set<std::uint64_t> EnginePool::remove(EngineSession session) {
  const auto found = engines_.find(session);
  if (found == engines_.end()) return {};
  free_.erase(rank_of(session, found->second));
  auto jobs = std::move(found->second.jobs);
  engines_.erase(found);
  return jobs;
}

std::optional<EngineSession> EnginePool::choose(EngineSession avoid) const {
  auto best = free_.begin();
  if (best == free_.end()) return std::nullopt;
  const auto next = std::next(best);
  if (std::get<2>(*best) == avoid && next != free_.end()) best = next;
  return std::get<2>(*best);
}

void EnginePool::give(EngineSession session, std::uint64_t job) {
  const auto found = engines_.find(session);
  assert(found != engines_.end() && found->second.jobs.size() < most_);
  free_.erase(rank_of(session, found->second));
  found->second.jobs.insert(job);
  found->second.given = ++gifts_;
  rank(session, found->second);
}

void EnginePool::take(EngineSession session, std::uint64_t job) {
  const auto found = engines_.find(session);
  if (found == engines_.end()) return;
  free_.erase(rank_of(session, found->second));
  found->second.jobs.erase(job);
  rank(session, found->second);
}

const EnginePool::Engine* EnginePool::find(EngineSession session) const {
  const auto found = engines_.find(session);
  return found == engines_.end() ? nullptr : &found->second;
}

}  // namespace signet::jobs
