// Reader answers drains and listings on a thread and a read-only connection of its own, so that
// they delay no acknowledgement. Each answer is one short read: the log is never held for long.
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "store/sqlite/database.h"
#include "store/sqlite/inbox.h"
#include "store/sqlite/job_table.h"
#include "store/sqlite/sealed_table.h"
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

  void load_jobs(MeshNumber mesh, Mailbox& to,
                 std::function<void(Result<std::vector<jobs::Job>>)> answer);

  void load_sealed(MeshNumber mesh, Mailbox& to,
                   std::function<void(Result<std::vector<SealedRow>>)> answer);
  void read_reports(MeshNumber mesh, std::string name, std::uint64_t after, std::size_t limit,
                    Mailbox& to, std::function<void(Result<std::vector<SealedReport>>)> answer);
  void newest_reports(MeshNumber mesh, std::string name, std::size_t limit, Mailbox& to,
                      std::function<void(Result<std::vector<SealedReport>>)> answer);

  void read_log(std::optional<std::uint64_t> from, std::size_t limit, Mailbox& to,
                std::function<void(Result<LogPage>)> answer);
  void prove_entry(std::uint64_t entry, std::uint64_t entries, Mailbox& to,
                   std::function<void(Result<LogProof>)> answer);
  void prove_growth(std::uint64_t from, std::uint64_t entries, Mailbox& to,
                    std::function<void(Result<LogProof>)> answer);

 private:
  void run();
  template <class Answer, class Read>
  void post(Mailbox& to, Answer answer, Read read);
  Result<MailboxPage> read(const MailboxQuery& query);
  Result<std::vector<DeadLetter>> read_dead(MeshNumber mesh, MessageNumber before,
                                            std::size_t limit);
  Result<LogPage> read_log_page(std::optional<std::uint64_t> from, std::size_t limit);
  // `prove` makes the hashes of a tree of `entries`, if it is there.
  template <class Prove>
  Result<LogProof> proof(std::uint64_t entries, const Prove& prove);
  std::uint64_t log_entries();
  Error failure();

  const StoreOptions& options_;
  std::unique_ptr<Database> database_;
  Statement find_waiting_;
  Statement find_dead_;
  Statement find_lines_;
  Statement find_hash_;
  JobRows jobs_;
  SealedRows sealed_;

  Inbox inbox_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace signet::store::sqlite
