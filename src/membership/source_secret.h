// The secret by which a source proves itself: a client that signs its handshake with a text that it
// shares with the broker instead of a key of its own (PulseMesh). Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/ids.h"
#include "base/time.h"
#include "crypto/secret_text.h"

namespace signet::membership {

// The name under which a mesh keeps the one secret that any source may show; no source can have it.
inline constexpr std::string_view kSharedSource = "*";
// Whom the shared secret proves: a member without a key, however many clients use it.
inline constexpr std::string_view kSharedMember = "legacy-shared";

// Shorter secrets are guessed; a handshake that is overheard can be tried against offline.
inline constexpr std::size_t kLeastSecretBytes = 16;
inline constexpr std::size_t kMostSecretBytes = 1'024;  // what one operator body carries with ease

// May a source have this name? What routing::is_name allows: it stands in logs, URLs and patterns.
bool is_source(std::string_view name);

// Is this a secret that documents publish or that everybody tries first? Only its letters count
// there, in either case: another year makes no new secret, though a long number does. A short piece
// that repeats, or a few bytes again and again, is one too.
bool is_sample_secret(std::string_view text);

// Can this be a secret: of a length that holds, without control characters? (What was pasted with
// its line break would never match.)
bool is_secret(std::string_view text, std::size_t least_bytes = kLeastSecretBytes);

// One per mesh and source. Plain value; copies share the secrets.
struct SourceSecret {
  MeshNumber mesh;
  std::string source;   // kSharedSource for the shared one
  MemberNumber member;  // whom it proves
  crypto::SecretText secret;
  crypto::SecretText previous;  // of before the last rotation; empty where there is none
  WallTime previous_until;      // `previous` holds before this time
  bool shared = false;          // any source may show it
  bool revoked = false;         // then neither secret holds
  WallTime changed;
};

// Do the secrets of `source` hold at `now`? The previous one may be within its overlap alone.
inline bool holds(const SourceSecret& source) { return !source.revoked && !source.secret.empty(); }
inline bool previous_holds(const SourceSecret& source, WallTime now) {
  return holds(source) && !source.previous.empty() && now < source.previous_until;
}

}  // namespace signet::membership
