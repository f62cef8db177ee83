// Writer is the one thread that changes the database. It drains its whole inbox into one
// transaction, commits, reports what was stored, and then answers everybody.
#pragma once

#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "store/sqlite/command.h"
#include "store/sqlite/hello_table.h"
#include "store/sqlite/inbox.h"
#include "store/sqlite/job_table.h"
#include "store/sqlite/log_table.h"
#include "store/sqlite/membership_tables.h"
#include "store/sqlite/message_tables.h"
#include "store/sqlite/nonce_table.h"
#include "store/sqlite/reserve.h"
#include "store/sqlite/sealed_table.h"
#include "store/sqlite/sweep.h"

namespace signet::store::sqlite {

// The figures of the writer. Registered once, moved by its thread.
struct WriterMetrics {
  explicit WriterMetrics(MetricRegistry& registry);
  Counter& queue_depth;
  Counter& sweeps;
  Counter& healthy;
  Counter& commits;
  Counter& commands;
  Counter& disk_full;
  Counter& expired;
  Counter& revoked;
  Counter& requeued;
  Counter& nonces_taken;
  Counter& nonces_used;
  Counter& nonces_forgotten;
  Counter& nonces_full;
  Counter& log_entries;
  Counter& log_bytes;
  Counter& log_damaged;
};

class Writer {
 public:
  // REQUIRES: the schema of `database` is current. `options` and `clock` must outlive the writer.
  Writer(std::unique_ptr<Database> database, Reserve reserve, const StoreOptions& options,
         const Clock& clock, MetricRegistry& metrics);
  ~Writer();  // does what waits, then ends the thread

  // Reads what is there; before start(). Fails kMalformed when it can't be read.
  Result<std::vector<membership::Change>> load();
  void start(Store::OnStored on_stored);

  // Any thread. False when the inbox is full; then `command` is untouched.
  bool offer(Command& command);
  void post(Command command);  // without a bound, for confirmations

  // As if the disk ended after that many pages of 4 KiB.
  void limit_pages_for_test(std::int64_t pages);

 private:
  void run();
  void take_batch();
  void run_batch();
  void run_sweep_step();
  void run_whole_sweep(WallTime now);

  // Runs `work` in one transaction; whatever comes back other than kNone was rolled back.
  template <class Work>
  Failure transact(Work work);
  Failure end_transaction();
  void keep();
  void roll_back();
  [[noreturn]] void die();

  void execute(Command& command);
  void execute(PublishCommand& command);
  void execute(ConfirmCommand& command);
  void execute(HelloCommand& command);
  void execute(NonceCommand& command);
  void execute(JobsCommand& command);
  void execute(CommitCommand& command);
  void execute(AppendCommand& command);
  void execute(SignCommand& command);
  void execute(RequeueCommand& command);
  void execute(ProbeCommand& command);
  void execute(SweepCommand&) {}  // never inside a batch
  bool apply(const membership::Change& change);

  void refuse_batch(Failure failure);
  void enter_full();
  void look_for_room();
  void retry_confirms();

  void sign_if_due();
  void sign_log();
  std::chrono::milliseconds until_signing() const;
  void on_time();
  void on_idle();
  WallTime sweep_time() const;
  void checkpoint_if_due();
  void checkpoint(int mode);

  const StoreOptions& options_;
  const Clock& clock_;
  WriterMetrics metrics_;
  std::unique_ptr<Database> database_;
  Reserve reserve_;
  MessageTables messages_;
  HelloTable hellos_;
  NonceTable nonces_;
  JobTable jobs_;
  SealedTable sealed_;
  LogTable log_;
  MembershipTables membership_;
  Sweep sweep_;
  Statement begin_;
  Statement commit_;
  Statement probe_;
  Statement savepoint_;
  Statement release_;
  Statement roll_back_to_;

  Inbox inbox_;
  Store::OnStored on_stored_;
  std::deque<Command> waiting_;
  std::vector<Command> batch_;
  std::vector<Command> late_confirms_;  // of transactions that failed
  Answers answers_;
  bool stopping_ = false;

  // Of the running transaction.
  WallTime now_;
  DeliveryBatch stored_;
  std::int64_t revoked_ = 0;
  std::int64_t expired_ = 0;
  std::int64_t requeued_ = 0;

  bool full_ = false;
  Elapsed next_probe_;
  Elapsed next_sweep_;
  Elapsed next_signing_;
  WallTime started_wall_;
  Elapsed started_;

  int wal_pages_ = 0;  // in the log after the last commit
  int checkpointed_pages_ = 0;
  int checkpoint_pages_;

  std::thread thread_;
};

}  // namespace signet::store::sqlite
