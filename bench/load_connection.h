// LoadConnection is one socket of the generator and what is said over it. LoadLoop is the one
// thread that serves them all; it looks again at once rather than sleep, so that its own waking up
// is in no figure.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "load_tls.h"
#include "protocol.h"
#include "signet/result.h"

namespace signet::bench {

class LoadConnection {
 public:
  LoadConnection(std::unique_ptr<Protocol> protocol, ProtocolEvents& events)
      : protocol_(std::move(protocol)), events_(events) {}
  ~LoadConnection();  // resets the connection, so that no port stays in TIME_WAIT
  LoadConnection(const LoadConnection&) = delete;
  LoadConnection& operator=(const LoadConnection&) = delete;

  // Connects (waiting for the kernel only, or with `over_tls` for the handshake, too) and says what
  // the protocol says first.
  Status open(const std::string& host, std::uint16_t port, bool over_tls = false);

  void send(std::string_view to, MessageIndex index, std::string_view filler) {
    protocol_->send(out_, to, index, filler);
  }
  // One write of everything that waits. False when the connection is gone.
  bool flush();
  // Reads what there is: once, or under TLS until nothing is left, since epoll does not see what is
  // decrypted. False when the connection is gone.
  bool read(std::span<char> buffer);

  bool wants_write() const { return written_ < out_.size(); }
  bool queued = false;  // the loop's: it is in its list of those to flush
  int descriptor() const { return descriptor_; }

 private:
  bool flush_tls();
  bool read_tls(std::span<char> buffer);

  std::unique_ptr<Protocol> protocol_;
  ProtocolEvents& events_;
  std::string out_;
  std::size_t written_ = 0;
  int descriptor_ = -1;
  std::optional<LoadTls> tls_;
};

class LoadLoop {
 public:
  LoadLoop();
  ~LoadLoop();
  LoadLoop(const LoadLoop&) = delete;
  LoadLoop& operator=(const LoadLoop&) = delete;

  void add(LoadConnection& connection);
  void remove(LoadConnection& connection);
  void wrote(LoadConnection& connection);  // it has something for the next turn to flush

  // Writes what waits, one call a connection, then reads every connection that has something. The
  // ones that went are returned once.
  const std::vector<LoadConnection*>& turn();

  // Time so far in turns that found nothing to do. A generator that had none was the bottleneck,
  // and its figures are a lower bound of the server's.
  std::chrono::nanoseconds idle() const { return idle_; }

 private:
  void flush_all();
  void drop(LoadConnection& connection);

  static constexpr std::size_t kEvents = 256;
  static constexpr std::size_t kBufferBytes = 256 * 1024;
  int epoll_;
  std::array<epoll_event, kEvents> ready_{};
  std::vector<char> buffer_ = std::vector<char>(kBufferBytes);
  std::vector<LoadConnection*> unflushed_;
  std::vector<LoadConnection*> flushing_;  // of the turn that runs; kept for its memory
  std::vector<LoadConnection*> gone_;
  std::chrono::nanoseconds idle_{};
  std::chrono::steady_clock::time_point turned_ = std::chrono::steady_clock::now();
};

}  // namespace signet::bench
