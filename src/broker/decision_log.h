// DecisionLog keeps the latest refusals of the policy, so that an operator finds the rule behind
// the reference that a peer was told. Bounded; in memory only. Owned by the control thread.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"

namespace signet::broker {

struct RefusedDecision {
  std::string id;
  WallTime at;
  std::string mesh;                // slug
  std::string who;                 // member id, source or key
  std::vector<std::string> roles;  // that it had
  std::string action;
  std::string on;
  std::string rule;  // empty: nothing allowed it
  std::string code;  // what the peer was told
};

class DecisionLog {
 public:
  // A few hours of a quiet mesh, some 20 s of the most that is recorded.
  static constexpr std::size_t kKept = 4'096;

  void add(RefusedDecision decision);
  // nullptr where there is none, or it was too long ago. Good until the next add().
  const RefusedDecision* find(std::string_view id) const;
  // The newest, newest first.
  std::vector<const RefusedDecision*> latest(std::size_t limit) const;

 private:
  std::deque<RefusedDecision> kept_;
};

}  // namespace signet::broker
