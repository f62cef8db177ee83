// The schema, as numbered steps from an empty file. Each step is one transaction together with its
// number, so that a kill leaves the old schema or the new one.
#pragma once

#include <cstdint>
#include <functional>

#include "store/sqlite/database.h"

namespace signet::store::sqlite {

inline constexpr std::int64_t kApplicationId = 0x5347'4e54;  // "SGNT"
inline constexpr std::int64_t kSchemaVersion = 5;

// Sets what every connection of the writer needs and reads back what durability rests on.
// `synchronous_full` false gives NORMAL. Fails kUnavailable when WAL or the level is not in force,
// kMalformed when the file is no database.
Status configure(Database& database, bool synchronous_full);

// Brings the file to version `to`. `before_statement` is called before each statement of a step (a
// test dies there, or stops at an older version). Fails kMalformed when the file is not ours or
// newer, kUnavailable when the step could not be committed.
Status migrate(
    Database& database, const std::function<void()>& before_statement = [] {},
    std::int64_t to = kSchemaVersion);

}  // namespace signet::store::sqlite
