// TlsServerSession is the TLS of one accepted connection, behind TcpSocket: it never blocks and
// knows nothing of the loop but what its owner asks. RFC 8446; what is demanded of the peer is
// fixed in TlsServerContext.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "net/tcp_socket.h"
#include "net/tls_bio.h"
#include "net/tls_fault.h"
#include "net/tls_server_context.h"

namespace signet::net {

// What a shard lends its sessions: that much is received at once, and a record has 16 KiB at most.
inline constexpr std::size_t kTlsReceiveBytes = 64 * 1024;

// TlsServerSession is owned by its connection's socket and lives on that shard's thread.
class TlsServerSession {
 public:
  // Answers null when memory is out. `descriptor` stays its owner's; `buffer` is used within
  // read() only, so that all sessions of a thread can share one. Both outlive the session.
  static std::unique_ptr<TlsServerSession> create(const TlsServerContext& context, int descriptor,
                                                  std::span<char> buffer);
  TlsServerSession(const TlsServerSession&) = delete;
  TlsServerSession& operator=(const TlsServerSession&) = delete;
  // Says goodbye (close_notify) when the handshake was done and nothing broke; never waits.
  ~TlsServerSession();

  // Lends another buffer, of kTlsReceiveBytes: that of the shard which goes on with it.
  void lend(std::span<char> buffer) { buffer_ = buffer; }

  // Receives once, goes on with the handshake until that is done, and opens what came. kLater also
  // while the handshake goes on. kFailed: fault() has the reason, or the stream was cut off without
  // a goodbye and there is none.
  Moved read(std::span<char> into);
  // REQUIRES: is_established().
  Moved write(std::string_view bytes);
  void end_writing();  // close_notify

  bool is_established() const { return established_; }
  // read() can't go on before the socket takes bytes.
  bool waits_to_write() const { return waits_to_write_; }
  // read() has something that no event of the socket will announce.
  bool has_more() const;

  std::optional<TlsFault> fault() const { return fault_; }
  const char* fault_detail() const { return detail_; }  // for the log; may be empty
  // The single common name of the verified client certificate: at most 64 characters of printable
  // ASCII. Empty: no certificate, or one with another kind of name (has_unreadable_name()).
  const std::string& certificate_name() const { return certificate_name_; }
  bool has_unreadable_name() const { return unreadable_name_; }
  // The soonest end in the chain that was verified; at the beginning of time without a certificate.
  WallTime certificate_ends() const { return certificate_ends_; }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  TlsServerSession(int descriptor, std::span<char> buffer) : buffer_(buffer) {
    socket_.descriptor = descriptor;
  }
  bool prepare(const TlsServerContext& context);
  void receive(std::size_t at_most);
  bool shake_hands();
  std::size_t open_records(std::span<char> into);
  void fail_handshake(int ssl_error);
  void fail(std::optional<TlsFault> fault, const char* detail);
  void take_certificate();
  static void on_message(int is_written, int version, int type, const void* bytes, std::size_t size,
                         SSL* ssl, void* self);

  std::unique_ptr<SSL, Free> ssl_;
  TlsBioSocket socket_;
  std::span<char> buffer_;
  std::string kept_;  // received and not taken yet; nearly always nothing
  std::string certificate_name_;
  WallTime certificate_ends_;
  const char* detail_ = "";
  std::optional<TlsFault> fault_;
  int late_messages_ = 0;  // of the handshake's kind, after it
  bool established_ = false;
  bool waits_to_write_ = false;
  bool ended_ = false;   // the peer's close_notify came
  bool failed_ = false;  // nothing can come or go
  bool unreadable_name_ = false;
  bool said_goodbye_ = false;
};

}  // namespace signet::net
