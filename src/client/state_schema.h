// The tables of a state file, and whether a file is one: of this program, this version and this
// identity. Everything is plain except what is marked as sealed (crypto/state_box.h; its kind is
// the table and column, its row the row's key).
#pragma once

#include "client/database.h"
#include "crypto/sign.h"
#include "crypto/state_box.h"
#include "signet/result.h"

namespace signet::client {

inline constexpr std::int64_t kStateApplicationId = 0x53474353;  // "SGCS", in SQLite's header
inline constexpr std::int64_t kStateVersion = 1;                 // user_version

// Whose file it is.
struct StateOwner {
  const crypto::PublicKey& key;
  const crypto::StateBox& box;
};

// Only looks. Success: it is empty, or it is this owner's and this version's. Fails kForbidden
// (state_not_yours), kConflict (state_newer), and as the database does.
Status check_owner(Database& database, const StateOwner& owner);
// Reads every page: kMalformed (state_corrupt) when they are not in order.
Status check_pages(Database& database);

// WAL, and a commit is on disk when it returns; both read back. REQUIRES: check_owner succeeded.
Status make_durable(Database& database);
// Makes the tables of an empty database; in a full one it does nothing.
Status make_tables(Database& database, const StateOwner& owner);

}  // namespace signet::client
