#include "signet/bench/run.h"

#include <algorithm>

#include "crypto/random.h"
#include "dialects/claudemesh_http.h"
#include "signet/bench/host.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/interrupt.h"

namespace signet::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLook{200};       // how late an interrupt may be seen
constexpr milliseconds kTryAgain{250};   // what a rate limit refused before the measured part
constexpr milliseconds kConnect{5'000};  // name, TCP, TLS
constexpr milliseconds kLinger{100};     // for what comes twice
constexpr milliseconds kInterruptedLinger{2'000};  // for what is on its way
constexpr std::size_t kHandshakesAtOnce = 64;      // of the 2,000 unproven that a broker allows

Elapsed now_elapsed() { return system_clock().elapsed(); }

Error interrupted() {
  return failure(ErrorCode::kMalformed, "interrupted", "it was ended before anything was measured");
}

bool is_for_later(const Error& error) {
  const std::string_view code = code_of(error);
  return code == "rate_limited" || code == "unavailable" || code == "connection_lost" ||
         code == "replayed";
}

// Not before so much time has passed, in whole milliseconds: a poll may not wake too late.
milliseconds until(Elapsed when, Elapsed now) {
  return std::max(std::chrono::floor<milliseconds>(when - now), milliseconds(0));
}

void pause(milliseconds time) { net::wait_for_any({}, nullptr, time); }

}  // namespace

BenchRun::BenchRun(BenchPlan plan, TlsTrust trust) : trust_(std::move(trust)) {
  mesh_.run = crypto::random_hex(kBenchRunDigits / 2);
  if (plan.to == BenchTo::kChannel) mesh_.target = "#bench-" + mesh_.run;
  if (plan.to == BenchTo::kBroadcast) mesh_.target = "*";
  mesh_.plan = std::move(plan);
}

BenchRun::~BenchRun() = default;

// --- before the measured part ---

Status BenchRun::prepare() {
  SIGNET_TRY([[maybe_unused]] const Done allowed, allow_connections(mesh_.plan.peers));
  SIGNET_TRY([[maybe_unused]] const Done joined, join_all());
  SIGNET_TRY([[maybe_unused]] const Done agreed, hand_out_keys());
  SIGNET_TRY([[maybe_unused]] const Done connected, connect_all());
  if (mesh_.plan.to == BenchTo::kChannel) {
    SIGNET_TRY([[maybe_unused]] const Done entered, enter_channel());
  }
  return Done{};
}

Status BenchRun::join_all() {
  for (std::uint32_t number = 0; number < mesh_.plan.peers; ++number) {
    const Elapsed now = now_elapsed();
    live_.show("joining " + std::to_string(number + 1) + " of " + std::to_string(mesh_.plan.peers),
               now);
    auto joined = join_one(number, now + mesh_.plan.patience);
    if (!joined.ok()) return join_failure(joined.error());
    if (number == 0) {
      SIGNET_TRY(url_, client::parse_url(joined->broker_url));
      mesh_.mesh_id = joined->mesh_id;
    }
    peers_.push_back(std::make_unique<BenchPeer>(mesh_, number, *std::move(joined), figures_));
    mesh_.keys.push_back(peers_.back()->key());
    mesh_.numbers.emplace(peers_.back()->key(), number);
  }
  return Done{};
}

Result<Membership> BenchRun::join_one(std::uint32_t number, Elapsed give_up) {
  const std::string name = "bench-" + mesh_.run + "-" + std::to_string(number);
  for (;;) {
    if (is_interrupted()) return interrupted();
    auto joined = join(mesh_.plan.invite, name, Identity::generate(), kConnect, trust_);
    if (joined.ok() || code_of(joined.error()) != "rate_limited") return joined;
    if (now_elapsed() >= give_up) return joined;
    pause(kTryAgain);
  }
}

Error BenchRun::join_failure(const Error& error) const {
  if (code_of(error) != "invite_exhausted") return error;
  const std::string wanted = std::to_string(mesh_.plan.peers);
  return failure(ErrorCode::kForbidden, "invite_exhausted",
                 "the invite let in " + std::to_string(peers_.size()) + " of the " + wanted +
                     " peers; its uses are spent",
                 "Give an invite with at least " + wanted + " uses (signet invite create --uses " +
                     wanted + "), or take fewer --peers.");
}

Status BenchRun::hand_out_keys() {
  const bool is_direct = mesh_.target.empty();
  if (!mesh_.plan.is_sealed) return Done{};
  for (const auto& peer : peers_) {
    if (is_interrupted()) return interrupted();
    live_.show("agreeing on keys", now_elapsed());
    if (is_direct) peer->agree_with_partners();
    const crypto::ChannelScope scope{mesh_.mesh_id, mesh_.target, peer->key()};
    if (!is_direct) mesh_.channel_keys.push_back(crypto::ChannelKey::generate(scope));
  }
  return Done{};
}

Status BenchRun::connect_all() {
  connect_at_.assign(peers_.size(), Elapsed{});
  progress_ = now_elapsed();
  for (std::size_t known = 0;;) {
    const Elapsed now = now_elapsed();
    if (is_interrupted()) return interrupted();
    SIGNET_TRY([[maybe_unused]] const Done connected, connect_some(now));
    step(milliseconds(10));
    const std::size_t admitted = count_of(&BenchPeer::is_admitted);
    live_.show("connecting " + std::to_string(admitted) + " of " + std::to_string(peers_.size()),
               now);
    if (admitted == peers_.size()) return Done{};
    if (admitted > known) progress_ = now;
    known = admitted;
    if (now - progress_ < mesh_.plan.patience) continue;
    return failure(ErrorCode::kUnavailable, "timeout",
                   "the broker let in " + std::to_string(admitted) + " of the " +
                       std::to_string(peers_.size()) + " peers and no more");
  }
}

Status BenchRun::connect_some(Elapsed now) {
  std::size_t handshakes = count_of(&BenchPeer::has_session) - count_of(&BenchPeer::is_admitted);
  for (std::size_t i = 0; i < peers_.size() && handshakes < kHandshakesAtOnce; ++i) {
    BenchPeer& peer = *peers_[i];
    if (peer.has_session() || now < connect_at_[i]) continue;
    const auto end = peer.end();
    if (end && !is_for_later(*end)) return *end;
    connect_at_[i] = now + kTryAgain;  // if this one does not last
    SIGNET_TRY([[maybe_unused]] const Done connected, connect_one(i, now));
    ++handshakes;
  }
  return Done{};
}

Status BenchRun::connect_one(std::size_t peer, Elapsed now) {
  net::TcpEndpoint endpoint{url_.host, url_.port};
  if (url_.secure) endpoint.tls = net::TlsOptions{trust_.ca_file, "", trust_.allow_tls12};
  auto socket = net::OutgoingSocket::connect(endpoint, kConnect);
  if (!socket.ok()) return Error{socket.error().code, "unreachable: " + socket.error().detail};
  peers_[peer]->connect(*std::move(socket), url_, now);
  return Done{};
}

Status BenchRun::enter_channel() {
  progress_ = now_elapsed();
  for (std::size_t known = 0;;) {
    const Elapsed now = now_elapsed();
    if (is_interrupted()) return interrupted();
    for (const auto& peer : peers_) peer->join_channel(now);
    step(milliseconds(10));
    const std::size_t inside = count_of(&BenchPeer::in_channel);
    if (inside == peers_.size()) return Done{};
    if (inside > known) progress_ = now;
    known = inside;
    if (!figures_.errors.empty()) {
      return failure(ErrorCode::kForbidden, figures_.errors.begin()->first,
                     "the broker refused the channel");
    }
    if (now - progress_ < mesh_.plan.patience) continue;
    return failure(ErrorCode::kUnavailable, "timeout",
                   "the broker let " + std::to_string(inside) + " of the peers into the channel");
  }
}

// --- the measured part ---

void BenchRun::measure() {
  const auto cpu = own_cpu_time();
  mesh_.start = mesh_.last_ack = mesh_.last_delivery = progress_ = now_elapsed();
  for (;;) {
    const Elapsed now = now_elapsed();
    bool has_more = false;
    for (const auto& peer : peers_) has_more |= peer->fill(now);
    if (is_over(now)) break;
    if (live_.is_due(now)) {
      live_.show(progress_text(mesh_.plan, figures_, now - mesh_.start), now);
    }
    step(sleep_time(now, has_more));
  }
  figures_.own_cpu = own_cpu_time() - cpu;
  figures_.sending = mesh_.last_ack - mesh_.start;
  figures_.delivering = mesh_.last_delivery - mesh_.start;
}

milliseconds BenchRun::sleep_time(Elapsed now, bool has_more) const {
  if (has_more) return milliseconds(0);
  milliseconds most = kLook;
  for (const auto& peer : peers_) {
    if (const auto due = peer->next_due()) most = std::min(most, until(*due, now));
  }
  if (end_at_) most = std::min(most, until(*end_at_, now));
  return most;
}

bool BenchRun::is_over(Elapsed now) {
  if (is_interrupted() && !figures_.was_interrupted) {
    figures_.was_interrupted = true;
    end_at_ = now + kInterruptedLinger;
    for (const auto& peer : peers_) peer->stop();
  }
  if (is_complete() && (!end_at_ || *end_at_ > now + kLinger)) end_at_ = now + kLinger;
  if (end_at_ && now >= *end_at_) return true;
  notice_progress(now);
  return now - progress_ >= mesh_.plan.patience || !is_anybody_connected();
}

bool BenchRun::is_complete() const {
  const bool is_quiet = std::none_of(peers_.begin(), peers_.end(), [](const auto& peer) {
    return peer->has_more_to_say() || peer->in_flight() > 0;
  });
  return is_quiet && lost_deliveries(mesh_.plan, figures_) == 0;
}

bool BenchRun::is_anybody_connected() const { return count_of(&BenchPeer::has_session) > 0; }

// Something came, or everybody was told to wait.
void BenchRun::notice_progress(Elapsed now) {
  const std::uint64_t known =
      figures_.acked + figures_.delivered + figures_.rate_limited + figures_.refused_messages();
  const bool is_waiting =
      known_ == known && std::any_of(peers_.begin(), peers_.end(),
                                     [now](const auto& peer) { return peer->is_paused(now); });
  if (known != known_ || is_waiting) progress_ = now;
  known_ = known;
}

void BenchRun::finish() {
  live_.erase();
  for (const auto& peer : peers_) {
    figures_.unanswered += peer->in_flight();
    if (peer->held_back() > 0) figures_.refused["rate_limited"] += peer->held_back();
    if (peer->has_session()) continue;
    ++figures_.lost_connections;
    if (figures_.first_loss.empty() && peer->end()) {
      figures_.first_loss = tell(*peer->end()).message;
    }
  }
  figures_.own_rss_bytes = own_resident_bytes();
  figures_.broker_rss_bytes = broker_resident_bytes(url_, trust_);
  for (const auto& peer : peers_) peer->say_goodbye();
}

// --- the loop ---

void BenchRun::step(milliseconds most) {
  watches_.clear();
  watched_.clear();
  for (const auto& peer : peers_) {
    peer->write();
    if (!peer->has_session()) continue;
    watches_.push_back(peer->watch());
    watched_.push_back(peer.get());
  }
  net::wait_for_any(watches_, nullptr, most);
  const Elapsed now = now_elapsed();
  for (std::size_t i = 0; i < watches_.size(); ++i) {
    if (watches_[i].can_read) watched_[i]->read(now);
  }
  for (const auto& peer : peers_) peer->on_time(now);
}

std::size_t BenchRun::count_of(bool (BenchPeer::*is_so)() const) const {
  return static_cast<std::size_t>(std::count_if(
      peers_.begin(), peers_.end(), [is_so](const auto& peer) { return ((*peer).*is_so)(); }));
}

}  // namespace signet::cli
