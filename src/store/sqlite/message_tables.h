// MessageTables are the rows of messages: what was taken, what waits for whom, what died. Writer
// thread; every call runs inside a transaction of its caller, and a failure is left in the database
// for the end of that transaction.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/metrics.h"
#include "store/sqlite/database.h"
#include "store/sqlite/ledger.h"
#include "store/store.h"

namespace signet::store::sqlite {

class MessageTables {
 public:
  // `options` and `database` must outlive this.
  MessageTables(Database& database, const StoreOptions& options);

  // Counts what is there. REQUIRES: before anything else.
  void load();

  // Takes a message, or says why not. What is to be delivered goes to the end of `stored`.
  PublishAnswer publish(Publish& command, WallTime now, DeliveryBatch& stored);
  // Those of `numbers` that still waited.
  std::vector<MessageNumber> confirm(MemberNumber member,
                                     const std::vector<MessageNumber>& numbers);
  // All that waits for `member` becomes dead letters; answers how many.
  std::int64_t bury_all(MemberNumber member, WallTime now);

  // Takes dead letters of members that may connect as messages anew. What is to be delivered goes
  // to the end of `stored`.
  Requeued requeue(const RequeueDead& command, WallTime now, DeliveryBatch& stored);

  // The steps of a sweep: each does at most about `limit` rows and answers how many it did.
  std::int64_t expire(MemberNumber recipient, WallTime now, std::int64_t limit);
  std::int64_t forget_dead_before(WallTime died, std::int64_t limit);
  std::int64_t trim_dead(MeshNumber mesh, std::int64_t surplus);
  // Walks `sent` from where the last call stopped; true when it came to the end.
  bool forget_sent_before(WallTime created, std::int64_t limit);
  void walk_sent_from_start() { sent_cursor_ = {}; }

  // Meshes with more than options.dead_messages dead letters, and how many too many.
  std::vector<std::pair<MeshNumber, std::int64_t>> crowded_with_dead();

  // Follows the transaction: the ledger and the numbers given out.
  void keep();
  void undo();
  Ledger& ledger() { return ledger_; }

  // Rows added since the start, rolled back ones included.
  std::int64_t sent_total() const { return sent_total_; }
  std::int64_t dead_total() const { return dead_total_; }

 private:
  std::optional<PublishAnswer> earlier(const Publish& command);
  bool remember(const Publish& command, WallTime now, std::size_t queued);
  MessageNumber insert(const routing::Envelope& envelope,
                       const std::vector<MemberNumber>& recipients, const MessageCost& cost,
                       WallTime due);
  struct Letter {
    MessageNumber number;
    MemberNumber recipient;
  };
  std::vector<Letter> letters_to_requeue(const RequeueDead& command, Requeued& done);
  bool revive(MessageNumber old, std::vector<MemberNumber> recipients, WallTime now,
              DeliveryBatch& stored);
  MessageNumber next_number();
  void bury(MessageNumber number, MemberNumber recipient, DeathReason reason, WallTime now);
  void drop_dead(MeshNumber mesh, MessageNumber number, MemberNumber recipient);

  Database& database_;
  const StoreOptions& options_;
  Ledger ledger_;

  // Numbers are taken from a block that the file already counts as used, so that a number is never
  // given twice and most commits need not write the counter.
  struct Numbers {
    std::int64_t next = 1;
    std::int64_t block_end = 1;
  };
  Numbers numbers_;
  Numbers kept_numbers_;
  std::int64_t sent_total_ = 0;
  std::int64_t dead_total_ = 0;
  crypto::Digest16 sent_cursor_{};

  Statement insert_sent_;
  Statement find_sent_;
  Statement insert_message_;
  Statement insert_mailbox_;
  Statement delete_mailbox_;
  Statement delete_message_;
  Statement take_block_;
  Statement insert_dead_;
  Statement delete_dead_;
  Statement find_waiting_;
  Statement find_due_;
  Statement find_next_due_;
  Statement find_old_dead_;
  Statement find_first_dead_;
  Statement count_dead_;
  Statement find_requeued_;
  Statement read_message_;
  Statement refresh_sent_;
  Statement find_sent_end_;
  Statement forget_sent_;
};

}  // namespace signet::store::sqlite
