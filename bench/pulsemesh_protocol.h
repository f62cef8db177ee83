// The PulseMesh client of the load generator. Normative text: protocol/pulsemesh.md.
#pragma once

#include <memory>
#include <string>

#include "base/time.h"
#include "protocol.h"

namespace signet::bench {

// The first frame of `source`, signed with `secret` as the Python clients do: the SHA-256 of the
// spaced text and the secret. `source` stands without escapes.
std::string signed_handshake(const std::string& source, const std::string& secret, WallTime now);

// A pulse whose payload is the message's number and `filler`. Every server that is measured beside
// Signet passes on this text as well, so that all of them move the same bytes.
void append_pulse(std::string& out, MessageIndex index, std::string_view filler);
inline constexpr std::string_view kPulsePrefix = R"({"intent":)";

enum class Hears : std::uint8_t { kEachPulse, kTheirNumber };

// A client of `topic` that says `handshake` once the upgrade is done. It publishes on its own
// topic, whatever the address, and nobody acknowledges a pulse. With kTheirNumber it counts pulses
// and reads none.
std::unique_ptr<Protocol> pulsemesh_protocol(std::string host, const std::string& topic,
                                             std::string handshake,
                                             Hears hears = Hears::kEachPulse);

}  // namespace signet::bench
