#include "store/sqlite/message_tables.h"

#include <algorithm>
#include <limits>

#include "store/sqlite/envelope_row.h"

namespace signet::store::sqlite {
namespace {

// One write of the counter for that many messages; a restart skips at most that many numbers.
constexpr std::int64_t kNumberBlock = 4'096;

void make_unique(std::vector<MemberNumber>& recipients) {
  if (recipients.size() < 2) return;
  std::sort(recipients.begin(), recipients.end());
  recipients.erase(std::unique(recipients.begin(), recipients.end()), recipients.end());
}

MessageCost cost_of(const routing::Envelope& envelope) {
  return {envelope.mesh, envelope.sender, static_cast<std::int64_t>(envelope.body.size())};
}

WallTime due_of(const routing::Envelope& envelope, const StoreOptions& options, WallTime now) {
  const WallTime latest = now + options.message_ttl;
  return envelope.expires.ms > 0 ? std::min(envelope.expires, latest) : latest;
}

std::vector<MessageNumber> numbers_of(Statement& started) {
  std::vector<MessageNumber> numbers;
  while (started.row()) numbers.push_back({started.number(0)});
  return numbers;
}

}  // namespace

MessageTables::MessageTables(Database& database, const StoreOptions& options)
    : database_(database),
      options_(options),
      ledger_(options),
      insert_sent_(database, "INSERT OR IGNORE INTO sent VALUES(?, ?, ?, ?)"),
      find_sent_(database, "SELECT content, queued FROM sent WHERE id = ?"),
      insert_message_(database, "INSERT INTO message VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      insert_mailbox_(database, "INSERT INTO mailbox VALUES(?, ?, ?, ?)"),
      delete_mailbox_(database, "DELETE FROM mailbox WHERE recipient = ? AND number = ?"),
      delete_message_(database, "DELETE FROM message WHERE number = ?"),
      take_block_(database, "UPDATE state SET value = ? WHERE name = 'next_message'"),
      insert_dead_(database, "INSERT INTO dead_letter VALUES(?, ?, ?, ?, ?)"),
      delete_dead_(database,
                   "DELETE FROM dead_letter WHERE mesh = ? AND number = ? AND recipient = ?"),
      find_waiting_(database, "SELECT number FROM mailbox WHERE recipient = ?"),
      find_due_(database, "SELECT number FROM mailbox WHERE recipient = ? AND due <= ? LIMIT ?"),
      find_next_due_(database, "SELECT MIN(due) FROM mailbox WHERE recipient = ?"),
      find_old_dead_(database,
                     "SELECT mesh, number, recipient FROM dead_letter WHERE died <= ? LIMIT ?"),
      find_first_dead_(database,
                       "SELECT mesh, number, recipient FROM dead_letter WHERE mesh = ?"
                       " ORDER BY number LIMIT ?"),
      count_dead_(database, "SELECT mesh, COUNT(*) FROM dead_letter GROUP BY mesh"),
      find_requeued_(database,
                     "SELECT d.number, d.recipient, COALESCE(r.standing, 0)"
                     " FROM dead_letter d LEFT JOIN member r ON r.number = d.recipient"
                     " WHERE d.mesh = ?1 AND d.number BETWEEN ?2 AND ?3"
                     " AND (?4 = 0 OR d.recipient = ?4) ORDER BY d.number, d.recipient"),
      read_message_(database,
                    "SELECT m.number, m.id, m.mesh, m.sender, m.priority, m.receipts, m.created,"
                    " m.expires, m.target, m.body FROM message m WHERE m.number = ?"),
      refresh_sent_(database, "UPDATE sent SET created = ?2 WHERE id = ?1"),
      find_sent_end_(database, "SELECT id FROM sent WHERE id >= ? ORDER BY id LIMIT 1 OFFSET ?"),
      forget_sent_(database, "DELETE FROM sent WHERE id >= ? AND id <= ? AND created <= ?") {}

void MessageTables::load() {
  numbers_.next = database_.number("SELECT value FROM state WHERE name = 'next_message'");
  numbers_.block_end = numbers_.next;
  // length() of a blob is in the row's head: bodies are not read.
  Statement waiting(database_,
                    "SELECT x.number, x.recipient, x.due, m.mesh, m.sender, length(m.body)"
                    " FROM mailbox x CROSS JOIN message m ON m.number = x.number");
  while (waiting.row()) {
    const MessageCost cost{{waiting.number(3)}, {waiting.number(4)}, waiting.number(5)};
    ledger_.add_waiting({waiting.number(0)}, {waiting.number(1)}, cost, {waiting.number(2)});
    ledger_.keep();
  }
  Statement dead(database_,
                 "SELECT d.number, m.mesh, m.sender, length(m.body)"
                 " FROM dead_letter d CROSS JOIN message m ON m.number = d.number");
  while (dead.row()) {
    ledger_.add_dead({dead.number(0)}, {{dead.number(1)}, {dead.number(2)}, dead.number(3)});
    ledger_.keep();
  }
  keep();
}

PublishAnswer MessageTables::publish(Publish& command, WallTime now, DeliveryBatch& stored) {
  std::vector<MemberNumber>& recipients = command.recipients;
  make_unique(recipients);
  const MessageCost cost = cost_of(*command.envelope);
  const std::size_t wanted = recipients.size();
  std::erase_if(recipients, [&](MemberNumber m) { return ledger_.is_full(m, cost.bytes); });
  const std::size_t queued = recipients.size();
  const bool refused = (queued > 0 && !ledger_.may_send(cost)) || (wanted == 1 && queued == 0);
  if (refused) {
    // A retry of what was taken when there was room is still that message.
    const PublishAnswer full{PublishOutcome::kQuotaExceeded, 0, wanted - queued};
    return earlier(command).value_or(full);
  }
  if (!remember(command, now, queued)) {
    return earlier(command).value_or(PublishAnswer{PublishOutcome::kUnavailable});
  }
  if (queued > 0) {
    const WallTime due = due_of(*command.envelope, options_, now);
    const MessageNumber number = insert(*command.envelope, recipients, cost, due);
    stored.push_back({number, command.envelope, std::move(recipients)});
  }
  return {PublishOutcome::kStored, queued, wanted - queued};
}

// Answers the message that has this id already, if any.
std::optional<PublishAnswer> MessageTables::earlier(const Publish& command) {
  find_sent_.start(command.envelope->id);
  if (!find_sent_.row()) return std::nullopt;
  const bool same = find_sent_.array<16>(0) == command.content;
  const auto queued = static_cast<std::size_t>(find_sent_.number(1));
  find_sent_.finish();
  if (!same) return PublishAnswer{PublishOutcome::kIdReused};
  return PublishAnswer{PublishOutcome::kDuplicate, queued};
}

// False when the id is taken. One descent of the tree in the usual case.
bool MessageTables::remember(const Publish& command, WallTime now, std::size_t queued) {
  const Statement::Step step = insert_sent_.run(command.envelope->id, command.content, now, queued);
  if (step != Statement::Step::kDone || database_.changes() == 0) return false;
  ++sent_total_;
  return true;
}

MessageNumber MessageTables::insert(const routing::Envelope& envelope,
                                    const std::vector<MemberNumber>& recipients,
                                    const MessageCost& cost, WallTime due) {
  const MessageNumber number = next_number();
  insert_message_.run(number, envelope.id, envelope.mesh, envelope.sender, envelope.priority,
                      envelope.receipts, envelope.created, envelope.expires, envelope.to,
                      bytes_of(envelope.body));
  for (const MemberNumber recipient : recipients) {
    insert_mailbox_.run(recipient, number, envelope.priority, due);
    ledger_.add_waiting(number, recipient, cost, due);
  }
  return number;
}

MessageNumber MessageTables::next_number() {
  if (numbers_.next >= numbers_.block_end) {
    numbers_.block_end = numbers_.next + kNumberBlock;
    take_block_.run(numbers_.block_end);
  }
  return {numbers_.next++};
}

std::vector<MessageNumber> MessageTables::confirm(MemberNumber member,
                                                  const std::vector<MessageNumber>& numbers) {
  std::vector<MessageNumber> waited;
  for (const MessageNumber number : numbers) {
    delete_mailbox_.run(member, number);
    if (database_.failed()) return {};
    if (database_.changes() == 0) continue;
    waited.push_back(number);
    if (ledger_.remove_waiting(number, member)) delete_message_.run(number);
  }
  return waited;
}

std::int64_t MessageTables::bury_all(MemberNumber member, WallTime now) {
  find_waiting_.start(member);
  const auto numbers = numbers_of(find_waiting_);
  for (const MessageNumber number : numbers) {
    bury(number, member, DeathReason::kRecipientRevoked, now);
  }
  return static_cast<std::int64_t>(numbers.size());
}

// Those that may go and have room now. What one of them takes can leave none for the next.
std::vector<MessageTables::Letter> MessageTables::letters_to_requeue(const RequeueDead& command,
                                                                     Requeued& done) {
  constexpr MessageNumber kLast{std::numeric_limits<std::int64_t>::max()};
  const auto only = command.only.value_or(RequeueDead::One{});
  const MessageNumber last = command.only ? only.number : kLast;
  std::vector<Letter> letters;
  find_requeued_.start(command.mesh, only.number, last, only.recipient);
  while (find_requeued_.row()) {
    const Letter letter{{find_requeued_.number(0)}, {find_requeued_.number(1)}};
    const auto standing = static_cast<membership::Standing>(find_requeued_.number(2));
    const MessageCost& cost = ledger_.cost_of(letter.number);
    if (!membership::may_connect(standing)) {
      ++done.refused;
    } else if (ledger_.is_full(letter.recipient, cost.bytes) || !ledger_.may_send(cost)) {
      ++done.full;
    } else if (letters.size() == command.max_letters) {
      done.more = true;
      find_requeued_.finish();
      break;
    } else {
      letters.push_back(letter);
    }
  }
  return letters;
}

Requeued MessageTables::requeue(const RequeueDead& command, WallTime now, DeliveryBatch& stored) {
  Requeued done;
  const std::vector<Letter> letters = letters_to_requeue(command, done);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < letters.size() && !database_.failed();) {
    if (bytes >= command.max_bytes) {
      done.more = true;
      break;
    }
    const MessageNumber number = letters[i].number;
    const std::int64_t size = ledger_.cost_of(number).bytes;
    std::vector<MemberNumber> recipients;
    std::size_t of_message = 0;
    for (; i < letters.size() && letters[i].number == number; ++i, ++of_message) {
      if (!ledger_.is_full(letters[i].recipient, size)) recipients.push_back(letters[i].recipient);
    }
    const std::size_t fitting = recipients.size();
    const bool revived = fitting > 0 && revive(number, std::move(recipients), now, stored);
    done.requeued += revived ? fitting : 0;
    done.full += of_message - (revived ? fitting : 0);
    bytes += revived ? static_cast<std::size_t>(size) : 0;
  }
  return done;
}

// Cursors of sessions have passed the old number, so it comes with a new one. The id is kept for as
// long as it waits: a retry of the sender is still this message.
bool MessageTables::revive(MessageNumber old, std::vector<MemberNumber> recipients, WallTime now,
                           DeliveryBatch& stored) {
  const MessageCost cost = ledger_.cost_of(old);
  if (!ledger_.may_send(cost)) return false;
  read_message_.start(old);
  if (!read_message_.row()) return false;
  auto envelope = envelope_of(read_message_);
  read_message_.finish();
  envelope->expires = now + options_.message_ttl;
  const MessageNumber number = insert(*envelope, recipients, cost, envelope->expires);
  refresh_sent_.run(envelope->id, now);
  for (const MemberNumber recipient : recipients) drop_dead(cost.mesh, old, recipient);
  stored.push_back({number, std::move(envelope), std::move(recipients)});
  return true;
}

std::int64_t MessageTables::expire(MemberNumber recipient, WallTime now, std::int64_t limit) {
  find_due_.start(recipient, now, limit);
  const auto numbers = numbers_of(find_due_);
  for (const MessageNumber number : numbers) bury(number, recipient, DeathReason::kExpired, now);
  const auto done = static_cast<std::int64_t>(numbers.size());
  if (done == limit || database_.failed()) return done;
  find_next_due_.start(recipient);
  if (find_next_due_.row()) {
    if (!find_next_due_.is_null(0)) ledger_.set_next_due(recipient, {find_next_due_.number(0)});
    find_next_due_.finish();
  }
  return done;
}

void MessageTables::bury(MessageNumber number, MemberNumber recipient, DeathReason reason,
                         WallTime now) {
  if (database_.failed()) return;
  const MessageCost cost = ledger_.cost_of(number);
  delete_mailbox_.run(recipient, number);
  insert_dead_.run(cost.mesh, number, recipient, reason, now);
  if (database_.failed()) return;
  ++dead_total_;
  ledger_.add_dead(number, cost);
  ledger_.remove_waiting(number, recipient);
}

std::int64_t MessageTables::forget_dead_before(WallTime died, std::int64_t limit) {
  find_old_dead_.start(died, limit);
  struct Row {
    MeshNumber mesh;
    MessageNumber number;
    MemberNumber recipient;
  };
  std::vector<Row> rows;
  while (find_old_dead_.row()) {
    rows.push_back(
        {{find_old_dead_.number(0)}, {find_old_dead_.number(1)}, {find_old_dead_.number(2)}});
  }
  for (const Row& row : rows) drop_dead(row.mesh, row.number, row.recipient);
  return static_cast<std::int64_t>(rows.size());
}

std::int64_t MessageTables::trim_dead(MeshNumber mesh, std::int64_t surplus) {
  find_first_dead_.start(mesh, surplus);
  std::vector<std::pair<MessageNumber, MemberNumber>> rows;
  while (find_first_dead_.row()) {
    rows.push_back({{find_first_dead_.number(1)}, {find_first_dead_.number(2)}});
  }
  for (const auto& [number, recipient] : rows) drop_dead(mesh, number, recipient);
  return static_cast<std::int64_t>(rows.size());
}

void MessageTables::drop_dead(MeshNumber mesh, MessageNumber number, MemberNumber recipient) {
  if (database_.failed()) return;
  delete_dead_.run(mesh, number, recipient);
  if (database_.failed()) return;
  if (ledger_.remove_dead(number)) delete_message_.run(number);
}

std::vector<std::pair<MeshNumber, std::int64_t>> MessageTables::crowded_with_dead() {
  std::vector<std::pair<MeshNumber, std::int64_t>> crowded;
  count_dead_.start();
  while (count_dead_.row()) {
    const std::int64_t surplus = count_dead_.number(1) - options_.dead_messages;
    if (surplus > 0) crowded.push_back({{count_dead_.number(0)}, surplus});
  }
  return crowded;
}

bool MessageTables::forget_sent_before(WallTime created, std::int64_t limit) {
  crypto::Digest16 end;
  end.fill(0xff);
  find_sent_end_.start(sent_cursor_, limit - 1);
  const bool more = find_sent_end_.row();
  if (more) {
    end = find_sent_end_.array<16>(0);
    find_sent_end_.finish();
  }
  forget_sent_.run(sent_cursor_, end, created);
  sent_cursor_ = more ? end : crypto::Digest16{};
  return !more;
}

void MessageTables::keep() {
  ledger_.keep();
  kept_numbers_ = numbers_;
}

void MessageTables::undo() {
  ledger_.undo_to(0);
  numbers_ = kept_numbers_;
}

}  // namespace signet::store::sqlite
