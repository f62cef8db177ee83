#include "fan_out.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "load_connection.h"
#include "load_row.h"
#include "server_process.h"

namespace signet::bench {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kConnectTimeout{20};
constexpr std::size_t kConnectingAtOnce = 64;  // below any server's backlog
// A burst that nothing more comes of for so long is lost in part.
constexpr std::chrono::seconds kStalledAfter{5};
// After the last burst: what would come twice had its time to.
constexpr std::chrono::milliseconds kQuiet{200};
// A subscription may be granted after its connection was.
constexpr std::chrono::milliseconds kSettle{300};

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

class FanOut {
 public:
  FanOut(const Target& target, const FanOutPlan& plan)
      : target_(target), plan_(plan), filler_(plan.filler_bytes, 'x') {}

  Status connect() {
    const auto deadline = steady_clock::now() + kConnectTimeout;
    const std::size_t count = target_.addresses.size();
    while (ready_ < count) {
      if (peers_.size() < count && peers_.size() < ready_ + kConnectingAtOnce) {
        peers_.push_back(std::make_unique<Peer>(*this, peers_.size()));
        LoadConnection& connection = peers_.back()->connection;
        SIGNET_TRY([[maybe_unused]] const Done opened,
                   connection.open(target_.host, target_.port, target_.over_tls));
        loop_.add(connection);
      }
      turn();
      if (steady_clock::now() > deadline || lost_connections_ > 0 || !refused_.empty()) {
        const std::string why = refused_.empty() ? "in time" : refused_.begin()->first;
        return Error{ErrorCode::kUnavailable, "not every peer was admitted: " + why};
      }
    }
    turn_for(kSettle);
    return Done{};
  }

  void run() {
    const auto own_from = cpu_time_of(getpid());
    const auto started = steady_clock::now();
    while (steady_clock::now() < started + plan_.warm_up && burst()) {
    }
    from_ = mark();
    recording_ = true;
    while (steady_clock::now() < from_.at + plan_.window && burst()) {
    }
    to_ = mark();
    memory_ = memory_of(plan_.server);
    own_cpu_ = cpu_time_of(getpid()) - own_from;
    turn_for(kQuiet);
  }

  void write(wire::JsonWriter& row) {
    const std::uint64_t expected = published_ * subscribers();
    const double window = seconds(to_.at - from_.at);
    const double cpu = seconds(to_.server_cpu - from_.server_cpu);
    const auto messages = static_cast<double>(to_.published - from_.published);
    const auto deliveries = static_cast<double>(to_.delivered - from_.delivered);
    const auto per = [](double count, double time) { return time > 0 ? rounded(count / time) : 0; };
    row.key("subscribers").value(std::uint64_t{subscribers()});
    row.key("burst").value(std::uint64_t{plan_.burst}).key("seconds").value(rounded(window));
    row.key("sent").value(published_).key("expected").value(expected);
    row.key("delivered").value(std::min(delivered_, expected));
    row.key("duplicates").value(delivered_ - std::min(delivered_, expected));
    row.key("misrouted").value(misrouted_).key("lost_connections").value(lost_connections_);
    row.key("refused").object();
    for (const auto& [reason, times] : refused_) row.key(reason).value(times);
    row.end();
    row.key("messages_per_second").value(per(messages, window));
    row.key("deliveries_per_second").value(per(deliveries, window));
    row.key("server_cpu_seconds").value(rounded(cpu));
    row.key("messages_per_server_cpu_second").value(per(messages, cpu));
    row.key("deliveries_per_server_cpu_second").value(per(deliveries, cpu));
    row.key("server_rss_kib").value(memory_.rss_kib).key("server_peak_kib").value(memory_.peak_kib);
    row.key("generator_cpu_seconds").value(rounded(seconds(own_cpu_)));
    row.key("generator_busy").value(rounded(1 - seconds(to_.idle - from_.idle) / window));
    latency_.write(row, "push_us");
  }

 private:
  class Peer final : public ProtocolEvents {
   public:
    Peer(FanOut& load, std::size_t number)
        : load_(load), publishes_(number == 0), connection(load.target_.protocol(number), *this) {}

   private:
    void on_ready() override { ++load_.ready_; }
    void on_ack(MessageIndex) override {}
    void on_push(std::string_view) override { on_counted(1); }
    void on_counted(std::size_t count) override {
      (publishes_ ? load_.misrouted_ : load_.delivered_) += count;
    }
    void on_refused(std::string_view reason) override { ++load_.refused_[std::string(reason)]; }

    FanOut& load_;
    const bool publishes_;

   public:
    LoadConnection connection;  // last: it uses the rest
  };
  struct Mark {
    steady_clock::time_point at;
    std::chrono::nanoseconds server_cpu{};
    std::chrono::nanoseconds idle{};  // of the generator
    std::uint64_t published = 0;
    std::uint64_t delivered = 0;
  };

  std::size_t subscribers() const { return peers_.size() - 1; }
  void turn() { lost_connections_ += loop_.turn().size(); }
  void turn_for(std::chrono::milliseconds time) {
    const auto until = steady_clock::now() + time;
    while (steady_clock::now() < until) turn();
  }
  Mark mark() const {
    return {steady_clock::now(), cpu_time_of(plan_.server), loop_.idle(), published_, delivered_};
  }

  // False when it did not come to everybody.
  bool burst() {
    LoadConnection& publisher = peers_.front()->connection;
    const auto sent = steady_clock::now();
    for (std::size_t i = 0; i < plan_.burst; ++i) {
      publisher.send(target_.everyone, published_++, filler_);
    }
    loop_.wrote(publisher);
    const std::uint64_t wanted = published_ * subscribers();
    auto now = sent;
    while (delivered_ < wanted) {
      turn();
      now = steady_clock::now();
      if (now > sent + kStalledAfter || lost_connections_ > 0) return false;
    }
    if (recording_) latency_.add(now - sent);
    return true;
  }

  const Target& target_;
  const FanOutPlan& plan_;
  const std::string filler_;
  LoadLoop loop_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::map<std::string, std::uint64_t> refused_;
  std::size_t ready_ = 0;
  std::uint64_t published_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t misrouted_ = 0;
  std::uint64_t lost_connections_ = 0;
  bool recording_ = false;
  Mark from_;
  Mark to_;
  Memory memory_;
  std::chrono::nanoseconds own_cpu_{};
  Latencies latency_;  // from the write of a burst until the last subscriber has the last of it
};

}  // namespace

Status run_fan_out(const Target& target, const FanOutPlan& plan, wire::JsonWriter& row) {
  FanOut load(target, plan);
  SIGNET_TRY([[maybe_unused]] const Done connected, load.connect());
  load.run();
  load.write(row);
  return Done{};
}

}  // namespace signet::bench
