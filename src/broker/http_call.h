// HttpCall is one HTTP request on its way from a shard to whoever answers it, with all it borrows
// copied, and the way back.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "crypto/secret_text.h"
#include "net/connection.h"

namespace signet::broker {

struct HttpCall {
  std::string method;
  std::string path;  // as sent, before '?'
  std::string query;
  std::string host;
  std::optional<std::string> origin;
  crypto::SecretText authorization;  // never logged
  std::string accept;
  bool encrypted = false;  // by TLS that ends here
  bool forwarded = false;  // by a proxy, who says so: then `peer` is not who asks
  std::string body;
  net::PeerAddress peer;
  net::Door door = net::Door::kPublic;
  std::function<void(net::HttpResponse)> reply;  // any thread, once
  std::string certificate = {};  // the common name of the client's, as TLS verified it; empty: none
};

// Runs on the shard's thread; must not block: it hands the call to another thread.
using HttpHandler = std::function<void(HttpCall)>;

}  // namespace signet::broker
