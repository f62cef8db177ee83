// Reader answers drains and listings on a thread and a read-only connection of its own, so that
// they delay no acknowledgement. Each answer is one short read: the log is never held for long.
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "store/sqlite/database.h"
#include "store/sqlite/inbox.h"
#include "store/store.h"

namespace signet::store::sqlite {

class Reader {
 public:
  // REQUIRES: the schema of `database` is current. `options` must outlive the reader.
  Reader(std::unique_ptr<Database> database, const StoreOptions& options);
  ~Reader();  // answers what waits, then ends the thread

  void start();

  // Any thread. kOverloaded when the inbox is full, kUnavailable when the database failed.
  void read_mailbox(const MailboxQuery& query, Mailbox& to,
                    std::function<void(Result<MailboxPage>)> answer);
  void list_dead(MeshNumber mesh, MessageNumber before, std::size_t limit, Mailbox& to,
                 std::function<void(Result<std::vector<DeadLetter>>)> answer);

 private:
  void run();
  template <class Answer, class Read>
  void post(Mailbox& to, Answer answer, Read read);
  Result<MailboxPage> read(const MailboxQuery& query);
  Result<std::vector<DeadLetter>> read_dead(MeshNumber mesh, MessageNumber before,
                                            std::size_t limit);
  Error failure();

  const StoreOptions& options_;
  std::unique_ptr<Database> database_;
  Statement find_waiting_;
  Statement find_dead_;

  Inbox inbox_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace signet::store::sqlite
