// Files that are this user's alone: threats L2. What is open to others, is a link or belongs to
// somebody else is refused rather than repaired, for it may have been read or swapped already.
#pragma once

#include <cstdint>
#include <string>

#include "signet/result.h"

namespace signet::client {

enum class FileKind : std::uint8_t { kFile, kFolder };

// What lstat says of a path: nothing is opened, since closing a second descriptor of a database
// would drop the locks that SQLite holds on it in this process.
struct FileFacts {
  bool exists = false;
  std::int64_t bytes = 0;
};

// Fails kForbidden (state_not_yours) when it exists and is of another kind, a symbolic link, of
// another user, or open to group or others; kUnavailable (disk).
Result<FileFacts> check_private(const std::string& path, FileKind kind);

// Makes an empty file (0600) that nobody else can open; no fault when it exists. The file is never
// opened here.
Status make_private_file(const std::string& path);

// The path with its folder's links resolved; the folder and those above it are made (0700) where
// they are missing. Fails kForbidden (state_not_yours) when everybody may write into the folder and
// take files away there, kUnavailable (disk, disk_full).
Result<std::string> private_path(const std::string& file);

// `disk` or `disk_full`, with what was tried and errno's text.
Error file_error(const std::string& what, const std::string& path);

}  // namespace signet::client
