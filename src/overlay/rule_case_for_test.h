// A node with a life: reports, epochs and standings, for the tests of the rule.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "overlay/rule.h"

namespace signet::overlay {

inline constexpr WallTime kNow{1'767'616'490'000};  // 2026-01-05T12:34:50Z
inline constexpr std::uint64_t kEpoch = 42;

inline void report(Node& node, const std::string& suite, Score score,
                   std::chrono::milliseconds age) {
  node.reports[suite] = Report{suite, score, kNow - age};
}

// With one report, in time.
inline Node node_with(Score score) {
  using namespace std::chrono_literals;
  Node node;
  node.name = "node-a";
  report(node, "poc-0.1", score, 10s);
  return node;
}

// Lives from epoch to epoch, as the controller would have it.
struct LifeForTest {
  RuleParameters parameters;
  Node node;
  membership::Standing standing = membership::Standing::kUnknown;
  std::uint64_t epoch = 0;

  // Of the epoch that is decided next.
  WallTime now() const { return kNow + std::chrono::minutes(epoch + 1); }
  void reports(Score score) { node.reports["poc-0.1"] = Report{"poc-0.1", score, now()}; }
  Decision decides() {
    const WallTime at = now();
    ++epoch;
    Decision decision = decide(node, standing, parameters, epoch, at);
    apply(decision, epoch, node);
    standing = decision.standing;
    return decision;
  }
  Decision decides_on(Score score) {
    reports(score);
    return decides();
  }
};

}  // namespace signet::overlay
