// What a mesh keeps of its operators: who decides together, and what they decided. Pure; sealed by
// the vault before it goes to the store. Each record is strict text, a line a field, and read back
// only where it is what would be written.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "membership/operator_statement.h"
#include "overlay/node.h"

namespace signet::controller {

// More operators than that have no mesh: each may cost a signature to check.
inline constexpr std::size_t kMostOperators = 32;

// Who decides together, as the last statement left it.
struct QuorumState {
  std::vector<crypto::PublicKey> operators;  // distinct, in the order of their coming
  std::size_t needed = 1;                    // m; 1 to as many as there are
  std::uint64_t last_serial = 0;             // of the last statement carried out
  // Under which statements are meant: rises with each change of who decides, and of by what rule.
  std::uint64_t policy_version = 1;
  std::optional<overlay::Score> threshold;  // that they set; none: the setting's
  std::optional<crypto::PublicKey> owner;   // of the mesh, that they set; none: as it is
  std::set<std::string> may_deny;           // names of nodes that the next decision may deny
  bool operator==(const QuorumState&) const = default;
};
std::string encode(const QuorumState& state);
// nullopt for everything that encode() of a good state does not write.
std::optional<QuorumState> decode_quorum(std::string_view text);

// A statement that was carried out, with the signatures under which it was: the evidence.
struct KeptStatement {
  membership::OperatorStatement statement;
  std::vector<membership::OperatorSignature> signatures;
  std::optional<overlay::WireGuardKey> wireguard;  // of the node of who was revoked by it
  WallTime at;
  bool emergency = false;  // one signature was enough
};
std::string encode(const KeptStatement& kept);
std::optional<KeptStatement> decode_statement(std::string_view text);

}  // namespace signet::controller
