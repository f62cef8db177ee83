// LoadTls is TLS 1.3 as the generator speaks it: one suite for every server, so that none is
// measured with a cheaper cipher than another; no resumption, so that every handshake is a whole
// one; and no look at the server's certificate, which each run makes for itself.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "signet/result.h"

namespace signet::bench {

class LoadTls {
 public:
  // Waits for the handshake over a connected socket that still blocks and outlives this. Fails
  // kUnavailable. REQUIRES: SIGPIPE is ignored, since OpenSSL writes with plain write().
  static Result<LoadTls> shake_hands(int descriptor);

  // Bytes that were moved, 0 when there are none now; nothing when the connection is gone. A read
  // that answers 0 has emptied what is buffered here, so that epoll misses nothing.
  std::optional<std::size_t> read(std::span<char> into);
  std::optional<std::size_t> write(std::string_view bytes);

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };
  explicit LoadTls(SSL* ssl) : ssl_(ssl) {}

  std::unique_ptr<SSL, Free> ssl_;
};

}  // namespace signet::bench
