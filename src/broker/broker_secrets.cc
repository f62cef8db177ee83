// Who is it, by a shared secret? The handshake of PulseMesh, and what its sessions say later.
#include <algorithm>
#include <array>

#include "base/log.h"
#include "broker/broker.h"
#include "store/hello_memory.h"
#include "wire/json.h"

namespace signet::broker {
namespace {

using trust::Action;

// Looked at where a source has no secret, so that the answer takes as long.
constexpr std::string_view kNobodysSecret = "there is no such source in this mesh";

// Excess in a row that is answered pulse by pulse; then the connection ends for good.
constexpr std::uint32_t kMostExcess = 1'000;

// How far the wall clock may move against elapsed time before anybody looks again: a clock that is
// steered moves by half a millisecond a second.
constexpr std::chrono::milliseconds kClockStep{100};

// A handshake can't be older than this when a newer one is fresh; what is, freshness refuses.
std::int64_t remembered_for(std::chrono::milliseconds max_skew) {
  return std::max<std::int64_t>(store::kHelloSpanMs, 3 * max_skew.count());
}

// One of the many who show the secret of its mesh: it has rates of its own, or the first who is too
// fast would silence the others. Without a name: all of them at its address together.
std::uint64_t holder_of(const SecretSession& session, std::string_view source) {
  const auto address = session.connection.peer().limit_key();
  std::string name(text_of(ByteView(address)));
  name.append(std::to_string(session.mesh.value)).append("/").append(source);
  return std::max<std::uint64_t>(crypto::KeyedHash{}(name), 1);
}

// Tokens and certificates say until when they hold.
std::optional<WallTime> end_of_proof(const SecretSession& session) {
  if (session.token != nullptr) return session.token->expires;
  if (session.proof != trust::Proof::kCertificate) return std::nullopt;
  return session.connection.certificate_ends();
}

CloseReason close_reason_of(HandshakeRefusal code) {
  constexpr std::array kReasons{CloseReason::kBadHandshake,   CloseReason::kEmptyHandshake,
                                CloseReason::kNotProven,      CloseReason::kNotPermitted,
                                CloseReason::kReplaced,       CloseReason::kOverLimit,
                                CloseReason::kSessionExpired, CloseReason::kSlowConsumer};
  const auto found = std::find_if(kReasons.begin(), kReasons.end(), [&](CloseReason reason) {
    return number_of(reason) == number_of(code);
  });
  return found == kReasons.end() ? CloseReason::kNormal : *found;
}

}  // namespace

// The member whose secret the claim shows; nullptr when it shows none. Who has a secret, a token or
// a certificate of its own is not to be had with the shared one.
const membership::Member* Broker::who_shows(SecretSession& session,
                                            const trust::SecretClaim& claim) {
  const membership::MeshSnapshot* mesh = mesh_of(session);
  const membership::SourceSecret* secret =
      mesh == nullptr ? nullptr : mesh->secret_for(claim.source);
  const auto shows = [&](std::string_view text) {
    return trust::shows_secret(claim, text, shared_.options.legacy_digest);
  };
  if (secret == nullptr || !membership::holds(*secret)) {
    (void)shows(kNobodysSecret);
    (void)shows(kNobodysSecret);
    return nullptr;
  }
  // Both are always looked at: the time tells nobody that this source is being rotated.
  const bool has_previous = membership::previous_holds(*secret, shared_.clock.wall());
  const bool shows_new = shows(secret->secret.reveal());
  const bool shows_old = shows(has_previous ? secret->previous.reveal() : kNobodysSecret);
  if (!shows_new && !(shows_old && has_previous)) {
    if (!shared_.options.legacy_digest && trust::shows_secret(claim, secret->secret.reveal(), true))
      tell_of_digest(session);
    return nullptr;
  }
  session.proof = secret->shared ? trust::Proof::kShared : trust::Proof::kSecret;
  return mesh->member(secret->member);
}

// For the operator alone: an old client with the right secret, which its refusal does not say.
void Broker::tell_of_digest(const SecretSession& session) {
  const auto repeated = digests_log_.take(HandshakeRefusal::kBadSignature, shard_.now());
  if (!repeated) return;
  log(LogLevel::kWarn, "handshake.digest_off",
      {{"source", session.source},
       {"place", session.place},
       {"repeated", *repeated},
       {"peer", session.connection.peer().text()},
       {"do",
        "it has the right secret and sends the digest of v1: let it send the HMAC, or set "
        "pulsemesh.legacy_digest"}});
}

void Broker::on_secret_hello(SecretSession& session, const dialects::SecretHello& hello) {
  const trust::SecretClaim& claim = hello.claim;
  // Asked again here: who opened many connections before it failed has as many guesses otherwise.
  if (must_pay(session.connection.peer())) return end(session, HandshakeRefusal::kRateLimited);
  if (hello_rates_.take(session.connection.peer(), shard_.now())) {
    return end(session, HandshakeRefusal::kRateLimited);
  }
  session.source = claim.source;
  const membership::Member* member = who_shows(session, claim);
  if (member == nullptr) {
    failed(session.connection.peer());
    return end(session, HandshakeRefusal::kBadSignature);
  }
  const auto max_skew = rules_of(session.mesh).max_skew;
  const auto checked = trust::check_freshness(claim, shared_.clock.wall(), max_skew);
  if (const auto* code = std::get_if<HandshakeRefusal>(&checked)) return end(session, *code);
  const auto& proven = std::get<trust::ProvenSecret>(checked);
  // The shared one has many users, and a memory of handshakes that a flood must not fill.
  MemberRates& rates =
      session.proof == trust::Proof::kShared ? shared_.shared_hello_rates : shared_.hello_rates;
  if (rates.take(member->number, shard_.now())) {
    return end(session, HandshakeRefusal::kRateLimited);
  }
  session.member = member->number;
  if (session.proof == trust::Proof::kShared) {
    session.holder = holder_of(session, claim.source);
    session.crowd = holder_of(session, {});
  }
  proving(session);
  const Id id = session.connection.id();
  if (max_skew.count() == 0) {
    shared_.metrics.unprotected.add();
    return on_secret_remembered(id, store::HelloOutcome::kAdmitted);
  }
  const bool welcome = membership::may_connect(member->standing);
  shared_.store.admit_hello(
      {member->number, proven.timestamp_ms, proven.digest, welcome, remembered_for(max_skew)},
      mailbox(), [this, id](store::HelloOutcome outcome) { on_secret_remembered(id, outcome); });
}

void Broker::on_secret_remembered(Id id, store::HelloOutcome outcome) {
  auto* session = static_cast<SecretSession*>(session_at(id));
  if (session == nullptr) return;
  if (outcome == store::HelloOutcome::kReplayed) return end(*session, HandshakeRefusal::kReplayed);
  if (outcome == store::HelloOutcome::kUnavailable) {
    return end(*session, HandshakeRefusal::kUnavailable);
  }
  welcome(*session);
}

void Broker::welcome(SecretSession& session) {
  if (!is_welcome(session)) return;
  if (session.conversation == Conversation::kNode) {
    return names_.claim(session, NameDesk::node_name(session.mesh, session.place));
  }
  admit_secret(session);
}

// Is its secret, or its token, still in force? A rotation ends nothing that was proven; a
// revocation does.
bool Broker::shows_still(const Session& session) const {
  const bool is_secret =
      session.conversation == Conversation::kTopic || session.conversation == Conversation::kNode;
  if (!is_secret) return true;
  const membership::MeshSnapshot* mesh = mesh_of(session);
  if (mesh == nullptr) return false;
  const auto& proven = static_cast<const SecretSession&>(session);
  if (session.proof == trust::Proof::kToken) return !lost_token(proven);
  if (session.proof == trust::Proof::kCertificate) return true;
  // The one that is asked for now: who came by the shared one may need another by now.
  const membership::SourceSecret* secret = mesh->secret_for(proven.source);
  return secret != nullptr && secret->shared == (session.proof == trust::Proof::kShared) &&
         membership::holds(*secret) && secret->member == session.member;
}

// The standing, the policy and the limits of who has proven itself; ends it where one says no.
bool Broker::is_welcome(SecretSession& session) {
  const membership::Member* member = member_of(session);  // it, or the secret, may have changed
  const bool stands =
      member != nullptr && membership::may_connect(member->standing) && shows_still(session);
  session.roles = roles_of(session);
  const auto no = [&](HandshakeRefusal code, std::string_view ref = {}) {
    end(session, code, ref);
    return false;
  };
  if (!stands) return no(HandshakeRefusal::kNotPermitted);
  const bool is_node = session.conversation == Conversation::kNode;
  if (is_node && session.place != session.source) return no(HandshakeRefusal::kWrongNode);
  const Wish connect{Action::kConnect, {}};
  const Wish publish{Action::kPublish, session.place};
  const Wish subscribe{Action::kSubscribe, session.place};
  const bool has_use = is_node || may(session, publish) || may(session, subscribe);
  if (!may(session, connect) || !has_use) {
    const Wish& refused = may(session, connect) ? subscribe : connect;
    return no(HandshakeRefusal::kNotPermitted,
              record_denial(session, refused, name_of(HandshakeRefusal::kNotPermitted)));
  }
  const bool is_own = session.proof != trust::Proof::kShared;
  // Many who share a secret leave half of the mesh's places to its members.
  const std::int64_t half = std::max<std::int64_t>(mesh_of(session)->mesh().max_connections / 2, 1);
  const std::int64_t most = is_own ? shared_.options.connections_per_source : half;
  if (!shared_.source_loads.enter(session.member, most)) {
    return no(HandshakeRefusal::kTooManyConnections);
  }
  if (!shared_.loads.enter(session.mesh, mesh_of(session)->mesh().max_connections)) {
    shared_.source_loads.leave(session.member);
    return no(HandshakeRefusal::kTooManyConnections);
  }
  session.counted = true;
  return true;
}

void Broker::expire_later(SecretSession& session) {
  session.expires = end_of(session);
  expiring_.emplace(session.expires, session.connection.id());
}

// When a session is over, as the wall clock says now: with its proof, if that ends before it.
Elapsed Broker::end_of(const SecretSession& session) const {
  std::chrono::milliseconds left = shared_.options.session_ttl;
  if (const auto end = end_of_proof(session)) {
    left = std::min(left, std::chrono::milliseconds(end->ms - shared_.clock.wall().ms));
  }
  return shard_.now() + left;
}

// Proofs end by the wall clock, sessions by elapsed time: when somebody set the clock, those whose
// proof has an end are over sooner where it says so. None later, or who sets a clock back keeps
// them.
void Broker::follow_the_wall_clock() {
  const std::chrono::milliseconds ahead(
      shared_.clock.wall().ms -
      std::chrono::floor<std::chrono::milliseconds>(shared_.clock.elapsed().since_boot).count());
  const auto moved = std::chrono::abs(ahead - wall_ahead_);
  if (moved < kClockStep) return;
  wall_ahead_ = ahead;
  for (const auto& [member, sessions] : sessions_) {
    for (Session* session : sessions) {
      const bool is_secret = session->conversation == Conversation::kTopic ||
                             session->conversation == Conversation::kNode;
      if (!is_secret) continue;
      auto& proven = static_cast<SecretSession&>(*session);
      const Elapsed end = end_of(proven);
      if (end >= proven.expires) continue;
      expiring_.erase({proven.expires, proven.connection.id()});
      proven.expires = end;
      expiring_.emplace(end, proven.connection.id());
    }
  }
}

void Broker::admit_secret(SecretSession& session) {
  enter(session);
  expire_later(session);
  shared_.metrics.topic_sessions.add();
  if (session.conversation == Conversation::kTopic) topics_.listen(session, session.place);
  log(LogLevel::kInfo, "handshake.admitted",
      {{"presence", session.presence_id()},
       {"source", session.source},
       {"place", session.place},
       {"peer", session.connection.peer().text()}});
  say(session,
      dialects::SecretAdmitted{session.source, shared_.clock.wall(), session.presence_id()});
  read_held(session.connection.id());
}

// One frame that says why, then the close code.
void Broker::end(SecretSession& session, HandshakeRefusal code, std::string_view ref,
                 std::optional<TokenRefusal> rule) {
  shared_.metrics.handshakes_refused[code].add();
  const bool was_admitted = session.state == SessionState::kAdmitted;
  note(session, was_admitted ? audit::Event::kEnded : audit::Event::kRefused, name_of(code));
  if (const auto repeated = handshakes_log_.take(code, shard_.now())) {
    log(LogLevel::kWarn, "handshake.refused",
        {{"reason", name_of(code)},
         {"rule", rule ? name_of(*rule) : std::string_view()},
         {"repeated", *repeated},
         {"source", session.source},
         {"place", session.place},
         {"ref", ref},
         {"peer", session.connection.peer().text()}});
    wire::JsonWriter json;
    json.object().key("refused").value(name_of(code)).key("source").value(session.source);
    json.key("place").value(session.place).key("repeated").value(*repeated);
    announce(session.mesh, "audit.log", json.end().take());
  }
  say(session, dialects::HandshakeRefused{code, ref, rule});
  leave(session);
  session.state = SessionState::kClosing;
  session.connection.close(close_reason_of(code), name_of(code));
}

void Broker::expire_sessions() {
  follow_the_wall_clock();
  while (!expiring_.empty() && expiring_.begin()->first <= shard_.now()) {
    Session* session = session_at(expiring_.begin()->second);
    expiring_.erase(expiring_.begin());
    if (session != nullptr) {
      end(static_cast<SecretSession&>(*session), HandshakeRefusal::kSessionExpired);
    }
  }
}

void Broker::on_secret_verb(SecretSession& session, const dialects::Verb& verb,
                            std::string_view frame) {
  if (const auto* bad = std::get_if<dialects::BadHandshake>(&verb)) {
    const bool by_certificate = bad->code == HandshakeRefusal::kMissingProof &&
                                !bad->source.empty() && !certified(session.connection).empty();
    if (by_certificate) return on_certificate_hello(session, bad->source);
    return end(session, bad->code);
  }
  if (const auto* token = std::get_if<dialects::TokenHello>(&verb)) {
    return on_token_hello(session, *token);
  }
  if (const auto* refresh = std::get_if<dialects::TokenRefresh>(&verb)) {
    return on_token_refresh(session, *refresh);
  }
  if (const auto* hello = std::get_if<dialects::SecretHello>(&verb)) {
    return on_secret_hello(session, *hello);
  }
  if (const auto* publish = std::get_if<dialects::Publish>(&verb)) {
    const bool taken = topics_.on_publish(session, *publish);
    session.excess = taken ? 0 : session.excess + 1;
    if (session.excess >= kMostExcess) end(session, HandshakeRefusal::kRateLimited);
    return;
  }
  if (const auto* forward = std::get_if<dialects::Forward>(&verb)) {
    return on_forward(session, *forward, frame);
  }
  if (const auto* misspoken = std::get_if<dialects::Misspoken>(&verb)) {
    refuse(session, misspoken->code, misspoken->client_id, std::nullopt, misspoken->rule);
  }
}

void Broker::on_forward(SecretSession& session, const dialects::Forward& forward,
                        std::string_view frame) {
  if (const auto wait = must_wait(session)) {
    return refuse(session, Refusal::kRateLimited, {}, wait);
  }
  const std::string target(forward.target);
  if (!membership::is_source(target)) return refuse(session, Refusal::kTargetNotConnected, {});
  if (!may_or_refuse(session, {Action::kSend, "node:" + target})) return;
  const std::string_view text = forward.unstamped.empty() ? frame : forward.unstamped;
  names_.forward(session, NameDesk::node_name(session.mesh, target), text, false);
}

}  // namespace signet::broker
