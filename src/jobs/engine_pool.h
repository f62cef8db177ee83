// EnginePool is the engines that take jobs, and which jobs each has: never more than it may. The
// least busy is asked first, and among equals the one that was given something longest ago.
//
// Every call costs the logarithm of the number of engines. Pure; part of a JobBoard, on its thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>

namespace signet::jobs {

// EngineSession names one live connection of an engine; a reconnected one is another. Never 0.
using EngineSession = std::uint64_t;

class EnginePool {
 public:
  struct Engine {
    std::string name;
    std::set<std::uint64_t> jobs;  // by order
    std::uint64_t given = 0;       // the how-manieth gift of all its last one was; 0: none
  };

  explicit EnginePool(std::size_t jobs_per_engine) : most_(jobs_per_engine) {}
  // What an engine has beyond a smaller number it keeps.
  void set_most(std::size_t jobs_per_engine);

  // Nothing happens where it is here already.
  void add(EngineSession session, std::string name);
  // Answers the jobs it had, the oldest first.
  std::set<std::uint64_t> remove(EngineSession session);

  // Who should have the next job: one with room, `avoid` only where there is no other.
  std::optional<EngineSession> choose(EngineSession avoid) const;
  // REQUIRES: the engine has room.
  void give(EngineSession session, std::uint64_t job);
  // Nothing happens where the engine is gone.
  void take(EngineSession session, std::uint64_t job);

  const Engine* find(EngineSession session) const;
  const std::map<EngineSession, Engine>& all() const { return engines_; }

 private:
  using Rank = std::tuple<std::size_t, std::uint64_t, EngineSession>;  // jobs, given, who
  static Rank rank_of(EngineSession session, const Engine& engine);
  void rank(EngineSession session, const Engine& engine);

  std::size_t most_;
  std::map<EngineSession, Engine> engines_;
  std::set<Rank> free_;
  std::uint64_t gifts_ = 0;
};

}  // namespace signet::jobs
