#include <pthread.h>

#include <csignal>
#include <string>
#include <thread>

#include "base/log.h"
#include "net/epoll_shard.h"
#include "net/listener.h"
#include "net/tls_server_context.h"

namespace signet::net {
namespace {

constexpr std::chrono::milliseconds kLook{2};  // how often stop() looks whether all are gone

// Signals are for the thread that started the network.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

// EpollNetwork is used by one thread, the one that made it.
class EpollNetwork final : public Network {
 public:
  EpollNetwork(std::size_t shards, const NetOptions& options, MetricRegistry& metrics,
               const Clock& clock, TrustedProxies trusted);
  ~EpollNetwork() override { stop({}, {}); }

  Status open(const std::function<ConnectionEvents*(Shard&)>& events_for);
  void show_origins(OriginList origins);
  Status allow_origins(const std::vector<std::string>& origins) override;
  Result<PeerAddress> listen(const PeerAddress& address, Door door) override;
  Status load_tls();
  Status reload_tls() override;
  std::optional<WallTime> certificate_ends() const override;
  Status listen_local(const std::string& path) override;
  void start() override;
  std::vector<Shard*> shards() override;
  void stop(std::chrono::milliseconds jitter, std::chrono::milliseconds within) override;

 private:
  EpollShard& front() { return *shards_.front(); }  // the one that accepts
  void hand_over(std::uint32_t shard, TcpSocket socket, const PeerAddress& peer, Door door);
  void move(std::uint32_t shard, Moving connection);
  void end_one_unproven(std::uint32_t shard);
  void on_departed(std::uint32_t shard, std::vector<Departure> departures);
  void show_tls(const std::shared_ptr<const TlsServerContext>& tls);
  void post_to_all(const std::function<void(EpollShard&)>& task);
  bool all_closed() const;

