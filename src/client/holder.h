// Who has a state file open? Each open State is a holder: a file of a random name in the folder
// `<file>.holders` and a lock (flock) on it, which the kernel takes back when the process ends,
// however it ends. A holder whose lock somebody else gets is dead.
//
// The lock belongs to the open file, not to the process: two States of one process are two holders.
// It isn't passed on by exec. A process that forks shares its holders with the child, which must
// not use them; they live until both have ended.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "signet/result.h"

namespace signet::client {

// Descriptor closes the file it owns, and with it its lock.
class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor();
  int get() const { return value_; }
  bool is_open() const { return value_ >= 0; }

 private:
  int value_;
};

// Holder is alive from HolderFolder::enter to its destruction, which takes its file away.
class Holder {
 public:
  const std::string& id() const { return id_; }  // 32 hex digits, never used again

  // One that nobody else can ask for: of a state in memory.
  static Holder alone();

  Holder(Holder&&) noexcept = default;
  Holder& operator=(Holder&&) = delete;
  ~Holder();

 private:
  friend class HolderFolder;
  Holder(std::string id, std::string path, Descriptor lock)
      : id_(std::move(id)), path_(std::move(path)), lock_(std::move(lock)) {}

  std::string id_;
  std::string path_;
  Descriptor lock_;
};

class HolderFolder {
 public:
  // Makes the folder (0700). Fails kForbidden (state_not_yours) when it is open to others,
  // kUnavailable (disk, disk_full).
  static Result<HolderFolder> open(const std::string& path);

  // Only one process at a time opens a state file: it holds this while it looks at the file and
  // perhaps puts it aside. Fails kUnavailable (state_busy) when another one does for longer than
  // `timeout`.
  Result<Descriptor> lock(std::chrono::milliseconds timeout) const;

  Result<Holder> enter() const;  // kUnavailable (disk, disk_full)
  // Not sure is alive: what it has must not be given to another one.
  bool is_alive(std::string_view id) const;
  bool is_anyone_alive() const;
  // Takes the file of a dead holder away. REQUIRES: nothing refers to it any more.
  void forget(std::string_view id) const;
  // Takes away what processes left that were killed. REQUIRES: lock() is held.
  void sweep() const;

  // A mark in the folder that outlives the state file: it was made, and not just now.
  bool was_made() const;
  void mark_made() const;
  void unmark_made() const;

 private:
  explicit HolderFolder(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

}  // namespace signet::client
