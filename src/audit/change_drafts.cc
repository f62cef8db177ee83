// Which facts of membership the log holds, and in what words.
#include <initializer_list>
#include <string>
#include <utility>
#include <variant>

#include "audit/entry.h"
#include "crypto/fields.h"
#include "membership/standing.h"

namespace signet::audit {
namespace {

// Not keyed, so that an auditor can find a known key (docs/audit.md). Nobody guesses one.
std::optional<crypto::Digest32> hash_of_key(const membership::Member& member) {
  if (!member.key) return std::nullopt;
  return crypto::digest32("signet audit key", {text_of(member.key->bytes)});
}

// Of each alternative the facts; a change without one here does not compile.
class Facts {
 public:
  Facts(std::string_view by, const Pseudonyms& pseudonyms) : by_(by), pseudonyms_(pseudonyms) {}

  std::vector<Draft> operator()(const membership::MeshAdded& change) const {
    return one(Event::kMeshAdded, change.mesh.number, {}, {}, hash_of("mesh", {change.mesh.id}));
  }
  std::vector<Draft> operator()(const membership::MeshSettingsChanged& change) const {
    return one(Event::kMeshChanged, change.mesh.number, {}, {}, hash_of_settings(change.mesh));
  }
  std::vector<Draft> operator()(const membership::MemberAdded& change) const {
    const membership::Member& member = change.member;
    return one(Event::kMemberAdded, member.mesh, pseudonyms_.of_member(member.number),
               name_of(member.role), hash_of_key(member));
  }
  std::vector<Draft> operator()(const membership::StandingChanged& change) const {
    return one(Event::kStandingChanged, {}, pseudonyms_.of_member(change.member),
               name_of(change.to));
  }
  std::vector<Draft> operator()(const membership::RoleChanged& change) const {
    return one(Event::kRoleChanged, {}, pseudonyms_.of_member(change.member), name_of(change.role));
  }
  std::vector<Draft> operator()(const membership::InviteAdded& change) const {
    return one(Event::kInviteAdded, change.invite.mesh, {}, name_of(change.invite.role),
               change.invite.digest);
  }
  // The store makes it by itself, of a member that is in the log.
  std::vector<Draft> operator()(const membership::InviteUsed&) const { return {}; }
  std::vector<Draft> operator()(const membership::InviteRevoked& change) const {
    return one(Event::kInviteRevoked, {}, {}, {}, change.digest);
  }
  std::vector<Draft> operator()(const membership::ChannelJoined& change) const {
    return one(Event::kChannelJoined, change.mesh, pseudonyms_.of_member(change.member), {},
               hash_of("channel", {change.channel}));
  }
  std::vector<Draft> operator()(const membership::ChannelLeft& change) const {
    return one(Event::kChannelLeft, change.mesh, pseudonyms_.of_member(change.member), {},
               hash_of("channel", {change.channel}));
  }
  std::vector<Draft> operator()(const membership::SourceSecretSet& change) const {
    return one(Event::kSecretSet, change.secret.mesh,
               pseudonyms_.of_name("source", change.secret.source), "set");
  }
  std::vector<Draft> operator()(const membership::SourceRevoked& change) const {
    return one(Event::kSecretRevoked, change.mesh, pseudonyms_.of_name("source", change.source));
  }
  std::vector<Draft> operator()(const membership::TokensRevoked& change) const {
    const membership::TokenRevocation& revocation = change.revocation;
    if (revocation.token.empty()) {
      return one(Event::kTokensRevoked, change.mesh,
                 pseudonyms_.of_name("token_subject", revocation.subject), "subject");
    }
    return one(Event::kTokensRevoked, change.mesh, {}, "token",
               hash_of("token", {revocation.token}));
  }

 private:
  std::vector<Draft> one(Event event, MeshNumber mesh, Pseudonym subject = {},
                         std::string_view code = {},
                         std::optional<crypto::Digest32> hash = std::nullopt) const {
    return {Draft{event, mesh, std::move(subject), std::string(code), by_, hash, 1}};
  }
  // Names and ids can be guessed, whoever chose them: of their pseudonym, so that without its key
  // nobody can try.
  crypto::Digest32 hash_of(std::string_view kind,
                           std::initializer_list<std::string_view> fields) const {
    const std::string name =
        fields.size() == 1 ? std::string(*fields.begin()) : crypto::joined_fields(kind, fields);
    return crypto::digest32("signet audit " + std::string(kind), {pseudonyms_.of_name(kind, name)});
  }
  // What can be changed of a mesh, so that two changes can be told apart; but for the root key,
  // since nothing of a secret is in the log.
  crypto::Digest32 hash_of_settings(const membership::Mesh& mesh) const {
    const std::string owner = mesh.owner ? crypto::to_hex(*mesh.owner) : "";
    const std::string most = std::to_string(mesh.max_connections);
    return hash_of("mesh settings",
                   {mesh.id, mesh.slug, owner, most, mesh.legacy_join ? "1" : "0"});
  }

  std::string by_;
  const Pseudonyms& pseudonyms_;
};

}  // namespace

std::vector<Draft> drafts_of(const membership::Change& change, std::string_view by,
                             const Pseudonyms& pseudonyms) {
  return std::visit(Facts(by, pseudonyms), change);
}

}  // namespace signet::audit
