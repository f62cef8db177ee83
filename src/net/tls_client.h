// TlsClient is the TLS of one outgoing connection, on a connected non-blocking socket that somebody
// else owns and waits for. What it demands of the peer is fixed in tls_options.h. The only file
// that includes this is outgoing_socket*.cc.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "net/tls_bio.h"
#include "net/tls_options.h"
#include "net/transfer.h"
#include "signet/result.h"

namespace signet::net {

class TlsClient {
 public:
  // Ready to shake hands with `host` over `descriptor`, which outlives it.
  // Fails kNotFound when `ca_file` can't be read, kMalformed when there is no name to verify.
  static Result<std::unique_ptr<TlsClient>> create(int descriptor, const std::string& host,
                                                   const TlsOptions& options);
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;
  // Says goodbye (close_notify) when the handshake was done and nothing broke; never waits.
  ~TlsClient();

  // Goes on with the handshake: true when done and verified, false when it must wait for
  // events(true, false). Fails as OutgoingSocket::connect says.
  Result<bool> shake_hands();

  // As OutgoingSocket's.
  Result<Transfer> read_some(std::span<char> into);
  Result<Transfer> write_some(std::string_view bytes);
  short events(bool to_read, bool to_write) const;
  bool has_buffered() const;
  TlsFacts facts() const;

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };

  TlsClient(int descriptor, std::string name);
  Status prepare(const TlsOptions& options);
  Status demand_name();
  // What an OpenSSL call that moved nothing came to; `waits_for` is set to the poll() event that
  // lets it go on.
  Result<Transfer> outcome(int result, short& waits_for);
  Error broken(int ssl_error);

  std::string name_;  // that the certificate must carry
  TlsBioSocket socket_;
  std::unique_ptr<SSL, Free> ssl_;
  short read_waits_for_;
  short write_waits_for_;
  bool is_open_ = false;  // shaken hands, and nothing broke since
};

}  // namespace signet::net
