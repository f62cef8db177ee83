// Sweep expires and forgets in small steps, so that no step holds up the writer for long.
#pragma once

#include <cstdint>
#include <vector>

#include "store/sqlite/message_tables.h"
#include "store/sqlite/nonce_table.h"

namespace signet::store::sqlite {

// Writer thread; each step runs inside a transaction of its own.
class Sweep {
 public:
  Sweep(MessageTables& messages, NonceTable& nonces, const StoreOptions& options)
      : messages_(messages), nonces_(nonces), options_(options) {}

  // Starts over at `now`, and for nonces at `wall`, which may step: they are safe from that, and
  // would fill up their members' share under a clock that stands still. `whole` walks all of `sent`
  // at once instead of its share.
  void begin(WallTime now, WallTime wall, bool whole);
  bool is_running() const { return running_; }

  struct Done {
    std::int64_t expired = 0;  // messages that became dead letters
  };
  Done step();
  void stop() { running_ = false; }  // the rest is left for the next one

 private:
  // Each is true while there is more of its kind.
  bool forget_nonces();
  bool forget_old_dead();
  bool trim_dead();
  bool forget_sent();

  MessageTables& messages_;
  NonceTable& nonces_;
  const StoreOptions& options_;
  bool running_ = false;
  bool whole_ = false;
  WallTime now_;
  WallTime wall_;
  std::vector<MemberNumber> maybe_due_;
  bool nonces_done_ = false;
  bool old_dead_done_ = false;
  bool trimmed_ = false;
  std::int64_t trimmed_at_ = -1;  // dead letters made until the last trim
  std::int64_t sent_budget_ = 0;
  std::int64_t sent_total_before_ = 0;
};

}  // namespace signet::store::sqlite
