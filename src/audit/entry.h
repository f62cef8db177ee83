// Entry is one fact that can't be taken back, as one line of canonical JSON: the leaf of the Merkle
// log. It holds pseudonyms, hashes and words of ours; never a name, an address or a text that a
// peer chose, so that a person can be forgotten and no line can be forged. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/pseudonym.h"
#include "base/ids.h"
#include "base/time.h"
#include "crypto/hash.h"
#include "membership/change.h"
#include "signet/result.h"

namespace signet::audit {

enum class Event : std::uint8_t {
  kLogBegun,  // always entry 0
  kServerStarted,
  kMeshAdded,
  kMeshChanged,
  kMemberAdded,
  kStandingChanged,
  kRoleChanged,
  kInviteAdded,
  kInviteRevoked,
  kChannelJoined,
  kChannelLeft,
  kSecretSet,
  kSecretRevoked,
  kTokensRevoked,
  kPolicyChanged,
  kRoutesChanged,
  kTokenKeysChanged,
  kHubChanged,
  kCertificateChanged,
  kNodeRegistered,  // of the overlay: a node, about its member
  kNodeForgotten,
  kNodeRekeyed,  // `code`: which of its keys; `hash`: of the new one
  kEpochDecided,
  kVerdictChanged,
  kOperatorsDecided,  // a statement of theirs was carried out
  kOperatorSigned,    // one of those who signed it
  kAdmitted,
  kRefused,
  kEnded,       // a live session, by a judgement: expiry, revocation, policy
  kSuppressed,  // `count` entries that were too many to be written
};
inline constexpr std::size_t kEvents = 30;
std::string_view name_of(Event event);  // "log_begun", "member_added", …
std::optional<Event> event_from(std::string_view name);

// Admissions and refusals: what is counted, and given up first when there is no room.
constexpr bool is_traffic(Event event) { return event >= Event::kAdmitted; }

// What is to be recorded; the log adds number and time.
struct Draft {
  Event event{};
  MeshNumber mesh;                       // 0: none
  Pseudonym subject;                     // of whom; empty: nobody
  std::string code;                      // a stable code or word of ours: "admitted", "stale"
  std::string by;                        // on whose word: operator, configuration, invite, …
  std::optional<crypto::Digest32> hash;  // of the document, key or link that it is about
  std::int64_t count = 1;                // how often within the window
};

// Numbers beyond are not the same in every reader of JSON.
inline constexpr std::uint64_t kLastEntry = (std::uint64_t{1} << 53) - 1;
// No line is longer: each part at its longest.
inline constexpr std::size_t kMostEntryBytes = 512;

struct Entry {
  std::uint64_t number = 0;  // from 0, without a gap
  WallTime at;               // to the millisecond
  Draft what;
};

// {"n":7,"at":"2026-11-22T02:30:00.123Z","event":"…","mesh":1,"subject":"…","code":"…","by":"…",
// "hash":"…","count":2} without what is empty, 0 or 1; keys always in this order, no spaces.
// What the line can't hold is written as what it can: `code` and `by` that are not up to 64 of a-z,
// 0-9, '_', '.', ':', '-', and a subject that is no pseudonym, as "invalid"; a time outside of the
// years 1970 to 9999 as their first or last moment; a count below 1 as 1.
// REQUIRES: number <= kLastEntry.
std::string encode(const Entry& entry);
// Takes exactly what encode() writes, byte for byte. kMalformed for anything else.
Result<Entry> parse_entry(std::string_view line);

// The facts of a change, on the word of `by`. None for a change that the store makes by itself.
std::vector<Draft> drafts_of(const membership::Change& change, std::string_view by,
                             const Pseudonyms& pseudonyms);

}  // namespace signet::audit
