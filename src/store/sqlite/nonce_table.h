// NonceTable keeps spent nonces on disk, in the commit that takes them, and looks there for each:
// what all users of a busy mesh spend within minutes is too much for memory.
#pragma once

#include <optional>
#include <unordered_map>

#include "store/nonce_memory.h"
#include "store/sqlite/database.h"
#include "store/store.h"

namespace signet::store::sqlite {

// Writer thread, inside its transactions.
class NonceTable {
 public:
  NonceTable(Database& database, const StoreOptions& options);

  // REQUIRES: the answer is used only when the transaction was committed.
  NonceOutcome spend(const SpendNonce& command);

  // Deletes at most `limit` rows that nobody needs at `wall`, and answers how many went.
  std::int64_t forget_before(WallTime wall, std::int64_t limit);

  // The answers of the transaction, once it was committed.
  struct Counts {
    std::int64_t taken = 0;
    std::int64_t used = 0;
    std::int64_t forgotten = 0;
    std::int64_t full = 0;
  };
  Counts keep();
  void undo();  // what a rollback took back is read again

 private:
  void read_spans();
  void write_spans();
  bool is_there(const SpendNonce& command);
  std::size_t& live_of(MemberNumber member);
  std::size_t all();
  NonceOutcome count(NonceMemory::Verdict verdict);

  Database& database_;
  NonceMemory memory_;
  bool is_read_ = false;                                // the spans of memory_
  std::unordered_map<MemberNumber, std::size_t> live_;  // rows of those who were asked about
  std::optional<std::int64_t> kept_;  // rows of everybody, as committed; nullopt: not counted yet
  std::int64_t change_ = 0;           // of them, in this transaction
  Counts counts_;

  Statement find_nonce_;
  Statement count_nonces_;
  Statement count_all_;
  Statement insert_nonce_;
  Statement delete_old_;
  Statement find_spans_;
  Statement delete_spans_;
  Statement insert_span_;
};

}  // namespace signet::store::sqlite
