// TcpSocket is one connected socket: the only place where bytes of a connection are received and
// sent, so that TLS can take its place without the connection noticing.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace signet::net {

enum class Transfer : std::uint8_t {
  kMoved,   // `bytes` of them, at least one
  kLater,   // would block
  kEnded,   // the peer sends no more (reading only)
  kFailed,  // reset, or any other error: the connection is gone
};

struct Moved {
  Transfer outcome;
  std::size_t bytes = 0;
};

class TcpSocket {
 public:
  // Owns `descriptor`, which does not block.
  explicit TcpSocket(int descriptor) : descriptor_(descriptor) {}
  TcpSocket(TcpSocket&& other) noexcept;
  TcpSocket& operator=(TcpSocket&&) = delete;
  ~TcpSocket();  // closes: what the kernel holds is still sent

  int descriptor() const { return descriptor_; }
  int release() { return std::exchange(descriptor_, -1); }

  Moved read(std::span<char> into);
  Moved write(std::string_view bytes);
  void end_writing();     // tells the peer that nothing more comes
  void reset_on_close();  // makes the close a reset: nothing is kept for a peer that was refused

 private:
  int descriptor_;
};

}  // namespace signet::net
