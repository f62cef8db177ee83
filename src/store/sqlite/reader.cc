#include "store/sqlite/reader.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/log.h"
#include "store/sqlite/envelope_row.h"

namespace signet::store::sqlite {
namespace {

constexpr std::chrono::hours kNothingDue{1};

constexpr char kFindWaiting[] =
    "SELECT x.number, m.id, m.mesh, m.sender, m.priority, m.receipts, m.created, m.expires,"
    " m.target, m.body"
    " FROM mailbox x CROSS JOIN message m ON m.number = x.number"
    " WHERE x.recipient = ?1 AND x.number > ?2 AND"
    " CASE x.priority WHEN 0 THEN x.number > ?3 ELSE x.number > ?4 END"
    " ORDER BY x.number LIMIT ?5";
constexpr char kFindDead[] =
    "SELECT d.number, m.id, m.mesh, m.sender, m.priority, m.receipts, m.created, m.expires,"
    " m.target, m.body, d.recipient, d.reason, d.died"
    " FROM dead_letter d CROSS JOIN message m ON m.number = d.number"
    " WHERE d.mesh = ? AND d.number < ? ORDER BY d.number DESC, d.recipient LIMIT ?";

}  // namespace

Reader::Reader(std::unique_ptr<Database> database, const StoreOptions& options)
    : options_(options),
      database_(std::move(database)),
      find_waiting_(*database_, kFindWaiting),
      find_dead_(*database_, kFindDead),
      find_lines_(*database_,
                  "SELECT line FROM log_entry WHERE number >= ? ORDER BY number LIMIT ?"),
      find_hash_(*database_, "SELECT hash FROM log_hash WHERE position = ?"),
      jobs_(*database_),
      sealed_(*database_) {
  database_->execute("PRAGMA query_only = ON");
}

Reader::~Reader() {
  if (!thread_.joinable()) return;
  inbox_.enter_always();
  inbox_.post([this] { stopping_ = true; });
  thread_.join();
}

void Reader::start() {
  thread_ = std::thread([this] { run(); });
}

void Reader::run() {
  while (!stopping_) {
    inbox_.wait(kNothingDue);
    inbox_.done(inbox_.drain());
  }
}

template <class Answer, class Read>
void Reader::post(Mailbox& to, Answer answer, Read read) {
  if (!inbox_.enter(options_.max_inbox)) {
    to.post([answer = std::move(answer)] {
      answer(Error{ErrorCode::kOverloaded, "too many reads wait"});
    });
    return;
  }
  inbox_.post([&to, answer = std::move(answer), read = std::move(read)] {
    to.post([answer, result = read()]() mutable { answer(std::move(result)); });
  });
}

void Reader::read_mailbox(const MailboxQuery& query, Mailbox& to,
                          std::function<void(Result<MailboxPage>)> answer) {
  post(to, std::move(answer), [this, query] { return read(query); });
}

void Reader::list_dead(MeshNumber mesh, MessageNumber before, std::size_t limit, Mailbox& to,
                       std::function<void(Result<std::vector<DeadLetter>>)> answer) {
  post(to, std::move(answer), [=, this] { return read_dead(mesh, before, limit); });
}

void Reader::load_jobs(MeshNumber mesh, Mailbox& to,
                       std::function<void(Result<std::vector<jobs::Job>>)> answer) {
  post(to, std::move(answer), [this, mesh]() -> Result<std::vector<jobs::Job>> {
    std::vector<jobs::Job> jobs = jobs_.load(mesh);
    if (database_->failed()) return failure();
    return jobs;
  });
}

void Reader::load_sealed(MeshNumber mesh, Mailbox& to,
                         std::function<void(Result<std::vector<SealedRow>>)> answer) {
  post(to, std::move(answer), [this, mesh]() -> Result<std::vector<SealedRow>> {
    std::vector<SealedRow> rows = sealed_.load(mesh);
    if (database_->failed()) return failure();
    return rows;
  });
}

void Reader::read_reports(MeshNumber mesh, std::string name, std::uint64_t after, std::size_t limit,
                          Mailbox& to,
                          std::function<void(Result<std::vector<SealedReport>>)> answer) {
  post(to, std::move(answer),
       [this, mesh, name = std::move(name), after, limit]() -> Result<std::vector<SealedReport>> {
         std::vector<SealedReport> reports = sealed_.reports(mesh, name, after, limit);
         if (database_->failed()) return failure();
         return reports;
       });
}

void Reader::newest_reports(MeshNumber mesh, std::string name, std::size_t limit, Mailbox& to,
                            std::function<void(Result<std::vector<SealedReport>>)> answer) {
  post(to, std::move(answer),
       [this, mesh, name = std::move(name), limit]() -> Result<std::vector<SealedReport>> {
         std::vector<SealedReport> reports = sealed_.newest(mesh, name, limit);
         if (database_->failed()) return failure();
         return reports;
       });
}

Result<MailboxPage> Reader::read(const MailboxQuery& query) {
  constexpr MessageNumber kNone{std::numeric_limits<std::int64_t>::max()};
  const MessageNumber other_after = query.urgent_only ? kNone : query.other_after;
  const MessageNumber both_after = std::min(query.urgent_after, other_after);
  MailboxPage page;
  std::size_t bytes = 0;
  // One row more than fits says whether there is more.
  find_waiting_.start(query.member, both_after, query.urgent_after, other_after,
                      query.max_messages + 1);
  while (find_waiting_.row()) {
    if (page.items.size() >= query.max_messages ||
        (!page.items.empty() && bytes >= query.max_bytes)) {
      find_waiting_.finish();
      return page;
    }
    page.items.push_back({{find_waiting_.number(0)}, envelope_of(find_waiting_)});
    bytes += page.items.back().envelope->body.size();
  }
  if (database_->failed()) return failure();
  page.complete = true;
  return page;
}

Result<std::vector<DeadLetter>> Reader::read_dead(MeshNumber mesh, MessageNumber before,
                                                  std::size_t limit) {
  const MessageNumber below =
      before.value > 0 ? before : MessageNumber{std::numeric_limits<std::int64_t>::max()};
  std::vector<DeadLetter> letters;
  find_dead_.start(mesh, below, limit + 1);
  while (find_dead_.row()) {
    letters.push_back({{find_dead_.number(0)},
                       envelope_of(find_dead_),
                       {find_dead_.number(10)},
                       static_cast<DeathReason>(find_dead_.number(11)),
                       {find_dead_.number(12)}});
  }
  if (database_->failed()) return failure();
  if (letters.size() <= limit) return letters;
  // The next page begins below the last number of this one: a message that does not fit with all
  // its recipients waits for that page, unless it fills this one alone.
  const MessageNumber cut = letters.back().number;
  letters.pop_back();
  const auto whole = std::find_if(letters.begin(), letters.end(),
                                  [&](const DeadLetter& letter) { return letter.number == cut; });
  if (whole != letters.begin()) letters.erase(whole, letters.end());
  return letters;
}

void Reader::read_log(std::optional<std::uint64_t> from, std::size_t limit, Mailbox& to,
                      std::function<void(Result<LogPage>)> answer) {
  post(to, std::move(answer), [=, this] { return read_log_page(from, limit); });
}

void Reader::prove_entry(std::uint64_t entry, std::uint64_t entries, Mailbox& to,
                         std::function<void(Result<LogProof>)> answer) {
  post(to, std::move(answer), [=, this]() -> Result<LogProof> {
    if (entry >= entries) return Error{ErrorCode::kNotFound, "the tree has no such entry"};
    return proof(entries, [=](const crypto::MerkleReader& read) {
      return crypto::merkle_inclusion(entry, entries, read);
    });
  });
}

void Reader::prove_growth(std::uint64_t from, std::uint64_t entries, Mailbox& to,
                          std::function<void(Result<LogProof>)> answer) {
  post(to, std::move(answer), [=, this]() -> Result<LogProof> {
    if (from > entries) return Error{ErrorCode::kNotFound, "the log was never so long"};
    return proof(entries, [=](const crypto::MerkleReader& read) {
      return crypto::merkle_consistency(from, entries, read);
    });
  });
}

template <class Prove>
Result<LogProof> Reader::proof(std::uint64_t entries, const Prove& prove) {
  const std::uint64_t there = log_entries();
  if (!database_->failed() && entries > there) {
    return Error{ErrorCode::kNotFound, "the log has " + std::to_string(there) + " entries"};
  }
  const crypto::MerkleReader read = [this](crypto::MerklePlace place) {
    find_hash_.start(crypto::merkle_position(place));
    crypto::MerkleHash hash{};
    if (find_hash_.row()) hash = find_hash_.array<sizeof(crypto::MerkleHash)>(0);
    find_hash_.finish();
    return hash;
  };
  LogProof made{prove(read), crypto::merkle_root(entries, read)};
  if (database_->failed()) return failure();
  return made;
}

Result<LogPage> Reader::read_log_page(std::optional<std::uint64_t> from, std::size_t limit) {
  LogPage page;
  page.entries = log_entries();
  page.first = from ? *from : page.entries - std::min<std::uint64_t>(limit, page.entries);
  if (page.first >= page.entries) return page;
  find_lines_.start(page.first, limit);
  while (find_lines_.row()) page.lines.emplace_back(find_lines_.text(0));
  if (database_->failed()) return failure();
  return page;
}

std::uint64_t Reader::log_entries() {
  return static_cast<std::uint64_t>(
      database_->number("SELECT COALESCE(MAX(number) + 1, 0) FROM log_entry"));
}

Error Reader::failure() {
  database_->take_failure();
  log(LogLevel::kError, "store.read_failed", {{"error", database_->failure_text()}});
  return {ErrorCode::kUnavailable, database_->failure_text()};
}

}  // namespace signet::store::sqlite
