#include "net/epoll_shard.h"

#include <algorithm>
#include <limits>
#include <random>

#include "net/listener.h"

namespace signet::net {

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
                       const Clock& clock, Departed departed)
    : clock_(clock),
      departed_(std::move(departed)),
      context_(index, options, metrics, clock.elapsed()),
      mailbox_([this] { context_.poller.wake(); }) {}

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

// Removes what has ended. An owner that is told so may end others meanwhile.
void EpollShard::bury() {
  for (std::size_t i = 0; i < context_.ended.size(); ++i) {
    const ConnectionId id = context_.ended[i];
    auto* connection = connections_.find(id.slot, id.use);
    if (connection == nullptr) continue;
    connection->end();
    if (!connection->proven()) --unproven_;
    departures_.push_back(
        {connection->proven() ? Departure::Kind::kLeftProven : Departure::Kind::kLeftUnproven,
         context_.shard, connection->peer().limit_key(), connection->peer().is_local()});
    connections_.remove(id.slot);
    count_.store(connections_.size(), std::memory_order_relaxed);
    context_.metrics.connections.add(-1);
  }
  context_.ended.clear();
}

void EpollShard::flush() {
  for (std::size_t i = 0; i < context_.unflushed.size(); ++i) {
    if (auto* connection = find_open(context_.unflushed[i])) connection->flush();
  }
  context_.unflushed.clear();
}

void EpollShard::report_departures() {
  if (!departures_.empty()) departed_(std::exchange(departures_, {}));
}

void EpollShard::count_bytes() {
  if (context_.bytes_in > 0) context_.metrics.bytes_in.add(std::exchange(context_.bytes_in, 0));
  if (context_.bytes_out > 0) context_.metrics.bytes_out.add(std::exchange(context_.bytes_out, 0));
}

// ---- connections

void EpollShard::adopt(TcpSocket socket, const PeerAddress& peer) {
  if (context_.stopping) {
    departures_.push_back(
        {Departure::Kind::kLeftUnproven, context_.shard, peer.limit_key(), peer.is_local()});
    return;
  }
  auto& connection = connections_.add(context_, std::move(socket), peer);
  count_.store(connections_.size(), std::memory_order_relaxed);
  context_.metrics.connections.add();
  if (peer.is_local()) {
    connection.set_proven();  // by the kernel
  } else {
    remember_unproven(connection.id());
  }
  if (!connection.open()) connection.drop(CloseReason::kInternal);
}

// Those that are proven or gone are swept out when they are most of the list.
void EpollShard::remember_unproven(ConnectionId id) {
  constexpr std::size_t kWorthSweeping = 64;
  ++unproven_;
  arrivals_.push_back(id);
  if (arrivals_.size() < 2 * unproven_ + kWorthSweeping) return;
  std::erase_if(arrivals_, [this](ConnectionId old) {
    auto* connection = find_open(old);
    return connection == nullptr || connection->proven();
  });
}

void EpollShard::end_oldest_unproven() {
  while (!arrivals_.empty()) {
    auto* oldest = find_open(arrivals_.front());
    arrivals_.pop_front();
    if (oldest != nullptr && !oldest->proven()) return oldest->drop(CloseReason::kPolicy);
  }
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

void EpollShard::proven(Connection& connection) {
  auto* own = find_open(connection.id());
  if (own == nullptr || own->proven()) return;
  own->set_proven();
  --unproven_;
  departures_.push_back({Departure::Kind::kProven, context_.shard, own->peer().limit_key()});
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
