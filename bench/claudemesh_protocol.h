// The claudemesh client of the load generator. Normative text: protocol/claudemesh.md.
#pragma once

#include <memory>
#include <string>

#include "client/peer.h"
#include "protocol.h"

namespace signet::bench {

// The text of a hello of `identity`, signed now for `timestamp_ms`.
std::string signed_hello(const client::Identity& identity, std::int64_t timestamp_ms);

// A client that says `hello` once the upgrade is done and confirms by pongs, as clients of the
// original do.
std::unique_ptr<Protocol> claudemesh_protocol(std::string host, std::string hello);

}  // namespace signet::bench
