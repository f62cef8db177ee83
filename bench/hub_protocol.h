// The Hub user of the load generator: it signs actions and hears that they happened. Normative
// text: protocol/hub.md. bench/peers/hub.mjs serves the same on socket.io.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/time.h"
#include "protocol.h"
#include "signet/result.h"

namespace signet::bench {

// The issuer that servers are told to believe, beside a secret of theirs and the generator's.
inline constexpr std::string_view kHubIssuer = "bench";

inline constexpr std::string_view kHubPath = "/socket.io/?EIO=4&transport=websocket";

// Who a token is of: the roles of a user, or what else it is.
struct HubSubject {
  std::string name;
  std::vector<std::string> roles;
  std::string role;
};
Result<std::string> hub_token(const HubSubject& of, std::string_view secret, WallTime now);

// A token of `user` under HS256, good for an hour from `now`. Fails kMalformed for a secret of less
// than 32 bytes.
Result<std::string> hub_user_token(std::string_view user, std::string_view secret, WallTime now);

// Appends the JSON of one action, whose payload holds the message's number and `filler`, signed
// with `key` at `now`.
void append_action(std::string& out, std::string_view key, std::string_view nonce, WallTime now,
                   MessageIndex index, std::string_view filler);

// A user that comes with `token` and signs with the key of its session; each action is a message to
// itself. `clock` is asked for the time of each and outlives the protocol.
std::unique_ptr<Protocol> hub_protocol(std::string host, std::string token, const Clock& clock);

}  // namespace signet::bench
