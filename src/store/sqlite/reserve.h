// Reserve is disk space kept for the day the disk is full: given up, it lets confirmations and
// deletions go on until there is room again.
#pragma once

#include <cstdint>
#include <string>

namespace signet::store::sqlite {

// Owned by the writer. With 0 bytes it is never made and always counts as held.
class Reserve {
 public:
  Reserve(std::string path, std::int64_t bytes) : path_(std::move(path)), bytes_(bytes) {}

  // Allocates the blocks; false, with nothing left behind, when there is no room for them.
  bool hold();
  void give_up();

  std::int64_t bytes() const { return bytes_; }
  // What a process of this user may still write on that disk; 0 when that can't be read.
  std::int64_t free_bytes() const;

 private:
  bool is_held() const;

  std::string path_;
  std::int64_t bytes_;
};

}  // namespace signet::store::sqlite
