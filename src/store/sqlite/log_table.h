// LogTable is the Merkle log on disk: its lines, the hashes of all whole subtrees, and the heads
// that were signed. Writer thread, inside its transactions, so that an entry is there exactly when
// the change that it tells of is.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/sqlite/database.h"
#include "store/store.h"

namespace signet::store::sqlite {

class LogTable {
 public:
  LogTable(Database& database, const StoreOptions& options);

  bool is_kept() const { return options_.log != nullptr; }

  // Reads how far the log goes, and looks whether what is there fits together. False when it does
  // not: then somebody or something changed it, and no later proof will hide that.
  bool load();

  // Adds the entries at `now`. REQUIRES: is_kept().
  void append(const std::vector<audit::Draft>& drafts, WallTime now);
  // The facts of a committed change. REQUIRES: is_kept().
  void append(const membership::Change& change, std::string_view by, WallTime now);
  bool has_room() const { return now_.bytes < options_.log_bytes; }

  // Signs the head unless that was done, and answers the note.
  std::string sign();
  bool is_signed() const { return now_.entries == now_.signed_entries; }
  std::uint64_t unsigned_entries() const { return now_.entries - now_.signed_entries; }

  std::uint64_t entries() const { return now_.entries; }
  std::int64_t bytes() const { return now_.bytes; }

  // The outcome of the transaction.
  void keep() { kept_ = now_; }
  void undo() { now_ = kept_; }

 private:
  struct Extent {
    std::uint64_t entries = 0;
    std::uint64_t signed_entries = 0;
    std::int64_t bytes = 0;  // of lines
  };
  MeshNumber mesh_of(MemberNumber member);
  crypto::MerkleHash hash_at(crypto::MerklePlace place);
  bool fits_together();
  bool has_its_hashes(std::uint64_t number);

  Database& database_;
  const StoreOptions& options_;
  Extent kept_;
  Extent now_;
  Statement insert_entry_;
  Statement insert_hash_;
  Statement find_hash_;
  Statement find_entry_;
  Statement insert_checkpoint_;
  Statement find_checkpoint_;
  Statement find_mesh_;
  Statement write_bytes_;
};

}  // namespace signet::store::sqlite
