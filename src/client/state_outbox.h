// OutboxTable is what State says of the outbox. Called under State's lock, inside a transaction:
// what it answers counts only when that was committed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/database.h"
#include "client/state.h"
#include "crypto/state_box.h"

namespace signet::client {

class OutboxTable {
 public:
  OutboxTable(Database& database, const crypto::StateBox& box, const StateOptions& options)
      : database_(database), box_(box), options_(options) {}

  Result<std::string> enqueue(OutboxEntry entry, std::string_view holder);  // empty: nobody's
  Result<std::vector<OutboxEntry>> claim(std::string_view holder);
  Status keep_attempt(std::string_view ticket, std::string_view nonce, std::string_view ciphertext,
                      std::string_view audience);
  Status mark_stored(std::string_view ticket, std::string_view message_id, std::int64_t recipients);
  Status mark_refused(std::string_view ticket, std::string_view code);
  Result<std::optional<SendReport>> mark_receipt(std::string_view message_id, SendState state,
                                                 std::string_view by);
  Status cancel(std::string_view ticket);
  Result<SendReport> report(std::string_view ticket);
  Result<std::vector<SendReport>> waiting();

  std::vector<std::string> holders();  // who has claims
  void free(std::string_view holder);  // its claims

 private:
  struct Standing {
    std::int64_t number;
    SendState state;
    bool is_attempted;
  };
  std::optional<Standing> standing_of(std::string_view ticket);
  // Finishes a message that waits.
  void finish(const Standing& standing, SendState state, std::string_view why,
              std::string_view message_id, std::int64_t recipients);
  std::optional<OutboxEntry> entry_of(const Statement& row) const;
  void add_receivers(std::int64_t number, SendReport& report);

  Database& database_;
  const crypto::StateBox& box_;
  const StateOptions& options_;

  Statement count_waiting_{database_, "SELECT COUNT(*) FROM outbox WHERE finished IS NULL"};
  Statement insert_{database_,
                    "INSERT INTO outbox(ticket, target, text, priority, receipts, sealed, holder) "
                    "VALUES(?, ?, ?, ?, ?, ?, NULLIF(?, ''))"};
  Statement claim_{database_,
                   "UPDATE outbox SET holder = ? WHERE finished IS NULL AND holder IS NULL"};
  Statement claimed_{database_,
                     "SELECT number, ticket, target, text, priority, receipts, sealed, nonce, "
                     "ciphertext, audience FROM outbox "
                     "WHERE finished IS NULL AND holder = ? ORDER BY number"};
  Statement find_{database_, "SELECT number, state, nonce <> '' FROM outbox WHERE ticket = ?"};
  Statement attempt_{database_,
                     "UPDATE outbox SET nonce = ?, ciphertext = ?, audience = ? "
                     "WHERE number = ?"};
  Statement finish_{database_,
                    "UPDATE outbox SET state = ?, why = ?, message_id = ?, recipients = ?, "
                    "text = NULL, ciphertext = NULL, holder = NULL, finished = "
                    "(SELECT COALESCE(MAX(finished), 0) + 1 FROM outbox WHERE finished IS NOT NULL)"
                    " WHERE number = ?"};
  Statement too_many_{database_,
                      "SELECT number FROM outbox WHERE finished IS NOT NULL "
                      "ORDER BY finished DESC LIMIT -1 OFFSET ?"};
  Statement delete_{database_, "DELETE FROM outbox WHERE number = ?"};
  Statement delete_receivers_{database_, "DELETE FROM outbox_by WHERE number = ?"};
  Statement find_message_{database_,
                          "SELECT number, ticket FROM outbox WHERE message_id = ? "
                          "AND message_id <> ''"};
  Statement raise_{database_, "UPDATE outbox SET state = ? WHERE number = ? AND state < ?"};
  Statement count_receivers_{database_, "SELECT COUNT(*) FROM outbox_by WHERE number = ?"};
  Statement insert_receiver_{database_,
                             "INSERT OR IGNORE INTO outbox_by(number, member) VALUES(?, ?)"};
  Statement receivers_{database_, "SELECT member FROM outbox_by WHERE number = ? ORDER BY member"};
  Statement report_{database_,
                    "SELECT number, message_id, target, state, why, recipients "
                    "FROM outbox WHERE ticket = ?"};
  Statement waiting_{database_,
                     "SELECT ticket, target FROM outbox WHERE finished IS NULL ORDER BY number"};
  Statement holders_{database_,
                     "SELECT DISTINCT holder FROM outbox "
                     "WHERE finished IS NULL AND holder IS NOT NULL"};
  Statement free_{database_, "UPDATE outbox SET holder = NULL WHERE holder = ?"};
};

}  // namespace signet::client
