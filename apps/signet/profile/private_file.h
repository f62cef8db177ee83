// Files that hold secrets: the owner's alone, never through a symbolic link, whole or not at all.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "signet/result.h"

namespace signet::cli {

// Reads a file that nobody but its owner may read. Fails kNotFound (file_missing), kForbidden
// (key_file_readable where others have rights, key_file_not_yours, key_file_link), kMalformed
// (file_too_long: over 1 MiB, or no regular file), kUnavailable (file_unreadable).
Result<std::string> read_private_file(const std::string& path);

// The same of a file that holds no secret: whoever may read it, and through a link, too. Fails
// kNotFound (file_missing), kForbidden and kUnavailable (file_unreadable), kMalformed
// (file_too_long, no_file: a pipe, say, which is never waited for).
Result<std::string> read_shown_file(const std::string& path);

// Replaces the file as a whole, mode 0600, and returns when it is on the disk. A crash leaves the
// old one or the new one. Fails kUnavailable (disk), kForbidden (key_file_link) for a link.
Status write_private_file(const std::string& path, std::string_view text);

// The same, but fails kConflict (file_exists) where something has that name already.
Status create_private_file(const std::string& path, std::string_view text);

// Makes the folder and those above it, mode 0700. Fails kForbidden (folder_writable) where others
// may write into one that exists, kUnavailable (disk).
Status make_private_folder(const std::string& path);

// FolderLock keeps other processes of this program from changing the files of a folder. Let go on
// destruction, or when the process ends.
class FolderLock {
 public:
  // Fails kUnavailable (locked) when another process has it for longer than `patience`.
  static Result<FolderLock> take(const std::string& folder,
                                 std::chrono::milliseconds patience = kPatience);
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;
  ~FolderLock();

 private:
  // A change takes milliseconds; whoever has it longer hangs.
  static constexpr std::chrono::milliseconds kPatience{5'000};
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace signet::cli
