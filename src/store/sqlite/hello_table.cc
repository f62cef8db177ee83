#include "store/sqlite/hello_table.h"

#include <algorithm>

namespace signet::store::sqlite {
namespace {

// About 64 marks of 64 bytes each: 16 MiB at most in the usual case. Beyond it all are dropped,
// because reading one again costs a query.
constexpr std::size_t kMemoriesCached = 4'096;

}  // namespace

HelloTable::HelloTable(Database& database, const StoreOptions& options)
    : database_(database),
      limit_(static_cast<std::size_t>(std::max<std::int64_t>(options.hellos_per_member, 1))),
      find_floor_(database, "SELECT timestamp FROM hello_floor WHERE member = ?"),
      find_marks_(database, "SELECT timestamp, digest FROM hello WHERE member = ?"),
      insert_mark_(database, "INSERT INTO hello VALUES(?, ?, ?)"),
      delete_mark_(database, "DELETE FROM hello WHERE member = ? AND timestamp = ? AND digest = ?"),
      write_floor_(database, "INSERT OR REPLACE INTO hello_floor VALUES(?, ?)") {}

HelloOutcome HelloTable::admit(const AdmitHello& command) {
  HelloMemory& memory = memory_of(command.member);
  if (database_.failed()) return HelloOutcome::kUnavailable;
  const HelloMark mark{command.timestamp_ms, command.digest};
  if (!command.remember) {
    return memory.refuses(mark) ? HelloOutcome::kReplayed : HelloOutcome::kAdmitted;
  }
  const HelloMemory::Verdict verdict = memory.admit(mark, command.span_ms);
  if (!verdict.admitted) return HelloOutcome::kReplayed;
  insert_mark_.run(command.member, command.timestamp_ms, command.digest);
  for (const HelloMark& old : verdict.forgotten) {
    delete_mark_.run(command.member, old.timestamp_ms, old.digest);
  }
  if (!verdict.forgotten.empty()) write_floor_.run(command.member, memory.floor());
  return HelloOutcome::kAdmitted;
}

HelloMemory& HelloTable::memory_of(MemberNumber member) {
  const auto found = memories_.find(member);
  if (found != memories_.end()) return found->second;
  if (memories_.size() >= kMemoriesCached) memories_.clear();
  HelloMemory memory(limit_);
  find_floor_.start(member);
  if (find_floor_.row()) {
    memory.restore_floor(find_floor_.number(0));
    find_floor_.finish();
  }
  find_marks_.start(member);
  while (find_marks_.row()) {
    memory.restore({find_marks_.number(0), find_marks_.array<16>(1)});
  }
  return memories_.emplace(member, std::move(memory)).first->second;
}

}  // namespace signet::store::sqlite
