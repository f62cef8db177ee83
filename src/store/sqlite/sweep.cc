#include "store/sqlite/sweep.h"

#include <algorithm>

namespace signet::store::sqlite {
namespace {

constexpr std::int64_t kRowsPerStep = 500;         // a few milliseconds
constexpr std::int64_t kNonceRowsPerStep = 2'000;  // small ones, and thousands come in a second
constexpr std::int64_t kSentRowsPerStep = 2'000;   // mostly read, and next to each other
// Walking ten times as fast as `sent` grows keeps it within a tenth of its retention.
constexpr std::int64_t kSentRowsPerSweep = 10'000;
constexpr std::int64_t kSentRowsPerNewRow = 10;

}  // namespace

void Sweep::begin(WallTime now, WallTime wall, bool whole) {
  running_ = true;
  whole_ = whole;
  now_ = now;
  wall_ = wall;
  maybe_due_ = messages_.ledger().maybe_due(now);
  nonces_done_ = false;
  old_dead_done_ = false;
  trimmed_ = trimmed_at_ == messages_.dead_total();
  if (whole) messages_.walk_sent_from_start();
  const std::int64_t grown = messages_.sent_total() - sent_total_before_;
  sent_total_before_ = messages_.sent_total();
  sent_budget_ = kSentRowsPerSweep + kSentRowsPerNewRow * grown;
}

Sweep::Done Sweep::step() {
  Done done;
  if (!maybe_due_.empty()) {
    done.expired = messages_.expire(maybe_due_.back(), now_, kRowsPerStep);
    if (done.expired < kRowsPerStep) maybe_due_.pop_back();
  } else if (!nonces_done_) {
    nonces_done_ = !forget_nonces();
  } else if (!old_dead_done_) {
    old_dead_done_ = !forget_old_dead();
  } else if (!trimmed_) {
    trimmed_ = !trim_dead();
  } else {
    running_ = forget_sent();
  }
  return done;
}

bool Sweep::forget_nonces() {
  return nonces_.forget_before(wall_, kNonceRowsPerStep) == kNonceRowsPerStep;
}

bool Sweep::forget_old_dead() {
  return messages_.forget_dead_before(now_ - options_.dead_retention, kRowsPerStep) > 0;
}

bool Sweep::trim_dead() {
  const auto crowded = messages_.crowded_with_dead();
  if (crowded.empty()) {
    trimmed_at_ = messages_.dead_total();
    return false;
  }
  const auto& [mesh, surplus] = crowded.front();
  return messages_.trim_dead(mesh, std::min(surplus, kRowsPerStep)) > 0;
}

bool Sweep::forget_sent() {
  const bool at_end =
      messages_.forget_sent_before(now_ - options_.dedupe_retention, kSentRowsPerStep);
  if (at_end) return false;
  sent_budget_ -= kSentRowsPerStep;
  return whole_ || sent_budget_ > 0;
}

}  // namespace signet::store::sqlite
