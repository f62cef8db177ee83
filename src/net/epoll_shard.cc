#include "net/epoll_shard.h"

#include <algorithm>
#include <limits>
#include <random>

#include "net/listener.h"
#include "net/tls_server_session.h"

namespace signet::net {
namespace {

constexpr std::size_t kHandshakesPerTurn = 16;  // some 3 ms

}  // namespace

// Task is work that is due once, or every period.
class EpollShard::Task final : private TimerWheel::Timer {
 public:
  Task(EpollShard& shard, std::chrono::milliseconds period, std::function<void()> work)
      : shard_(shard), period_(period), work_(std::move(work)) {}

  void begin(std::list<Task>::iterator self, std::chrono::milliseconds delay) {
    self_ = self;
    shard_.context_.wheel.arm(*this, shard_.context_.now + delay);
  }

 private:
  void on_timer() override {
    if (period_.count() > 0) {
      shard_.context_.wheel.arm(*this, shard_.context_.now + period_);
      return work_();
    }
    const auto work = std::move(work_);
    shard_.tasks_.erase(self_);  // ends this object
    work();
  }

  EpollShard& shard_;
  const std::chrono::milliseconds period_;
  std::function<void()> work_;
  std::list<Task>::iterator self_;
};

EpollShard::EpollShard(std::uint32_t index, const NetOptions& options, NetMetrics& metrics,
                       const TrustedProxies& trusted, const Clock& clock, Others others)
    : clock_(clock),
      others_(std::move(others)),
      context_(index, options, metrics, trusted, clock.elapsed()),
      mailbox_([this] { context_.poller.wake(); }),
      unproven_(std::random_device{}(), [this](ConnectionId id) {
        const auto* connection = find_open(id);
        return connection != nullptr && !connection->proven();
      }) {}

EpollShard::~EpollShard() = default;

// ---- the loop

void EpollShard::run() {
  while (!finished_) turn();
  drop_all();
}

void EpollShard::turn() {
  const auto events = context_.poller.wait(timeout_ms());
  context_.now = clock_.elapsed();
  context_.thread.check();
  context_.handshakes_left = kHandshakesPerTurn;
  const std::size_t ran = mailbox_.drain();
  const std::size_t fired = context_.wheel.advance(context_.now);
  if (ran > 0 || !events.empty()) traffic_ = context_.now;
  if (ran == 0 && fired == 0 && events.empty() && !context_.has_work()) return;

  handle(events);
  go_on();
  bury();
  context_.events->on_turn_end();
  flush();
  report_departures();
  count_bytes();
}

// Looking again costs a system call; sleeping and being woken costs the first message after a
// pause tens of microseconds. So a thread that had traffic a moment ago looks again.
int EpollShard::timeout_ms() const {
  if (context_.has_work() || finished_) return 0;
  if (traffic_ && context_.now - *traffic_ < context_.options.spin) return 0;
  const auto due = context_.wheel.next_due();
  if (!due) return -1;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*due - context_.now);
  return static_cast<int>(
      std::clamp<std::chrono::milliseconds::rep>(wait.count(), 0, std::numeric_limits<int>::max()));
}

void EpollShard::handle(std::span<const epoll_event> events) {
  for (const epoll_event& event : events) {
    const std::uint64_t tag = event.data.u64;
    if (Listener::is_listener(tag)) {
      if (listener_ != nullptr) listener_->on_ready(tag);
      continue;
    }
    auto* connection =
        connections_.find(static_cast<std::uint32_t>(tag), static_cast<std::uint32_t>(tag >> 32));
    if (connection != nullptr) connection->on_ready(event.events);
  }
}

void EpollShard::go_on() {
  const auto waiting = std::exchange(context_.waiting, {});
  for (const ConnectionId id : waiting) {
    if (auto* connection = find_open(id)) connection->go_on();
  }
}

