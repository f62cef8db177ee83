// TcpSocket is one connected socket: the only place where bytes of a connection are received and
// sent. TLS, where it is spoken, works in here.
#pragma once

#include <cstdint>
#include <memory>
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

class TlsServerSession;

class TcpSocket {
 public:
  // Owns `descriptor`, which does not block.
  explicit TcpSocket(int descriptor);
  TcpSocket(TcpSocket&& other) noexcept;
  TcpSocket& operator=(TcpSocket&&) = delete;
  ~TcpSocket();  // closes: what the kernel holds is still sent

  int descriptor() const { return descriptor_; }
  int release() { return std::exchange(descriptor_, -1); }

  // From here on all bytes go through `tls`. REQUIRES: none were moved yet.
  void encrypt(std::unique_ptr<TlsServerSession> tls);
  const TlsServerSession* tls() const { return tls_.get(); }  // null: plain
  void lend(std::span<char> tls_buffer);                      // REQUIRES: tls()

  Moved read(std::span<char> into);
  Moved write(std::string_view bytes);
  bool has_more() const { return tls_ && tls_has_more(); }  // for read(), without an event
  bool read_waits_to_write() const { return tls_ && tls_waits_to_write(); }
  void end_writing();     // tells the peer that nothing more comes
  void reset_on_close();  // makes the close a reset: nothing is kept for a peer that was refused

 private:
  bool tls_has_more() const;
  bool tls_waits_to_write() const;

  std::unique_ptr<TlsServerSession> tls_;
  int descriptor_;
};

}  // namespace signet::net
