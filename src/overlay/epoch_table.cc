#include "overlay/epoch_table.h"

#include <algorithm>
#include <cstdlib>

namespace signet::overlay {
namespace {

std::int64_t ms_between(WallTime from, WallTime to) { return to.ms - from.ms; }

// A moment that lies further ahead than it was ever set lies there because the clock went back.
bool is_reached(WallTime moment, std::chrono::milliseconds set_ahead, WallTime now) {
  return now >= moment || ms_between(now, moment) > set_ahead.count();
}

}  // namespace

bool is_consistent(const EpochState& state) {
  if (state.current > state.decided) return false;
  switch (state.phase) {
    case KeyPhase::kSteady:
      return !state.other;
    case KeyPhase::kStaged:
    case KeyPhase::kNamed:
      return state.current > 0 && state.other > state.current &&
             state.other.value_or(0) <= state.decided;
    case KeyPhase::kGrace:
      return state.other.value_or(0) > 0 && state.other < state.current;
  }
  return false;
}

EpochTable::EpochTable(const EpochOptions& options, const EpochState& state)
    : options_(options), state_(state) {
  if (!is_consistent(state) || options.length.count() <= 0) std::abort();
}

void EpochTable::resumed(WallTime now, std::chrono::milliseconds max_age) {
  // Within the epoch it was away for less than one: who reports once in each is still fresh, where
  // a report counts for two.
  const bool within = state_.decided > 0 && !is_reached(ends(), 2 * options_.length, now);
  const bool is_fresh = within && 2 * options_.length <= max_age;
  resumed_ = is_fresh ? std::nullopt : std::optional(now);
  settling_ = std::min(options_.length, max_age);
}

bool EpochTable::settled(WallTime now) const {
  return !resumed_ || now < *resumed_ || now >= *resumed_ + settling_;
}

// A step back by less than a length only makes this epoch longer, at most twice as long.
bool EpochTable::is_boundary(WallTime now) const {
  if (!settled(now)) return false;
  return state_.decided == 0 || is_reached(ends(), 2 * options_.length, now);
}

EpochStep EpochTable::due(WallTime now, const KeyHolders& holders) const {
  // What the nodes do by themselves at the moment comes before what may change who they are.
  if (state_.phase == KeyPhase::kNamed && is_reached(state_.moment, options_.switch_ahead, now)) {
    return EpochStep::kSwitch;
  }
  if (is_boundary(now)) return EpochStep::kDecide;
  switch (state_.phase) {
    case KeyPhase::kSteady:
      return state_.decided > state_.current ? EpochStep::kStage : EpochStep::kNothing;
    case KeyPhase::kStaged:
      return has_waited(holders) ? EpochStep::kNameMoment : EpochStep::kNothing;
    case KeyPhase::kNamed:
      return EpochStep::kNothing;
    case KeyPhase::kGrace:
      return is_reached(state_.moment, options_.grace, now) && has_waited(holders)
                 ? EpochStep::kForgetOther
                 : EpochStep::kNothing;
  }
  return EpochStep::kNothing;
}

WallTime EpochTable::next(WallTime now) const {
  WallTime at = now + options_.length;
  at = std::min(at, settled(now) ? ends() : resumed_.value_or(now) + settling_);
  const bool timed = state_.phase == KeyPhase::kNamed || state_.phase == KeyPhase::kGrace;
  if (timed && state_.moment > now) at = std::min(at, state_.moment);
  return std::max(at, now);
}

EpochState EpochTable::behind(EpochStep step, WallTime now) const {
  EpochState state = state_;
  switch (step) {
    case EpochStep::kNothing:
      break;
    case EpochStep::kDecide:
      decide(state, now);
      break;
    case EpochStep::kStage:
      stage(state);
      break;
    case EpochStep::kNameMoment:
      state.phase = KeyPhase::kNamed;
      state.moment = now + options_.switch_ahead;
      break;
    case EpochStep::kSwitch:
      make_switch(state, now);
      break;
    case EpochStep::kForgetOther:
      state.phase = KeyPhase::kSteady;
      state.other.reset();
      break;
  }
  return state;
}

void EpochTable::decide(EpochState& state, WallTime now) const {
  ++state.decided;
  state.decided_at = now;
  state.skipped = 0;
  if (state_.decided == 0) state.boundary = now;
  if (state_.decided == 0 || !is_boundary(now)) return;
  const std::int64_t length = options_.length.count();
  const std::int64_t passed = ms_between(state_.boundary, now) / length;
  if (passed < 1) {  // the clock went back
    state.boundary = now;
  } else {
    state.boundary = {state_.boundary.ms + passed * length};
    state.skipped = static_cast<std::uint64_t>(passed) - 1;
  }
  if (state.other) ++state.waited;
}

void EpochTable::stage(EpochState& state) const {
  state.waited = 0;
  if (state.current == 0) {  // nobody has a key that it could be without
    state.current = state.decided;
    return;
  }
  state.phase = KeyPhase::kStaged;
  state.other = state.decided;
}

void EpochTable::make_switch(EpochState& state, WallTime now) const {
  state.phase = KeyPhase::kGrace;
  state.current = state_.other.value_or(state_.current);
  state.other = state_.current;
  state.moment = now + options_.grace;
  state.waited = 0;
}

void EpochTable::apply(const EpochState& state) {
  const bool next = state.decided == state_.decided || state.decided == state_.decided + 1;
  if (!is_consistent(state) || !next || state.current < state_.current) std::abort();
  if (state.phase == KeyPhase::kSteady || state.phase == KeyPhase::kStaged) uses_.clear();
  if (state.phase != state_.phase && state.phase != KeyPhase::kNamed) ready_.clear();
  state_ = state;
}

void EpochTable::ready(const std::string& node, std::uint64_t epoch) {
  if (state_.phase == KeyPhase::kStaged && epoch == state_.other) ready_.insert(node);
}

void EpochTable::uses(const std::string& node, std::uint64_t epoch) {
  const bool early = state_.phase == KeyPhase::kNamed && epoch == state_.other;
  const bool late = state_.phase == KeyPhase::kGrace && epoch == state_.current;
  if (early || late) uses_.insert(node);
}

void EpochTable::forget(const std::string& node) {
  ready_.erase(node);
  uses_.erase(node);
}

bool EpochTable::is_missing(const std::string& node, std::uint64_t since) const {
  if (state_.phase == KeyPhase::kStaged) return since <= state_.other && !ready_.contains(node);
  return state_.phase == KeyPhase::kGrace && !uses_.contains(node);
}

bool EpochTable::has_waited(const KeyHolders& holders) const {
  return state_.waited >= options_.patience ||
         std::none_of(holders.begin(), holders.end(), [this](const auto& holder) {
           return is_missing(holder.first, holder.second);
         });
}

std::set<std::string> EpochTable::waits_for(const KeyHolders& holders) const {
  std::set<std::string> missing;
  for (const auto& [node, since] : holders) {
    if (is_missing(node, since)) missing.insert(node);
  }
  return missing;
}

KeyOffer EpochTable::offer() const {
  KeyOffer offer;
  offer.current = state_.current;
  if (state_.phase == KeyPhase::kGrace) {
    offer.previous = state_.other;
  } else {
    offer.next = state_.other;
  }
  if (state_.phase == KeyPhase::kNamed) offer.moment = state_.moment;
  return offer;
}

}  // namespace signet::overlay
