// Is a token believed, and is it still? The same word for every door of the shard, whatever format
// its peers speak.
#include "broker/shard_core.h"
#include "trust/token.h"

namespace signet::broker {
namespace {

const crypto::TokenKey* token_key_of(const trust::KeySet& keys, const std::string& id) {
  return id.empty() ? keys.only() : keys.find(id);
}

// Engines come from elsewhere: others issue their tokens, and name them in a claim of their own.
void ask_of_engines(const HubDoor* hub, trust::TokenRules& rules) {
  rules.subject_claim = "engineId";
  if (hub == nullptr) return;
  rules.more_issuers = hub->engine_issuers;
  rules.allow_no_issuer = hub->engines_without_issuer;
}

}  // namespace

bool is_forgery(TokenRefusal rule) {
  return rule != TokenRefusal::kExpired && rule != TokenRefusal::kNotYetValid &&
         rule != TokenRefusal::kRevoked;
}

std::variant<trust::TokenFacts, TokenRefusal> ShardCore::check_token(MeshNumber mesh,
                                                                     std::string_view token,
                                                                     TokenUse use) const {
  const MeshRules& rules = rules_of(mesh);
  const TokenDoor* door = rules.tokens.get();
  const membership::MeshSnapshot* where = snapshot_->mesh(mesh);
  if (door == nullptr || where == nullptr) return TokenRefusal::kUnknownKey;
  trust::TokenRules asked = door->rules_for(where->mesh().slug);
  if (use == TokenUse::kEngine) ask_of_engines(rules.hub.get(), asked);
  auto checked = trust::check_token(token, door->keys, asked, shared_.clock.wall());
  const auto* facts = std::get_if<trust::TokenFacts>(&checked);
  if (facts != nullptr && where->is_token_revoked(facts->id, facts->subject, facts->issued)) {
    return TokenRefusal::kRevoked;
  }
  return checked;
}

HeldToken ShardCore::hold(MeshNumber mesh, const trust::TokenFacts& facts) const {
  const TokenDoor& door = *rules_of(mesh).tokens;
  const crypto::TokenKey* key = token_key_of(door.keys, facts.key_id);
  HeldToken held;
  held.id = facts.id;
  held.key_id = facts.key_id;
  held.issued = facts.issued;
  held.roles = facts.roles;
  if (key != nullptr) held.key = key->digest();
  held.subject = facts.subject;
  held.expires = facts.expires;
  // Within the leeway a token may be past its end by this clock, and is not by its issuer's.
  const WallTime wall = shared_.clock.wall();
  const bool is_late = facts.expires <= wall;
  if (is_late) held.expires = held.expires + door.rules.leeway;
  held.ends = shared_.clock.elapsed() + std::chrono::milliseconds(held.expires.ms - wall.ms);
  return held;
}

bool ShardCore::is_over(const HeldToken& held) const {
  return held.expires <= shared_.clock.wall() || held.ends <= shared_.clock.elapsed();
}

std::optional<TokenRefusal> ShardCore::lost_token(MeshNumber mesh, const std::string& subject,
                                                  const HeldToken& held) const {
  const TokenDoor* door = rules_of(mesh).tokens.get();
  const membership::MeshSnapshot* where = snapshot_->mesh(mesh);
  if (door == nullptr || where == nullptr) return TokenRefusal::kUnknownKey;
  const crypto::TokenKey* key = token_key_of(door->keys, held.key_id);
  if (key == nullptr || key->digest() != held.key) return TokenRefusal::kUnknownKey;
  if (where->is_token_revoked(held.id, subject, held.issued)) return TokenRefusal::kRevoked;
  if (held.expires <= shared_.clock.wall()) return TokenRefusal::kExpired;
  return std::nullopt;
}

}  // namespace signet::broker
