#include "client/state_outbox.h"

#include <algorithm>
#include <utility>

#include "client/state_row.h"
#include "crypto/random.h"

namespace signet::client {
namespace {

constexpr std::size_t kTicketBytes = 16;
constexpr std::string_view kTextKind = "outbox.text";
constexpr std::string_view kCiphertextKind = "outbox.ciphertext";
constexpr std::string_view kCancelled = "cancelled";
constexpr std::string_view kUnreadable = "state_corrupt";

// Receivers that are remembered by key, per message: a broker could name any number.
constexpr std::int64_t kReceiversKept = 1'000;
constexpr std::size_t kKeyDigits = 64;

Error no_such_ticket() {
  return {ErrorCode::kNotFound, "no_such_ticket: no message of that ticket is kept"};
}
Error not_waiting() {
  return {ErrorCode::kConflict, "not_waiting: this message is finished, it must not be sent"};
}

Priority priority_of(std::int64_t value) {
  return static_cast<Priority>(std::clamp<std::int64_t>(value, 0, 2));
}

// The text is bound to how it is to be sent: on disk nobody gives it another receiver, or takes its
// seal away.
std::string text_row_of(const OutboxEntry& entry) {
  return row_of({entry.ticket, entry.to, entry.sealed ? "sealed" : "clear",
                 entry.receipts ? "receipts" : "none",
                 std::to_string(static_cast<int>(entry.priority))});
}

}  // namespace

Result<std::string> OutboxTable::enqueue(OutboxEntry entry, std::string_view holder) {
  if (count_waiting_.count() >= static_cast<std::int64_t>(options_.outbox_messages)) {
    return Error{ErrorCode::kOverloaded,
                 "outbox_full: " + std::to_string(options_.outbox_messages) +
                     " messages wait to be sent already"};
  }
  if (entry.ticket.empty()) entry.ticket = crypto::random_hex(kTicketBytes);
  if (find_.exists(entry.ticket)) {
    return Error{ErrorCode::kConflict, "ticket_used: another message has that ticket"};
  }
  const std::string text = box_.seal(kTextKind, text_row_of(entry), entry.text);
  insert_.run(entry.ticket, entry.to, Blob{text}, entry.priority, entry.receipts, entry.sealed,
              holder);
  return std::move(entry.ticket);
}

std::optional<OutboxEntry> OutboxTable::entry_of(const Statement& row) const {
  OutboxEntry entry;
  entry.number = row.number(0);
  entry.ticket = row.string(1);
  entry.to = row.string(2);
  entry.priority = priority_of(row.number(4));
  entry.receipts = row.number(5) != 0;
  entry.sealed = row.number(6) != 0;
  auto text = box_.open(kTextKind, text_row_of(entry), row.text(3));
  if (!text) return std::nullopt;
  entry.text = *std::move(text);
  entry.nonce = row.string(7);
  if (entry.nonce.empty()) return entry;
  auto ciphertext = box_.open(kCiphertextKind, entry.ticket, row.text(8));
  if (!ciphertext) return std::nullopt;
  entry.ciphertext = *std::move(ciphertext);
  entry.audience = row.string(9);
  return entry;
}

Result<std::vector<OutboxEntry>> OutboxTable::claim(std::string_view holder) {
  claim_.run(holder);
  std::vector<OutboxEntry> entries;
  std::vector<std::int64_t> unreadable;
  claimed_.each(
      [&](const Statement& row) {
        auto entry = entry_of(row);
        if (entry) {
          entries.push_back(*std::move(entry));
        } else {
          unreadable.push_back(row.number(0));
        }
      },
      holder);
  // One that was changed on disk can't be sent as it was meant: said, and not in the way of others.
  for (const std::int64_t number : unreadable) {
    finish({number, SendState::kWaiting, false}, SendState::kRefused, kUnreadable, "", 0);
  }
  return entries;
}

std::optional<OutboxTable::Standing> OutboxTable::standing_of(std::string_view ticket) {
  std::optional<Standing> standing;
  find_.first(
      [&](const Statement& row) {
        standing = {row.number(0), static_cast<SendState>(row.number(1)), row.number(2) != 0};
      },
      ticket);
  return standing;
}

Status OutboxTable::keep_attempt(std::string_view ticket, std::string_view nonce,
                                 std::string_view ciphertext, std::string_view audience) {
  const auto standing = standing_of(ticket);
  if (!standing) return no_such_ticket();
  if (standing->state != SendState::kWaiting) return not_waiting();
  const std::string sealed = box_.seal(kCiphertextKind, ticket, ciphertext);
  attempt_.run(nonce, Blob{sealed}, audience, standing->number);
  return Done{};
}

void OutboxTable::finish(const Standing& standing, SendState state, std::string_view why,
                         std::string_view message_id, std::int64_t recipients) {
  finish_.run(state, why, message_id, recipients, standing.number);
  std::vector<std::int64_t> old;
  too_many_.each([&](const Statement& row) { old.push_back(row.number(0)); }, options_.kept_sent);
  for (const std::int64_t number : old) {
    delete_receivers_.run(number);
    delete_.run(number);
  }
}

Status OutboxTable::mark_stored(std::string_view ticket, std::string_view message_id,
                                std::int64_t recipients) {
  const auto standing = standing_of(ticket);
  if (!standing) return no_such_ticket();
  if (standing->state == SendState::kRefused) return not_waiting();
  if (standing->state == SendState::kWaiting) {
    finish(*standing, SendState::kStored, "", message_id, recipients);
  }
  return Done{};
}

Status OutboxTable::mark_refused(std::string_view ticket, std::string_view code) {
  const auto standing = standing_of(ticket);
  if (!standing) return no_such_ticket();
  if (standing->state == SendState::kWaiting) {
    finish(*standing, SendState::kRefused, code, "", 0);
    return Done{};
  }
  if (standing->state == SendState::kRefused) return Done{};
  return not_waiting();
}

Result<std::optional<SendReport>> OutboxTable::mark_receipt(std::string_view message_id,
                                                            SendState state, std::string_view by) {
  std::optional<std::int64_t> number;
  std::string ticket;
  find_message_.first(
      [&](const Statement& row) {
        number = row.number(0);
        ticket = row.string(1);
      },
      message_id);
  if (!number || message_id.empty()) return std::optional<SendReport>();
  if (state == SendState::kReceived || state == SendState::kRead) {
    raise_.run(state, *number, state);
    const bool is_listed = by.size() == kKeyDigits;
    if (is_listed && count_receivers_.count(*number) < kReceiversKept) {
      insert_receiver_.run(*number, by);
    }
  }
  SIGNET_TRY(SendReport after, report(ticket));
  return std::optional(std::move(after));
}

Status OutboxTable::cancel(std::string_view ticket) {
  const auto standing = standing_of(ticket);
  if (!standing) return no_such_ticket();
  if (standing->state == SendState::kRefused) return Done{};
  if (standing->state != SendState::kWaiting || standing->is_attempted) {
    return Error{ErrorCode::kConflict, "already_sent: the broker may have this message"};
  }
  finish(*standing, SendState::kRefused, kCancelled, "", 0);
  return Done{};
}

Result<SendReport> OutboxTable::report(std::string_view ticket) {
  SendReport report;
  report.ticket = ticket;
  std::int64_t number = 0;
  const bool found = report_.first(
      [&](const Statement& row) {
        number = row.number(0);
        report.message_id = row.string(1);
        report.to = row.string(2);
        report.state = static_cast<SendState>(row.number(3));
        report.why = row.string(4);
        report.recipients = row.number(5);
      },
      ticket);
  if (!found) return no_such_ticket();
  add_receivers(number, report);
  return report;
}

void OutboxTable::add_receivers(std::int64_t number, SendReport& report) {
  receivers_.each([&](const Statement& row) { report.by.push_back(row.string(0)); }, number);
}

Result<std::vector<SendReport>> OutboxTable::waiting() {
  std::vector<SendReport> reports;
  waiting_.each([&](const Statement& row) {
    SendReport report;
    report.ticket = row.string(0);
    report.to = row.string(1);
    reports.push_back(std::move(report));
  });
  return reports;
}

std::vector<std::string> OutboxTable::holders() {
  std::vector<std::string> found;
  holders_.each([&](const Statement& row) { found.push_back(row.string(0)); });
  return found;
}

void OutboxTable::free(std::string_view holder) { free_.run(holder); }

}  // namespace signet::client
