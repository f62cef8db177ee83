#include "signet/bench/peer.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/encoding.h"
#include "client/identity_access.h"
#include "crypto/wipe.h"
#include "dialects/claudemesh_client.h"
#include "membership/audience.h"

namespace signet::cli {
namespace {

using std::chrono::milliseconds;

constexpr int kFillAtOnce = 32;                // then the other peers have their turn
constexpr std::size_t kMaxOutput = 256 << 10;  // more would only wait in this process
constexpr std::size_t kDeafOutput = 8 << 20;   // receipts that a broker never reads
constexpr std::size_t kReadBytes = 64 << 10;
constexpr int kReadsATurn = 4;
constexpr milliseconds kPauseUntold{1'000};  // a rate limit that does not say how long
constexpr milliseconds kLongestPause{60'000};
constexpr std::size_t kMaxCodes = 32;  // that are counted apart; a broker can make up any number

client::SessionIdentity session_identity(const Membership& membership,
                                         const crypto::SecretKey& key) {
  client::SessionIdentity identity;
  identity.mesh_id = membership.mesh_id;
  identity.member_id = membership.member_id;
  identity.key = &key;
  identity.session_id = "bench";
  identity.pid = getpid();
  return identity;
}

client::SessionOptions session_options(const BenchPlan& plan) {
  client::SessionOptions options;
  options.upgrade_timeout = options.hello_timeout = plan.patience;
  return options;
}

std::optional<std::uint32_t> number_from(std::string_view text) {
  std::uint32_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

void count_code(std::map<std::string, std::uint64_t>& codes, const std::string& code) {
  const bool is_kept = codes.size() < kMaxCodes || codes.contains(code);
  ++codes[is_kept ? code : std::string("other")];
}

}  // namespace

BenchPeer::BenchPeer(BenchMesh& mesh, std::uint32_t number, Membership membership,
                     BenchFigures& figures)
    : mesh_(mesh),
      number_(number),
      membership_(std::move(membership)),
      key_(IdentityAccess::key(membership_.identity)),
      key_text_(membership_.identity.public_key()),
      sealing_(membership_.mesh_id, key_),
      figures_(figures) {}

// --- before the measured part ---

void BenchPeer::agree_with_partners() {
  const BenchPlan& plan = mesh_.plan;
  for (std::uint32_t i = 0; i < plan.partners(); ++i) {
    const std::uint32_t receiver = plan.receiver_of(number_, i);
    const std::uint32_t sender = (number_ + plan.peers - 1 - i) % plan.peers;
    for (const std::uint32_t other : {receiver, sender}) {
      (void)sealing_.direct(mesh_.keys[other], "agreed").ok();  // a refusal shows in the run
    }
  }
}

void BenchPeer::connect(net::OutgoingSocket socket, const client::Url& url, Elapsed now) {
  session_.reset();
  end_.reset();
  socket_.emplace(std::move(socket));
  session_.emplace(session_options(mesh_.plan), session_identity(membership_, key_),
                   url.authority(), url.path, now);
}

void BenchPeer::join_channel(Elapsed now) {
  if (!is_admitted() || channel_ != Channel::kOutside || now < paused_until_) return;
  channel_ = Channel::kAsked;
  session_->say(dialects::channel_frame("channel_join", mesh_.target));
  if (!mesh_.plan.is_sealed) return;
  std::vector<crypto::PublicKey> others = mesh_.keys;
  std::erase(others, key());
  audience_ = to_hex(membership::audience_of(std::move(others)));
}

// --- sending ---

std::optional<Elapsed> BenchPeer::due_of(std::uint32_t number) const {
  const auto after = mesh_.plan.due_after(number_, number);
  if (!after) return std::nullopt;
  return mesh_.start + *after;
}

bool BenchPeer::has_more_to_say() const {
  return has_session() && !is_stopped_ && (made_ < mesh_.plan.messages || !again_.empty());
}

bool BenchPeer::has_room(Elapsed now) {
  return is_admitted() && now >= paused_until_ && in_flight_.size() < mesh_.plan.in_flight &&
         session_->output().size() < kMaxOutput;
}

bool BenchPeer::fill(Elapsed now) {
  for (int i = 0; i < kFillAtOnce; ++i) {
    if (!has_more_to_say() || !has_room(now)) return false;
    if (again_.empty() && due_of(made_).value_or(now) > now) return false;
    send_next(now);
  }
  return true;
}

std::optional<Elapsed> BenchPeer::next_due() const {
  if (!has_more_to_say() || in_flight_.size() >= mesh_.plan.in_flight) return std::nullopt;
  const Elapsed due = again_.empty() ? due_of(made_).value_or(Elapsed{}) : Elapsed{};
  const Elapsed at = std::max(due, paused_until_);
  if (at == Elapsed{}) return std::nullopt;  // it waits for its output to go
  return at;
}

void BenchPeer::send_next(Elapsed now) {
  if (!again_.empty()) {
    const Message message = again_.front();
    again_.pop_front();
    return send(message);
  }
  const Message message{made_, due_of(made_).value_or(now), false};
  ++made_;
  ++figures_.sent;
  send(message);
}

void BenchPeer::send(const Message& message) {
  const auto body = body_of(message);
  if (!body.ok()) return count_code(figures_.refused, std::string(code_of(body.error())));
  const std::string id = std::to_string(message.number);
  dialects::SendFields fields;
  fields.client_id = id;
  fields.target = mesh_.target;
  std::string receiver;
  if (mesh_.target.empty()) {
    receiver = crypto::to_hex(mesh_.keys[mesh_.plan.receiver_of(number_, message.number)]);
    fields.target = receiver;
  }
  fields.nonce = body->nonce;
  fields.ciphertext = body->ciphertext;
  fields.audience = audience_;
  in_flight_.insert_or_assign(message.number, message);
  session_->say(dialects::send_frame(fields));
}

Result<client::SealedBody> BenchPeer::body_of(const Message& message) {
  const BenchStamp stamp{number_, message.number,
                         static_cast<std::uint64_t>(message.due.since_boot.count()),
                         message.is_again};
  const std::string text = write_bench_text(mesh_.run, stamp, mesh_.plan.text_bytes);
  if (!mesh_.plan.is_sealed) return client::Sealing::in_the_clear(text);
  if (!mesh_.target.empty()) {
    return sealing_.to_audience(mesh_.target, mesh_.channel_keys[number_], text);
  }
  return sealing_.direct(mesh_.keys[mesh_.plan.receiver_of(number_, message.number)], text);
}

// --- what the broker says ---

void BenchPeer::on_answer(dialects::Answer answer) {
  if (const auto* push = std::get_if<dialects::PushedMessage>(&answer)) {
    on_push(*push);
  } else if (const auto* ack = std::get_if<dialects::AckAnswer>(&answer)) {
    on_ack(*ack);
  } else if (const auto* error = std::get_if<dialects::ErrorAnswer>(&answer)) {
    on_error(*error);
  } else if (const auto* change = std::get_if<dialects::ChannelChangeAnswer>(&answer)) {
    if (change->joined) channel_ = Channel::kJoined;
  } else if (std::holds_alternative<dialects::NotUnderstood>(answer)) {
    count_code(figures_.errors, "not_understood");
  }
}

void BenchPeer::on_ack(const dialects::AckAnswer& ack) {
  const auto number = number_from(ack.client_id);
  const auto message = number ? in_flight_.find(*number) : in_flight_.end();
  if (message == in_flight_.end()) return count_code(figures_.errors, "unknown_ack");
  mesh_.last_ack = system_clock().elapsed();
  figures_.ack_latency.add(mesh_.last_ack - message->second.due);
  ++figures_.acked;
  in_flight_.erase(message);
}

void BenchPeer::on_error(const dialects::ErrorAnswer& error) {
  const bool is_limit = error.code == "rate_limited";
  if (is_limit && channel_ == Channel::kAsked) {
    channel_ = Channel::kOutside;
    return pause(error);
  }
  const auto number = number_from(error.client_id);
  const auto found = number ? in_flight_.find(*number) : in_flight_.end();
  if (found == in_flight_.end()) return count_code(figures_.errors, error.code);
  Message message = found->second;
  in_flight_.erase(found);
  if (!is_limit) return count_code(figures_.refused, error.code);
  ++figures_.rate_limited;
  message.is_again = true;
  again_.push_back(message);
  pause(error);
}

void BenchPeer::pause(const dialects::ErrorAnswer& error) {
  const milliseconds told(error.retry_after_ms.value_or(kPauseUntold.count()));
  const Elapsed until = system_clock().elapsed() + std::min(told, kLongestPause);
  paused_until_ = std::max(paused_until_, until);
}

void BenchPeer::on_push(const dialects::PushedMessage& push) {
  session_->say(dialects::receipt_frame(push.message_id, "received"));
  const auto sender_key = crypto::public_key_from_hex(push.sender_key);
  const auto sender = sender_key ? mesh_.numbers.find(*sender_key) : mesh_.numbers.end();
  if (sender == mesh_.numbers.end()) return;  // of another member of the mesh: no part of the run
  const auto text = text_of(push);
  const auto stamp = text ? read_bench_text(mesh_.run, *text, mesh_.plan.text_bytes) : std::nullopt;
  if (!stamp || !is_right(*stamp, sender->second, push.target)) {
    ++figures_.wrong;
    return;
  }
  count_arrival(*stamp);
}

std::optional<std::string> BenchPeer::text_of(const dialects::PushedMessage& push) {
  if (!mesh_.plan.is_sealed) return from_base64(push.ciphertext);
  const std::string_view mesh_id = push.mesh_id.empty() ? mesh_.mesh_id : push.mesh_id;
  const auto opened =
      sealing_.open({mesh_id, push.sender_key, push.target, push.nonce, push.ciphertext},
                    [this](const crypto::ChannelScope& scope, const crypto::ChannelKeyId&) {
                      return channel_key(scope);
                    });
  if (!opened.is_sealed()) return std::nullopt;
  return *opened.text();
}

std::optional<crypto::ChannelKey> BenchPeer::channel_key(const crypto::ChannelScope& scope) const {
  const auto sender = mesh_.numbers.find(scope.sender);
  if (sender == mesh_.numbers.end() || scope.target != mesh_.target) return std::nullopt;
  auto bytes = mesh_.channel_keys[sender->second].bytes();
  auto key = crypto::ChannelKey::from_bytes(bytes, scope);
  crypto::wipe(bytes);
  return key;
}

bool BenchPeer::is_right(const BenchStamp& stamp, std::uint32_t sender,
                         std::string_view target) const {
  if (stamp.sender != sender || stamp.number >= mesh_.plan.messages) return false;
  if (!mesh_.target.empty()) return target == mesh_.target && sender != number_;
  return target == key_text_ && mesh_.plan.receiver_of(sender, stamp.number) == number_;
}

void BenchPeer::count_arrival(const BenchStamp& stamp) {
  const Arrival arrival = arrivals_[stamp.sender].arrive(mesh_.plan.place_of(stamp.number));
  if (arrival == Arrival::kAgain) {
    ++figures_.duplicates;
    return;
  }
  ++figures_.delivered;
  // One that was sent again is late by its sender's doing.
  if (arrival == Arrival::kLate && !stamp.is_again) ++figures_.out_of_order;
  mesh_.last_delivery = system_clock().elapsed();
  const Elapsed due{std::chrono::nanoseconds(static_cast<std::int64_t>(stamp.due_ns))};
  figures_.latency.add(mesh_.last_delivery - due);
}

// --- bytes ---

net::Watch BenchPeer::watch() {
  return {&*socket_, true, !session_->output().empty(), false, false};
}

void BenchPeer::write() {
  if (!has_session()) return;
  std::string& output = session_->output();
  std::size_t written = 0;
  while (written < output.size()) {
    const auto moved = socket_->write_some(std::string_view(output).substr(written));
    if (!moved.ok()) session_->lost(moved.error().detail);
    if (!moved.ok() || moved->must_wait()) break;
    written += moved->bytes;
  }
  output.erase(0, written);
  if (output.size() > kDeafOutput) session_->lost("the broker does not read what is confirmed");
  look_for_end();
}

void BenchPeer::read(Elapsed now) {
  std::array<char, kReadBytes> bytes;
  for (int i = 0; i < kReadsATurn && has_session(); ++i) {
    const auto got = socket_->read_some(bytes);
    if (!got.ok()) {
      session_->lost(got.error().detail);
    } else if (got->has_ended()) {
      session_->lost("the broker closed the connection");
    } else if (got->must_wait()) {
      break;
    } else {
      session_->feed(std::span(bytes).first(got->bytes), now, system_clock().wall(), *this);
    }
  }
  look_for_end();
}

void BenchPeer::on_time(Elapsed now) {
  if (!has_session()) return;
  session_->on_time(now);
  look_for_end();
}

void BenchPeer::look_for_end() {
  if (!session_ || !session_->end() || end_) return;
  end_ = session_->end()->error;
  socket_.reset();
}

void BenchPeer::say_goodbye() {
  if (!is_admitted()) return;
  if (in_channel()) session_->say(dialects::channel_frame("channel_leave", mesh_.target));
  session_->say_goodbye();
  write();
}

}  // namespace signet::cli
