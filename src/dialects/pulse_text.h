// A pulse as text: the JSON object that was sent, between what its sender wrote and what the server
// stamps on it. Format: protocol/pulsemesh.md.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "wire/json.h"

namespace signet::dialects {

// The object as it was sent, without `_mesh_timestamp`, `_mesh_topic` and `_mesh_from` and without
// its closing brace: other members keep their text and order. REQUIRES: an object.
std::string open_pulse(wire::JsonValue object);

// Does it say that Signet itself says it (`_mesh_from`)?
bool has_own_stamp(wire::JsonValue object);

// Closes it with the server's own stamps: the time (UTC, microseconds, no zone) and the topic.
std::string stamp_pulse(std::string_view open, WallTime at, std::string_view topic);

// What Signet itself says on a topic: stamped, and with `_mesh_from`, which nobody else can send.
// REQUIRES: a payload that is JSON.
std::string own_pulse(std::string_view topic, std::string_view payload, WallTime at);

// 2025-10-31T20:00:00.123000
std::string pulse_time(WallTime at);

}  // namespace signet::dialects
