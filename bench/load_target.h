// From a format's name and a server's address to what the generator says there.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocol.h"
#include "signet/client.h"
#include "signet/result.h"

namespace signet::bench {

struct TargetOptions {
  std::string format;  // see kFormats in load_target.cc
  std::string at;      // HOST:PORT
  std::string invite;  // of signet: every peer joins by it with a fresh key
  std::string secret;  // of pulsemesh: the one that all sources share
  std::string topic = "mirror.intent";
  std::string token_secret;  // of hub: signs the tokens of all users
  std::size_t peers = 2;
  std::size_t filler_bytes = 256;  // of each message, for a format that counts bytes
  bool over_tls = false;           // not of signet, whose peers join by a program that verifies
  bool fans_out = false;           // peer 0 publishes, the others only count what they hear
};

// Members of the mesh with fresh keys: joined by the invite where the server is signet, made up
// for a relay, which takes everyone.
Result<std::vector<Membership>> make_identities(const TargetOptions& options, std::size_t count);

// Fails kMalformed for an unknown format, and as join does.
Result<Target> make_target(const TargetOptions& options);

// "127.0.0.1:8088" in its two parts. Fails kMalformed.
Status split_address(std::string_view at, std::string& host, std::uint16_t& port);

}  // namespace signet::bench
