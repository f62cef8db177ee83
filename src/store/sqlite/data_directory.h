// DataDirectory is the folder that holds the database: private to this user, on a disk of this
// machine, and held by one process at a time.
#pragma once

#include <string>

#include "signet/result.h"

namespace signet::store::sqlite {

// Would locks and syncs of a file system with this statfs magic depend on another machine or on a
// program in user space?
bool is_remote_file_system(long magic);

// Descriptor closes what it owns.
class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor();
  int get() const { return value_; }
  bool is_open() const { return value_ >= 0; }

 private:
  int value_;
};

// Holds the lock until it is destroyed.
class DataDirectory {
 public:
  // Makes the folder (0700) and the database file (0600) when missing. Fails kConflict when another
  // process holds it, kUnavailable when it can't be made, made private, or trusted.
  static Result<DataDirectory> open(const std::string& path);

  const std::string& path() const { return path_; }  // absolute, without symbolic links
  std::string database_path() const { return path_ + "/signet.db"; }
  std::string reserve_path() const { return path_ + "/reserve"; }

  // Makes the names of new files durable.
  Status sync() const;

 private:
  DataDirectory(std::string path, Descriptor folder, Descriptor lock)
      : path_(std::move(path)), folder_(std::move(folder)), lock_(std::move(lock)) {}

  std::string path_;
  Descriptor folder_;
  Descriptor lock_;
};

}  // namespace signet::store::sqlite
