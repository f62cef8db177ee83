// RelayConnection is a registered connection to a relay, moved by who waits for it: one thread, no
// loop of its own.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "client/url.h"
#include "net/outgoing_socket.h"
#include "signet/client.h"
#include "signet/relay/session.h"

namespace signet::cli {

// The address of a relay as people write it: `ws://HOST:PORT`, with a path where it is not at the
// root. Signet's own is at /relay/; the path of a broker's other format is replaced.
Result<client::Url> relay_url(std::string_view text);

struct RelayOptions {
  client::Url url;
  TlsTrust trust;
  bool receipts = false;
  std::chrono::milliseconds timeout{10'000};  // to connect, and to register
};

class RelayConnection {
 public:
  // Connects and registers; the server's key is pinned where none was. `key` and `known` outlive
  // it. Fails with what RelaySession::end() says, and kUnavailable (unreachable, timeout).
  static Result<std::unique_ptr<RelayConnection>> open(const RelayOptions& options,
                                                       const Paths& paths,
                                                       const crypto::RelaySecretKey& key,
                                                       const KnownKeys& known);

  RelaySession& session() { return session_; }
  // Writes and reads what there is, waiting at most so long for either. The end is in session().
  void move(std::chrono::milliseconds at_most);
  // Says goodbye and lets the server take all of it.
  void close(std::chrono::milliseconds at_most);

 private:
  RelayConnection(net::OutgoingSocket socket, RelaySession session)
      : socket_(std::move(socket)), session_(std::move(session)) {}
  void write();
  void read();

  net::OutgoingSocket socket_;
  RelaySession session_;
};

}  // namespace signet::cli
