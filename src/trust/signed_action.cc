#include "trust/signed_action.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "crypto/compare.h"
#include "crypto/hkdf.h"
#include "crypto/mac.h"
#include "crypto/wipe.h"
#include "routing/address.h"

namespace signet::trust {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kSessionKeyLabel = "signet-hub-action-v1";
constexpr std::string_view kNotInNonces = "\"\\|{}";  // what ends a field or stands in JSON

// The edges of the window are in it. Written so that no time of a peer overflows.
bool is_fresh(std::int64_t timestamp_ms, WallTime now, milliseconds window) {
  return timestamp_ms >= (now - window).ms && timestamp_ms <= (now + window).ms;
}

bool has_text(const std::optional<std::string_view>& part) { return part && !part->empty(); }

bool has_nonce(const std::optional<std::string_view>& part) { return part && is_nonce(*part); }

// Did one of the keys sign one of the texts? Each pair is computed and compared, so that the time
// tells neither which it was nor where a signature differs.
bool is_signed(std::string_view signature, const std::vector<std::string>& texts,
               const std::vector<std::string_view>& keys) {
  crypto::Digest32 shown;
  if (!from_hex(signature, shown)) return false;
  bool holds = false;
  for (const std::string_view key : keys) {
    if (key.empty()) continue;
    for (const std::string& text : texts) {
      const crypto::Digest32 digest = crypto::hmac_sha256(key, text);
      const bool same = crypto::equal_secrets(text_of(shown), text_of(digest));
      holds = same || holds;
    }
  }
  return holds;
}

// What spells an algorithm the same way: `HMAC-SHA-256` and `hmac_sha256` are `hmacsha256`.
std::string folded(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (c == '-' || c == '_') continue;
    text.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return text;
}

bool is_hmac_sha256(std::string_view name) {
  constexpr std::size_t kLongest = std::string_view("HMAC-SHA-256").size();
  if (name.size() > kLongest) return false;
  const std::string text = folded(name);
  return text == "hmacsha256" || text == "hs256";
}

// The text with `body` in its place.
std::string agent_text(const AgentClaim& claim, std::string_view body) {
  std::string text(claim.agent.value_or(""));
  text.append("|").append(std::to_string(claim.timestamp_ms.value_or(0))).append("|").append(body);
  return text;
}

bool is_whole(const ActionClaim& claim) {
  return has_text(claim.type) && claim.timestamp_ms && has_nonce(claim.nonce) &&
         has_text(claim.signature);
}

bool is_whole(const AgentClaim& claim) {
  return claim.agent && routing::is_name(*claim.agent) && claim.timestamp_ms &&
         has_nonce(claim.nonce) && has_text(claim.signature);
}

bool is_whole(const EngineClaim& claim) {
  return has_text(claim.payload) && has_nonce(claim.nonce) && claim.timestamp_ms &&
         has_text(claim.signature);
}

}  // namespace

bool is_nonce(std::string_view text) {
  const auto is_good = [](char c) {
    return c > ' ' && c <= '~' && kNotInNonces.find(c) == std::string_view::npos;
  };
  return !text.empty() && text.size() <= kMaxNonceBytes &&
         std::all_of(text.begin(), text.end(), is_good);
}

std::string signed_text(const ActionClaim& claim) {
  std::string text(claim.type.value_or(""));
  text.append("|").append(claim.payload).append("|");
  text.append(std::to_string(claim.timestamp_ms.value_or(0))).append("|");
  return text.append(claim.nonce.value_or(""));
}

std::string signed_text(const AgentClaim& claim) { return agent_text(claim, claim.body); }

std::string signed_text(const EngineClaim& claim) {
  std::string text(claim.payload.value_or(""));
  text.append(claim.nonce.value_or(""));
  return text.append(std::to_string(claim.timestamp_ms.value_or(0)));
}

std::optional<ActionRefusal> check_action(const ActionClaim& claim,
                                          const std::vector<std::string_view>& keys, WallTime now,
                                          const ActionRules& rules) {
  if (claim.timestamp_ms && !is_fresh(*claim.timestamp_ms, now, rules.window)) {
    return ActionRefusal::kTimestampExpired;
  }
  const bool holds = is_whole(claim) && is_signed(*claim.signature, {signed_text(claim)}, keys);
  return holds ? std::optional<ActionRefusal>() : ActionRefusal::kInvalidSignature;
}

std::optional<AgentRefusal> check_agent(const AgentClaim& claim,
                                        const std::vector<std::string_view>& keys, WallTime now,
                                        const ActionRules& rules) {
  if (claim.timestamp_ms && !is_fresh(*claim.timestamp_ms, now, rules.window)) {
    return AgentRefusal::kTimestampSkew;
  }
  if (!is_whole(claim) || (claim.algorithm && !is_hmac_sha256(*claim.algorithm))) {
    return AgentRefusal::kSignatureFailed;
  }
  std::vector<std::string> texts{signed_text(claim)};
  // With a bar in it, a bare body could make the text of an action.
  if (claim.bare_body && claim.bare_body->find('|') == std::string_view::npos) {
    texts.push_back(agent_text(claim, *claim.bare_body));
  }
  const bool holds = is_signed(*claim.signature, texts, keys);
  return holds ? std::optional<AgentRefusal>() : AgentRefusal::kSignatureFailed;
}

std::optional<EngineRefusal> check_engine(const EngineClaim& claim, std::string_view key,
                                          WallTime now, const ActionRules& rules) {
  if (!is_whole(claim)) return EngineRefusal::kEnginePacketIncomplete;
  if (!is_fresh(*claim.timestamp_ms, now, rules.engine_window)) {
    return EngineRefusal::kEngineTimestampExpired;
  }
  const bool holds = is_signed(*claim.signature, {signed_text(claim)}, {key});
  return holds ? std::optional<EngineRefusal>() : EngineRefusal::kEngineSignatureInvalid;
}

crypto::SecretText session_action_key(std::string_view secret, std::string_view user,
                                      std::string_view sid) {
  std::array<unsigned char, 32> key{};
  crypto::hkdf_sha256(secret, "", {kSessionKeyLabel, user, sid}, key);
  std::string hex = to_hex(key);
  const crypto::WipedAtEnd wiped(hex);
  crypto::wipe(key);
  return crypto::SecretText(hex);
}

std::string_view category_of(std::string_view type) {
  if (type.starts_with("agent_")) return "agent";
  if (type == "click" || type == "scroll" || type == "input") return "ui";
  if (type.starts_with("nav_")) return "nav";
  if (type.find("security") != std::string_view::npos) return "security";
  return "system";
}

}  // namespace signet::trust
