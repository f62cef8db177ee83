// SqliteStore is the Store on SQLite: a writer, a reader, and the directory they share.
#pragma once

#include <memory>

#include "store/sqlite/data_directory.h"
#include "store/sqlite/reader.h"
#include "store/sqlite/writer.h"

namespace signet::store::sqlite {

class SqliteStore final : public Store {
 public:
  static Result<std::unique_ptr<SqliteStore>> open(const StoreOptions& options, const Clock& clock,
                                                   MetricRegistry& metrics);

  std::vector<membership::Change> membership_at_start() override;
  void start(OnStored on_stored) override;
  void publish(Publish command, Mailbox& to, std::function<void(PublishAnswer)> answer) override;
  void confirm(MemberNumber member, std::vector<MessageNumber> numbers, Mailbox& to,
               std::function<void(std::vector<MessageNumber>)> answer) override;
  void admit_hello(AdmitHello command, Mailbox& to,
                   std::function<void(HelloOutcome)> answer) override;
  void spend_nonce(SpendNonce command, Mailbox& to,
                   std::function<void(NonceOutcome)> answer) override;
  void put_jobs(std::vector<jobs::Job> rows, MeshNumber mesh, std::vector<std::string> forgotten,
                Mailbox& to, std::function<void(Status)> answer) override;
  void load_jobs(MeshNumber mesh, Mailbox& to,
                 std::function<void(Result<std::vector<jobs::Job>>)> answer) override;
  void commit(std::vector<membership::Change> changes, std::string by, Mailbox& to,
              std::function<void(Status)> answer) override;
  void commit_sealed(CommitSealed command, Mailbox& to,
                     std::function<void(Status)> answer) override;
  void load_sealed(MeshNumber mesh, Mailbox& to,
                   std::function<void(Result<std::vector<SealedRow>>)> answer) override;
  void read_reports(MeshNumber mesh, std::string name, std::uint64_t after, std::size_t limit,
                    Mailbox& to,
                    std::function<void(Result<std::vector<SealedReport>>)> answer) override;
  void newest_reports(MeshNumber mesh, std::string name, std::size_t limit, Mailbox& to,
                      std::function<void(Result<std::vector<SealedReport>>)> answer) override;
  void append_log(std::vector<audit::Draft> drafts, Mailbox& to,
                  std::function<void(Status)> answer) override;
  void sign_log(Mailbox& to, std::function<void(Result<std::string>)> answer) override;
  void read_log(std::optional<std::uint64_t> from, std::size_t limit, Mailbox& to,
                std::function<void(Result<LogPage>)> answer) override;
  void prove_entry(std::uint64_t entry, std::uint64_t entries, Mailbox& to,
                   std::function<void(Result<LogProof>)> answer) override;
  void prove_growth(std::uint64_t from, std::uint64_t entries, Mailbox& to,
                    std::function<void(Result<LogProof>)> answer) override;
  void read_mailbox(MailboxQuery query, Mailbox& to,
                    std::function<void(Result<MailboxPage>)> answer) override;
  void list_dead(MeshNumber mesh, MessageNumber before, std::size_t limit, Mailbox& to,
                 std::function<void(Result<std::vector<DeadLetter>>)> answer) override;
  void requeue_dead(RequeueDead command, Mailbox& to,
                    std::function<void(Result<Requeued>)> answer) override;
  void probe(Mailbox& to, std::function<void(Status)> answer) override;
  void sweep_for_test(WallTime now, Mailbox& to, std::function<void()> answer) override;

  void limit_pages_for_test(std::int64_t pages) { writer_->limit_pages_for_test(pages); }

 private:
  SqliteStore(DataDirectory directory, const StoreOptions& options);

  // Posts the command, or answers the refusal of a full inbox at once.
  template <class Kind>
  void offer(Kind command);

  const StoreOptions options_;
  DataDirectory directory_;  // outlives the connections: it holds the lock
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<Reader> reader_;  // goes first: the last connection to close empties the log
  std::vector<membership::Change> membership_;
};

}  // namespace signet::store::sqlite
