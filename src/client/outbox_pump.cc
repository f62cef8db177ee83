#include "client/outbox_pump.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"
#include "client/channel_keys.h"
#include "crypto/random.h"
#include "crypto/wipe.h"
#include "membership/audience.h"

namespace signet::client {
namespace {

constexpr std::size_t kTicketBytes = 16;
constexpr std::size_t kMaxAsked = 1'000;  // key requests a connection: a flood of them is no repair
constexpr int kMaxTries = 5;              // at a list that is not the audience it says
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

void OutboxPump::connected() {
  connected_ = true;
  look_ = true;
  ++connection_;
  not_before_ = Elapsed{};
}

void OutboxPump::disconnected() {
  connected_ = false;
  ++connection_;
  in_flight_.clear();
  said_.clear();
  wanted_.clear();
  asked_for_.clear();
  for (auto& [target, audience] : audiences_) {
    if (audience.key) crypto::wipe(audience.key->key);
  }
  audiences_.clear();
}

Status OutboxPump::pump(Elapsed now, WallTime wall, const Say& say) {
  if (!connected_) return Done{};
  if (look_) {
    SIGNET_TRY([[maybe_unused]] const Done looked, look_into_outbox());
  }
  SIGNET_TRY([[maybe_unused]] const Done granted, say_grants(now, wall, say));
  SIGNET_TRY([[maybe_unused]] const Done asked, say_key_requests(now, say));
  std::vector<std::int64_t> numbers;
  for (const auto& [number, entry] : queue_) {
    if (!said_.contains(entry.ticket)) numbers.push_back(number);
  }
  for (const std::int64_t number : numbers) {
    if (!may_send(now)) break;
    const auto entry = queue_.find(number);
    if (entry == queue_.end()) continue;
    SIGNET_TRY([[maybe_unused]] const Done sent, send_entry(entry->second, now, wall, say));
  }
  return Done{};
}

Status OutboxPump::look_into_outbox() {
  look_ = false;
  SIGNET_TRY(std::vector<OutboxEntry> entries, state_.claim_outbox());
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

bool OutboxPump::may_send(Elapsed now) const {
  return now >= not_before_ && in_flight_.size() < options_.max_in_flight;
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
  const Status kept =
      state_.keep_attempt(entry.ticket, entry.nonce, entry.ciphertext, entry.audience);
  if (!kept.ok() && kept.error().code == ErrorCode::kNotFound) {  // taken back meanwhile
    finished(entry.ticket);
    return Done{};
  }
  if (!kept.ok()) return kept;
  dialects::SendFields send{entry.ticket,  entry.to,         wire_priority(entry.priority),
                            entry.nonce,   entry.ciphertext, entry.audience,
                            entry.receipts};
  said_.insert(entry.ticket);
  in_flight_.insert_or_assign(entry.ticket, InFlight{entry.ticket, entry.to, "", "", now});
  say(dialects::send_frame(send));
  return Done{};
}

Status OutboxPump::refuse(const OutboxEntry& entry, std::string_view code) {
  const std::string ticket = entry.ticket;
  SIGNET_TRY([[maybe_unused]] const Done marked, state_.mark_refused(ticket, code));
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
                   if (asked_on != connection_) return;
                   Audience& audience = audiences_[target];
                   if (!answer.ok()) {
                     const bool again = answer.error().code == ErrorCode::kOverloaded ||
                                        answer.error().code == ErrorCode::kUnavailable;
                     audience.phase = again ? Audience::Phase::kUnknown : Audience::Phase::kRefused;
                     audience.refusal = std::string(code_of(answer.error()));
                     return;
                   }
                   auto& list = std::get<dialects::MembersAnswer>(*answer);
                   if (!is_whole(list)) {  // it changed between two pages, or is made up
                     const bool again = ++audience.tries < kMaxTries;
                     audience.phase = again ? Audience::Phase::kUnknown : Audience::Phase::kRefused;
                     audience.refusal = "audience_changed";
                     return;
                   }
                   audience.phase = Audience::Phase::kKnown;
                   audience.digest = std::move(list.audience);
                   audience.members.clear();
                   for (auto& member : list.members) {
                     audience.members.push_back(std::move(member.key));
                   }
                 }});
}

