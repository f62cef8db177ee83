// BlockingSocket is one outgoing TCP connection for programs that wait: the client, demos, tests.
// The daemon never uses it. Owned by one thread.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "signet/result.h"

namespace signet::net {

class BlockingSocket {
 public:
  // Fails kUnavailable when nobody answers within `timeout`.
  static Result<BlockingSocket> connect(const std::string& host, std::uint16_t port,
                                        std::chrono::milliseconds timeout);
  BlockingSocket(BlockingSocket&& other) noexcept;
  BlockingSocket& operator=(BlockingSocket&& other) noexcept;
  ~BlockingSocket();

  // Writes all of `bytes`. Fails kUnavailable when the peer is gone or `timeout` passes.
  Status send_all(std::string_view bytes, std::chrono::milliseconds timeout);

  // Waits for bytes; the number read into `into`, 0 at the peer's end.
  // Fails kOverloaded when `timeout` passes, kUnavailable when the connection broke.
  Result<std::size_t> receive(std::span<char> into, std::chrono::milliseconds timeout);

 private:
  explicit BlockingSocket(int descriptor) : descriptor_(descriptor) {}
  int descriptor_ = -1;
};

}  // namespace signet::net
