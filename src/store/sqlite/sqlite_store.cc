#include "store/sqlite/sqlite_store.h"

#include <utility>

#include "base/log.h"
#include "store/sqlite/schema.h"

namespace signet::store {
namespace sqlite {
namespace {

// Opening makes the log and its index; a disk without that much room is what the reserve is for.
constexpr std::int64_t kRoomToOpen = 1 << 20;

}  // namespace

SqliteStore::SqliteStore(DataDirectory directory, const StoreOptions& options)
    : options_(options), directory_(std::move(directory)) {}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const StoreOptions& options,
                                                       const Clock& clock,
                                                       MetricRegistry& metrics) {
  SIGNET_TRY(DataDirectory directory, DataDirectory::open(options.directory));
  std::unique_ptr<SqliteStore> store(new SqliteStore(std::move(directory), options));
  const DataDirectory& folder = store->directory_;
  Reserve reserve(folder.reserve_path(), options.reserve_bytes);
  if (reserve.free_bytes() < kRoomToOpen) reserve.give_up();

  auto writing = std::make_unique<Database>();
  SIGNET_TRY([[maybe_unused]] auto opened,
             writing->open(folder.database_path(), Database::Access::kWrite));
  SIGNET_TRY([[maybe_unused]] auto configured, configure(*writing, options.synchronous_full));
  SIGNET_TRY([[maybe_unused]] auto migrated, migrate(*writing));
  SIGNET_TRY([[maybe_unused]] auto synced, folder.sync());
  store->writer_ = std::make_unique<Writer>(std::move(writing), std::move(reserve), store->options_,
                                            clock, metrics);
  SIGNET_TRY(store->membership_, store->writer_->load());

  auto reading = std::make_unique<Database>();
  SIGNET_TRY([[maybe_unused]] auto reopened,
             reading->open(folder.database_path(), Database::Access::kRead));
  store->reader_ = std::make_unique<Reader>(std::move(reading), store->options_);
  log(LogLevel::kInfo, "store.opened",
      {{"directory", folder.path()}, {"membership", store->membership_.size()}});
  return store;
}

std::vector<membership::Change> SqliteStore::membership_at_start() {
  return std::exchange(membership_, {});
}

void SqliteStore::start(OnStored on_stored) {
  writer_->start(std::move(on_stored));
  reader_->start();
}

template <class Kind>
void SqliteStore::offer(Kind kind) {
  Command command(std::move(kind));
  if (writer_->offer(command)) return;
  refuse(command, Refusal::kUnavailable);
  Answers answers;
  answers.add(command);
  answers.post();
}

void SqliteStore::publish(Publish command, Mailbox& to, std::function<void(PublishAnswer)> answer) {
  offer(PublishCommand{std::move(command), &to, std::move(answer)});
}

void SqliteStore::confirm(MemberNumber member, std::vector<MessageNumber> numbers, Mailbox& to,
                          std::function<void(std::vector<MessageNumber>)> answer) {
  writer_->post(ConfirmCommand{member, std::move(numbers), &to, std::move(answer), {}});
}

void SqliteStore::admit_hello(AdmitHello command, Mailbox& to,
                              std::function<void(HelloOutcome)> answer) {
  offer(HelloCommand{command, &to, std::move(answer)});
}

void SqliteStore::spend_nonce(SpendNonce command, Mailbox& to,
                              std::function<void(NonceOutcome)> answer) {
  offer(NonceCommand{command, &to, std::move(answer)});
}

void SqliteStore::put_jobs(std::vector<jobs::Job> rows, MeshNumber mesh,
                           std::vector<std::string> forgotten, Mailbox& to,
                           std::function<void(Status)> answer) {
  offer(JobsCommand{std::move(rows), mesh, std::move(forgotten), &to, std::move(answer)});
}

void SqliteStore::load_jobs(MeshNumber mesh, Mailbox& to,
                            std::function<void(Result<std::vector<jobs::Job>>)> answer) {
  reader_->load_jobs(mesh, to, std::move(answer));
}

void SqliteStore::commit(std::vector<membership::Change> changes, std::string by, Mailbox& to,
                         std::function<void(Status)> answer) {
  CommitSealed what;
  what.changes = std::move(changes);
  what.by = std::move(by);
  offer(CommitCommand{std::move(what), &to, std::move(answer)});
}

void SqliteStore::commit_sealed(CommitSealed command, Mailbox& to,
                                std::function<void(Status)> answer) {
  offer(CommitCommand{std::move(command), &to, std::move(answer)});
}

void SqliteStore::load_sealed(MeshNumber mesh, Mailbox& to,
                              std::function<void(Result<std::vector<SealedRow>>)> answer) {
  reader_->load_sealed(mesh, to, std::move(answer));
}

void SqliteStore::read_reports(MeshNumber mesh, std::string name, std::uint64_t after,
                               std::size_t limit, Mailbox& to,
                               std::function<void(Result<std::vector<SealedReport>>)> answer) {
  reader_->read_reports(mesh, std::move(name), after, limit, to, std::move(answer));
}

void SqliteStore::newest_reports(MeshNumber mesh, std::string name, std::size_t limit, Mailbox& to,
                                 std::function<void(Result<std::vector<SealedReport>>)> answer) {
  reader_->newest_reports(mesh, std::move(name), limit, to, std::move(answer));
}

void SqliteStore::append_log(std::vector<audit::Draft> drafts, Mailbox& to,
                             std::function<void(Status)> answer) {
  offer(AppendCommand{std::move(drafts), &to, std::move(answer)});
}

void SqliteStore::sign_log(Mailbox& to, std::function<void(Result<std::string>)> answer) {
  offer(SignCommand{&to, std::move(answer)});
}

void SqliteStore::read_log(std::optional<std::uint64_t> from, std::size_t limit, Mailbox& to,
                           std::function<void(Result<LogPage>)> answer) {
  reader_->read_log(from, limit, to, std::move(answer));
}

void SqliteStore::prove_entry(std::uint64_t entry, std::uint64_t entries, Mailbox& to,
                              std::function<void(Result<LogProof>)> answer) {
  reader_->prove_entry(entry, entries, to, std::move(answer));
}

void SqliteStore::prove_growth(std::uint64_t from, std::uint64_t entries, Mailbox& to,
                               std::function<void(Result<LogProof>)> answer) {
  reader_->prove_growth(from, entries, to, std::move(answer));
}

void SqliteStore::read_mailbox(MailboxQuery query, Mailbox& to,
                               std::function<void(Result<MailboxPage>)> answer) {
  reader_->read_mailbox(query, to, std::move(answer));
}

void SqliteStore::list_dead(MeshNumber mesh, MessageNumber before, std::size_t limit, Mailbox& to,
                            std::function<void(Result<std::vector<DeadLetter>>)> answer) {
  reader_->list_dead(mesh, before, limit, to, std::move(answer));
}

void SqliteStore::requeue_dead(RequeueDead command, Mailbox& to,
                               std::function<void(Result<Requeued>)> answer) {
  offer(RequeueCommand{command, &to, std::move(answer)});
}

void SqliteStore::probe(Mailbox& to, std::function<void(Status)> answer) {
  offer(ProbeCommand{&to, std::move(answer)});
}

void SqliteStore::sweep_for_test(WallTime now, Mailbox& to, std::function<void()> answer) {
  writer_->post(SweepCommand{now, &to, std::move(answer)});
}

}  // namespace sqlite

Result<std::unique_ptr<Store>> open_sqlite(const StoreOptions& options, const Clock& clock,
                                           MetricRegistry& metrics) {
  SIGNET_TRY(std::unique_ptr<Store> store, sqlite::SqliteStore::open(options, clock, metrics));
  return store;
}

}  // namespace signet::store
