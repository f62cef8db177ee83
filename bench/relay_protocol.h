// The SecureWebSocket client of the load generator. Normative text: protocol/securewebsocket.md.
#pragma once

#include <memory>
#include <string>

#include "crypto/relay_box.h"
#include "protocol.h"

namespace signet::bench {

// An envelope whose box is the message's number and `filler`: base64, but sealed by nobody, which a
// blind relay can't tell. Every server that is measured beside Signet carries this text as well.
void append_envelope(std::string& out, std::string_view from, std::string_view to,
                     MessageIndex index, std::string_view filler);

// A client that proves `keys` to the server's challenge, then sends envelopes to keys.
std::unique_ptr<Protocol> relay_protocol(std::string host, crypto::RelaySecretKey keys);

}  // namespace signet::bench
