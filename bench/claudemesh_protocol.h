// The claudemesh client of the load generator. Normative text: protocol/claudemesh.md.
#pragma once

#include <memory>
#include <string>

#include "protocol.h"
#include "signet/client.h"

namespace signet::bench {

// The text of a hello of `member`, signed now for `timestamp_ms`.
std::string signed_hello(const Membership& member, std::int64_t timestamp_ms);

// A client that says `hello` once the upgrade is done and confirms by pongs, as clients of the
// original do.
std::unique_ptr<Protocol> claudemesh_protocol(std::string host, std::string hello);

}  // namespace signet::bench