Status OutboxPump::plan_key(const std::string& target, Audience& audience, WallTime wall) {
  if (audience.key) return Done{};
  SIGNET_TRY(std::optional<OwnChannelKey> present, state_.own_key(target));
  KeyPlan plan = plan_channel_key(present ? &*present : nullptr, audience.members, wall);
  if (plan.make_new) {
    auto made = sealing_.new_channel_key(target);
    if (!made.ok()) return made.error();
    auto bytes = made->bytes();
    present = OwnChannelKey{target, text_of_id(made->id()), std::string(text_of(bytes)), {}, wall};
    crypto::wipe(bytes);
    SIGNET_TRY([[maybe_unused]] const Done kept, state_.keep_own_key(*present));
  }
  audience.key = std::move(present);
  audience.seal_to = std::move(plan.seal_to);
  return Done{};
}

Status OutboxPump::hand_out_key(const std::string& target, Audience& audience, Elapsed now,
                                const Say& say) {
  while (!audience.seal_to.empty() && may_send(now)) {
    const std::string member = std::move(audience.seal_to.back());
    audience.seal_to.pop_back();
    const crypto::ChannelScope scope{mesh_id_, target, own_};
    const auto to = crypto::public_key_from_hex(member);
    const auto body =
        sealing_.key_message(*to, KeyMessage(KeyGrant{target, channel_key(*audience.key, scope)}));
    if (!body.ok()) continue;  // a key that nothing can be sealed to: it reads nothing
    ++audience.unanswered;
    const std::string ticket = crypto::random_hex(kTicketBytes);
    in_flight_.emplace(ticket, InFlight{"", target, audience.key->key_id, member, now});
    say(dialects::send_frame(
        {ticket, member, routing::Priority::kNow, body->nonce, body->ciphertext, "", false}));
  }
  return Done{};
}

void OutboxPump::key_answered(const InFlight& sent, bool stored) {
  const auto found = audiences_.find(sent.target);
  if (found == audiences_.end() || sent.key_id.empty()) return;
  Audience& audience = found->second;
  if (audience.unanswered > 0) --audience.unanswered;
  if (!stored || !audience.key || audience.key->key_id != sent.key_id) return;
  audience.key->holders.push_back(sent.member);
  // What is lost here is sent again after the next start: harmless.
  (void)state_.add_key_holder(sent.target, sent.key_id, sent.member).ok();
}

void OutboxPump::grant_again(const crypto::PublicKey& to, const KeyRequest& request) {
  const auto own = state_.own_key(request.target);
  if (!own.ok() || !*own || (*own)->key_id != text_of_id(request.key_id)) return;
  auto& again = audiences_[request.target].asked_again;
  if (again.size() < kMaxAsked) again.insert(crypto::to_hex(to));
}

