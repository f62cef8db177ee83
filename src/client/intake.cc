#include "client/intake.h"

#include <algorithm>

#include "base/encoding.h"
#include "crypto/wipe.h"

namespace signet::client {
namespace {

// Twice what a true broker leaves unconfirmed.
constexpr std::size_t kMaxWaiting = 1'024;
constexpr std::size_t kMaxWaitingBytes = 2 << 20;

StoredPush stored(const dialects::PushedMessage& push) {
  return {push.message_id, push.sender_key,
          push.target,     static_cast<Priority>(static_cast<std::uint8_t>(push.priority)),
          push.created_at, push.nonce,
          push.ciphertext};
}

std::size_t bytes_of_body(const dialects::PushedMessage& push) {
  return push.nonce.size() + push.ciphertext.size();
}

std::size_t bytes_of_bodies(const std::vector<StoredPush>& pushes) {
  std::size_t bytes = 0;
  for (const StoredPush& push : pushes) bytes += push.nonce.size() + push.ciphertext.size();
  return bytes;
}

}  // namespace

KeyLookup keys_of(const State& state) {
  return [&state](const crypto::ChannelScope& scope,
                  const crypto::ChannelKeyId& id) -> std::optional<crypto::ChannelKey> {
    auto kept = state.peer_key(crypto::to_hex(scope.sender), scope.target, to_hex(id));
    crypto::ChannelKeyBytes bytes{};
    if (!kept.ok() || !*kept || (*kept)->size() != bytes.size()) return std::nullopt;
    std::copy((*kept)->begin(), (*kept)->end(), bytes.begin());
    crypto::wipe(**kept);
    auto key = crypto::ChannelKey::from_bytes(bytes, scope);
    crypto::wipe(bytes);
    return key;
  };
}

PushedBody body_of(std::string_view mesh_id, const StoredPush& push) {
  return {mesh_id, push.sender_key, push.target, push.nonce, push.ciphertext};
}

// A push that names another mesh is of no mailbox that is known here. It is not kept, where only
// its body would be left of it, and not confirmed.
void Intake::on_push(dialects::PushedMessage push) {
  if (!push.mesh_id.empty() && push.mesh_id != mesh_id_) return;
  const std::size_t bytes = bytes_of_body(push);
  const bool is_first = fresh_.empty() && waiting_.empty();  // whatever its size
  const bool has_room =
      fresh_.size() + waiting_.size() < kMaxWaiting && held_bytes_ + bytes <= kMaxWaitingBytes;
  if (!has_room && !is_first) return;
  held_bytes_ += bytes;
  fresh_.push_back(std::move(push));
}

Result<std::vector<std::string>> Intake::settle(const Say& say) {
  for (const dialects::PushedMessage& push : fresh_) {
    const KeyMessageFate fate = take_key_message(push);
    if (fate == KeyMessageFate::kTaken) {
      say(dialects::receipt_frame(push.message_id, "received"));
    } else if (fate == KeyMessageFate::kNone) {
      waiting_.push_back(stored(push));
    }
  }
  fresh_.clear();
  held_bytes_ = bytes_of_bodies(waiting_);
  if (waiting_.empty()) return std::vector<std::string>();
  return take_in(say);
}

Intake::KeyMessageFate Intake::take_key_message(const dialects::PushedMessage& push) {
  const PushedBody body{mesh_id_, push.sender_key, push.target, push.nonce, push.ciphertext};
  const Opened opened = sealing_.open(body, keys_of(state_));
  if (const auto* grant = std::get_if<KeyGrant>(&opened.body)) {
    auto bytes = grant->key.bytes();
    const Status kept = state_.keep_peer_key(push.sender_key, grant->target,
                                             to_hex(grant->key.id()), text_of(bytes));
    crypto::wipe(bytes);
    return kept.ok() ? KeyMessageFate::kTaken : KeyMessageFate::kNotNow;
  }
  if (const auto* request = std::get_if<KeyRequest>(&opened.body)) {
    pump_.grant_again(opened.sender, *request);
    return KeyMessageFate::kTaken;
  }
  if (const auto* missing = std::get_if<KeyMissing>(&opened.body)) {
    pump_.ask_for_key(push.sender_key, push.target, missing->key_id);
  }
  return KeyMessageFate::kNone;
}

Result<std::vector<std::string>> Intake::take_in(const Say& say) {
  SIGNET_TRY(const std::vector<Taken> taken, state_.take_in(waiting_));
  std::vector<std::string> senders;
  std::vector<StoredPush> left;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    if (taken[i] == Taken::kFull) {
      left.push_back(std::move(waiting_[i]));
      continue;
    }
    say(dialects::receipt_frame(waiting_[i].message_id, "received"));
    if (taken[i] == Taken::kNew) senders.push_back(std::move(waiting_[i].sender_key));
  }
  waiting_ = std::move(left);
  held_bytes_ = bytes_of_bodies(waiting_);
  return senders;
}

void Intake::disconnected() {
  fresh_.clear();
  waiting_.clear();
  held_bytes_ = 0;
}

}  // namespace signet::client
