// Transfer is what one attempt to move bytes without waiting came to. "Nothing yet" and "never
// again" are different answers, and neither is an error.
#pragma once

#include <cstddef>

namespace signet::net {

struct Transfer {
  enum class State : unsigned char {
    kMoved,       // `bytes` were read or written, at least one
    kWouldBlock,  // none now: wait for the socket, then ask again
    kEnded,       // reading only: the peer ended the stream in order, nothing will follow
  };
  State state = State::kWouldBlock;
  std::size_t bytes = 0;

  static Transfer moved(std::size_t bytes) { return {State::kMoved, bytes}; }
  static Transfer would_block() { return {State::kWouldBlock, 0}; }
  static Transfer ended() { return {State::kEnded, 0}; }

  bool has_ended() const { return state == State::kEnded; }
  bool must_wait() const { return state == State::kWouldBlock; }
};

}  // namespace signet::net
