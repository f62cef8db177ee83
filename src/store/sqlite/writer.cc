#include "store/sqlite/writer.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/log.h"

namespace signet::store::sqlite {
namespace {

// One transaction holds at most this much, so that an answer waits for two syncs and not for a
// transaction without an end.
constexpr std::size_t kBatchCommands = 4'096;
constexpr std::size_t kBatchRows = 8'192;
constexpr std::size_t kBatchBytes = 8 << 20;

constexpr std::chrono::seconds kSweepEvery{10};
constexpr std::chrono::seconds kProbeEvery{1};
constexpr std::chrono::milliseconds kLeastWait{1};
constexpr std::size_t kConfirmsPerRetry = 64;

// 16 MiB of log: long enough that pages written again and again are copied once, short enough that
// copying them delays nobody for long.
constexpr int kCheckpointPages = 4'096;
constexpr int kLeastCheckpointPages = 64;
constexpr int kPageBytes = 4'096;
// Readers are short; a log of that many times the usual length waits for them.
constexpr int kPatience = 8;
// With no reserve to measure by: what makes it worth taking messages again.
constexpr std::int64_t kLeastRoom = 1 << 20;

// Giving the reserve up must make room for copying a whole log into the database.
int checkpoint_pages_for(std::int64_t reserve_bytes) {
  if (reserve_bytes <= 0) return kCheckpointPages;
  const std::int64_t quarter = reserve_bytes / 4 / kPageBytes;
  return static_cast<int>(
      std::clamp<std::int64_t>(quarter, kLeastCheckpointPages, kCheckpointPages));
}

Error disk_full() { return {ErrorCode::kOverloaded, "the disk is full"}; }
Error log_full(ErrorCode code) { return {code, "the log has all the bytes it may have"}; }

bool grows(const membership::Change& change) {
  return std::holds_alternative<membership::MeshAdded>(change) ||
         std::holds_alternative<membership::MemberAdded>(change) ||
         std::holds_alternative<membership::InviteAdded>(change) ||
         std::holds_alternative<membership::ChannelJoined>(change) ||
         std::holds_alternative<membership::SourceSecretSet>(change);
}

// Of all changes the one that members make as often as they like: a full log must not grow by it.
bool is_at_will(const membership::Change& change) {
  return std::holds_alternative<membership::ChannelJoined>(change);
}

bool is_new(const SealedRow& row) { return row.version == 1 && !row.bytes.empty(); }

std::size_t size_of(const std::shared_ptr<const std::string>& text) {
  return text == nullptr ? 0 : text->size();
}

// What is shared counts for each, since its length is that of all rows in the worst case.
std::size_t bytes_of(const JobsCommand& command) {
  std::size_t bytes = 0;
  for (const jobs::Job& job : command.rows) {
    bytes += size_of(job.payload) + job.result.size() + job.progress.size() + job.error.size();
    if (job.version == 1) bytes += size_of(job.spec);
  }
  return bytes;
}

std::size_t bytes_of(const Command& command) {
  const auto* requeue = std::get_if<RequeueCommand>(&command);
  if (requeue != nullptr) return requeue->requeue.max_bytes;
  const auto* jobs = std::get_if<JobsCommand>(&command);
  if (jobs != nullptr) return bytes_of(*jobs);
  const auto* publish = std::get_if<PublishCommand>(&command);
  return publish == nullptr ? 0 : publish->publish.envelope->body.size();
}

}  // namespace

WriterMetrics::WriterMetrics(MetricRegistry& registry)
    : queue_depth(registry.gauge("broker_queue_depth", "Messages waiting in mailboxes.")),
      sweeps(registry.counter("broker_ttl_sweeps_total", "Sweeps for what has expired.")),
      healthy(registry.gauge("broker_db_healthy", "1 while the last transaction succeeded.")),
      commits(registry.counter("signet_store_commits_total", "Transactions committed.")),
      commands(registry.counter("signet_store_commands_total", "Commands executed.")),
      disk_full(registry.gauge("signet_store_disk_full", "1 while messages are refused.")),
      expired(registry.counter("signet_store_dead_letters_total", "Messages that died unread.",
                               "reason=\"expired\"")),
      revoked(registry.counter("signet_store_dead_letters_total", "Messages that died unread.",
                               "reason=\"recipient_revoked\"")),
      requeued(
          registry.counter("signet_store_requeued_total", "Dead letters put back into mailboxes.")),
      nonces_taken(registry.counter("signet_store_nonces_total", "Nonces of good signatures.",
                                    "outcome=\"new\"")),
      nonces_used(registry.counter("signet_store_nonces_total", "Nonces of good signatures.",
                                   "outcome=\"used\"")),
      nonces_forgotten(registry.counter("signet_store_nonces_total", "Nonces of good signatures.",
                                        "outcome=\"forgotten\"")),
      nonces_full(registry.counter("signet_store_nonces_total", "Nonces of good signatures.",
                                   "outcome=\"full\"")),
      log_entries(registry.gauge("signet_audit_entries", "Entries in the log.")),
      log_bytes(registry.gauge("signet_audit_bytes", "Bytes of the entries in the log.")),
      log_damaged(registry.gauge("signet_audit_damaged",
                                 "1 when the log did not fit together at the start.")) {}

Writer::Writer(std::unique_ptr<Database> database, Reserve reserve, const StoreOptions& options,
               const Clock& clock, MetricRegistry& metrics)
    : options_(options),
      clock_(clock),
      metrics_(metrics),
      database_(std::move(database)),
      reserve_(std::move(reserve)),
      messages_(*database_, options),
      hellos_(*database_, options),
      nonces_(*database_, options),
      jobs_(*database_),
      sealed_(*database_),
      log_(*database_, options),
      membership_(*database_),
      sweep_(messages_, nonces_, options),
      begin_(*database_, "BEGIN IMMEDIATE"),
      commit_(*database_, "COMMIT"),
      probe_(*database_, "UPDATE state SET value = value + 1 WHERE name = 'probe'"),
      savepoint_(*database_, "SAVEPOINT command"),
      release_(*database_, "RELEASE command"),
      roll_back_to_(*database_, "ROLLBACK TO command"),
      next_probe_(clock.elapsed()),
      next_sweep_(clock.elapsed() + kSweepEvery),
      next_signing_(clock.elapsed() + options.checkpoint_every),
      started_wall_(clock.wall()),
      started_(clock.elapsed()),
      checkpoint_pages_(checkpoint_pages_for(options.reserve_bytes)) {
  sqlite3_wal_hook(
      database_->handle(),
      [](void* pages, sqlite3*, const char*, int count) {
        *static_cast<int*>(pages) = count;
        return SQLITE_OK;
      },
      &wal_pages_);
}

Writer::~Writer() {
  if (!thread_.joinable()) return;
  inbox_.enter_always();
  inbox_.post([this] {
    inbox_.done(1);
    stopping_ = true;
  });
  thread_.join();
}

Result<std::vector<membership::Change>> Writer::load() {
  messages_.load();
  std::vector<membership::Change> changes = membership_.load(clock_.wall());
  const bool whole = log_.load();
  if (database_->failed()) {
    database_->take_failure();
    return Error{ErrorCode::kMalformed, "unreadable database: " + database_->failure_text()};
  }
  metrics_.log_damaged.set(whole ? 0 : 1);
  if (!whole) {
    log(LogLevel::kError, "audit.damaged",
        {{"directory", options_.directory},
         {"entries", log_.entries()},
         {"advice", "signet audit export and verify say where; keep a copy of the directory"}});
  }
  metrics_.healthy.set(1);
  metrics_.queue_depth.set(messages_.ledger().waiting());
  if (!reserve_.hold()) enter_full();
  return changes;
}

void Writer::start(Store::OnStored on_stored) {
  on_stored_ = std::move(on_stored);
  thread_ = std::thread([this] { run(); });
}

bool Writer::offer(Command& command) {
  if (!inbox_.enter(options_.max_inbox)) return false;
  inbox_.post(
      [this, command = std::move(command)]() mutable { waiting_.push_back(std::move(command)); });
  return true;
}

void Writer::post(Command command) {
  inbox_.enter_always();
  inbox_.post(
      [this, command = std::move(command)]() mutable { waiting_.push_back(std::move(command)); });
}

void Writer::run() {
  for (;;) {
    inbox_.drain();
    if (stopping_ && waiting_.empty()) break;
    on_time();
    if (!waiting_.empty()) run_batch();
    if (sweep_.is_running()) {
      run_sweep_step();
    } else if (waiting_.empty() && !stopping_) {
      on_idle();
    }
  }
  retry_confirms();
  // Or nothing would show a cut while nobody runs.
  if (log_.is_kept() && !log_.is_signed()) sign_log();
}

void Writer::on_idle() {
  const bool retries = full_ || !late_confirms_.empty();
  std::chrono::milliseconds longest = retries ? kProbeEvery : kSweepEvery;
  const bool signs = log_.is_kept() && !log_.is_signed();
  if (signs) longest = std::min(longest, until_signing());
  if (inbox_.wait(longest) || signs) return;
  if (wal_pages_ > 0) checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
}

void Writer::on_time() {
  const Elapsed now = clock_.elapsed();
  if (now >= next_sweep_ && !sweep_.is_running()) {
    next_sweep_ = now + kSweepEvery;
    sweep_.begin(sweep_time(), clock_.wall(), false);
    metrics_.sweeps.add();
  }
  if (now >= next_probe_ && (full_ || !late_confirms_.empty())) {
    next_probe_ = now + kProbeEvery;
    retry_confirms();
    if (full_) look_for_room();
  }
  sign_if_due();
}

std::chrono::milliseconds Writer::until_signing() const {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(next_signing_ - clock_.elapsed());
  return std::max(left + kLeastWait, kLeastWait);
}

// A head that is not signed in time is signed with the next: nothing depends on the moment.
void Writer::sign_if_due() {
  if (!log_.is_kept() || log_.is_signed()) return;
  const Elapsed now = clock_.elapsed();
  if (now < next_signing_ && log_.unsigned_entries() < options_.checkpoint_entries) return;
  next_signing_ = now + options_.checkpoint_every;
  sign_log();
}

void Writer::sign_log() {
  if (transact([this] { (void)log_.sign(); }) == Failure::kNone) checkpoint_if_due();
}

// A wall that was stepped forward while the store runs expires nothing early.
WallTime Writer::sweep_time() const {
  const auto ran =
      std::chrono::duration_cast<std::chrono::milliseconds>(clock_.elapsed() - started_);
  return std::min(clock_.wall(), started_wall_ + ran);
}

void Writer::take_batch() {
  batch_.clear();
  std::size_t rows = 0;
  std::size_t bytes = 0;
  while (!waiting_.empty() && batch_.size() < kBatchCommands && rows < kBatchRows &&
         bytes < kBatchBytes) {
    if (std::holds_alternative<SweepCommand>(waiting_.front()) && !batch_.empty()) break;
    rows += weight_of(waiting_.front());
    bytes += bytes_of(waiting_.front());
    batch_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
    if (std::holds_alternative<SweepCommand>(batch_.back())) break;
  }
}

void Writer::run_batch() {
  take_batch();
  if (const auto* sweep = std::get_if<SweepCommand>(&batch_.front())) {
    run_whole_sweep(sweep->now);
  } else {
    const Failure failure = transact([this] {
      for (Command& command : batch_) {
        if (!database_->failed()) execute(command);
      }
    });
    if (failure != Failure::kNone) refuse_batch(failure);
  }
  if (!stored_.empty()) {
    on_stored_(std::make_shared<const DeliveryBatch>(std::exchange(stored_, {})));
  }
  metrics_.commands.add(static_cast<std::int64_t>(batch_.size()));
  for (Command& command : batch_) answers_.add(command);
  inbox_.done(batch_.size());
  answers_.post();
  checkpoint_if_due();
}

void Writer::run_sweep_step() {
  const Failure failure = transact([this] { expired_ = sweep_.step().expired; });
  if (failure != Failure::kNone) sweep_.stop();
  checkpoint_if_due();
}

void Writer::run_whole_sweep(WallTime now) {
  sweep_.begin(now, now, true);
  metrics_.sweeps.add();
  while (sweep_.is_running()) run_sweep_step();
}

template <class Work>
Failure Writer::transact(Work work) {
  now_ = clock_.wall();
  begin_.run();
  if (!database_->failed()) work();
  if (!database_->failed()) commit_.run();
  const Failure failure = database_->take_failure();
  if (failure == Failure::kFatal) die();
  metrics_.healthy.set(failure == Failure::kUnavailable ? 0 : 1);
  if (failure == Failure::kNone) {
    keep();
  } else {
    roll_back();
    if (failure == Failure::kDiskFull) enter_full();
  }
  return failure;
}

void Writer::keep() {
  messages_.keep();
  log_.keep();
  const NonceTable::Counts nonces = nonces_.keep();
  metrics_.nonces_taken.add(nonces.taken);
  metrics_.nonces_used.add(nonces.used);
  metrics_.nonces_forgotten.add(nonces.forgotten);
  metrics_.nonces_full.add(nonces.full);
  metrics_.log_entries.set(static_cast<std::int64_t>(log_.entries()));
  metrics_.log_bytes.set(log_.bytes());
  metrics_.commits.add();
  metrics_.expired.add(std::exchange(expired_, 0));
  metrics_.revoked.add(std::exchange(revoked_, 0));
  metrics_.requeued.add(std::exchange(requeued_, 0));
  metrics_.queue_depth.set(messages_.ledger().waiting());
}

void Writer::roll_back() {
  if (database_->in_transaction() && !database_->execute("ROLLBACK")) die();
  messages_.undo();
  hellos_.undo();
  nonces_.undo();
  log_.undo();
  stored_.clear();
  expired_ = 0;
  revoked_ = 0;
  requeued_ = 0;
}

// A disk that failed a sync or answered nonsense may hold less than it said; only a fresh start,
// which reads what is really there, can tell.
void Writer::die() {
  log(LogLevel::kError, "store.aborting", {{"error", database_->failure_text()}});
  std::abort();
}

void Writer::execute(Command& command) {
  std::visit([this](auto& c) { execute(c); }, command);
}

void Writer::execute(PublishCommand& command) {
  if (full_) {
    command.result = {PublishOutcome::kStoreFull};
  } else {
    command.result = messages_.publish(command.publish, now_, stored_);
  }
}

void Writer::execute(ConfirmCommand& command) {
  command.result = messages_.confirm(command.member, command.numbers);
}

void Writer::execute(HelloCommand& command) { command.result = hellos_.admit(command.hello); }

// Unlike a hello, which lets a receiver drain its mailbox, a nonce stands for something that adds.
void Writer::execute(NonceCommand& command) {
  if (full_) return;
  command.result = nonces_.spend(command.nonce);
}

void Writer::execute(JobsCommand& command) {
  if (full_ && !command.rows.empty()) {
    command.result = disk_full();
    return;
  }
  savepoint_.run();
  const bool good = jobs_.put(command.rows, command.mesh, command.forgotten);
  if (!good && !database_->failed()) {
    roll_back_to_.run();
    command.result = Error{ErrorCode::kConflict, "a job is not of the version before"};
  }
  if (!database_->failed()) release_.run();
}

void Writer::execute(CommitCommand& command) {
  const CommitSealed& what = command.what;
  const bool more = !what.reports.empty() ||
                    std::any_of(what.rows.begin(), what.rows.end(), is_new) ||
                    std::any_of(what.changes.begin(), what.changes.end(), grows);
  if (full_ && more) {
    command.result = disk_full();
    return;
  }
  if (log_.is_kept() && !log_.has_room() &&
      std::any_of(what.changes.begin(), what.changes.end(), is_at_will)) {
    command.result = log_full(ErrorCode::kUnavailable);
    return;
  }
  const std::size_t mark = messages_.ledger().mark();
  const std::int64_t revoked = revoked_;
  savepoint_.run();
  const bool good =
      sealed_.put(what) && std::all_of(what.changes.begin(), what.changes.end(),
                                       [this](const auto& change) { return apply(change); });
  if (!good && !database_->failed()) {
    roll_back_to_.run();
    messages_.ledger().undo_to(mark);
    revoked_ = revoked;
    command.result = Error{ErrorCode::kConflict, "a condition of the change does not hold"};
  }
  if (good && log_.is_kept()) {
    for (const auto& change : what.changes) log_.append(change, what.by, now_);
    if (!what.drafts.empty()) log_.append(what.drafts, now_);
  }
  if (!database_->failed()) release_.run();
}

void Writer::execute(AppendCommand& command) {
  if (!log_.is_kept()) return;
  const auto is_traffic = [](const audit::Draft& draft) { return audit::is_traffic(draft.event); };
  const bool traffic = std::any_of(command.drafts.begin(), command.drafts.end(), is_traffic);
  if (full_) {
    command.result = disk_full();
  } else if (traffic && !log_.has_room()) {
    command.result = log_full(ErrorCode::kOverloaded);
  } else {
    log_.append(command.drafts, now_);
  }
}

void Writer::execute(SignCommand& command) {
  if (!log_.is_kept()) {
    command.result = Error{ErrorCode::kNotFound, "no log is kept"};
    return;
  }
  command.result = log_.sign();
}

bool Writer::apply(const membership::Change& change) {
  if (!membership_.apply(change)) return false;
  const auto* standing = std::get_if<membership::StandingChanged>(&change);
  if (standing != nullptr && standing->to == membership::Standing::kRevoked) {
    revoked_ += messages_.bury_all(standing->member, now_);
  }
  return !database_->failed();
}

void Writer::execute(RequeueCommand& command) {
  if (full_) {
    command.result = disk_full();
    return;
  }
  const Requeued done = messages_.requeue(command.requeue, now_, stored_);
  requeued_ += static_cast<std::int64_t>(done.requeued);
  command.result = done;
}

void Writer::execute(ProbeCommand& command) {
  if (full_) {
    command.result = disk_full();
  } else {
    probe_.run();
  }
}

void Writer::refuse_batch(Failure failure) {
  const Refusal why = failure == Failure::kDiskFull ? Refusal::kDiskFull : Refusal::kUnavailable;
  for (Command& command : batch_) {
    refuse(command, why);
    if (auto* confirm = std::get_if<ConfirmCommand>(&command)) {
      late_confirms_.emplace_back(std::move(*confirm));
      confirm->answer = {};
    }
  }
  log(LogLevel::kWarn, "store.batch_refused",
      {{"error", database_->failure_text()}, {"commands", batch_.size()}});
  if (failure == Failure::kDiskFull) retry_confirms();
}

// Nothing is lost when this fails again: what is left is tried at the next probe.
void Writer::retry_confirms() {
  while (!late_confirms_.empty()) {
    const std::size_t count = std::min(late_confirms_.size(), kConfirmsPerRetry);
    const auto first = late_confirms_.end() - static_cast<std::ptrdiff_t>(count);
    const Failure failure = transact([&] {
      for (auto confirm = first; confirm != late_confirms_.end(); ++confirm) execute(*confirm);
    });
    if (failure != Failure::kNone) return;
    for (auto confirm = first; confirm != late_confirms_.end(); ++confirm) answers_.add(*confirm);
    late_confirms_.erase(first, late_confirms_.end());
    answers_.post();
  }
}

void Writer::enter_full() {
  reserve_.give_up();
  if (full_) return;
  full_ = true;
  next_probe_ = clock_.elapsed() + kProbeEvery;
  metrics_.disk_full.set(1);
  log(LogLevel::kError, "store.disk_full",
      {{"directory", options_.directory},
       {"advice", "free space; messages are refused until then"}});
  checkpoint(SQLITE_CHECKPOINT_PASSIVE);  // so that the log's own space can be used again
}

void Writer::look_for_room() {
  if (wal_pages_ > 0) checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
  const std::int64_t inside = database_->number("PRAGMA freelist_count") * kPageBytes;
  const std::int64_t outside = reserve_.free_bytes() - reserve_.bytes();
  // Twice the reserve, so that the state does not flap.
  if (outside < 0 || outside + inside < std::max(reserve_.bytes(), kLeastRoom)) return;
  if (!reserve_.hold()) return;
  full_ = false;
  metrics_.disk_full.set(0);
  log(LogLevel::kInfo, "store.room_again", {{"directory", options_.directory}});
}

void Writer::checkpoint_if_due() {
  if (wal_pages_ < checkpointed_pages_) checkpointed_pages_ = 0;  // the log began anew
  if (wal_pages_ - checkpointed_pages_ < checkpoint_pages_) return;
  const bool too_long = wal_pages_ > kPatience * checkpoint_pages_;
  checkpoint(too_long ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE);
}

void Writer::checkpoint(int mode) {
  const int code = sqlite3_wal_checkpoint_v2(database_->handle(), nullptr, mode, nullptr, nullptr);
  checkpointed_pages_ = wal_pages_;
  if (code == SQLITE_OK) {
    if (mode == SQLITE_CHECKPOINT_TRUNCATE) wal_pages_ = checkpointed_pages_ = 0;
    return;
  }
  database_->note(code);
  const Failure failure = database_->take_failure();
  if (failure == Failure::kFatal) die();
  if (failure == Failure::kDiskFull && !full_) enter_full();
}

void Writer::limit_pages_for_test(std::int64_t pages) {
  inbox_.enter_always();
  inbox_.post([this, pages] {
    inbox_.done(1);
    database_->number(("PRAGMA max_page_count = " + std::to_string(pages)).c_str());
  });
}

}  // namespace signet::store::sqlite
