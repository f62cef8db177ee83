#include "base/log.h"
#include "net/tcp_connection.h"
#include "net/tls_server_session.h"

namespace signet::net {

// That of a trusted proxy is its own, and says nothing of those whom it forwards.
std::string_view TcpConnection::certificate_name() const {
  if (socket_.tls() == nullptr || shard_.proxies.count(slot_) > 0) return {};
  return socket_.tls()->certificate_name();
}

WallTime TcpConnection::certificate_ends() const {
  return socket_.tls() == nullptr ? WallTime{} : socket_.tls()->certificate_ends();
}

// The poller tells of it again in the next turn.
bool TcpConnection::must_wait_to_shake_hands() {
  if (!handshaking_) return false;
  if (shard_.handshakes_left == 0) return true;
  --shard_.handshakes_left;
  return false;
}

void TcpConnection::look_at_handshake() {
  const TlsServerSession& tls = *socket_.tls();
  if (!tls.is_established()) return;
  handshaking_ = false;
  shard_.metrics.tls_handshakes.add();
  if (tls.has_unreadable_name()) count_tls_fault(TlsFault::kUnreadableName, "");
  due_ = shard_.now + shard_.options.head_timeout;
  rearm();
}

void TcpConnection::on_handshake_timeout() {
  count_tls_fault(TlsFault::kTimeout, "");
  drop(CloseReason::kTimedOut);
}

// A stream that is cut off without a goodbye is nobody's fault: such is the way of many programs.
void TcpConnection::on_broken_tls() {
  const TlsServerSession& tls = *socket_.tls();
  if (!tls.fault()) return lose();
  count_tls_fault(*tls.fault(), tls.fault_detail());
  drop(handshaking_ ? CloseReason::kPolicy : CloseReason::kProtocolError);
}

void TcpConnection::count_tls_fault(TlsFault fault, const char* detail) {
  shard_.metrics.tls_failures[fault].add();
  const bool of_certificate = fault == TlsFault::kCertificate || fault == TlsFault::kNoCertificate;
  if (of_certificate) shard_.events->on_certificate_refused(peer_, name_of(fault));
  const auto repeated = shard_.tls_log.take(fault, shard_.now);
  if (!repeated) return;
  // Those are for an operator to mend; the others happen to every open port.
  const bool is_ours = fault == TlsFault::kCertificate || fault == TlsFault::kNoCertificate ||
                       fault == TlsFault::kClientRefused || fault == TlsFault::kUnreadableName ||
                       fault == TlsFault::kInternal;
  log(is_ours ? LogLevel::kWarn : LogLevel::kDebug, "tls.failed",
      {{"reason", name_of(fault)},
       {"detail", std::string_view(detail)},
       {"repeated", *repeated},
       {"peer", peer_.text()}});
}

}  // namespace signet::net
