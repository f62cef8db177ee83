#include "signet/node/health_probe.h"

#include <array>

#include "base/time.h"
#include "net/outgoing_socket.h"
#include "signet/doctor/findings.h"

namespace signet::node {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxHealthBytes = 65'536;
constexpr int kHealthy = 200;

// Up to the end of the connection, which the request asks for.
Result<std::string> read_to_end(net::OutgoingSocket& socket, Elapsed deadline) {
  std::string bytes;
  std::array<char, 4'096> chunk{};
  while (bytes.size() < kMaxHealthBytes) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - system_clock().elapsed());
    if (left <= milliseconds(0)) return Error{ErrorCode::kUnavailable, "no answer in time"};
    SIGNET_TRY(const std::size_t got, socket.receive(chunk, left));
    if (got == 0) return bytes;
    bytes.append(chunk.data(), got);
  }
  return Error{ErrorCode::kUnavailable, "an answer without end"};
}

}  // namespace

Result<Probe> probe_health(const client::Url& url, const TlsTrust& trust, milliseconds timeout) {
  const Elapsed start = system_clock().elapsed();
  const Elapsed deadline = start + timeout;
  net::TcpEndpoint endpoint{url.host, url.port};
  if (url.secure) endpoint.tls = net::TlsOptions{trust.ca_file, "", trust.allow_tls12};
  SIGNET_TRY(auto socket, net::OutgoingSocket::connect(endpoint, timeout));
  const auto left = std::chrono::ceil<milliseconds>(deadline - system_clock().elapsed());
  const std::string request =
      "GET /health HTTP/1.1\r\nHost: " + url.authority() + "\r\nConnection: close\r\n\r\n";
  SIGNET_TRY([[maybe_unused]] const Done sent, socket.send_all(request, left));
  SIGNET_TRY(const std::string bytes, read_to_end(socket, deadline));
  const cli::HealthAnswer health = cli::read_health(bytes);
  if (health.status != kHealthy) return Error{ErrorCode::kUnavailable, "no controller answers"};
  Probe probe;
  probe.round_trip =
      std::chrono::duration_cast<std::chrono::microseconds>(system_clock().elapsed() - start);
  probe.remote_clock = health.date;
  return probe;
}

}  // namespace signet::node
