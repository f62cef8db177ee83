#include "overlay/node_proof.h"

#include <algorithm>
#include <cstdint>

#include "base/encoding.h"

namespace signet::overlay {
namespace {

constexpr std::string_view kDomain = "signet-node-request-v1";

bool is_within(WallTime at, WallTime now, std::chrono::milliseconds window) {
  const auto [early, late] = std::minmax(at.ms, now.ms);
  const std::uint64_t off = static_cast<std::uint64_t>(late) - static_cast<std::uint64_t>(early);
  return off <= static_cast<std::uint64_t>(std::max<std::int64_t>(window.count(), 0));
}

}  // namespace

bool is_node_nonce(std::string_view nonce) {
  return !nonce.empty() && nonce.size() <= kMaxNodeNonce &&
         std::all_of(nonce.begin(), nonce.end(), [](char c) { return c > ' ' && c <= '~'; });
}

std::string text_to_sign(const NodeRequest& request, std::string_view method,
                         std::string_view target, std::string_view mesh) {
  std::string text(kDomain);
  const std::string at = std::to_string(request.at.ms);
  for (const std::string_view line : {method, target, mesh, std::string_view(at)}) {
    text.append("\n").append(line);
  }
  return text.append("\n").append(request.nonce);
}

std::optional<NodeRefusal> check_proof(const crypto::PublicKey& key, std::string_view signed_text,
                                       const crypto::Signature& signature, WallTime at,
                                       const ProofRules& rules, WallTime now) {
  const bool is_good =
      is_within(at, now, rules.window) && crypto::verify(key, bytes_of(signed_text), signature);
  return is_good ? std::nullopt : std::optional(NodeRefusal::kUnproven);
}

}  // namespace signet::overlay