  const NetOptions& options_;
  const Clock& clock_;
  const TrustedProxies trusted_;
  NetMetrics metrics_;
  std::vector<std::unique_ptr<EpollShard>> shards_;
  std::unique_ptr<Listener> listener_;
  std::vector<std::thread> threads_;
};

EpollNetwork::EpollNetwork(std::size_t shards, const NetOptions& options, MetricRegistry& metrics,
                           const Clock& clock, TrustedProxies trusted)
    : options_(options), clock_(clock), trusted_(std::move(trusted)), metrics_(metrics) {
  for (std::uint32_t i = 0; i < shards; ++i) {
    shards_.push_back(std::make_unique<EpollShard>(
        i, options, metrics_, trusted_, clock,
        EpollShard::Others{
            static_cast<std::uint32_t>(shards),
            [this, i](std::vector<Departure> departures) { on_departed(i, std::move(departures)); },
            [this](std::uint32_t to, Moving connection) { move(to, std::move(connection)); }}));
  }
  listener_ = std::make_unique<Listener>(
      options, metrics_, trusted_, shards, front(), front().context().poller,
      Listener::Shards{[this](std::uint32_t shard, TcpSocket socket, const PeerAddress& peer,
                              Door door) { hand_over(shard, std::move(socket), peer, door); },
                       [this](std::uint32_t shard) { end_one_unproven(shard); }});
  front().set_listener(listener_.get());
}

Status EpollNetwork::open(const std::function<ConnectionEvents*(Shard&)>& events_for) {
  for (auto& shard : shards_) {
    SIGNET_TRY([[maybe_unused]] const Done opened, shard->context().poller.opened());
    shard->context().events = events_for(*shard);
  }
  return Done{};
}

void EpollNetwork::show_origins(OriginList origins) {
  auto shown = std::make_shared<const OriginList>(std::move(origins));
  post_to_all([shown](EpollShard& shard) { shard.context().origins = shown; });
}

Status EpollNetwork::allow_origins(const std::vector<std::string>& origins) {
  SIGNET_TRY(OriginList list, OriginList::of(origins));
  show_origins(std::move(list));
  return Done{};
}

// An expired certificate is shown all the same: a broker that starts is better than one that does
// not, and clients say what they think of it.
Status EpollNetwork::load_tls() {
  if (!options_.tls) return Done{};
  SIGNET_TRY(const auto tls, TlsServerContext::load(*options_.tls));
  if (tls->certificate_ends() <= clock_.wall()) {
    log(LogLevel::kWarn, "tls.certificate_expired", {{"file", options_.tls->certificate}});
  }
  show_tls(tls);
  return Done{};
}

Status EpollNetwork::reload_tls() {
  if (!options_.tls) return Done{};
  SIGNET_TRY(const auto tls, TlsServerContext::load(*options_.tls));
  if (tls->certificate_ends() <= clock_.wall()) {
    return Error{ErrorCode::kMalformed, options_.tls->certificate + ": the certificate expired"};
  }
  show_tls(tls);
  return Done{};
}

void EpollNetwork::show_tls(const std::shared_ptr<const TlsServerContext>& tls) {
  post_to_all([tls](EpollShard& shard) { shard.context().tls = tls; });
  metrics_.tls_certificate_ends.set(tls->certificate_ends().ms / 1'000);
}

std::optional<WallTime> EpollNetwork::certificate_ends() const {
  if (!options_.tls) return std::nullopt;
  return WallTime{metrics_.tls_certificate_ends.value() * 1'000};
}

Result<PeerAddress> EpollNetwork::listen(const PeerAddress& address, Door door) {
  if (door == Door::kOperator && !address.is_loopback()) {
    return Error{ErrorCode::kForbidden, address.text() + ": operators come by loopback only"};
  }
  SIGNET_TRY(const Listening listening, open_listening(address));
  if (threads_.empty()) {
    listener_->add(listening.descriptor, door);
  } else {
    const int descriptor = listening.descriptor;
    front().mailbox().post([this, descriptor, door] { listener_->add(descriptor, door); });
  }
  return listening.address;
}

Status EpollNetwork::listen_local(const std::string& path) {
  SIGNET_TRY(LocalSocket opened, LocalSocket::open(path));
  auto socket = std::make_shared<LocalSocket>(std::move(opened));
  if (threads_.empty()) {
    listener_->add_local(std::move(socket));
  } else {
    front().mailbox().post([this, socket] { listener_->add_local(socket); });
  }
  return Done{};
}

void EpollNetwork::start() {
  const SignalsBlocked for_new_threads;
  for (auto& shard : shards_) {
    threads_.emplace_back([one = shard.get()] { one->run(); });
    const std::string name = "shard-" + std::to_string(shard->index());
    pthread_setname_np(threads_.back().native_handle(), name.c_str());
  }
}

std::vector<Shard*> EpollNetwork::shards() {
  std::vector<Shard*> all;
  for (auto& shard : shards_) all.push_back(shard.get());
  return all;
}

// On the thread of the first shard.
void EpollNetwork::hand_over(std::uint32_t shard, TcpSocket socket, const PeerAddress& peer,
                             Door door) {
  EpollShard& target = *shards_[shard];
  if (shard == 0) return target.adopt(std::move(socket), peer, door);
  // Shared only because a task must be copyable; a task that never runs still closes the socket.
  auto parcel = std::make_shared<TcpSocket>(std::move(socket));
  target.mailbox().post(
      [&target, parcel, peer, door] { target.adopt(std::move(*parcel), peer, door); });
}

// On the thread of the shard that it leaves. Shared as above.
void EpollNetwork::move(std::uint32_t shard, Moving connection) {
  EpollShard& target = *shards_[shard];
  auto parcel = std::make_shared<Moving>(std::move(connection));
  target.mailbox().post([&target, parcel] { target.adopt(std::move(*parcel)); });
}

// On the thread of the first shard.
void EpollNetwork::end_one_unproven(std::uint32_t shard) {
  EpollShard& target = *shards_[shard];
  if (shard == 0) return target.end_one_unproven();
  target.mailbox().post([&target] { target.end_one_unproven(); });
}

// On the thread of `shard`.
void EpollNetwork::on_departed(std::uint32_t shard, std::vector<Departure> departures) {
  if (shard == 0) return listener_->note(departures);
  front().mailbox().post([this, left = std::move(departures)] { listener_->note(left); });
}

void EpollNetwork::post_to_all(const std::function<void(EpollShard&)>& task) {
  for (auto& shard : shards_) {
    shard->mailbox().post([task, one = shard.get()] { task(*one); });
  }
}

bool EpollNetwork::all_closed() const {
  for (const auto& shard : shards_) {
    if (!shard->stopped() || shard->connections() > 0) return false;
  }
  return true;
}

void EpollNetwork::stop(std::chrono::milliseconds jitter, std::chrono::milliseconds within) {
  if (threads_.empty()) return;
  post_to_all([jitter](EpollShard& shard) { shard.stop(jitter); });
  const auto give_up = std::chrono::steady_clock::now() + within;
  while (!all_closed() && std::chrono::steady_clock::now() < give_up) {
    std::this_thread::sleep_for(kLook);
  }
  post_to_all([](EpollShard& shard) { shard.finish(); });
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace

Result<std::unique_ptr<Network>> Network::create(
    std::size_t shards, const NetOptions& options, MetricRegistry& metrics, const Clock& clock,
    const std::function<ConnectionEvents*(Shard&)>& events_for) {
  if (shards == 0) return Error{ErrorCode::kBug, "a network needs a shard"};
  SIGNET_TRY(OriginList origins, OriginList::of(options.origins));
  SIGNET_TRY(TrustedProxies trusted, TrustedProxies::of(options.trusted_proxies));
  auto network =
      std::make_unique<EpollNetwork>(shards, options, metrics, clock, std::move(trusted));
  SIGNET_TRY([[maybe_unused]] const Done opened, network->open(events_for));
  SIGNET_TRY([[maybe_unused]] const Done loaded, network->load_tls());
  network->show_origins(options.any_origin ? OriginList::any() : std::move(origins));
  return std::unique_ptr<Network>(std::move(network));
}

}  // namespace signet::net
