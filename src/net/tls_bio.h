// TlsBio is how OpenSSL reaches a non-blocking socket here: its own socket BIO would write without
// MSG_NOSIGNAL, and a peer that hangs up would end the process with SIGPIPE.
#pragma once

#include <openssl/bio.h>

#include <optional>
#include <string_view>

namespace signet::net {

// What the BIO works on; outlives it. The descriptor stays its owner's.
struct TlsBioSocket {
  int descriptor = -1;
  bool at_end = false;  // the peer's FIN was read
  int error = 0;        // errno of what broke the connection
  // Where there is one, reads take from it and never from the descriptor: its owner receives in
  // larger pieces than OpenSSL, which asks for each record's head and body on their own.
  std::optional<std::string_view> received;
};

// A new BIO on `socket`; null when memory is out.
BIO* new_tls_bio(TlsBioSocket& socket);

}  // namespace signet::net
