// The two ends of a job of Hub, as far as a drill needs them: a user that wants worlds and hears of
// their jobs, and an engine that takes jobs and never does them. Normative text: protocol/hub.md.
#pragma once

#include <memory>
#include <string>

#include "base/time.h"
#include "protocol.h"
#include "signet/result.h"

namespace signet::bench {

// Of the smallest world there is.
inline constexpr std::size_t kJobsOfWorld = 3;

// A token of `engine` under HS256, good for an hour from `now`. Fails as hub_user_token does.
Result<std::string> hub_engine_token(std::string_view engine, std::string_view secret,
                                     WallTime now);

// A user whose every send is one world; it hears the id of a job each time that one is queued.
std::unique_ptr<Protocol> hub_world_protocol(std::string host, std::string token);

// An engine that is ready, and hears the id of each job that it is given. "closed" is why it is
// refused when the server ends it.
std::unique_ptr<Protocol> hub_engine_protocol(std::string host, std::string token);

}  // namespace signet::bench
