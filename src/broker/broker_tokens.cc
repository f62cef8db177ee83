// Who is it, by a token or a client certificate? Both name a member of the mesh, which is made when
// it first comes; from there on the session is one of PulseMesh like any other.
#include <algorithm>

#include "base/log.h"
#include "broker/broker.h"

namespace signet::broker {
namespace {

HandshakeRefusal code_of(TokenRefusal rule) {
  if (rule == TokenRefusal::kExpired) return HandshakeRefusal::kTokenExpired;
  if (rule == TokenRefusal::kRevoked) return HandshakeRefusal::kTokenRevoked;
  return HandshakeRefusal::kBadToken;
}

}  // namespace

void Broker::on_token_hello(SecretSession& session, const dialects::TokenHello& hello) {
  // A signature that is checked costs more than one that is looked up.
  if (must_pay(session.connection.peer()) ||
      hello_rates_.take(session.connection.peer(), shard_.now())) {
    return end(session, HandshakeRefusal::kRateLimited);
  }
  session.source = hello.source;
  const auto checked = check_token(session.mesh, hello.token);
  if (const auto* rule = std::get_if<TokenRefusal>(&checked)) {
    if (is_forgery(*rule)) failed(session.connection.peer());
    return refuse_token(session, *rule);
  }
  const auto& facts = std::get<trust::TokenFacts>(checked);
  if (facts.subject != session.source) {
    failed(session.connection.peer());
    return end(session, HandshakeRefusal::kWrongSubject);
  }
  session.token = std::make_shared<const HeldToken>(ShardCore::hold(session.mesh, facts));
  prove_subject(session, trust::Proof::kToken);
}

// Whom TLS knows the peer for; nobody once that certificate is over.
std::string_view Broker::certified(const net::Connection& connection) const {
  const bool holds = shared_.clock.wall() < connection.certificate_ends();
  return holds ? connection.certificate_name() : std::string_view();
}

// TLS has verified the certificate; the message says who speaks, and must say the same.
void Broker::on_certificate_hello(SecretSession& session, std::string_view source) {
  if (hello_rates_.take(session.connection.peer(), shard_.now())) {
    return end(session, HandshakeRefusal::kRateLimited);
  }
  session.source = source;
  if (certified(session.connection) != source) {
    failed(session.connection.peer());
    return end(session, HandshakeRefusal::kWrongSubject);
  }
  prove_subject(session, trust::Proof::kCertificate);
}

void Broker::prove_subject(SecretSession& session, trust::Proof proof) {
  session.proof = proof;
  proving(session);
  const membership::MeshSnapshot* mesh = mesh_of(session);
  const membership::Member* known =
      mesh == nullptr ? nullptr : mesh->member_with_id(session.source);
  const Id id = session.connection.id();
  if (known != nullptr) {
    // Nor is anybody the one whom the shared secret proves.
    const bool is_proven_otherwise = known->key || session.source == membership::kSharedMember;
    return on_subject(id, is_proven_otherwise ? Result<MemberNumber>(Error{ErrorCode::kForbidden,
                                                                           "proven otherwise"})
                                              : known->number);
  }
  if (!may_become_member(session)) return end(session, HandshakeRefusal::kNotPermitted);
  const std::string_view by = trust::name_of(proof);
  shared_.control.post([this, id, by, mesh_number = session.mesh, subject = session.source] {
    shared_.controller->admit_subject(
        mesh_number, subject, by, [this, id](const Result<MemberNumber>& member) {
          mailbox().post([this, id, member] { on_subject(id, member); });
        });
  });
}

bool Broker::may_become_member(const SecretSession& session) const {
  return ShardCore::may_become_member(principal_of(session));
}

void Broker::on_subject(Id id, const Result<MemberNumber>& member) {
  auto* session = static_cast<SecretSession*>(session_at(id));
  if (session == nullptr) return;
  if (!member.ok()) {
    const bool overloaded = member.error().code == ErrorCode::kOverloaded ||
                            member.error().code == ErrorCode::kUnavailable;
    return end(*session,
               overloaded ? HandshakeRefusal::kUnavailable : HandshakeRefusal::kNotPermitted);
  }
  session->member = *member;
  if (shared_.hello_rates.take(*member, shard_.now())) {
    return end(*session, HandshakeRefusal::kRateLimited);
  }
  welcome(*session);
}

void Broker::refuse_token(SecretSession& session, TokenRefusal rule) {
  shared_.metrics.tokens_refused[rule].add();
  end(session, code_of(rule), {}, rule);
}

// A new token for the session that an old one proved: the same subject, perhaps other roles.
void Broker::on_token_refresh(SecretSession& session, const dialects::TokenRefresh& refresh) {
  if (session.proof != trust::Proof::kToken) {
    return ShardCore::refuse(session, Refusal::kUnknownType, {}, std::nullopt, "token_refresh");
  }
  if (hello_rates_.take(session.connection.peer(), shard_.now())) {
    return ShardCore::refuse(session, Refusal::kRateLimited, {});
  }
  const auto checked = check_token(session.mesh, refresh.token);
  if (const auto* rule = std::get_if<TokenRefusal>(&checked)) return refuse_token(session, *rule);
  const auto& facts = std::get<trust::TokenFacts>(checked);
  if (facts.subject != session.source) return end(session, HandshakeRefusal::kWrongSubject);
  expiring_.erase({session.expires, session.connection.id()});
  session.token = std::make_shared<const HeldToken>(ShardCore::hold(session.mesh, facts));
  expire_later(session);
  const Id id = session.connection.id();
  judge(session);
  if (session_at(id) != nullptr) say(session, dialects::TokenTaken{facts.expires});
}

// Does the token hold that proved this session?
std::optional<TokenRefusal> Broker::lost_token(const SecretSession& session) const {
  if (session.proof != trust::Proof::kToken || session.token == nullptr) return std::nullopt;
  return ShardCore::lost_token(session.mesh, session.source, *session.token);
}

}  // namespace signet::broker
