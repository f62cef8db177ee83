// InboxTable is what State says of the inbox, and the memory of what was received. Called under
// State's lock, inside a transaction: what it answers counts only when that was committed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "client/database.h"
#include "client/state.h"

namespace signet::client {

class InboxTable {
 public:
  InboxTable(Database& database, const StateOptions& options)
      : database_(database), options_(options) {}

  Result<std::vector<Taken>> take_in(const std::vector<StoredPush>& pushes);
  Result<std::vector<StoredPush>> lease(std::size_t most, std::string_view holder);
  Result<std::vector<std::string>> confirm(const std::vector<std::string>& message_ids,
                                           std::string_view holder);
  Status give_back(const std::vector<std::string>& message_ids, std::string_view holder);
  Result<std::vector<StoredPush>> unread(std::size_t most);
  Result<std::vector<StoredPush>> history(std::size_t most);
  std::size_t room();

  std::vector<std::string> holders();  // who has leases
  void free(std::string_view holder);  // its leases

 private:
  Taken take(const StoredPush& push, std::size_t& room);  // takes from the room

  Database& database_;
  const StateOptions& options_;

  Statement count_unread_{database_, "SELECT COUNT(*) FROM inbox WHERE confirmed IS NULL"};
  Statement is_known_{database_, "SELECT 1 FROM seen WHERE message_id = ?"};
  Statement is_copy_{database_, "SELECT 1 FROM seen WHERE digest = ?"};
  Statement remember_{database_, "INSERT INTO seen(message_id, digest) VALUES(?, ?)"};
  Statement insert_{database_,
                    "INSERT INTO inbox(number, message_id, sender, target, priority, created_at, "
                    "nonce, ciphertext) VALUES(?, ?, ?, ?, ?, ?, ?, ?)"};
  // Numbers have no gaps where nothing was forgotten, so this leaves at most that many, and those
  // whose message is still here.
  Statement forget_{database_,
                    "DELETE FROM seen WHERE number <= (SELECT MAX(number) FROM seen) - ? "
                    "AND number NOT IN (SELECT number FROM inbox)"};
  Statement free_ones_{database_,
                       "SELECT message_id, sender, target, priority, created_at, nonce, ciphertext,"
                       " number FROM inbox WHERE confirmed IS NULL AND holder IS NULL "
                       "ORDER BY number LIMIT ?"};
  Statement lease_{database_, "UPDATE inbox SET holder = ? WHERE number = ?"};
  Statement confirm_{database_,
                     "UPDATE inbox SET holder = NULL, confirmed = "
                     "(SELECT COALESCE(MAX(confirmed), 0) + 1 FROM inbox "
                     "WHERE confirmed IS NOT NULL) "
                     "WHERE message_id = ? AND holder = ? AND confirmed IS NULL"};
  Statement drop_read_{database_,
                       "DELETE FROM inbox WHERE confirmed <= (SELECT confirmed FROM inbox "
                       "WHERE confirmed IS NOT NULL ORDER BY confirmed DESC LIMIT 1 OFFSET ?)"};
  Statement give_back_{database_,
                       "UPDATE inbox SET holder = NULL WHERE message_id = ? AND holder = ?"};
  Statement unread_{database_,
                    "SELECT message_id, sender, target, priority, created_at, nonce, ciphertext "
                    "FROM inbox WHERE confirmed IS NULL ORDER BY number DESC LIMIT ?"};
  Statement history_{database_,
                     "SELECT message_id, sender, target, priority, created_at, nonce, ciphertext "
                     "FROM inbox WHERE confirmed IS NOT NULL ORDER BY confirmed DESC LIMIT ?"};
  Statement holders_{database_,
                     "SELECT DISTINCT holder FROM inbox "
                     "WHERE confirmed IS NULL AND holder IS NOT NULL"};
  Statement free_{database_, "UPDATE inbox SET holder = NULL WHERE holder = ?"};
};

}  // namespace signet::client
