// The opening handshake of RFC 6455, section 4: a request that asks for a WebSocket, and its
// answer.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "wire/http_head.h"

namespace signet::wire {

// Upgrade borrows from the request head.
struct Upgrade {
  std::string_view key;                        // Sec-WebSocket-Key, checked
  std::vector<std::string_view> subprotocols;  // offered, in the client's order
};
struct NotAnUpgrade {};

// NotAnUpgrade for an ordinary request; BadRequest (400, or 426 for another version) for a request
// that asks for an upgrade and breaks a rule of section 4.2.1. The answer to 426 should name
// `Sec-WebSocket-Version: 13`.
std::variant<Upgrade, NotAnUpgrade, BadRequest> read_upgrade(const RequestHead& head);

// base64(SHA-1(key + GUID)), section 4.2.2.
std::string accept_key(std::string_view key);

// Appends the 101 answer. `subprotocol` is empty for none. Extensions are never accepted.
void append_switching_protocols(std::string& out, std::string_view key,
                                std::string_view subprotocol);

// The client's side: a request for `path` on `host`, and the check of the answer's head.
void append_upgrade_request(std::string& out, std::string_view host, std::string_view path,
                            std::string_view key);
// The bytes that the head takes; NeedMore; or BadRequest (status = what the server answered, 0 when
// that is unreadable) when this is no valid 101 for `key`.
std::variant<std::size_t, NeedMore, BadRequest> read_upgrade_response(std::string_view bytes,
                                                                      std::string_view key);

}  // namespace signet::wire
