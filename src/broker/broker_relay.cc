// Who is it, by an X25519 key? The challenge of SecureWebSocket, and the envelopes that go from key
// to key. What connections hold by name: nodes and keys.
#include <algorithm>

#include "base/log.h"
#include "broker/broker.h"

namespace signet::broker {

void Broker::challenge(RelaySession& session) {
  session.issued =
      std::make_unique<trust::IssuedChallenge>(trust::issue_challenge(shared_.clock.wall()));
  say(session, dialects::Challenge{to_base64url(shared_.relay_key.public_key()),
                                   to_base64url(session.issued->nonce), session.issued->text});
}

void Broker::on_response(RelaySession& session, const dialects::ChallengeResponse& response) {
  const bool too_often = must_pay(session.connection.peer()) ||
                         hello_rates_.take(session.connection.peer(), shard_.now()).has_value();
  if (too_often) {
    return fail_registration(session, RegisterRefusal::kRateLimited);
  }
  const auto checked = trust::check_response(response.claim, *session.issued, shared_.relay_key,
                                             shared_.options.allow_sample_keys);
  if (const auto* code = std::get_if<RegisterRefusal>(&checked)) {
    failed(session.connection.peer());
    return fail_registration(session, *code);
  }
  session.key = std::get<crypto::RelayKey>(checked);
  session.issued.reset();
  session.proof = trust::Proof::kKey;
  const membership::MeshSnapshot* mesh = mesh_of(session);
  const membership::Member* member = mesh == nullptr ? nullptr : mesh->relay_key(session.key);
  const bool is_known = member != nullptr && membership::may_connect(member->standing);
  const bool is_guest = member == nullptr && mesh != nullptr && rules_of(session.mesh).relay_open;
  if (!is_known && !is_guest) return fail_registration(session, RegisterRefusal::kNotAMember);
  if (is_known) session.member = member->number;
  session.roles = roles_of(session);
  const Wish connect{trust::Action::kConnect, {}};
  if (!may(session, connect)) {
    record_denial(session, connect, name_of(RegisterRefusal::kNotPermitted));
    return fail_registration(session, RegisterRefusal::kNotPermitted);
  }
  // Strangers leave half of the mesh's places to its members.
  const std::int64_t most = mesh->mesh().max_connections;
  if (!is_known && !shared_.guest_loads.enter(session.mesh, std::max<std::int64_t>(most / 2, 1))) {
    return fail_registration(session, RegisterRefusal::kCapacity);
  }
  if (!shared_.loads.enter(session.mesh, most)) {
    if (!is_known) shared_.guest_loads.leave(session.mesh);
    return fail_registration(session, RegisterRefusal::kCapacity);
  }
  session.counted = true;
  proving(session);
  names_.claim(session, NameDesk::relay_name(session.mesh, session.key));
}

void Broker::fail_registration(RelaySession& session, RegisterRefusal code,
                               std::string_view detail) {
  shared_.metrics.registrations_refused[code].add();
  note(session, audit::Event::kRefused, name_of(code));
  if (const auto repeated = registrations_log_.take(code, shard_.now())) {
    log(LogLevel::kWarn, "registration.refused",
        {{"reason", name_of(code)},
         {"repeated", *repeated},
         {"peer", session.connection.peer().text()}});
  }
  say(session, dialects::RegisterRefused{code, detail});
  leave(session);
  session.state = SessionState::kClosing;
  session.connection.close(CloseReason::kPolicy, name_of(code));
}

// The name is its own: nodes and keys are admitted only now, so that who reads the answer can be
// found by everybody.
void Broker::on_claimed(ConnectionId id) {
  Session* session = session_at(id);
  if (session == nullptr || session->state != SessionState::kProving) return;
  judge(*session);  // what is shown may have changed since it was looked at
  if (session->state == SessionState::kClosing) return;
  if (session->conversation != Conversation::kRelay) {
    return admit_secret(static_cast<SecretSession&>(*session));
  }
  enter(*session);
  shared_.metrics.relay_sessions.add();
  log(LogLevel::kInfo, "registration.admitted",
      {{"presence", session->presence_id()},
       {"key", name_of_principal(*session)},
       {"peer", session->connection.peer().text()}});
  say(*session, dialects::Registered{});
  read_held(id);
}

void Broker::on_replaced(ConnectionId id) {
  Session* session = session_at(id);
  if (session == nullptr) return;
  if (session->conversation != Conversation::kRelay) {
    return end(static_cast<SecretSession&>(*session), HandshakeRefusal::kReplaced);
  }
  leave(*session);
  session->state = SessionState::kClosing;
  session->connection.close(CloseReason::kReplaced);
}

void Broker::on_relay_verb(RelaySession& session, const dialects::Verb& verb,
                           std::string_view frame) {
  if (const auto* bad = std::get_if<dialects::BadRegistration>(&verb)) {
    return fail_registration(session, bad->code, bad->detail);
  }
  if (const auto* response = std::get_if<dialects::ChallengeResponse>(&verb)) {
    return on_response(session, *response);
  }
  if (const auto* envelope = std::get_if<dialects::RelayEnvelope>(&verb)) {
    return on_envelope(session, *envelope, frame);
  }
  // What is no object has its answer as well, where one was asked for.
  const bool must_wait = must_wait_to_relay(session);
  refuse_envelope(session, frame,
                  must_wait ? RelayRefusal::kRateLimited : RelayRefusal::kMissingTypeMessage);
}

void Broker::on_envelope(RelaySession& session, const dialects::RelayEnvelope& envelope,
                         std::string_view frame) {
  const auto no = [&](RelayRefusal code) { refuse_envelope(session, frame, code); };
  if (must_wait_to_relay(session)) return no(RelayRefusal::kRateLimited);
  const auto& last = session.last;
  const bool is_own = last != nullptr && last->from == envelope.from;
  if (!is_own && crypto::relay_key_from(envelope.from) != session.key) {
    return no(RelayRefusal::kMismatchedSocketPublicKey);
  }
  if (!envelope.has_content) return no(RelayRefusal::kMissingContentField);
  if (!envelope.is_message) return no(RelayRefusal::kMissingTypeMessage);
  if (!is_own || last->to != envelope.to) {
    const auto refused = address(session, envelope);
    if (refused) return no(*refused);
  }
  names_.forward(session, last->name, frame, session.receipts);
}

// Remembers whom the envelope is for, where it may go there.
std::optional<RelayRefusal> Broker::address(RelaySession& session,
                                            const dialects::RelayEnvelope& envelope) {
  const auto to = crypto::relay_key_from(envelope.to);
  if (!to) return RelayRefusal::kRecipientNotAvailable;
  const std::string key = to_hex(*to);
  const Wish send{trust::Action::kSend, key};
  if (!may(session, send)) {
    record_denial(session, send, name_of(RelayRefusal::kNotPermitted));
    return RelayRefusal::kNotPermitted;
  }
  if (session.last == nullptr) session.last = std::make_unique<RelaySession::Correspondence>();
  *session.last = {std::string(envelope.from), std::string(envelope.to),
                   NameDesk::relay_name(session.mesh, *to)};
  return std::nullopt;
}

// Members by their rate for messages; a guest's connection has its own.
bool Broker::must_wait_to_relay(RelaySession& session) {
  if (session.member.value != 0) return must_wait(session).has_value();
  const auto address = send_rates_.take(session.connection.peer(), shard_.now());
  return address.has_value() || !session.rate.take(shard_.now());
}

void Broker::refuse_envelope(RelaySession& session, std::string_view frame, RelayRefusal code) {
  shared_.metrics.relays_refused[code].add();
  note(session, audit::Event::kRefused, name_of(code));
  if (session.receipts) say(session, dialects::RelayRefused{frame, code});
}

void Broker::on_undeliverable(ConnectionId origin, std::string_view frame) {
  Session* session = session_at(origin);
  if (session == nullptr) return;
  if (session->conversation == Conversation::kRelay) {
    return refuse_envelope(static_cast<RelaySession&>(*session), frame,
                           RelayRefusal::kRecipientNotAvailable);
  }
  refuse(*session, Refusal::kTargetNotConnected, {});
}

}  // namespace signet::broker