// Removes what has ended or moves. An owner that is told so may end others meanwhile.
void EpollShard::bury() {
  for (std::size_t i = 0; i < context_.ended.size(); ++i) {
    const ConnectionId id = context_.ended[i];
    auto* connection = connections_.find(id.slot, id.use);
    if (connection == nullptr) continue;
    if (connection->moving()) {
      send_off(*connection);
      continue;
    }
    connection->end();
    if (!connection->proven()) unproven_.left();
    departures_.push_back(departure_of(*connection, connection->proven()
                                                        ? Departure::Kind::kLeftProven
                                                        : Departure::Kind::kLeftUnproven));
    remove(*connection);
    context_.metrics.connections.add(-1);
  }
  context_.ended.clear();
}

// The move is reported first: what the other shard will report of it can only come behind that.
void EpollShard::send_off(TcpConnection& connection) {
  const std::uint32_t to = connection.moves_to();
  if (!connection.proven()) unproven_.left();
  departures_.push_back(departure_of(connection, connection.proven()
                                                     ? Departure::Kind::kMovedProven
                                                     : Departure::Kind::kMovedUnproven));
  departures_.back().to = to;
  report_departures();
  Moving moving = connection.release();
  remove(connection);
  others_.hand_over(to, std::move(moving));
}

void EpollShard::remove(const TcpConnection& connection) {
  const std::uint32_t slot = connection.id().slot;
  context_.proxies.erase(slot);
  connections_.remove(slot);
  count_.store(connections_.size(), std::memory_order_relaxed);
}

void EpollShard::flush() {
  for (std::size_t i = 0; i < context_.unflushed.size(); ++i) {
    if (auto* connection = find_open(context_.unflushed[i])) connection->flush();
  }
  context_.unflushed.clear();
}

void EpollShard::report_departures() {
  if (!departures_.empty()) others_.departed(std::exchange(departures_, {}));
}

void EpollShard::count_bytes() {
  if (context_.bytes_in > 0) context_.metrics.bytes_in.add(std::exchange(context_.bytes_in, 0));
  if (context_.bytes_out > 0) context_.metrics.bytes_out.add(std::exchange(context_.bytes_out, 0));
}

// ---- connections

void EpollShard::adopt(TcpSocket socket, const PeerAddress& peer, Door door) {
  if (context_.stopping) return turn_away(peer, Departure::Kind::kLeftUnproven);
  const bool is_secured = secure(socket, peer, door);
  auto& connection = add(std::move(socket), peer, door);
  context_.metrics.connections.add();
  if (peer.is_local()) {
    connection.set_proven();  // by the kernel
  } else {
    unproven_.add(connection.id());
  }
  if (!is_secured || !connection.open()) connection.drop(CloseReason::kInternal);
}

void EpollShard::adopt(Moving moving) {
  if (context_.stopping) {
    context_.metrics.connections.add(-1);
    context_.metrics.closed[CloseReason::kGoingAway].add();
    return turn_away(moving.peer,
                     moving.proven ? Departure::Kind::kLeftProven : Departure::Kind::kLeftUnproven);
  }
  if (moving.socket.tls() != nullptr) moving.socket.lend(tls_buffer());
  auto& connection = add(std::move(moving.socket), moving.peer, moving.door);
  if (!moving.proven) unproven_.add(connection.id());
  if (!connection.resume(std::move(moving))) connection.drop(CloseReason::kInternal);
}

TcpConnection& EpollShard::add(TcpSocket socket, const PeerAddress& peer, Door door) {
  auto& connection = connections_.add(context_, std::move(socket), peer, door);
  if (context_.trusted_proxies.trusts(peer)) context_.proxies[connection.id().slot] = peer;
  count_.store(connections_.size(), std::memory_order_relaxed);
  return connection;
}

// For one that was let in and comes too late; its socket closes.
void EpollShard::turn_away(const PeerAddress& peer, Departure::Kind kind) {
  Departure left{kind, context_.shard, peer.limit_key(), peer.is_local()};
  if (context_.trusted_proxies.trusts(peer)) left.limit_key.reset();
  departures_.push_back(left);
}

