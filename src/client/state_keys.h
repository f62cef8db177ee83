// KeyTables are what State says of channel keys and pins. All of it is sealed: keys because they
// are secret, pins because whoever can write to the disk must not be able to change whom this side
// trusts. Called under State's lock, inside a transaction.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "client/database.h"
#include "client/state.h"
#include "crypto/state_box.h"

namespace signet::client {

class KeyTables {
 public:
  KeyTables(Database& database, const crypto::StateBox& box, const StateOptions& options)
      : database_(database), box_(box), options_(options) {}

  Result<std::optional<OwnChannelKey>> own_key(std::string_view target);
  Status keep_own_key(const OwnChannelKey& key);
  Result<KeyOffer> offer_own_key(std::string_view target, const std::vector<std::string>& audience,
                                 WallTime now, const State::MakeKey& make);
  Status add_key_holder(std::string_view target, std::string_view key_id, std::string_view member);

  Status keep_peer_key(std::string_view sender, std::string_view target, std::string_view key_id,
                       std::string_view key);
  Result<std::optional<std::string>> peer_key(std::string_view sender, std::string_view target,
                                              std::string_view key_id);

  Result<std::vector<Pin>> pins();
  Result<std::optional<Pin>> pin(std::string_view name);
  Status keep_pin(std::string_view name, std::string_view key, bool verified, WallTime now);
  Result<Pin> first_pin(std::string_view name, std::string_view key, WallTime now);

 private:
  void make_room_for_pin();
  Result<Pin> open_pin(std::string_view name, std::string_view sealed) const;

  Database& database_;
  const crypto::StateBox& box_;
  const StateOptions& options_;

  Statement own_key_{database_, "SELECT key_id, key, made FROM own_key WHERE target = ?"};
  Statement own_holders_{database_,
                         "SELECT member FROM own_key_holder WHERE target = ? ORDER BY member"};
  Statement put_own_key_{database_,
                         "INSERT OR REPLACE INTO own_key(target, key_id, key, made) "
                         "VALUES(?, ?, ?, ?)"};
  Statement drop_holders_{database_, "DELETE FROM own_key_holder WHERE target = ?"};
  Statement is_current_{database_, "SELECT 1 FROM own_key WHERE target = ? AND key_id = ?"};
  Statement add_holder_{database_,
                        "INSERT OR IGNORE INTO own_key_holder(target, member) VALUES(?, ?)"};
  Statement put_peer_key_{database_,
                          "INSERT OR REPLACE INTO peer_key(sender, target, key_id, key) "
                          "VALUES(?, ?, ?, ?)"};
  Statement drop_old_here_{database_,
                           "DELETE FROM peer_key WHERE number IN (SELECT number FROM peer_key "
                           "WHERE sender = ? AND target = ? ORDER BY number DESC "
                           "LIMIT -1 OFFSET ?)"};
  Statement drop_old_of_sender_{database_,
                                "DELETE FROM peer_key WHERE number IN (SELECT number FROM peer_key "
                                "WHERE sender = ? ORDER BY number DESC LIMIT -1 OFFSET ?)"};
  Statement drop_old_{database_,
                      "DELETE FROM peer_key WHERE number IN (SELECT number FROM peer_key "
                      "ORDER BY number DESC LIMIT -1 OFFSET ?)"};
  Statement peer_key_{database_,
                      "SELECT key FROM peer_key WHERE sender = ? AND target = ? AND key_id = ?"};
  Statement pins_{database_, "SELECT name, pin FROM pin ORDER BY name"};
  Statement pin_{database_, "SELECT pin FROM pin WHERE name = ?"};
  Statement count_pins_{database_, "SELECT COUNT(*) FROM pin"};
  Statement drop_pin_{database_, "DELETE FROM pin WHERE name = ?"};
  Statement put_pin_{database_, "INSERT OR REPLACE INTO pin(name, pin) VALUES(?, ?)"};
};

}  // namespace signet::client