// Once a connection for each member: who asks in a circle gets no second answer.
Status OutboxPump::say_grants(Elapsed now, WallTime wall, const Say& say) {
  for (auto& [target, audience] : audiences_) {
    if (audience.asked_again.empty()) continue;
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
  if (!connected_ || asked_for_.size() >= kMaxAsked) return;
  if (asked_for_.insert(sender + text_of_id(id)).second) wanted_.push_back({sender, target, id});
}

Status OutboxPump::say_key_requests(Elapsed now, const Say& say) {
  while (!wanted_.empty() && may_send(now)) {
    const Wanted wanted = std::move(wanted_.back());
    wanted_.pop_back();
    const auto to = crypto::public_key_from_hex(wanted.sender);
    if (!to) continue;
    const auto body = sealing_.key_message(*to, KeyMessage(KeyRequest{wanted.target, wanted.id}));
    if (!body.ok()) continue;
    const std::string ticket = crypto::random_hex(kTicketBytes);
    in_flight_.emplace(ticket, InFlight{"", wanted.target, "", wanted.sender, now});
    say(dialects::send_frame({ticket, wanted.sender, routing::Priority::kNow, body->nonce,
                              body->ciphertext, "", false}));
  }
  return Done{};
}

// --- answers ---

bool OutboxPump::on_ack(const dialects::AckAnswer& ack) {
  const auto found = in_flight_.find(ack.client_id);
  if (found == in_flight_.end()) return false;
  const InFlight sent = std::move(found->second);
  in_flight_.erase(found);
  if (sent.ticket.empty()) {
    key_answered(sent, true);
    return true;
  }
  // A disk that refuses to note the ack leaves the entry in the outbox: it is sent again later and
  // acknowledged again, as the same message.
  if (state_.mark_stored(sent.ticket, ack.message_id, ack.recipients).ok()) finished(sent.ticket);
  on_report_(sent.ticket);
  return true;
}

bool OutboxPump::on_error(const dialects::ErrorAnswer& error, Elapsed now) {
  const auto found = in_flight_.find(error.client_id);
  if (found == in_flight_.end()) return false;
  const InFlight sent = std::move(found->second);
  in_flight_.erase(found);
  said_.erase(sent.ticket);
  if (is_for_later(error.code)) {
    later(error, now);
    const auto audience = audiences_.find(sent.target);
    if (!sent.key_id.empty() && audience != audiences_.end()) {
      if (audience->second.unanswered > 0) --audience->second.unanswered;
      audience->second.seal_to.push_back(sent.member);
    }
    return true;
  }
  if (sent.ticket.empty()) {
    key_answered(sent, false);
    return true;
  }
  const auto entry = std::find_if(queue_.begin(), queue_.end(), [&](const auto& each) {
    return each.second.ticket == sent.ticket;
  });
  if (entry == queue_.end()) return true;
  if (error.code == "audience_changed") {
    audiences_.erase(sent.target);
    entry->second.nonce.clear();
    entry->second.ciphertext.clear();
    return true;
  }
  // The ticket is random and this side's own: an earlier attempt, under another key, is stored.
  if (error.code == "id_reused") {
    if (state_.mark_stored(sent.ticket, "", 1).ok()) finished(sent.ticket);
    on_report_(sent.ticket);
    return true;
  }
  (void)refuse(entry->second, error.code).ok();  // a full disk: refused again later
  return true;
}

void OutboxPump::later(const dialects::ErrorAnswer& error, Elapsed now) {
  const auto wait =
      std::chrono::milliseconds(error.retry_after_ms.value_or(options_.retry_after.count()));
  constexpr std::chrono::milliseconds kMostWait{60'000};  // whatever a broker says
  not_before_ = std::max(not_before_, now + std::min(wait, kMostWait));
}

void OutboxPump::finished(const std::string& ticket) {
  said_.erase(ticket);
  for (auto each = queue_.begin(); each != queue_.end(); ++each) {
    if (each->second.ticket != ticket) continue;
    queue_.erase(each);
    return;
  }
}

bool OutboxPump::is_overdue(Elapsed now) const {
  return std::any_of(in_flight_.begin(), in_flight_.end(), [&](const auto& each) {
    return now >= each.second.since + options_.ack_timeout;
  });
}

std::optional<Elapsed> OutboxPump::next_deadline(Elapsed now) const {
  std::optional<Elapsed> next;
  for (const auto& [ticket, sent] : in_flight_) {
    const Elapsed due = sent.since + options_.ack_timeout;
    if (!next || due < *next) next = due;
  }
  const bool waits = connected_ && !queue_.empty() && not_before_ > now;
  if (waits && (!next || not_before_ < *next)) next = not_before_;
  return next;
}

}  // namespace signet::client
