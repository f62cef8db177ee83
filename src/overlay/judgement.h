// Judgement is one decision on one node, with all that it was made of: what is kept so that it can
// be made again, by anybody, and come to the same (`signet node explain`). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "overlay/rule.h"

namespace signet::overlay {

struct Judgement {
  Node node;  // as it was before, with what the broker had seen of it since the decision before
  std::uint64_t epoch = 0;
  WallTime at;
  std::uint32_t rule = 0;                                          // the version of the parameters
  membership::Standing standing = membership::Standing::kUnknown;  // of its member, before
  std::string kept_because;  // it stayed allowed against the rule, for this; empty: the rule held

  // What it came to.
  Verdict verdict = Verdict::kUnknown;
  Because because = Because::kNoBenchmark;
  std::string reason;
  Score score;
  membership::Standing standing_after = membership::Standing::kUnknown;
  bool operator==(const Judgement&) const = default;
};

// "revoked", "too_old", …: which step of the rule decided.
std::string_view name_of(Because because);

// The node stays allowed and its member as it is, against the rule: `because` comes behind the
// reason, in brackets.
void keep_allowed(membership::Standing standing, std::string_view because, Decision& decision);

// A member that was none of the overlay yet has nothing to lose there, and keeps its sockets.
void spare_newcomer(const Node& node, membership::Standing standing, Decision& decision);

// Writes into it what it came to.
void conclude(const Decision& decision, Judgement& judgement);

// The same inputs once more: what conclude() wrote is not looked at. `rule`: of that version.
Judgement judge_again(const Judgement& judgement, const RuleParameters& rule);

// explain() of rule.h, with what came beside the rule and what it all came to.
std::vector<std::string> explain(const Judgement& judgement, const RuleParameters& rule);

}  // namespace signet::overlay
