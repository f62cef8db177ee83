#include "client/outbox_pump.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "client/channel_keys.h"
#include "crypto/random.h"
#include "crypto/wipe.h"
#include "dialects/message_id.h"
#include "membership/audience.h"

namespace signet::client {
namespace {

constexpr std::size_t kTicketBytes = 16;
constexpr int kMaxTries = 5;  // at a list that is not the audience it says
// Between these, whatever a broker says: it makes nobody spin, and silences nobody for long.
constexpr std::chrono::milliseconds kLeastWait{10};
constexpr std::chrono::milliseconds kMostWait{60'000};
constexpr std::chrono::seconds kAudienceTimeout{60};  // then whoever waits asks again

bool is_for_many(std::string_view target) {
  return crypto::public_key_from_hex(target) == std::nullopt;
}

// Codes after which the same send may succeed.
bool is_for_later(std::string_view code) {
  constexpr std::array<std::string_view, 3> kLater = {"rate_limited", "store_full", "unavailable"};
  return std::find(kLater.begin(), kLater.end(), code) != kLater.end();
}

routing::Priority wire_priority(Priority priority) {
  return static_cast<routing::Priority>(static_cast<std::uint8_t>(priority));
}
static_assert(static_cast<int>(Priority::kLow) == static_cast<int>(routing::Priority::kLow));

crypto::ChannelKey channel_key(const OwnChannelKey& key, const crypto::ChannelScope& scope) {
  crypto::ChannelKeyBytes bytes{};
  std::copy_n(key.key.begin(), std::min(key.key.size(), bytes.size()), bytes.begin());
  auto made = crypto::ChannelKey::from_bytes(bytes, scope);
  crypto::wipe(bytes);
  return made;
}

// Does the list name exactly the audience that it says?
bool is_whole(const dialects::MembersAnswer& list) {
  std::vector<crypto::PublicKey> keys;
  for (const auto& member : list.members) {
    if (const auto key = crypto::public_key_from_hex(member.key)) keys.push_back(*key);
  }
  return to_hex(membership::audience_of(std::move(keys))) == list.audience;
}

std::string text_of_id(const crypto::ChannelKeyId& id) { return to_hex(id); }

// The outbox says that an entry is no longer waiting: taken back, or finished by somebody else.
bool is_settled(const Error& error) {
  return error.code == ErrorCode::kNotFound || error.code == ErrorCode::kConflict;
}

}  // namespace

OutboxPump::OutboxPump(const OutboxPumpOptions& options, const std::string& mesh_id,
                       const crypto::PublicKey& own, State& state, Sealing& sealing,
                       Requests& requests, OnReport on_report)
    : options_(options),
      mesh_id_(mesh_id),
      own_(own),
      state_(state),
      sealing_(sealing),
      requests_(requests),
      on_report_(std::move(on_report)) {}

OutboxPump::~OutboxPump() { disconnected(); }

void OutboxPump::connected() {
  connected_ = true;
  look_ = true;
  ++connection_;
  not_before_ = Elapsed{};
  pause_ = false;
}

// Who asked for a key and did not get it yet still gets it: that was confirmed to the broker.
void OutboxPump::disconnected() {
  connected_ = false;
  ++connection_;
  in_flight_.clear();
  in_flight_bytes_ = 0;
  said_.clear();
  wanted_.clear();
  asked_for_.clear();
  granted_.clear();
  for (auto each = audiences_.begin(); each != audiences_.end();) {
    forget_audience(each->second);
    each->second.mismatches = each->second.changes = 0;
    each = each->second.asked_again.empty() ? audiences_.erase(each) : std::next(each);
  }
}

Status OutboxPump::pump(Elapsed now, WallTime wall, const Say& say) {
  if (!connected_) return Done{};
  if (pause_) not_before_ = std::max(not_before_, now + options_.retry_after);
  pause_ = false;
  if (now < not_before_) return Done{};
  Status said = say_all(now, wall, say);
  if (!said.ok()) not_before_ = std::max(not_before_, now + options_.retry_after);
  return said;
}

Status OutboxPump::say_all(Elapsed now, WallTime wall, const Say& say) {
  if (look_) {
    SIGNET_TRY([[maybe_unused]] const Done looked, look_into_outbox());
  }
  SIGNET_TRY([[maybe_unused]] const Done granted, say_grants(now, wall, say));
  SIGNET_TRY([[maybe_unused]] const Done asked, say_key_requests(now, say));
  return say_entries(now, wall, say);
}

Status OutboxPump::look_into_outbox() {
  SIGNET_TRY(std::vector<OutboxEntry> entries, state_.claim_outbox());
  look_ = false;
  std::map<std::int64_t, OutboxEntry> queue;
  for (OutboxEntry& entry : entries) {
    // What is known already stays as it is here: its body may have been spent meanwhile.
    const auto known = queue_.find(entry.number);
    const std::int64_t number = entry.number;
    queue.emplace(number, std::move(known == queue_.end() ? entry : known->second));
  }
  queue_ = std::move(queue);  // what is no longer in the outbox was taken back
  return Done{};
}

// In order within a target: behind a message that can't go yet, none to the same target goes.
Status OutboxPump::say_entries(Elapsed now, WallTime wall, const Say& say) {
  std::vector<std::int64_t> numbers;
  for (const auto& [number, entry] : queue_) {
    if (!said_.contains(entry.ticket)) numbers.push_back(number);
  }
  std::set<std::string, std::less<>> held;
  for (const std::int64_t number : numbers) {
    if (!may_send(now)) break;
    const auto entry = queue_.find(number);
    if (entry == queue_.end() || held.contains(entry->second.to)) continue;
    const std::string ticket = entry->second.ticket, to = entry->second.to;
    if (!is_behind_another_audience(entry->second)) {
      SIGNET_TRY([[maybe_unused]] const Done sent, send_entry(entry->second, now, wall, say));
    }
    if (queue_.contains(number) && !said_.contains(ticket)) held.insert(to);
  }
  forget_refusals();
  return Done{};
}

// Whoever waited for a refused list has been refused. The next message asks anew.
void OutboxPump::forget_refusals() {
  for (auto& [target, audience] : audiences_) {
    if (audience.phase != Audience::Phase::kRefused) continue;
    audience.phase = Audience::Phase::kUnknown;
    audience.mismatches = 0;
    audience.asked_again.clear();
  }
}

// One under way may yet be refused because its audience changed, and is said again then: what names
// another audience, or none, could pass it and waits.
bool OutboxPump::is_behind_another_audience(const OutboxEntry& entry) const {
  if (!is_for_many(entry.to)) return false;
  std::string_view named = entry.audience;
  if (entry.sealed && entry.ciphertext.empty()) {
    const auto found = audiences_.find(entry.to);
    if (found == audiences_.end() || found->second.phase != Audience::Phase::kKnown) return false;
    named = found->second.digest;
  }
  return std::any_of(in_flight_.begin(), in_flight_.end(), [&](const auto& each) {
    const InFlight& sent = each.second;
    return !sent.ticket.empty() && sent.target == entry.to && sent.audience != named;
  });
}

bool OutboxPump::has_room() const {
  return in_flight_.size() < options_.max_in_flight &&
         in_flight_bytes_ < options_.max_in_flight_bytes;
}

// A body that was made before is said again as it was: the same message byte for byte.
Status OutboxPump::send_entry(OutboxEntry& entry, Elapsed now, WallTime wall, const Say& say) {
  if (!entry.ciphertext.empty()) return say_entry(entry, now, say);
  if (is_for_many(entry.to) && entry.sealed) return seal_entry(entry, now, wall, say);
  auto body = Sealing::in_the_clear(entry.text);
  if (!is_for_many(entry.to))
    body = sealing_.direct(*crypto::public_key_from_hex(entry.to), entry.text);
  if (!body.ok()) return refuse(entry, code_of(body.error()));
  entry.nonce = std::move(body->nonce);
  entry.ciphertext = std::move(body->ciphertext);
  return say_entry(entry, now, say);
}

Status OutboxPump::seal_entry(OutboxEntry& entry, Elapsed now, WallTime wall, const Say& say) {
  Audience& audience = audiences_[entry.to];
  if (audience.phase == Audience::Phase::kUnknown) ask_audience(entry.to, now);
  if (audience.phase == Audience::Phase::kRefused) return refuse(entry, audience.refusal);
  if (audience.phase != Audience::Phase::kKnown) return Done{};
  SIGNET_TRY([[maybe_unused]] const Done planned, plan_key(entry.to, audience, wall));
  SIGNET_TRY([[maybe_unused]] const Done handed, hand_out_key(entry.to, audience, now, say));
  if (!audience.seal_to.empty() || audience.unanswered > 0) return Done{};
  const crypto::ChannelScope scope{mesh_id_, entry.to, own_};
  auto body = sealing_.to_audience(entry.to, channel_key(*audience.key, scope), entry.text);
  if (!body.ok()) return refuse(entry, code_of(body.error()));
  entry.nonce = std::move(body->nonce);
  entry.ciphertext = std::move(body->ciphertext);
  entry.audience = audience.digest;
  return say_entry(entry, now, say);
}

Status OutboxPump::say_entry(const OutboxEntry& entry, Elapsed now, const Say& say) {
  Status kept = state_.keep_attempt(entry.ticket, entry.nonce, entry.ciphertext, entry.audience);
  if (!kept.ok() && is_settled(kept.error())) {  // taken back meanwhile
    finished(entry.ticket);
    return Done{};
  }
  if (!kept.ok()) return kept;
  InFlight sent;
  sent.ticket = entry.ticket;
  sent.target = entry.to;
  sent.audience = entry.audience;
  sent.since = now;
  said_.insert(entry.ticket);
  say_send({entry.ticket, entry.to, wire_priority(entry.priority), entry.nonce, entry.ciphertext,
            entry.audience, entry.receipts},
           std::move(sent), say);
  return Done{};
}

void OutboxPump::say_send(const dialects::SendFields& send, InFlight sent, const Say& say) {
  const std::string frame = dialects::send_frame(send);
  sent.bytes = frame.size();
  if (in_flight_.emplace(send.client_id, std::move(sent)).second) in_flight_bytes_ += frame.size();
  say(frame);
}

Status OutboxPump::refuse(const OutboxEntry& entry, std::string_view code) {
  const std::string ticket = entry.ticket;
  Status marked = state_.mark_refused(ticket, code);
  if (!marked.ok() && !is_settled(marked.error())) return marked;
  finished(ticket);
  on_report_(ticket);
  return Done{};
}

// --- audiences and their keys ---

void OutboxPump::ask_audience(const std::string& target, Elapsed now) {
  audiences_[target].phase = Audience::Phase::kAsked;
  const std::uint64_t asked_on = connection_;
  requests_.ask({Requests::Kind::kMembers, target, now + kAudienceTimeout,
                 [this, target, asked_on](Result<dialects::Answer> answer) {
                   if (asked_on == connection_) on_audience(audiences_[target], std::move(answer));
                 }});
}

void OutboxPump::on_audience(Audience& audience, Result<dialects::Answer> answer) {
  if (!answer.ok()) {
    const bool again = answer.error().code == ErrorCode::kOverloaded ||
                       answer.error().code == ErrorCode::kUnavailable;
    if (again) pause_ = true;
    audience.phase = again ? Audience::Phase::kUnknown : Audience::Phase::kRefused;
    audience.refusal = std::string(code_of(answer.error()));
    return;
  }
  auto& list = std::get<dialects::MembersAnswer>(*answer);
  if (!is_whole(list)) {  // it changed between two pages, or is made up
    const bool again = ++audience.mismatches < kMaxTries;
    audience.phase = again ? Audience::Phase::kUnknown : Audience::Phase::kRefused;
    audience.refusal = "audience_changed";
    return;
  }
  audience.phase = Audience::Phase::kKnown;
  audience.mismatches = 0;
  audience.digest = std::move(list.audience);
  audience.members.clear();
  for (auto& member : list.members) audience.members.push_back(std::move(member.key));
}

// What is known of it. Who asked for a key and how often it changed stays.
void OutboxPump::forget_audience(Audience& audience) {
  if (audience.key) crypto::wipe(audience.key->key);
  Audience fresh;
  fresh.asked_again = std::move(audience.asked_again);
  fresh.mismatches = audience.mismatches;
  fresh.changes = audience.changes;
  fresh.round = ++rounds_;
  audience = std::move(fresh);
}

Result<OwnChannelKey> OutboxPump::new_key(const std::string& target, WallTime wall) const {
  auto made = sealing_.new_channel_key(target);
  if (!made.ok()) return made.error();
  auto bytes = made->bytes();
  OwnChannelKey key{target, text_of_id(made->id()), std::string(text_of(bytes)), {}, wall};
  crypto::wipe(bytes);
  return key;
}

// Whom the key goes to is on disk before it goes: a member may have it though its ack never came.
// Another process may give it to others, so what it wrote makes this one plan again before it
// seals.
Status OutboxPump::plan_key(const std::string& target, Audience& audience, WallTime wall) {
  SIGNET_TRY(const std::int64_t version, state_.others_version());
  const bool is_as_planned = audience.key && audience.planned_at == version;
  if (is_as_planned && !is_too_old(*audience.key, wall)) return Done{};
  SIGNET_TRY(KeyOffer offer, state_.offer_own_key(target, audience.members, wall,
                                                  [&] { return new_key(target, wall); }));
  if (audience.key && audience.key->key_id != offer.key.key_id) {
    audience.seal_to.clear();
    audience.handed.clear();
  }
  std::set<std::string> seal_to(audience.seal_to.begin(), audience.seal_to.end());
  for (std::string& member : offer.seal_to) {
    if (!audience.handed.contains(member)) seal_to.insert(std::move(member));
  }
  audience.seal_to.assign(seal_to.begin(), seal_to.end());
  if (audience.key) crypto::wipe(audience.key->key);
  audience.key = std::move(offer.key);
  audience.planned_at = version;
  return Done{};
}

Status OutboxPump::hand_out_key(const std::string& target, Audience& audience, Elapsed now,
                                const Say& say) {
  while (!audience.seal_to.empty() && may_send(now)) {
    const std::string member = std::move(audience.seal_to.back());
    audience.seal_to.pop_back();
    audience.handed.insert(member);
    const crypto::ChannelScope scope{mesh_id_, target, own_};
    const auto to = crypto::public_key_from_hex(member);
    const auto body =
        sealing_.key_message(*to, KeyMessage(KeyGrant{target, channel_key(*audience.key, scope)}));
    if (!body.ok()) continue;  // a key that nothing can be sealed to: it reads nothing
    ++audience.unanswered;
    InFlight sent;
    sent.target = target;
    sent.since = now;
    sent.member = member;
    sent.key_id = audience.key->key_id;
    sent.round = audience.round;
    const std::string ticket = crypto::random_hex(kTicketBytes);
    say_send({ticket, member, routing::Priority::kNow, body->nonce, body->ciphertext, "", false},
             std::move(sent), say);
  }
  return Done{};
}

void OutboxPump::key_answered(const InFlight& sent, bool stored) {
  if (sent.key_id.empty()) return;
  // What is lost here is sent again after the next start: harmless.
  if (stored) (void)state_.add_key_holder(sent.target, sent.key_id, sent.member).ok();
  const auto found = audiences_.find(sent.target);
  if (found == audiences_.end() || found->second.round != sent.round) return;
  Audience& audience = found->second;
  if (audience.unanswered > 0) --audience.unanswered;
}

void OutboxPump::grant_again(const crypto::PublicKey& to, const KeyRequest& request) {
  const auto own = state_.own_key(request.target);
  if (!own.ok() || !*own || (*own)->key_id != text_of_id(request.key_id)) return;
  const std::string asker = crypto::to_hex(to);
  if (granted_.size() >= options_.max_asked || count_asked_again() >= options_.max_asked) return;
  // Once a connection for each member: who asks in a circle gets no second answer.
  if (!granted_.insert(request.target + " " + (*own)->key_id + " " + asker).second) return;
  audiences_[request.target].asked_again.insert(asker);
}

// They stay over connections until the broker says who is a member.
std::size_t OutboxPump::count_asked_again() const {
  std::size_t count = 0;
  for (const auto& [target, audience] : audiences_) count += audience.asked_again.size();
  return count;
}

Status OutboxPump::say_grants(Elapsed now, WallTime wall, const Say& say) {
  for (auto& [target, audience] : audiences_) {
    if (audience.asked_again.empty() && audience.seal_to.empty()) continue;
    if (audience.phase == Audience::Phase::kUnknown) ask_audience(target, now);
    if (audience.phase != Audience::Phase::kKnown) continue;
    SIGNET_TRY([[maybe_unused]] const Done planned, plan_key(target, audience, wall));
    for (const std::string& member : audience.asked_again) {
      const bool there = std::find(audience.members.begin(), audience.members.end(), member) !=
                         audience.members.end();
      const bool coming = std::find(audience.seal_to.begin(), audience.seal_to.end(), member) !=
                          audience.seal_to.end();
      if (there && !coming) audience.seal_to.push_back(member);
    }
    audience.asked_again.clear();
    SIGNET_TRY([[maybe_unused]] const Done handed, hand_out_key(target, audience, now, say));
  }
  return Done{};
}

void OutboxPump::ask_for_key(const std::string& sender, const std::string& target,
                             const crypto::ChannelKeyId& id) {
  if (!connected_ || asked_for_.size() >= options_.max_asked) return;
  if (asked_for_.insert(sender + text_of_id(id)).second) wanted_.push_back({sender, target, id});
}

Status OutboxPump::say_key_requests(Elapsed now, const Say& say) {
  while (!wanted_.empty() && may_send(now)) {
    Wanted wanted = std::move(wanted_.back());
    wanted_.pop_back();
    const auto to = crypto::public_key_from_hex(wanted.sender);
    if (!to) continue;
    const auto body = sealing_.key_message(*to, KeyMessage(KeyRequest{wanted.target, wanted.id}));
    if (!body.ok()) continue;
    const std::string ticket = crypto::random_hex(kTicketBytes), sender = wanted.sender;
    InFlight sent;
    sent.target = wanted.target;
    sent.since = now;
    sent.asks = std::move(wanted);
    say_send({ticket, sender, routing::Priority::kNow, body->nonce, body->ciphertext, "", false},
             std::move(sent), say);
  }
  return Done{};
}

// --- answers ---

std::optional<OutboxPump::InFlight> OutboxPump::answered(const std::string& client_id) {
  const auto found = in_flight_.find(client_id);
  if (found == in_flight_.end()) return std::nullopt;
  InFlight sent = std::move(found->second);
  in_flight_.erase(found);
  in_flight_bytes_ -= sent.bytes;
  said_.erase(sent.ticket);
  return sent;
}

bool OutboxPump::on_ack(const dialects::AckAnswer& ack) {
  const auto sent = answered(ack.client_id);
  if (!sent) return false;
  if (sent->ticket.empty()) {
    key_answered(*sent, true);
    return true;
  }
  const auto audience = audiences_.find(sent->target);
  if (audience != audiences_.end()) audience->second.changes = 0;
  stored(sent->ticket, ack.message_id, ack.recipients);
  return true;
}

// A disk that refuses to note it leaves the entry in the outbox: it is sent again later and
// acknowledged again, as the same message.
void OutboxPump::stored(const std::string& ticket, std::string_view message_id,
                        std::int64_t recipients) {
  Status marked = state_.mark_stored(ticket, message_id, recipients);
  if (!marked.ok() && !is_settled(marked.error())) {
    pause_ = true;
    return;
  }
  finished(ticket);
  on_report_(ticket);
}

bool OutboxPump::on_error(const dialects::ErrorAnswer& error, Elapsed now) {
  const auto sent = answered(error.client_id);
  if (!sent) return false;
  if (is_for_later(error.code)) {
    later(*sent, error, now);
    return true;
  }
  if (sent->ticket.empty()) {
    key_answered(*sent, false);
    return true;
  }
  const auto entry = std::find_if(queue_.begin(), queue_.end(), [&](const auto& each) {
    return each.second.ticket == sent->ticket;
  });
  if (entry == queue_.end()) return true;
  if (error.code == "audience_changed" && !entry->second.audience.empty()) {
    audience_changed(entry->second);
  } else if (error.code == "id_reused") {
    // The ticket is random and this side's own: an earlier attempt, under another key, is stored.
    stored(sent->ticket, to_hex(dialects::message_id(mesh_id_, own_, sent->ticket)), 1);
  } else if (!refuse(entry->second, error.code).ok()) {
    pause_ = true;  // a full disk: said and refused again later
  }
  return true;
}

// Of many under way only the first makes the list old: the others were sealed for the same one.
void OutboxPump::audience_changed(OutboxEntry& entry) {
  Audience& audience = audiences_[entry.to];
  if (audience.phase == Audience::Phase::kKnown && audience.digest == entry.audience) {
    if (++audience.changes >= kMaxTries) pause_ = true;
    forget_audience(audience);
  }
  entry.nonce.clear();
  entry.ciphertext.clear();
  entry.audience.clear();
}

void OutboxPump::later(const InFlight& sent, const dialects::ErrorAnswer& error, Elapsed now) {
  const std::chrono::milliseconds wait(error.retry_after_ms.value_or(options_.retry_after.count()));
  not_before_ = std::max(not_before_, now + std::clamp(wait, kLeastWait, kMostWait));
  if (sent.asks) wanted_.push_back(*sent.asks);
  const auto found = audiences_.find(sent.target);
  if (sent.key_id.empty() || found == audiences_.end()) return;
  Audience& audience = found->second;
  if (audience.round != sent.round) return;
  if (audience.unanswered > 0) --audience.unanswered;
  if (!audience.key || audience.key->key_id != sent.key_id) return;
  audience.handed.erase(sent.member);
  audience.seal_to.push_back(sent.member);
}

void OutboxPump::finished(const std::string& ticket) {
  said_.erase(ticket);
  for (auto each = queue_.begin(); each != queue_.end(); ++each) {
    if (each->second.ticket != ticket) continue;
    queue_.erase(each);
    return;
  }
}

// --- time ---

bool OutboxPump::is_overdue(Elapsed now) const {
  return std::any_of(in_flight_.begin(), in_flight_.end(), [&](const auto& each) {
    return now >= each.second.since + options_.ack_timeout;
  });
}

bool OutboxPump::can_be_said(const OutboxEntry& entry) const {
  if (is_behind_another_audience(entry)) return false;
  if (!entry.ciphertext.empty() || !entry.sealed || !is_for_many(entry.to)) return true;
  const auto found = audiences_.find(entry.to);
  if (found == audiences_.end()) return true;
  const Audience& audience = found->second;
  if (audience.phase == Audience::Phase::kAsked) return false;
  return audience.phase != Audience::Phase::kKnown || audience.unanswered == 0;
}

// Is there anything that waits for no answer? As say_all goes about it.
bool OutboxPump::has_unsaid() const {
  if (look_ || pause_ || !wanted_.empty()) return true;
  for (const auto& [target, audience] : audiences_) {
    const bool unasked = audience.phase == Audience::Phase::kUnknown;
    const bool known = audience.phase == Audience::Phase::kKnown;
    if (!audience.asked_again.empty() && (unasked || known)) return true;
    if (!audience.seal_to.empty()) return true;
  }
  std::set<std::string_view> held;
  for (const auto& [number, entry] : queue_) {
    if (said_.contains(entry.ticket) || held.contains(entry.to)) continue;
    if (can_be_said(entry)) return true;
    held.insert(entry.to);
  }
  return false;
}

std::optional<Elapsed> OutboxPump::next_deadline(Elapsed now) const {
  std::optional<Elapsed> next;
  for (const auto& [ticket, sent] : in_flight_) {
    const Elapsed due = sent.since + options_.ack_timeout;
    if (!next || due < *next) next = due;
  }
  if (connected_ && has_room() && has_unsaid()) {
    const Elapsed due = std::max(not_before_, now);
    if (!next || due < *next) next = due;
  }
  return next;
}

}  // namespace signet::client
