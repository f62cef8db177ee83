// Files that hold a secret: read only where nobody but their owner has rights on them, and where
// their owner is us or root. What is open to others may have been read or swapped already, so it is
// refused and never repaired.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "signet/result.h"

namespace signet {

enum class FileFault : std::uint8_t {
  kNone,
  kMissing,
  kLink,           // a symbolic link: whoever may write where it lies says what is read
  kNoRegularFile,  // a folder, a pipe, a device
  kOpenToOthers,   // group or others have a right on it
  kNotOurs,        // of a user who is neither us nor root
  kTooLong,
  kUnreadable,
};

// Which rights a secret's file may have.
enum class FileOrigin : std::uint8_t {
  kOwn,  // none but its owner's
  // One that systemd hands to the service: root's, with an access list for the service's user, the
  // mask of which is what stat shows as a right of the group to read (systemd.exec(5), 0440).
  kCredential,
};

// What is wrong with a file of this mode (st_mode) and owner for a process of user `us`. kNone,
// kNoRegularFile, kOpenToOthers or kNotOurs.
FileFault fault_of(mode_t mode, uid_t owner, uid_t us, FileOrigin origin);

// Reads the whole file into `out`, in one piece of memory and without a copy elsewhere; wiping that
// is the caller's part. After a fault `out` is empty and what it held is wiped. A file that lies in
// $CREDENTIALS_DIRECTORY itself is a kCredential. Never waits for a writer. An empty file is no
// fault.
FileFault read_private(const std::string& path, std::size_t max_bytes, std::string& out);

// The same, with a sentence that names the file. Fails kNotFound where it is missing, kMalformed
// where it is too long, kForbidden for every other fault.
Status read_private_file(const std::string& path, std::size_t max_bytes, std::string& out);

}  // namespace signet
