// The bodies and headers of the overlay's HTTP: what nodes say, as values ⇄ text, and what they are
// told. What a submission does is overlay's business, what a request may do admin's.
// Format: protocol/overlay.md. Pure; nothing here borrows but where it says so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/codes.h"
#include "base/time.h"
#include "overlay/key_choice.h"
#include "overlay/node.h"
#include "overlay/node_proof.h"
#include "signet/result.h"

namespace signet::dialects {

// ---- what nodes say

// The first line of what is signed, with its end; the canonical body follows.
inline constexpr std::string_view kSubmissionDomain = "signet-benchmark-v1\n";
inline constexpr std::string_view kRegistrationDomain = "signet-node-v1\n";
inline constexpr std::string_view kRekeyDomain = "signet-node-key-v1\n";

inline constexpr std::size_t kMaxSubmissionBytes =
    16'384;                                               // 64 scores and notes, and as much again
inline constexpr std::size_t kMaxSubmissionMembers = 32;  // of which the format names ten
inline constexpr std::size_t kMaxScoreName = 64;
inline constexpr std::uint64_t kMaxSequence =
    9'007'199'254'740'992;  // 2^53: a double counts so far

// A time of the format: RFC 3339 with `Z`, an offset or neither (UTC), from 1970 to the end of
// 9999, so that it prints as one again. A minute has 60 seconds; what is finer than a millisecond
// is cut.
std::optional<WallTime> read_overlay_time(std::string_view text);

struct SubmissionRefused {
  SubmissionRefusal code;
  std::string detail;  // for the peer: which member, and what it should be
};
using SubmissionRead = std::variant<overlay::Submission, SubmissionRefused>;

// `mesh`: the id of this mesh, which a body may name. Refuses with kMalformed what is no
// submission, kOutOfRange a score that is none or an `overall` that is missing, kNodeMismatch
// another mesh's, and kBadSignature a signature that is no 64 bytes of hex. Whether it counts is
// overlay/submission_check.h's.
SubmissionRead read_submission(std::string_view body, std::string_view mesh);

inline constexpr std::size_t kMaxNodeBodyBytes = 8'192;  // registration and rekey
inline constexpr std::size_t kMaxNodeInvite = 4'096;     // as an invite link's token

struct NodeRefused {
  NodeRefusal code;
  std::string detail;
};

// `POST /v1/nodes/{name}`: signed by `key` itself, so that nobody registers a key of somebody else.
struct NodeRegistration {
  std::string node;
  crypto::PublicKey key;
  overlay::WireGuardKey wireguard{};
  std::string endpoint;  // numbers and a port; empty: none
  std::string invite;    // as it was sent; empty: none
  WallTime timestamp;
  crypto::Signature signature{};
  std::string signed_text;
};
using RegistrationRead = std::variant<NodeRegistration, NodeRefused>;

// `POST /v1/nodes/{name}/key`: signed by the key that the node has so far, and by the new one where
// it changes.
struct NodeRekey {
  std::string node;
  overlay::WireGuardKey wireguard{};
  std::optional<crypto::PublicKey> key;            // nullopt: it stays
  std::optional<crypto::Signature> key_signature;  // of `key`; there exactly when that is
  WallTime timestamp;
  crypto::Signature signature{};  // of the key so far
  std::string signed_text;        // the same for both
};
using RekeyRead = std::variant<NodeRekey, NodeRefused>;

// `path_name`: of the request's path; `mesh`: the id of this mesh. Both are in the body as well,
// and so under the signature: kUnproven where it names others. kBadName, kBadKey, kBadEndpoint for
// those members, kMalformed for the rest. Neither looks at time or signature: overlay::check_proof
// does.
RegistrationRead read_registration(std::string_view body, std::string_view path_name,
                                   std::string_view mesh);
RekeyRead read_rekey(std::string_view body, std::string_view path_name, std::string_view mesh);

// The value of an Authorization header `Signet-Node NAME MS NONCE SIGNATURE`; nullopt: it is none.
// One request has one spelling: single spaces, plain digits; hex of either case.
std::optional<overlay::NodeRequest> read_node_authorization(std::string_view header);

// What a node says of its keys when it asks for its configuration, in the query of the request:
// `ready=8&uses=7`, both or one, in this order. Epochs from 1 on, in plain digits.
struct NodeKeysSaid {
  std::optional<std::uint64_t> ready;  // it has the keys of this epoch
  std::optional<std::uint64_t> uses;   // it uses those of this one
  bool operator==(const NodeKeysSaid&) const = default;
};
// `query`: without its question mark; empty: it says nothing. nullopt: it is none.
std::optional<NodeKeysSaid> read_keys_said(std::string_view query);
// The target of that request: `/v1/config/node-a?ready=8&uses=7`.
std::string config_target(std::string_view node, const NodeKeysSaid& said);

// HTTP's number for a refusal.
int status_of(SubmissionRefusal refusal);
int status_of(NodeRefusal refusal);

// ---- the same, as a node writes it. A submission may leave out its mesh (`mesh` empty).

// What is signed of it: the format's first line and the canonical body, where scores have six
// decimals and times three, which is what a reader keeps of them.
std::string text_to_sign(const overlay::Submission& submission, std::string_view mesh);
std::string text_to_sign(const NodeRegistration& registration, std::string_view mesh);
std::string text_to_sign(const NodeRekey& rekey, std::string_view mesh);
// The body, with its signatures.
std::string write_submission(const overlay::Submission& submission, std::string_view mesh);
std::string write_registration(const NodeRegistration& registration, std::string_view mesh);
std::string write_rekey(const NodeRekey& rekey, std::string_view mesh);
std::string write_node_authorization(const overlay::NodeRequest& request);

// ---- what nodes are told. These borrow for the call.

std::string write_received(std::string_view node, std::uint64_t epoch);
// `code`: what a program acts on; left out where empty.
std::string write_detail(std::string_view detail, std::string_view code = {});

struct OverlayEpoch {
  std::uint64_t id = 0;  // 0: none was decided yet
  std::optional<WallTime> expiry;
  std::string_view secret_hash;  // empty: there is none, and null is told
};
struct OverlayBenchmark {
  overlay::Score overall;
  WallTime timestamp;
  std::string_view suite;
};
struct OverlayMember {
  std::string_view node;
  overlay::Verdict verdict = overlay::Verdict::kUnknown;
  std::string_view reason;
  std::optional<WallTime> last_update;        // status.json only
  std::optional<OverlayBenchmark> benchmark;  // likewise
};
std::string write_epoch(const OverlayEpoch& epoch, const std::vector<OverlayMember>& members);
// status.json, for people and scripts. No key is in it.
std::string write_status(const OverlayEpoch& epoch, const std::vector<OverlayMember>& members);

// The configuration under the keys of one epoch, sealed to the node's fresh key
// (crypto/fresh_box.h) for overlay::delivery_context.
struct OverlaySealed {
  std::uint64_t epoch = 0;
  std::string box;  // bytes
  bool operator==(const OverlaySealed&) const = default;
};
// A node of ours is offered at most the keys of these.
inline constexpr std::size_t kMaxSealed = 2;
struct OverlayKeys {
  overlay::KeyOffer offer;
  std::vector<OverlaySealed> sealed;
  bool operator==(const OverlayKeys&) const = default;
};
inline constexpr std::string_view kNoDecision = "no membership decision";
struct OverlayConfig {
  std::string node;
  std::uint64_t epoch = 0;
  std::optional<bool> allowed;  // nullopt: nothing is decided, or nobody knows the node
  std::string reason = std::string(kNoDecision);
  std::optional<OverlayKeys> keys;  // a node's of ours; nullopt: not given
  std::uint64_t revocations = 0;  // the serial of the list to have; 0: there is none, and not told
  bool operator==(const OverlayConfig&) const = default;
};
// `psk_base64`: an original node's key, which the caller wipes, as well as the answer that has it;
// empty: none is given.
std::string write_config(const OverlayConfig& config, std::string_view psk_base64 = {});

// The node's half: what it was answered. A psk_base64 is none of its business and not read.
// Fails kMalformed, with the member, for what the writer does not write.
inline constexpr std::size_t kMaxConfigBytes = 16'777'216;  // twice 65,535 peers of 128 bytes
Result<OverlayConfig> read_config(std::string_view body);

}  // namespace signet::dialects
