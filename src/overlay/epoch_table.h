// EpochTable is where the keys of a mesh are: the epoch that holds, and at most one more that is
// either handed out ahead or still good for a while. Pure: events in, what is to be done out; the
// controller commits each step before anybody hears of it, and the same steps at start make the
// same table. tests/models/epoch.pml is its model.
//
//   kSteady --stage--> kStaged --(all ready)--> kNamed --(its moment)--> kGrace --(all use it)-->
//   kSteady
//
// Keys are switched only when every node has them, and the old ones forgotten only when every node
// left them, so no two nodes are ever without a common key (threat K7); times merely pace it. A
// node that says nothing is waited for until the rule denies it; one that reports and never gets
// ready, for `patience` boundaries. At most two secrets are alive (threat K6). What is staged is
// never replaced: decisions go on meanwhile, and the latest of them is staged next.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/time.h"
#include "overlay/key_choice.h"

namespace signet::overlay {

struct EpochOptions {
  std::chrono::milliseconds length{60'000};
  std::chrono::milliseconds switch_ahead{3'000};  // a named moment is so far away: skew and polls
  std::chrono::milliseconds grace{15'000};        // the old keys are good so long at least
  // A switch, and a grace, wait for so many decisions at a boundary. A node that fell silent is
  // denied in the third (protocol/overlay.md: 120 s), so who is left behind is one that reports.
  std::uint32_t patience = 3;
};

enum class KeyPhase : std::uint8_t { kSteady = 0, kStaged = 1, kNamed = 2, kGrace = 3 };

// What is durable of it. Secrets lie beside it, one for each of `current` and `other`.
struct EpochState {
  std::uint64_t decided = 0;  // the last epoch that was decided; 0: none yet. Rises by one
  WallTime decided_at;
  std::uint64_t skipped = 0;  // boundaries that passed before `decided` without a decision: audited
  WallTime boundary;          // the last that was decided at; decisions between move it not
  KeyPhase phase = KeyPhase::kSteady;
  std::uint64_t current = 0;           // whose keys hold; 0: none yet
  std::optional<std::uint64_t> other;  // kStaged, kNamed: the next; kGrace: the one before
  WallTime moment;                     // kNamed: of the switch; kGrace: its earliest end
  std::uint32_t waited = 0;            // kStaged, kGrace: boundaries since it began
  bool operator==(const EpochState&) const = default;
};

// Can a table have been in it? What a store reads back is asked this.
bool is_consistent(const EpochState& state);

// What the owner is to do; each is committed with the state behind it.
enum class EpochStep : std::uint8_t {
  kNothing,
  kDecide,       // decide the next epoch, and tell how many boundaries were skipped
  kStage,        // draw a secret for the decided epoch and hand it out
  kNameMoment,   // all are ready
  kSwitch,       // the moment is there
  kForgetOther,  // the grace is over: wipe that secret
};
constexpr std::string_view name_of(EpochStep step) {
  constexpr std::string_view names[] = {"nothing",     "decide", "stage",
                                        "name_moment", "switch", "forget_other"};
  return names[static_cast<std::size_t>(step)];
}

// The nodes that are allowed and have keys of their own, with the epoch since which they are
// (Node::verdict_since).
using KeyHolders = std::map<std::string, std::uint64_t, std::less<>>;

class EpochTable {
 public:
  // REQUIRES: is_consistent(state).
  EpochTable(const EpochOptions& options, const EpochState& state);

  // At start, and when the owner finds that it was away: the machine slept, the store did not
  // answer, the clock stepped. Where reports may have run out meanwhile, none is decided for one
  // length, or `max_age` where that is shorter: so long a report counts, and who lives has said
  // another by then. They may have when a boundary passed, and also within the epoch where a report
  // counts for less than two lengths. So a controller that was away changes nothing.
  void resumed(WallTime now, std::chrono::milliseconds max_age);
  // False for that time: what is decided then (a revocation) denies nobody for silence.
  bool settled(WallTime now) const;

  // The next thing to do at `now`, one at a time, at last kNothing. Asked again after each step,
  // each report of a node, each change of the holders, and at next().
  EpochStep due(WallTime now, const KeyHolders& holders) const;
  // REQUIRES: due() said kNothing. At most a length away, so that a clock that stepped is seen.
  WallTime next(WallTime now) const;

  // The state as it will be behind a step, for the commit; apply() it when that succeeded. The
  // store commits only on the state before it, so that of two controllers one decides.
  // REQUIRES: due() said so (kDecide also at any time: rotate, revocation).
  EpochState behind(EpochStep step, WallTime now) const;
  void apply(const EpochState& state);

  // What a node says with each request: it has the keys of this epoch, and it uses those of that
  // one. Not durable: after a restart nodes say it again. Of other epochs it is nothing.
  void ready(const std::string& node, std::uint64_t epoch);
  void uses(const std::string& node, std::uint64_t epoch);
  // It was denied, replaced its key or is gone: what it said holds no longer.
  void forget(const std::string& node);

  // Who is missing for the step that comes; empty where none is waited for. A node that is allowed
  // later than the staged epoch is not waited for: its first configuration has both keys.
  std::set<std::string> waits_for(const KeyHolders& holders) const;

  // What a node that is allowed is offered now.
  KeyOffer offer() const;
  // When the next boundary is: the end of the epoch that was decided (expiry_utc).
  WallTime ends() const { return state_.boundary + options_.length; }
  const EpochState& state() const { return state_; }

 private:
  bool is_boundary(WallTime now) const;
  bool is_missing(const std::string& node, std::uint64_t since) const;
  bool has_waited(const KeyHolders& holders) const;
  void decide(EpochState& state, WallTime now) const;
  void stage(EpochState& state) const;
  void make_switch(EpochState& state, WallTime now) const;

  EpochOptions options_;
  EpochState state_;
  std::optional<WallTime> resumed_;
  std::chrono::milliseconds settling_{0};     // what it takes from there
  std::set<std::string, std::less<>> ready_;  // for state_.other while it is the next
  std::set<std::string, std::less<>> uses_;   // the keys that are switched to
};

}  // namespace signet::overlay
