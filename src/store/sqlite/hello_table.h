// HelloTable keeps the hello memory of every member on disk, in the commit that admits the hello.
#pragma once

#include <unordered_map>

#include "store/hello_memory.h"
#include "store/sqlite/database.h"
#include "store/store.h"

namespace signet::store::sqlite {

// Writer thread, inside its transactions. A member's memory is read when it is first needed.
class HelloTable {
 public:
  HelloTable(Database& database, const StoreOptions& options);

  // REQUIRES: the answer is used only when the transaction was committed.
  HelloOutcome admit(const AdmitHello& command);

  void undo() { memories_.clear(); }  // what a rollback took back is read again

 private:
  HelloMemory& memory_of(MemberNumber member);

  Database& database_;
  const std::size_t limit_;
  std::unordered_map<MemberNumber, HelloMemory> memories_;

  Statement find_floor_;
  Statement find_marks_;
  Statement insert_mark_;
  Statement delete_mark_;
  Statement write_floor_;
};

}  // namespace signet::store::sqlite
