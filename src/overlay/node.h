// The nouns of the overlay: a node, what it last reported, what it may be. Plain values; the
// durable copy is in store.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "crypto/sign.h"
#include "membership/model.h"
#include "overlay/score.h"

namespace signet::overlay {

inline constexpr std::size_t kMaxNodeName = 64;
inline constexpr std::size_t kMaxSuiteName = 64;
inline constexpr std::size_t kMaxScores = 64;    // of one submission
inline constexpr std::size_t kMaxSuites = 8;     // of one node; further ones are refused
inline constexpr std::size_t kMaxNotes = 1'024;  // bytes
// A node with so many former members changes its signing key by its operators' word alone: each
// change leaves a member and an entry of the log for ever, and a yearly one takes it 16 years.
inline constexpr std::size_t kMostFormerMembers = 16;

using WireGuardKey = std::array<unsigned char, 32>;  // a public one, X25519

// 1 to 64 of a-z A-Z 0-9 . - _, and no dot first: safe in a path, a log line and a file's name.
bool is_node_name(std::string_view name);

// The signed report of a node. What has no number in the format stays as it was sent.
struct Submission {
  std::string node;
  WallTime timestamp;
  std::string suite;                                 // suite_version
  std::map<std::string, Score, std::less<>> scores;  // "overall" is among them
  std::string notes;
  std::optional<std::uint64_t> sequence;
  std::string nonce;
  std::optional<WireGuardKey> fresh_key;  // epk: what its configuration is sealed to
  std::optional<crypto::Signature> signature;
  std::string signed_text;  // the domain's line and the canonical body: what is signed

  Score overall() const;  // REQUIRES: it was read, so that there is one
};

// The last report of one suite that counts.
struct Report {
  std::string suite;
  Score overall;
  WallTime timestamp;
  bool operator==(const Report&) const = default;
};

// What the history of a node comes to (trend.h moves it). It moves by what was not counted yet, so
// that one report counts once however often it is decided on.
struct Trend {
  std::uint32_t samples = 0;
  WallTime counted;                     // timestamp of the newest report that is in it
  Score last;                           // what that came to, over the suites that have a weight
  Score smoothed;                       // EWMA
  std::uint32_t reference_samples = 0;  // the first ones, whose mean is what drift is measured from
  std::int64_t reference_sum = 0;       // millionths, of those
  std::int64_t drift = 0;               // CUSUM, millionths; how far it fell below the reference
  std::uint32_t good_samples = 0;       // in sequence up to now; counted while it is on probation
  bool operator==(const Trend&) const = default;
};

enum class Verdict : std::uint8_t { kUnknown = 0, kAllowed = 1, kDenied = 2 };
constexpr std::string_view name_of(Verdict verdict) {
  return verdict == Verdict::kAllowed  ? "ALLOWED"
         : verdict == Verdict::kDenied ? "DENIED"
                                       : "UNKNOWN";
}

// What the broker saw of the node's key since the last decision.
struct Signals {
  std::uint32_t failed_proofs = 0;
  std::uint32_t replays = 0;
  std::uint32_t lost_leases = 0;
  bool operator==(const Signals&) const = default;
};

struct Node {
  std::string name;
  MemberNumber member;                    // whose standing it obeys
  std::optional<crypto::PublicKey> key;   // signs; none: an original node, unsigned
  std::optional<WireGuardKey> wireguard;  // none: an original node
  std::string endpoint;                   // "host:port" of numbers, empty: unknown
  std::uint32_t address = 0;              // the host part in the mesh's subnet; 0: none
  std::uint64_t sequence = 0;             // of its last signed submission; 0: none yet
  WallTime newest;                        // timestamp of its last submission
  std::optional<WireGuardKey> fresh_key;  // of its last signed submission
  std::map<std::string, Report, std::less<>> reports;  // by suite, at most kMaxSuites
  Trend trend;
  Signals signals;
  Verdict verdict = Verdict::kUnknown;  // of the last epoch
  bool denied_by_rule = false;          // its quarantine is the rule's own, which the rule may lift
  // What the member without a key was that has this name, before the node's standing narrowed its
  // own; none: the node's did not, or an operator has said its word since.
  std::optional<membership::Standing> namesake_was;
  std::string reason;
  std::uint64_t verdict_since = 0;  // epoch in which the verdict became what it is
  std::uint64_t first_epoch = 0;    // in which it was first judged; 0: not yet
  WallTime claimed;                 // of its newest registration or change of keys: older ones are
                                    // replays, over restarts as well
  std::string brought_by;           // "invite:HEX", "certificate", "list"; empty: a member's own
  // Whom it was before each change of its signing key, oldest first: who is revoked under one of
  // these numbers is this node. Beyond kMostFormerMembers only operators add any.
  std::vector<MemberNumber> former;
  bool operator==(const Node&) const = default;
};

// Forgets what was reported before then; where no report is left, also what they came to. The
// sequence and the newest time stay: nothing counts again by it.
void forget_reports(Node& node, WallTime before);

}  // namespace signet::overlay
