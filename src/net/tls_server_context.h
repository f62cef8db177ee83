// TlsServerContext is what this end shows and demands in TLS handshakes: certificate, key, the
// authorities of clients, versions. Immutable, shared by all shards; a new one takes its place for
// the handshakes to come, and the connections that are open keep what they have.
#pragma once

#include <openssl/ssl.h>

#include <memory>

#include "base/time.h"
#include "net/shard.h"

namespace signet::net {

// When a certificate ends; at the beginning of time where it doesn't say so.
WallTime end_of(const X509* certificate);

class TlsServerContext {
 public:
  // Reads the files. What is demanded (RFC 8446, RFC 9325): TLS 1.3, or with allow_tls12 also 1.2
  // with ephemeral key agreement and AEAD suites only; X25519 or P-256; no compression, no
  // renegotiation, no early data, and no resumption, so that no ticket key has to be kept and
  // changed. ALPN may offer http/1.1 or nothing at all.
  // Fails kNotFound, kForbidden or kMalformed with a sentence that names the file: it is missing or
  // (the key) open to others, (authorities of clients) writable by others, holds no certificate or
  // key, the two do not belong together, the certificate is not for servers or too weak. One that
  // expired is not refused here.
  static Result<std::shared_ptr<const TlsServerContext>> load(const TlsServerOptions& options);

  WallTime certificate_ends() const { return ends_; }
  // A new server side; null when memory is out. Any thread.
  SSL* new_ssl() const { return SSL_new(context_.get()); }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  using Context = std::unique_ptr<SSL_CTX, Free>;

  TlsServerContext(Context context, WallTime ends) : context_(std::move(context)), ends_(ends) {}

  const Context context_;
  const WallTime ends_;
};

}  // namespace signet::net
