#include "store/sqlite/nonce_table.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace signet::store::sqlite {
namespace {

NonceLimits limits_of(const StoreOptions& options) {
  return {static_cast<std::size_t>(std::max<std::int64_t>(options.nonces_per_member, 1)),
          static_cast<std::size_t>(std::max<std::int64_t>(options.nonces, 0))};
}

}  // namespace

NonceTable::NonceTable(Database& database, const StoreOptions& options)
    : database_(database),
      memory_(limits_of(options)),
      find_nonce_(database, "SELECT 1 FROM nonce WHERE member = ? AND digest = ?"),
      count_nonces_(database, "SELECT COUNT(*) FROM nonce WHERE member = ?"),
      count_all_(database, "SELECT COUNT(*) FROM nonce"),
      insert_nonce_(database, "INSERT INTO nonce VALUES(?, ?, ?)"),
      delete_old_(database,
                  "DELETE FROM nonce WHERE (member, digest) IN"
                  " (SELECT member, digest FROM nonce WHERE until <= ? ORDER BY until LIMIT ?)"
                  " RETURNING member, until"),
      find_spans_(database, "SELECT first, last FROM nonce_span ORDER BY first"),
      delete_spans_(database, "DELETE FROM nonce_span"),
      insert_span_(database, "INSERT INTO nonce_span VALUES(?, ?)") {}

NonceOutcome NonceTable::spend(const SpendNonce& command) {
  read_spans();
  std::size_t& live = live_of(command.member);
  const NonceMemory::Verdict verdict = memory_.judge(command.until, is_there(command), live, all());
  if (database_.failed()) return NonceOutcome::kUnavailable;
  if (verdict == NonceMemory::Verdict::kNew) {
    insert_nonce_.run(command.member, command.digest, command.until);
    ++live;
    ++change_;
  }
  return count(verdict);
}

NonceOutcome NonceTable::count(NonceMemory::Verdict verdict) {
  switch (verdict) {
    case NonceMemory::Verdict::kNew:
      ++counts_.taken;
      return NonceOutcome::kNew;
    case NonceMemory::Verdict::kUsed:
      ++counts_.used;
      return NonceOutcome::kUsed;
    case NonceMemory::Verdict::kForgotten:
      ++counts_.forgotten;
      return NonceOutcome::kForgotten;
    case NonceMemory::Verdict::kFull:
      ++counts_.full;
      return NonceOutcome::kFull;
  }
  return NonceOutcome::kUnavailable;
}

std::int64_t NonceTable::forget_before(WallTime wall, std::int64_t limit) {
  read_spans();
  (void)all();  // before what goes: it is counted once
  std::int64_t gone = 0;
  delete_old_.start(wall - kNonceGrace, limit);
  while (delete_old_.row()) {
    const auto live = live_.find({delete_old_.number(0)});
    if (live != live_.end() && --live->second == 0) live_.erase(live);
    memory_.forget({delete_old_.number(1)});
    ++gone;
  }
  if (gone > 0) write_spans();
  change_ -= gone;
  return gone;
}

NonceTable::Counts NonceTable::keep() {
  if (kept_) *kept_ += std::exchange(change_, 0);
  return std::exchange(counts_, {});
}

void NonceTable::undo() {
  counts_ = {};
  change_ = 0;
  live_.clear();
  is_read_ = false;
}

void NonceTable::read_spans() {
  if (is_read_) return;
  std::vector<NonceSpan> spans;
  find_spans_.start();
  while (find_spans_.row()) spans.push_back({{find_spans_.number(0)}, {find_spans_.number(1)}});
  memory_.restore(std::move(spans));
  is_read_ = true;
}

void NonceTable::write_spans() {
  delete_spans_.run();
  for (const NonceSpan& span : memory_.forgotten()) insert_span_.run(span.first, span.last);
}

bool NonceTable::is_there(const SpendNonce& command) {
  find_nonce_.start(command.member, command.digest);
  const bool found = find_nonce_.row();
  find_nonce_.finish();
  return found;
}

std::size_t& NonceTable::live_of(MemberNumber member) {
  const auto found = live_.find(member);
  if (found != live_.end()) return found->second;
  count_nonces_.start(member);
  const std::int64_t rows = count_nonces_.row() ? count_nonces_.number(0) : 0;
  count_nonces_.finish();
  return live_[member] = static_cast<std::size_t>(rows);
}

// Counted once, for a table of millions takes a moment; a rollback takes back what it changed.
std::size_t NonceTable::all() {
  if (!kept_) {
    count_all_.start();
    const std::int64_t rows = count_all_.row() ? count_all_.number(0) : 0;
    count_all_.finish();
    if (database_.failed()) return static_cast<std::size_t>(rows);
    kept_ = rows;
  }
  return static_cast<std::size_t>(*kept_ + change_);
}

}  // namespace signet::store::sqlite
