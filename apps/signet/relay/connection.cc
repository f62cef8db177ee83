#include "signet/relay/connection.h"

#include <array>

#include "base/time.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/interrupt.h"

namespace signet::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLook{250};  // how late an interrupt may be seen
constexpr std::size_t kReadBytes = 64 << 10;
constexpr int kReadsATurn = 4;  // then what came is shown

Elapsed now_elapsed() { return system_clock().elapsed(); }

// The path that the upgrade asks for: the own key behind what ends with a slash.
std::string path_of(const RelayOptions& options, const crypto::RelaySecretKey& key) {
  std::string path = options.url.path;
  if (path.ends_with('/')) path += crypto::relay_key_text(key.public_key());
  if (!options.receipts) return path;
  return path + (path.find('?') == path.npos ? "?" : "&") + "receipts=1";
}

Result<net::OutgoingSocket> connect_socket(const RelayOptions& options) {
  net::TcpEndpoint endpoint{options.url.host, options.url.port};
  if (options.url.secure) {
    endpoint.tls = net::TlsOptions{options.trust.ca_file, "", options.trust.allow_tls12};
  }
  auto socket = net::OutgoingSocket::connect(endpoint, options.timeout);
  if (socket.ok()) return socket;
  const bool distrusted = socket.error().code == ErrorCode::kUnauthorized;
  return failure(ErrorCode::kUnavailable, distrusted ? "tls_untrusted" : "unreachable",
                 socket.error().detail);
}

}  // namespace

Result<client::Url> relay_url(std::string_view text) {
  auto url = client::parse_url(text);
  if (!url.ok()) {
    return usage_error("--url is no address of a relay: " + url.error().detail,
                       "It is ws://HOST:PORT or wss://HOST:PORT.");
  }
  if (url->path == "/ws") url->path = "/relay/";
  return url;
}

Result<std::unique_ptr<RelayConnection>> RelayConnection::open(const RelayOptions& options,
                                                               const Paths& paths,
                                                               const crypto::RelaySecretKey& key,
                                                               const KnownKeys& known) {
  SIGNET_TRY(net::OutgoingSocket socket, connect_socket(options));
  const std::string address = options.url.authority();
  const Elapsed start = now_elapsed();
  std::unique_ptr<RelayConnection> connection(new RelayConnection(
      std::move(socket), RelaySession(key, known, address, path_of(options, key), start)));
  RelaySession& session = connection->session();
  while (!session.is_registered()) {
    connection->move(kLook);
    if (session.is_registered()) break;
    if (session.end()) return *session.end();
    if (now_elapsed() - start < options.timeout && !is_interrupted()) continue;
    return failure(ErrorCode::kUnavailable, is_interrupted() ? "interrupted" : "timeout",
                   "the relay did not register this key in time");
  }
  SIGNET_TRY([[maybe_unused]] const Done pinned, pin_server(paths, address, session.server()));
  return connection;
}

void RelayConnection::move(milliseconds at_most) {
  write();
  if (session_.end()) return;
  net::Watch watch{&socket_, true, !session_.output().empty(), false, false};
  net::wait_for_any(std::span(&watch, 1), nullptr, at_most);
  if (watch.can_write) write();
  if (watch.can_read) read();
  write();
  session_.on_time(now_elapsed());
}

void RelayConnection::close(milliseconds at_most) {
  session_.say_goodbye();
  const Elapsed start = now_elapsed();
  while (!session_.end() && now_elapsed() - start < at_most && !is_interrupted()) move(kLook);
}

void RelayConnection::write() {
  std::string& output = session_.output();
  std::size_t written = 0;
  while (written < output.size()) {
    const auto moved = socket_.write_some(std::string_view(output).substr(written));
    if (!moved.ok()) session_.lost(moved.error().detail);
    if (!moved.ok() || moved->must_wait()) break;
    written += moved->bytes;
  }
  output.erase(0, written);
}

void RelayConnection::read() {
  std::array<char, kReadBytes> bytes;
  for (int i = 0; i < kReadsATurn && !session_.end(); ++i) {
    const auto got = socket_.read_some(bytes);
    if (!got.ok()) return session_.lost(got.error().detail);
    if (got->has_ended()) return session_.lost("the relay closed the connection");
    if (got->must_wait()) return;
    session_.feed(std::span(bytes).first(got->bytes), now_elapsed());
  }
}

}  // namespace signet::cli
