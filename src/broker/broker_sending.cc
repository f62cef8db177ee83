// A message in: guarded, authorized, routed, stored; acknowledged when it is on disk.
#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "base/log.h"
#include "broker/broker.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "dialects/message_id.h"

namespace signet::broker {
namespace {

// How long a client whose send was over the rate is refused, where it could have sent sooner:
// longer than a round trip. What it had under way meets the same refusal and comes again in order;
// else a later message would slip in before the refused one, and each free place would be asked for
// by all.
constexpr std::chrono::milliseconds kRefusedTogether{100};

// Without a client id a retry is another message.
routing::MessageId message_id(const membership::MeshSnapshot& mesh,
                              const membership::Member& sender, std::string_view client_id) {
  if (!client_id.empty() && sender.key) {
    return dialects::message_id(mesh.mesh().id, *sender.key, client_id);
  }
  routing::MessageId id{};
  crypto::random_bytes(id);
  return id;
}

// What a retry must repeat to be the same message.
crypto::Digest16 content_of(const routing::Envelope& envelope) {
  const char priority = static_cast<char>('0' + static_cast<int>(envelope.priority));
  return crypto::digest16("signet-content-v1",
                          {envelope.to, std::string_view(&priority, 1), envelope.body});
}

Refusal refusal_of(store::PublishOutcome outcome) {
  switch (outcome) {
    case store::PublishOutcome::kIdReused:
      return Refusal::kIdReused;
    case store::PublishOutcome::kQuotaExceeded:
      return Refusal::kQuotaExceeded;
    case store::PublishOutcome::kStoreFull:
      return Refusal::kStoreFull;
    case store::PublishOutcome::kStored:
    case store::PublishOutcome::kDuplicate:
    case store::PublishOutcome::kUnavailable:
      break;
  }
  return Refusal::kUnavailable;
}

}  // namespace

// Whatever costs a commit counts as a send. How long to wait, when it is too much.
std::optional<std::chrono::nanoseconds> Broker::must_wait(Session& session) {
  const trust::RoleLimits limits = limits_of(session);
  std::optional<trust::Rate> its_own;
  if (limits.sends_per_second) {
    its_own = {*limits.sends_per_second, limits.sends_burst.value_or(*limits.sends_per_second)};
  }
  const Elapsed now = shard_.now();
  if (const auto wait = shared_.send_rates.take(payer_of(session), now, its_own)) return wait;
  return send_rates_.take(session.connection.peer(), now);
}

std::optional<std::chrono::nanoseconds> Broker::must_wait_to_send(MailSession& session) {
  const Elapsed now = shard_.now();
  if (now < session.refused_until) return session.refused_until - now;
  auto wait = must_wait(session);
  if (!wait) return wait;
  // Never so long that a bucket of few tokens is full before its owner may take one.
  const std::int64_t rate = std::max<std::int64_t>(shared_.options.sends_per_second, 1);
  const auto fills =
      std::chrono::nanoseconds(std::chrono::seconds(shared_.options.sends_burst)) / rate;
  wait = std::max(*wait, std::min<std::chrono::nanoseconds>(kRefusedTogether, fills));
  session.refused_until = now + *wait;
  return wait;
}

// Are these recipients of a send to `target` exactly the audience that its sender sealed it to?
bool Broker::reaches(MailSession& session, const std::vector<MemberNumber>& recipients,
                     const std::string& target, const membership::Audience& audience) const {
  MailSession::KnownAudience& known = session.known_audience;
  if (known.shown != shown_ || known.target != target) {
    const membership::MeshSnapshot& mesh = *snapshot_->mesh(session.mesh);
    known = {shown_, target, membership::audience_of(membership::members_by_key(mesh, recipients))};
  }
  return known.audience == audience;
}

void Broker::on_send(MailSession& session, const dialects::Send& send) {
  if (const auto wait = must_wait_to_send(session)) {
    return refuse(session, Refusal::kRateLimited, send.client_id, wait);
  }
  const membership::MeshSnapshot* mesh = snapshot_->mesh(session.mesh);
  const membership::Member* sender = mesh->member(session.member);
  auto recipients = mesh->recipients(send.to, session.member);
  if (!recipients.ok()) return refuse(session, Refusal::kNoSuchMember, send.client_id);
  const std::string to = routing::text_of(send.to);
  if (!may_or_refuse(session, {trust::Action::kSend, to}, send.client_id)) return;
  if (send.audience && !reaches(session, *recipients, to, *send.audience)) {
    return refuse(session, Refusal::kAudienceChanged, send.client_id);
  }

  auto envelope = std::make_shared<routing::Envelope>();
  envelope->id = message_id(*mesh, *sender, send.client_id);
  envelope->mesh = session.mesh;
  envelope->sender = session.member;
  envelope->priority = send.priority;
  envelope->receipts = send.receipts;
  envelope->to = to;
  envelope->body = send.body;
  envelope->created = shared_.clock.wall();
  envelope->expires = envelope->created + shared_.options.message_ttl;
  const crypto::Digest16 content = content_of(*envelope);
  ++session.unanswered;
  session.unanswered_bytes += envelope->body.size();
  pause_while_too_much_is_unanswered(session);
  shared_.store.publish(
      {envelope, content, *std::move(recipients)}, mailbox(),
      [this, id = session.connection.id(), client_id = std::string(send.client_id), envelope](
          const store::PublishAnswer& answer) { on_published(id, client_id, *envelope, answer); });
}

void Broker::on_published(Id id, const std::string& client_id, const routing::Envelope& envelope,
                          const store::PublishAnswer& answer) {
  const bool stored = answer.outcome == store::PublishOutcome::kStored;
  const bool known = answer.outcome == store::PublishOutcome::kDuplicate;
  if (stored) shared_.metrics.routed[static_cast<std::size_t>(envelope.priority)]->add();
  if (known) shared_.metrics.duplicates.add();
  MailSession* session = mail_at(id);
  if (session == nullptr) return;  // it went; its retry will find the message
  --session->unanswered;
  session->unanswered_bytes -= envelope.body.size();
  pause_while_too_much_is_unanswered(*session);
  if (!stored && !known) return refuse(*session, refusal_of(answer.outcome), client_id);
  say(*session, dialects::Accepted{client_id, envelope.id, answer.queued, answer.skipped});
}

// A sender that does not wait for its acks waits here: its bytes stay with it, not in our memory.
void Broker::pause_while_too_much_is_unanswered(MailSession& session) {
  const BrokerOptions& options = shared_.options;
  session.connection.pause_input(session.unanswered >= options.unanswered_sends ||
                                 session.unanswered_bytes >= options.unanswered_bytes);
}

}  // namespace signet::broker
