#include <pthread.h>

#include <csignal>
#include <string>
#include <thread>

#include "net/epoll_shard.h"
#include "net/listener.h"

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
               const Clock& clock);
  ~EpollNetwork() override { stop({}, {}); }

  Status open(const std::function<ConnectionEvents*(Shard&)>& events_for);
  Result<PeerAddress> listen(const PeerAddress& address) override;
  Status listen_local(const std::string& path) override;
  void start() override;
  std::vector<Shard*> shards() override;
  void stop(std::chrono::milliseconds jitter, std::chrono::milliseconds within) override;

 private:
  EpollShard& front() { return *shards_.front(); }  // the one that accepts
  void hand_over(std::uint32_t shard, TcpSocket socket, const PeerAddress& peer);
  void end_oldest_unproven(std::uint32_t shard);
  void on_departed(std::uint32_t shard, std::vector<Departure> departures);
  void post_to_all(const std::function<void(EpollShard&)>& task);
  bool all_closed() const;

  NetMetrics metrics_;
  std::vector<std::unique_ptr<EpollShard>> shards_;
  std::unique_ptr<Listener> listener_;
  std::vector<std::thread> threads_;
};

EpollNetwork::EpollNetwork(std::size_t shards, const NetOptions& options, MetricRegistry& metrics,
                           const Clock& clock)
    : metrics_(metrics) {
  for (std::uint32_t i = 0; i < shards; ++i) {
    shards_.push_back(std::make_unique<EpollShard>(
        i, options, metrics_, clock,
        [this, i](std::vector<Departure> departures) { on_departed(i, std::move(departures)); }));
  }
  listener_ = std::make_unique<Listener>(
      options, metrics_, shards, front(), front().context().poller,
      Listener::Shards{[this](std::uint32_t shard, TcpSocket socket, const PeerAddress& peer) {
                         hand_over(shard, std::move(socket), peer);
                       },
                       [this](std::uint32_t shard) { end_oldest_unproven(shard); }});
  front().set_listener(listener_.get());
}

Status EpollNetwork::open(const std::function<ConnectionEvents*(Shard&)>& events_for) {
  for (auto& shard : shards_) {
    SIGNET_TRY([[maybe_unused]] const Done opened, shard->context().poller.opened());
    shard->context().events = events_for(*shard);
  }
  return Done{};
}

Result<PeerAddress> EpollNetwork::listen(const PeerAddress& address) {
  SIGNET_TRY(const Listening listening, open_listening(address));
  if (threads_.empty()) {
    listener_->add(listening.descriptor);
  } else {
    const int descriptor = listening.descriptor;
    front().mailbox().post([this, descriptor] { listener_->add(descriptor); });
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
void EpollNetwork::hand_over(std::uint32_t shard, TcpSocket socket, const PeerAddress& peer) {
  EpollShard& target = *shards_[shard];
  if (shard == 0) return target.adopt(std::move(socket), peer);
  // Shared only because a task must be copyable; a task that never runs still closes the socket.
  auto parcel = std::make_shared<TcpSocket>(std::move(socket));
  target.mailbox().post([&target, parcel, peer] { target.adopt(std::move(*parcel), peer); });
}

// On the thread of the first shard.
void EpollNetwork::end_oldest_unproven(std::uint32_t shard) {
  EpollShard& target = *shards_[shard];
  if (shard == 0) return target.end_oldest_unproven();
  target.mailbox().post([&target] { target.end_oldest_unproven(); });
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
  auto network = std::make_unique<EpollNetwork>(shards, options, metrics, clock);
  SIGNET_TRY([[maybe_unused]] const Done opened, network->open(events_for));
  return std::unique_ptr<Network>(std::move(network));
}

}  // namespace signet::net
