#include "store/sqlite/log_table.h"

#include <algorithm>
#include <utility>

namespace signet::store::sqlite {
namespace {

// At each start; a tenth of a second.
constexpr std::uint64_t kLinesLookedAt = 10'000;

audit::Draft begun() {
  audit::Draft draft;
  draft.event = audit::Event::kLogBegun;
  return draft;
}

// Whom a change is about that does not say in which mesh; 0: nobody.
MemberNumber member_alone(const membership::Change& change) {
  if (const auto* standing = std::get_if<membership::StandingChanged>(&change)) {
    return standing->member;
  }
  if (const auto* role = std::get_if<membership::RoleChanged>(&change)) return role->member;
  return {};
}

std::uint64_t count(Database& database, const char* sql) {
  return static_cast<std::uint64_t>(database.number(sql));
}

}  // namespace

LogTable::LogTable(Database& database, const StoreOptions& options)
    : database_(database),
      options_(options),
      insert_entry_(database, "INSERT INTO log_entry VALUES(?, ?)"),
      insert_hash_(database, "INSERT INTO log_hash VALUES(?, ?)"),
      find_hash_(database, "SELECT hash FROM log_hash WHERE position = ?"),
      find_entry_(database, "SELECT line FROM log_entry WHERE number = ?"),
      insert_checkpoint_(database, "INSERT OR REPLACE INTO log_checkpoint VALUES(?, ?)"),
      find_checkpoint_(database, "SELECT note FROM log_checkpoint WHERE entries = ?"),
      find_mesh_(database, "SELECT mesh FROM member WHERE number = ?"),
      write_bytes_(database, "UPDATE state SET value = ? WHERE name = 'log_bytes'") {}

bool LogTable::load() {
  now_.entries = count(database_, "SELECT COALESCE(MAX(number) + 1, 0) FROM log_entry");
  now_.signed_entries = count(database_, "SELECT COALESCE(MAX(entries), 0) FROM log_checkpoint");
  now_.bytes = database_.number("SELECT value FROM state WHERE name = 'log_bytes'");
  kept_ = now_;
  return !is_kept() || fits_together();
}

// No whole verification, which is for `signet audit verify` and would delay the start of a long
// log: the numbers are without a gap, the newest lines have their hashes, up to the top, and the
// last head that was signed is that of what is there.
bool LogTable::fits_together() {
  const std::uint64_t hashes = count(database_, "SELECT COUNT(*) FROM log_hash");
  const std::uint64_t lines = count(database_, "SELECT COUNT(*) FROM log_entry");
  if (lines != now_.entries || hashes != crypto::merkle_positions(lines)) return false;
  if (now_.signed_entries > lines) return false;
  if (lines == 0) return true;
  for (std::uint64_t n = lines - std::min(lines, kLinesLookedAt); n < lines; ++n) {
    if (!has_its_hashes(n)) return false;
  }
  if (now_.signed_entries == 0) return true;
  find_checkpoint_.start(now_.signed_entries);
  const std::string note(find_checkpoint_.row() ? find_checkpoint_.text(0) : std::string_view());
  find_checkpoint_.finish();
  const auto head = audit::open_checkpoint(note, options_.log->key.public_key());
  const auto read = [this](crypto::MerklePlace place) { return hash_at(place); };
  return head.ok() && head->entries == now_.signed_entries &&
         head->root == crypto::merkle_root(now_.signed_entries, read);
}

// Its leaf, and each subtree that became whole with it.
bool LogTable::has_its_hashes(std::uint64_t number) {
  find_entry_.start(number);
  const bool found = find_entry_.row();
  const auto leaf = found ? crypto::merkle_leaf(find_entry_.bytes(0)) : crypto::merkle_empty();
  find_entry_.finish();
  const auto read = [this](crypto::MerklePlace place) { return hash_at(place); };
  std::uint32_t level = 0;
  for (const auto& hash : crypto::merkle_append(number, leaf, read)) {
    if (hash_at({level, number >> level}) != hash) return false;
    ++level;
  }
  return found;
}

crypto::MerkleHash LogTable::hash_at(crypto::MerklePlace place) {
  find_hash_.start(crypto::merkle_position(place));
  crypto::MerkleHash hash{};
  if (find_hash_.row()) hash = find_hash_.array<sizeof(crypto::MerkleHash)>(0);
  find_hash_.finish();
  return hash;
}

void LogTable::append(const std::vector<audit::Draft>& drafts, WallTime now) {
  if (now_.entries == 0 && (drafts.empty() || drafts.front().event != audit::Event::kLogBegun)) {
    append({begun()}, now);
  }
  for (const audit::Draft& draft : drafts) {
    const std::string line = audit::encode({now_.entries, now, draft});
    std::uint64_t position = crypto::merkle_positions(now_.entries);
    insert_entry_.run(now_.entries, line);
    const auto read = [this](crypto::MerklePlace place) { return hash_at(place); };
    for (const auto& hash :
         crypto::merkle_append(now_.entries, crypto::merkle_leaf(bytes_of(line)), read)) {
      insert_hash_.run(position++, hash);
    }
    ++now_.entries;
    now_.bytes += static_cast<std::int64_t>(line.size());
  }
  if (!drafts.empty()) write_bytes_.run(now_.bytes);
}

void LogTable::append(const membership::Change& change, std::string_view by, WallTime now) {
  std::vector<audit::Draft> drafts = audit::drafts_of(change, by, options_.log->pseudonyms);
  const MemberNumber member = member_alone(change);
  if (member.value != 0) {
    for (audit::Draft& draft : drafts) draft.mesh = mesh_of(member);
  }
  append(drafts, now);
}

MeshNumber LogTable::mesh_of(MemberNumber member) {
  find_mesh_.start(member);
  const MeshNumber mesh{find_mesh_.row() ? find_mesh_.number(0) : 0};
  find_mesh_.finish();
  return mesh;
}

std::string LogTable::sign() {
  if (is_signed() && now_.entries > 0) {
    find_checkpoint_.start(now_.entries);
    std::string note(find_checkpoint_.row() ? find_checkpoint_.text(0) : std::string_view());
    find_checkpoint_.finish();
    if (!note.empty()) return note;
  }
  const auto read = [this](crypto::MerklePlace place) { return hash_at(place); };
  std::string note = audit::sign_checkpoint(
      {options_.log->origin, now_.entries, crypto::merkle_root(now_.entries, read)},
      options_.log->key);
  insert_checkpoint_.run(now_.entries, note);
  now_.signed_entries = now_.entries;
  return note;
}

}  // namespace signet::store::sqlite
