// What the machine and the broker say of their own cost.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "client/url.h"
#include "signet/client.h"
#include "signet/result.h"

namespace signet::cli {

std::chrono::nanoseconds own_cpu_time();  // user and kernel, of the whole process
std::optional<std::uint64_t> own_resident_bytes();

// What the broker at `url` (of its WebSocket) says in /metrics; nullopt when it does not.
std::optional<std::uint64_t> broker_resident_bytes(const client::Url& url, const TlsTrust& trust);
// The same of the text of /metrics. Pure.
std::optional<std::uint64_t> resident_bytes_in(std::string_view metrics);

// Lets this process have so many connections. Fails kUnavailable (too_many_files) where the system
// does not allow it.
Status allow_connections(std::uint64_t count);

}  // namespace signet::cli
