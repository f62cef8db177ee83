// How a node shows that it has its key: on a request without a body (its configuration), on its
// registration and on a change of its keys. Format: protocol/overlay.md, "Proof of a node".
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/codes.h"
#include "base/time.h"
#include "crypto/sign.h"

namespace signet::overlay {

inline constexpr std::size_t kMaxNodeNonce = 64;
// 1 to kMaxNodeNonce printable characters of ASCII, and no space.
bool is_node_nonce(std::string_view nonce);

// What a request's Authorization says. Its node is a node's name, its nonce is_node_nonce.
struct NodeRequest {
  std::string node;
  WallTime at;
  std::string nonce;  // once per node within the window: the caller keeps them (kReplayed)
  crypto::Signature signature{};
  bool operator==(const NodeRequest&) const = default;
};

// What is signed of a request: of this mesh, this method and this target as it stands in the
// request line, its query included, so that it is good for nothing else.
// REQUIRES: no line feed in any of them, which no request line and no mesh id has.
std::string text_to_sign(const NodeRequest& request, std::string_view method,
                         std::string_view target, std::string_view mesh);

struct ProofRules {
  std::chrono::milliseconds window{60'000};  // how far its clock may be off, either way, inclusive
};

// kUnproven when `at` is outside of the window, or the signature is not of this key over this text;
// the time first, since the other costs.
std::optional<NodeRefusal> check_proof(const crypto::PublicKey& key, std::string_view signed_text,
                                       const crypto::Signature& signature, WallTime at,
                                       const ProofRules& rules, WallTime now);

}  // namespace signet::overlay
