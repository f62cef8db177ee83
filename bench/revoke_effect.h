// How long after an operator's call that revokes a member each plane obeys: its WebSocket is
// told to close, its submissions are refused, its peer is gone from what another node is given; and
// of the engine of Hub that has its node's name: its socket is told to close, its job is queued.
// Tunnels themselves are timed where there are some (tests/e2e).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "signet/client.h"
#include "signet/result.h"
#include "wire/json.h"

namespace signet::bench {

struct RevokeEffectPlan {
  std::string at;              // HOST:PORT
  std::string operator_token;  // of the operator's API
  std::string token_secret;    // of hub: signs tokens; empty: the planes of Hub are left out
};

// The first of `members` looks on, each of the others is revoked, one after the other. Times count
// from just before the call is sent; who is asked is asked again as soon as it answered, so a time
// is late by one question at most. Fails kUnavailable where a plane does not obey in time.
Status run_revoke_effect(const RevokeEffectPlan& plan, std::vector<Membership> members,
                         wire::JsonWriter& row);

}  // namespace signet::bench
