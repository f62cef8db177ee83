// What Hub is told before it serves anybody: HubOptions, its times and bounds for the whole
// process, and HubDoor, what a mesh asks of its users and engines. Config fills both, tests shrink
// them. Format: protocol/hub.md.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/hash.h"
#include "crypto/secret_text.h"
#include "jobs/job_board.h"
#include "wire/engineio_session.h"
#include "wire/json_schema.h"

namespace signet::broker {

struct HubOptions {
  wire::EngineOptions engine;

  std::chrono::milliseconds action_window{15'000};  // of a user's `ts`, either way: the format's
  std::chrono::milliseconds engine_window{30'000};  // of an engine's: the format's
  std::chrono::milliseconds nonce_memory{300'000};  // of either: the format's; above both windows

  std::chrono::milliseconds idle_after{5'000};            // without an action: the format's
  std::chrono::milliseconds inactive_after{45'000};       // without a heartbeat: the format's
  std::chrono::milliseconds disconnect_after{120'000};    // likewise
  std::chrono::milliseconds engine_silent_after{10'000};  // likewise, of an engine
  std::chrono::milliseconds refusal_delivery{5'000};      // then closed, delivered or not
  std::chrono::milliseconds connect_timeout{45'000};      // a session that joins no namespace

  double actions_per_second =
      50;  // of one user over all its sockets: a person, not a flood; 0: off
  double actions_burst = 100;
  double packets_per_second = 200;    // of one session, whatever they are; 0: off
  double packets_burst = 1'000;       // as one body may hold
  std::size_t sockets_per_user = 32;  // tabs and devices of one person

  // An engine is sent the world and the payload of each of its jobs: as many as it may have at once
  // fit its connection's queue.
  std::size_t max_world_bytes = 64 * 1024;
  std::size_t max_result_bytes = 64 * 1024;  // kept for a time, and told to the user
  double progress_per_second = 20;           // of a mesh, told to everybody; the rest is not told
};

// HubDoor is immutable once shown; every shard has its own pointer to it.
struct HubDoor {
  crypto::SecretText action_secret;  // keys of users are derived from it; empty: no action is good
  crypto::SecretText engine_secret;  // empty: no engine comes in
  bool shared_actions = false;       // what is signed with action_secret itself is good, too

  std::vector<std::string> engine_issuers;  // beside the mesh's own: of tokens at /engine
  bool engines_without_issuer = false;      // dev only: a token at /engine may name no issuer
  bool simulated = false;                   // dev only: who shows no token is a user

  std::shared_ptr<const jobs::JobOptions> jobs;   // never null
  std::shared_ptr<const wire::JsonSchema> world;  // of generate_world's config; never null
  // Of the payloads of job types, by type; a type that is not here takes any.
  std::map<std::string, std::shared_ptr<const wire::JsonSchema>, std::less<>> payloads;
  std::string source = "default";   // of the job types: a file, or this word
  crypto::Digest32 types_digest{};  // of their document and its schemas
};

}  // namespace signet::broker