std::span<char> EpollShard::tls_buffer() {
  if (!context_.tls_buffer) context_.tls_buffer.reset(new char[kTlsReceiveBytes]);
  return {context_.tls_buffer.get(), kTlsReceiveBytes};
}

// False when TLS is wanted and there is none: such a peer is never served in plain.
bool EpollShard::secure(TcpSocket& socket, const PeerAddress& peer, Door door) {
  if (!context_.options.tls || door == Door::kOperator || peer.is_local()) return true;
  if (!context_.tls) return false;
  auto session = TlsServerSession::create(*context_.tls, socket.descriptor(), tls_buffer());
  if (!session) return false;
  socket.encrypt(std::move(session));
  return true;
}

void EpollShard::end_one_unproven() {
  const auto id = unproven_.pick();
  if (!id) return;
  if (auto* connection = find_open(*id)) connection->drop(CloseReason::kPolicy);
}

TcpConnection* EpollShard::find_open(ConnectionId id) {
  if (id.shard != context_.shard) return nullptr;
  auto* connection = connections_.find(id.slot, id.use);
  return connection != nullptr && !connection->ended() ? connection : nullptr;
}

void EpollShard::each_connection(const std::function<void(Connection&)>& visit) {
  connections_.each([&](TcpConnection& connection) {
    if (!connection.ended()) visit(connection);
  });
}

void EpollShard::hand_over(Connection& connection, std::uint32_t to) {
  auto* own = find_open(connection.id());
  if (own == nullptr) return;
  if (to >= others_.shards || !own->move_to(to)) own->drop(CloseReason::kInternal);
}

void EpollShard::proven(Connection& connection) {
  auto* own = find_open(connection.id());
  if (own == nullptr || own->proven()) return;
  own->set_proven();
  unproven_.left();
  departures_.push_back(departure_of(*own, Departure::Kind::kProven));
}

// By what it was counted by when it was let in, whomever it forwards now.
Departure EpollShard::departure_of(const TcpConnection& connection, Departure::Kind kind) const {
  Departure departure{kind, context_.shard, std::nullopt, connection.peer().is_local()};
  const bool is_proxy = context_.proxies.count(connection.id().slot) > 0;
  if (!is_proxy) departure.limit_key = connection.peer().limit_key();
  return departure;
}

// ---- tasks

void EpollShard::every(std::chrono::milliseconds period, std::function<void()> task) {
  add_task(period, std::max(period, TimerWheel::kTick), std::move(task));
}

void EpollShard::after(std::chrono::milliseconds delay, std::function<void()> task) {
  add_task(delay, {}, std::move(task));
}

void EpollShard::add_task(std::chrono::milliseconds delay, std::chrono::milliseconds period,
                          std::function<void()> work) {
  tasks_.emplace_back(*this, period, std::move(work));
  const auto self = std::prev(tasks_.end());
  self->begin(self, delay);
}

// ---- the end

void EpollShard::stop(std::chrono::milliseconds jitter) {
  context_.stopping = true;
  if (listener_ != nullptr) listener_->stop();
  std::minstd_rand random(std::random_device{}());
  std::uniform_int_distribution<std::chrono::milliseconds::rep> share(0, jitter.count());
  connections_.each([&](TcpConnection& connection) {
    const auto delay = std::chrono::milliseconds(share(random));
    if (delay.count() == 0) return connection.go_away();
    after(delay, [this, id = connection.id()] {
      if (auto* open = find_open(id)) open->go_away();
    });
  });
  stopped_.store(true);
}

void EpollShard::drop_all() {
  connections_.each([](TcpConnection& connection) { connection.drop(CloseReason::kGoingAway); });
  bury();
  context_.events->on_turn_end();
  count_bytes();
}

}  // namespace signet::net
