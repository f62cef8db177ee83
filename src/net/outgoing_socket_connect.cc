// How an OutgoingSocket comes to be: name, address, TCP or Unix socket, TLS, under one deadline.
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "net/outgoing_deadline.h"
#include "net/outgoing_socket.h"
#include "net/tls_client.h"

namespace signet::net {
namespace {

using std::chrono::milliseconds;

// Names with more addresses exist; beyond these each address's share of the time is too short.
constexpr std::size_t kMaxAddresses = 8;
// A Unix listener whose queue is full says so at once and tells nobody when there is room.
constexpr milliseconds kUnixRetry{10};
constexpr const char* kInterrupted = "interrupted";

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Error unavailable(std::string detail) { return {ErrorCode::kUnavailable, std::move(detail)}; }

// An address is taken as it is; only a name asks the resolver, which may block.
Result<Addresses> look_up(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  const std::string service = std::to_string(port);
  addrinfo* found = nullptr;
  int failed = getaddrinfo(host.c_str(), service.c_str(), &hints, &found);
  if (failed != 0) {
    hints.ai_flags = AI_NUMERICSERV;
    failed = getaddrinfo(host.c_str(), service.c_str(), &hints, &found);
  }
  if (failed != 0) return unavailable(gai_strerror(failed));
  return Addresses(found, &freeaddrinfo);
}

std::string text_of(const addrinfo& address) {
  std::array<char, NI_MAXHOST> text{};
  const int failed = getnameinfo(address.ai_addr, address.ai_addrlen, text.data(), text.size(),
                                 nullptr, 0, NI_NUMERICHOST);
  return failed == 0 ? text.data() : "an address";
}

int open_socket(int family) {
  const int descriptor = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int on = 1;
  if (descriptor >= 0 && family != AF_UNIX) {
    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  return descriptor;
}

// Waits until `watch` can go on. Fails kUnavailable when the deadline passes or the waker is set.
Status wait_to_connect(Watch watch, const Waker* waker, const Deadline& deadline) {
  const bool any = wait_for_any({&watch, 1}, waker, deadline.left());
  if (watch.can_read || watch.can_write) return Done{};
  return unavailable(any ? kInterrupted : "timeout");
}

Status finish_connect(const OutgoingSocket& socket, const Waker* waker, const Deadline& deadline) {
  SIGNET_TRY([[maybe_unused]] const Done ready,
             wait_to_connect({&socket, false, true}, waker, deadline));
  int error = 0;
  socklen_t size = sizeof error;
  if (getsockopt(socket.descriptor(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  if (error != 0) return unavailable(std::strerror(error));
  return Done{};
}

Status connect_unix(const OutgoingSocket& socket, const std::string& path, const Waker* waker,
                    const Deadline& deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool fits = !path.empty() && path.size() < sizeof address.sun_path &&
                    path.find('\0') == std::string::npos;
  if (!fits) return Error{ErrorCode::kMalformed, "no path of a Unix socket"};
  std::memcpy(address.sun_path, path.data(), path.size());
  while (::connect(socket.descriptor(), reinterpret_cast<sockaddr*>(&address), sizeof address) !=
         0) {
    if (errno != EAGAIN) return unavailable(std::strerror(errno));
    if (wait_for_any({}, waker, std::min(kUnixRetry, deadline.left()))) {
      return unavailable(kInterrupted);
    }
    if (deadline.has_passed()) return unavailable("timeout");
  }
  return Done{};
}

// Says where, in front of what went wrong.
Error at(const Endpoint& endpoint, const Error& error) {
  return {error.code, text_of(endpoint) + ": " + error.detail};
}

}  // namespace

std::string text_of(const Endpoint& endpoint) {
  if (const auto* local = std::get_if<UnixEndpoint>(&endpoint)) return "unix:" + local->path;
  const auto& tcp = std::get<TcpEndpoint>(endpoint);
  const bool is_ipv6 = tcp.host.find(':') != std::string::npos;
  return (tcp.tls ? "tls://" : "tcp://") + (is_ipv6 ? "[" + tcp.host + "]" : tcp.host) + ":" +
         std::to_string(tcp.port);
}

Result<OutgoingSocket> OutgoingSocket::connect(const Endpoint& endpoint, milliseconds timeout,
                                               const Waker* waker) {
  const Deadline deadline(timeout);
  const auto* tcp = std::get_if<TcpEndpoint>(&endpoint);
  auto socket = tcp != nullptr
                    ? connect_tcp(*tcp, waker, deadline)
                    : connect_local(std::get<UnixEndpoint>(endpoint).path, waker, deadline);
  if (!socket.ok()) return at(endpoint, socket.error());
  return socket;
}

Result<OutgoingSocket> OutgoingSocket::connect_local(const std::string& path, const Waker* waker,
                                                     const Deadline& deadline) {
  OutgoingSocket socket(open_socket(AF_UNIX));
  if (socket.descriptor() < 0) return unavailable(std::strerror(errno));
  SIGNET_TRY([[maybe_unused]] const Done connected, connect_unix(socket, path, waker, deadline));
  return socket;
}

Result<OutgoingSocket> OutgoingSocket::connect_tcp(const TcpEndpoint& endpoint, const Waker* waker,
                                                   const Deadline& deadline) {
  const bool is_name = !endpoint.host.empty() && endpoint.host.find('\0') == std::string::npos;
  if (!is_name) return Error{ErrorCode::kMalformed, "no host"};
  SIGNET_TRY(const Addresses found, look_up(endpoint.host, endpoint.port));
  std::size_t untried = 0;
  for (const addrinfo* each = found.get(); each != nullptr; each = each->ai_next) ++untried;
  untried = std::min(untried, kMaxAddresses);
  Error last = unavailable("no address");
  for (const addrinfo* each = found.get(); untried > 0; each = each->ai_next, --untried) {
    // A share each, so that one address that swallows everything leaves time for the next.
    const Deadline share(deadline.left() / static_cast<int>(untried));
    auto socket = connect_address(*each, waker, share);
    if (!socket.ok()) {
      last = unavailable(text_of(*each) + ": " + socket.error().detail);
      if (socket.error().detail == kInterrupted) return socket.error();
      continue;
    }
    if (!endpoint.tls) return socket;
    SIGNET_TRY([[maybe_unused]] const Done secured,
               socket->secure(endpoint.host, *endpoint.tls, waker, deadline));
    return socket;
  }
  return last;
}

Result<OutgoingSocket> OutgoingSocket::connect_address(const addrinfo& address, const Waker* waker,
                                                       const Deadline& deadline) {
  OutgoingSocket socket(open_socket(address.ai_family));
  if (socket.descriptor() < 0) return unavailable(std::strerror(errno));
  if (::connect(socket.descriptor(), address.ai_addr, address.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return unavailable(std::strerror(errno));
    SIGNET_TRY([[maybe_unused]] const Done connected, finish_connect(socket, waker, deadline));
  }
  return socket;
}

Status OutgoingSocket::secure(const std::string& host, const TlsOptions& options,
                              const Waker* waker, const Deadline& deadline) {
  SIGNET_TRY(tls_, TlsClient::create(descriptor_, host, options));
  for (;;) {
    SIGNET_TRY(const bool done, tls_->shake_hands());
    if (done) return Done{};
    // Also a server that sends without pause is cut off in time.
    if (deadline.has_passed()) return unavailable("timeout");
    SIGNET_TRY([[maybe_unused]] const Done ready,
               wait_to_connect({this, true, false}, waker, deadline));
  }
}

}  // namespace signet::net
