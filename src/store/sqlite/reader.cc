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
      find_dead_(*database_, kFindDead) {
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

Error Reader::failure() {
  database_->take_failure();
  log(LogLevel::kError, "store.read_failed", {{"error", database_->failure_text()}});
  return {ErrorCode::kUnavailable, database_->failure_text()};
}

}  // namespace signet::store::sqlite
