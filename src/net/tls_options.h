// What an outgoing TLS connection demands, and what it found. No OpenSSL in here: other modules
// include this.
#pragma once

#include <string>

#include "base/time.h"

namespace signet::net {

// The peer's chain and its name are always verified; there is no switch that turns that off. A
// server with a certificate of one's own is reached by naming it as `ca_file`.
struct TlsOptions {
  std::string ca_file = {};      // PEM, the only roots believed; empty: those of the system
  std::string server_name = {};  // the name the certificate must carry; empty: the endpoint's host
  bool allow_tls12 = false;      // for proxies that do not speak 1.3; nothing older is ever spoken
};

// For a person who asks why a connection is what it is.
struct TlsFacts {
  std::string version;  // "TLSv1.3"
  std::string cipher;   // "TLS_AES_256_GCM_SHA384"
  // Of the peer's certificate. The names are escaped to printable ASCII on one line.
  std::string subject;
  std::string issuer;
  WallTime not_after;
};

}  // namespace signet::net
