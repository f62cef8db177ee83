// How much of what was written to a descriptor its reader has taken: an answer that still lies in
// the pipe has been read by nobody. Truth: pipe(7) and unix(7) of Linux.
#pragma once

#include <cstdint>

namespace signet::mcp {

class Uptake {
 public:
  // `out` stays the caller's.
  explicit Uptake(int out);

  // How many of the `written` bytes the reader has taken for certain. Of a pipe that is exact. A
  // socket only tells when all is taken, so it is to be asked before each write, too. Of anything
  // else (a file, a terminal) nobody can tell: there everything counts as taken.
  std::uint64_t taken_of(std::uint64_t written);

 private:
  enum class Kind : std::uint8_t { kPipe, kSocket, kOther };
  static Kind kind_of(int descriptor);

  int out_;
  Kind kind_;
  std::uint64_t taken_ = 0;
};

// True when bytes can be read at once.
bool has_unread(int in);

}  // namespace signet::mcp
