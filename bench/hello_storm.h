// HelloStorm measures how fast a server lets peers in: each hello is signed beforehand, used once,
// and comes on a connection of its own, with accept, upgrade and the answer.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "client/identity_access.h"
#include "signet/result.h"
#include "wire/json.h"

namespace signet::bench {

struct HelloStormPlan {
  std::string at;  // HOST:PORT
  std::size_t hellos = 20'000;
  std::size_t at_once = 128;  // connections under way
  pid_t server = 0;
};

// Writes the figures into `row`. Fails kUnavailable when the server refuses a hello.
Status run_hello_storm(const HelloStormPlan& plan, const std::vector<Membership>& members,
                       wire::JsonWriter& row);

// Ed25519 verifications as the broker does them, on the core this runs on.
struct VerifyRate {
  double per_cpu_second = 0;
  double core_share = 0;  // how much of the core this process got: 1 on a quiet machine
};
VerifyRate verify_rate();

}  // namespace signet::bench
