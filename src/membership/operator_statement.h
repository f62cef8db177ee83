// What m of n operators sign: one text that says exactly what is to happen, in which mesh, under
// which policy, until when, and as which step. Pure; the format is protocol/operators.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/codes.h"
#include "base/time.h"
#include "crypto/sign.h"

namespace signet::membership {

enum class OperatorAction : std::uint8_t {
  kRevoke,          // target: a member's id
  kDenyMany,        // target: the digest of the sorted names that a step would deny, in hex
  kThreshold,       // target: the new threshold, "0.70"
  kPolicyOwner,     // target: the new owner's key in hex
  kOperatorAdd,     // target: a key in hex
  kOperatorRemove,  // target: a key in hex
  kQuorum,          // target: the new m, in decimal
  kRekey,           // target: "node hex-of-the-new-key"
};
inline constexpr std::size_t kOperatorActionCount = 8;
std::string_view name_of(OperatorAction action);
std::optional<OperatorAction> action_of(std::string_view name);

struct OperatorStatement {
  std::string mesh;  // its id
  OperatorAction action = OperatorAction::kRevoke;
  std::string target;  // what the action asks for; ASCII, at most kMaxTarget bytes, one spelling
  std::uint64_t serial = 0;
  std::uint64_t policy_version = 0;
  WallTime expires;

  static constexpr std::size_t kMaxMesh = 128;
  static constexpr std::size_t kMaxTarget = 256;
  // "signet-operator-v1" and the fields, a line each, in this order. Two well-formed statements
  // never share a text.
  std::string text() const;
  // nullopt for everything that text() of a well-formed statement does not write.
  static std::optional<OperatorStatement> of(std::string_view text);
  // Can it be read back, and does its target fit its action? Keys and digests are in lower-case
  // hex, numbers without needless digits: nobody signs the same thing in two spellings.
  bool is_well_formed() const;
  bool operator==(const OperatorStatement&) const = default;
};

// The digest of names that one step would deny, for kDenyMany: SHA-256 of the line
// "signet-denials-v1" and of every name, a line each, in hex. REQUIRES: they are sorted.
std::string digest_of_denials(const std::vector<std::string>& names);

struct OperatorSignature {
  crypto::PublicKey signer;
  crypto::Signature signature;
};

// As it is handed in and passed on: the bytes that were signed, and by whom. Nothing is checked.
struct SignedStatement {
  std::string text;
  std::vector<OperatorSignature> signatures;
};

// Who may sign, and how many are needed. emergency: one key is enough; configuration, and loud.
struct OperatorQuorum {
  std::vector<crypto::PublicKey> operators;  // distinct
  std::size_t needed = 1;                    // m; 0 counts as 1
  bool emergency = false;
  std::uint64_t last_serial = 0;  // of the last statement carried out in the mesh
  std::uint64_t policy_version = 0;
  std::chrono::milliseconds longest_life{24 * 3'600'000};  // of a statement
};

// The first thing that is wrong, in the order of StatementRefusal, or nothing: then it is to be
// carried out, and last_serial to become its serial in the same commit (tests/models/quorum.pml).
// One bad signature refuses them all. They are checked after all else, so there are never more
// public-key operations than operators.
std::optional<StatementRefusal> check(const OperatorStatement& statement,
                                      const std::vector<OperatorSignature>& signatures,
                                      std::string_view mesh, const OperatorQuorum& quorum,
                                      WallTime now);

}  // namespace signet::membership
