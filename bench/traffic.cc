#include "traffic.h"

#include <unistd.h>

namespace signet::bench {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kConnectTimeout{20};
constexpr std::size_t kConnectingAtOnce = 64;  // below any server's backlog
// Nothing came for so long: what is missing is lost.
constexpr std::chrono::seconds kStalledAfter{5};
constexpr std::chrono::minutes kDrainAtMost{2};

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

class Traffic::Peer final : public ProtocolEvents {
 public:
  Peer(Traffic& traffic, std::size_t its_number)
      : number(its_number),
        traffic_(traffic),
        connection(traffic.target_.protocol(its_number), *this) {}

  const std::size_t number;
  std::uint64_t sent = 0;
  std::size_t in_flight = 0;

 private:
  void on_ready() override { ++traffic_.ready_; }
  void on_ack(MessageIndex index) override { traffic_.on_ack(*this, index); }
  void on_push(std::string_view body) override { traffic_.on_push(*this, body); }
  void on_refused(std::string_view reason) override { traffic_.on_refused(reason); }

  Traffic& traffic_;

 public:
  LoadConnection connection;  // last: it uses the rest
};

Traffic::Traffic(const Target& target, const TrafficPlan& plan)
    : target_(target), plan_(plan), filler_(plan.filler_bytes, 'x'), random_(0x9e3779b97f4a7c15) {
  const std::size_t planned = plan_.messages_each * target_.addresses.size();
  messages_.reserve(planned > 0 ? planned : 1 << 20);
}
Traffic::~Traffic() = default;

Status Traffic::connect() {
  const auto deadline = steady_clock::now() + kConnectTimeout;
  const std::size_t count = target_.addresses.size();
  while (ready_ < count) {
    // The first goes alone: some formats let it prepare the server.
    const bool room = peers_.size() < ready_ + kConnectingAtOnce && (peers_.empty() || ready_ > 0);
    if (peers_.size() < count && room) {
      peers_.push_back(std::make_unique<Peer>(*this, peers_.size()));
      LoadConnection& connection = peers_.back()->connection;
      SIGNET_TRY([[maybe_unused]] const Done opened,
                 connection.open(target_.host, target_.port, target_.over_tls));
      loop_.add(connection);
    }
    turn();
    if (steady_clock::now() > deadline || lost_connections_ > 0 || !refused_.empty()) {
      const std::string why = refused_.empty() ? "in time" : "refused: " + refused_.begin()->first;
      return Error{ErrorCode::kUnavailable, "not every peer was admitted: " + why};
    }
  }
  return Done{};
}

void Traffic::run() {
  const auto own_from = cpu_time_of(getpid());
  recording_ = plan_.messages_each > 0;
  sending_ = true;
  from_ = mark();
  schedule_start_ = from_.at;
  if (plan_.per_second == 0) {
    for (const auto& peer : peers_) slot_is_free(*peer);
  }
  if (plan_.messages_each > 0) {
    drain();
  } else {
    while (steady_clock::now() < schedule_start_ + plan_.warm_up) turn();
    from_ = mark();
    recording_ = true;
    while (steady_clock::now() < from_.at + plan_.window) turn();
    to_ = mark();
    sending_ = false;
    drain();
  }
  memory_ = memory_of(plan_.server);
  own_cpu_ = cpu_time_of(getpid()) - own_from;
}

// Until everything came, or nothing comes any more.
void Traffic::drain() {
  const auto give_up = steady_clock::now() + kDrainAtMost;
  std::uint64_t known = acked_ + delivered_;
  auto progress = steady_clock::now();
  auto now = progress;
  while (!complete() && now < give_up && now < progress + kStalledAfter) {
    turn();
    now = steady_clock::now();
    if (acked_ + delivered_ == known) continue;
    known = acked_ + delivered_;
    progress = now;
    if (plan_.messages_each > 0) to_.at = now;
  }
  if (plan_.messages_each == 0) return;
  const auto last = to_.at;
  to_ = mark();
  if (!complete()) to_.at = last;  // the wait for what never came is no part of the rate
}

bool Traffic::complete() const {
  if (plan_.messages_each > 0 && messages_.size() < plan_.messages_each * peers_.size())
    return false;
  const bool acked = !target_.acknowledges || acked_ == messages_.size();
  return acked && delivered_ == deliveries_expected();
}

std::size_t Traffic::receivers_of_one() const {
  if (!plan_.expects_pushes || plan_.to == To::kAbsent) return 0;
  return plan_.to == To::kEveryone ? peers_.size() - 1 : 1;
}
std::uint64_t Traffic::deliveries_expected() const { return messages_.size() * receivers_of_one(); }

Traffic::Mark Traffic::mark() const {
  return {steady_clock::now(), cpu_time_of(plan_.server), loop_.idle(), acked_, delivered_};
}

void Traffic::turn() {
  if (sending_ && plan_.per_second > 0) send_what_is_due();
  lost_connections_ += loop_.turn().size();
}

void Traffic::send_what_is_due() {
  const double elapsed = seconds(steady_clock::now() - schedule_start_);
  const auto due = static_cast<std::uint64_t>(elapsed * plan_.per_second);
  for (; scheduled_ < due; ++scheduled_) {
    const std::chrono::duration<double> after(static_cast<double>(scheduled_) / plan_.per_second);
    Peer& peer = *peers_[scheduled_ % peers_.size()];
    const auto scheduled =
        schedule_start_ + std::chrono::duration_cast<std::chrono::nanoseconds>(after);
    if (recording_) late_.add(steady_clock::now() - scheduled);
    send_from(peer, scheduled);
  }
}

bool Traffic::may_send(const Peer& peer) const {
  if (!sending_ || plan_.per_second > 0) return false;
  if (plan_.one_way && peer.number % 2 == 1) return false;
  if (plan_.messages_each > 0 && peer.sent == plan_.messages_each) return false;
  return plan_.depth == 0 || peer.in_flight < plan_.depth;
}

void Traffic::slot_is_free(Peer& peer) {
  while (may_send(peer)) send_from(peer, steady_clock::now());
}

std::size_t Traffic::receiver_of(const Peer& peer) {
  if (target_.echoes) return peer.number;
  if (plan_.to != To::kRandom) return peer.number ^ 1U;
  const std::size_t count = peers_.size();
  random_ ^= random_ << 13;  // xorshift64: which peer it is matters little
  random_ ^= random_ >> 7;
  random_ ^= random_ << 17;
  return (peer.number + 1 + random_ % (count - 1)) % count;
}

void Traffic::send_from(Peer& peer, TimePoint scheduled) {
  const std::size_t receiver = receiver_of(peer);
  const MessageIndex index = messages_.size();
  messages_.push_back({scheduled, static_cast<std::uint32_t>(peer.number),
                       static_cast<std::uint32_t>(receiver), 0, false});
  const std::string& to = plan_.to == To::kEveryone ? target_.everyone
                          : plan_.to == To::kAbsent ? target_.absent
                                                    : target_.addresses[receiver];
  peer.connection.send(to, index, filler_);
  ++peer.sent;
  ++peer.in_flight;
  loop_.wrote(peer.connection);
}

void Traffic::on_ack(Peer& peer, MessageIndex index) {
  if (index >= messages_.size() || messages_[index].acked) return on_refused("unknown ack");
  Message& message = messages_[index];
  message.acked = true;
  ++acked_;
  if (recording_ && message.sent >= from_.at) ack_latency_.add(steady_clock::now() - message.sent);
  --peer.in_flight;
  slot_is_free(peer);
}

void Traffic::on_push(Peer& peer, std::string_view body) {
  const MessageIndex index = read_index(body);
  if (index >= messages_.size()) return on_refused("unknown push");
  Message& message = messages_[index];
  bool again = message.received > 0;
  if (plan_.to == To::kEveryone) {
    const std::size_t bit = index * peers_.size() + peer.number;
    if (seen_.size() <= bit) seen_.resize((index + 1) * peers_.size());
    again = seen_[bit];
    seen_[bit] = true;
    misrouted_ += message.sender == peer.number ? 1 : 0;
  } else {
    misrouted_ += message.receiver != peer.number ? 1 : 0;
  }
  if (again) {
    ++duplicates_;
    return;
  }
  ++message.received;
  ++delivered_;
  if (recording_ && message.sent >= from_.at) push_latency_.add(steady_clock::now() - message.sent);
  if (target_.acknowledges || message.received < receivers_of_one()) return;
  Peer& sender = *peers_[message.sender];
  --sender.in_flight;
  slot_is_free(sender);
}

void Traffic::on_refused(std::string_view reason) { ++refused_[std::string(reason)]; }

void Traffic::write(wire::JsonWriter& row) {
  const double window = seconds(to_.at - from_.at);
  const double cpu = seconds(to_.server_cpu - from_.server_cpu);
  const auto count = static_cast<double>(target_.acknowledges ? to_.acked - from_.acked
                                                              : to_.delivered - from_.delivered);
  const auto pushes = static_cast<double>(to_.delivered - from_.delivered);
  row.key("peers")
      .value(std::uint64_t{peers_.size()})
      .key("depth")
      .value(std::uint64_t{plan_.depth});
  row.key("offered_per_second").value(plan_.per_second);
  row.key("seconds").value(rounded(window)).key("sent").value(std::uint64_t{messages_.size()});
  if (target_.acknowledges) row.key("acked").value(acked_);
  row.key("expected").value(deliveries_expected());
  row.key("delivered").value(delivered_).key("duplicates").value(duplicates_);
  row.key("misrouted").value(misrouted_).key("lost_connections").value(lost_connections_);
  row.key("refused").object();
  for (const auto& [reason, times] : refused_) row.key(reason).value(times);
  row.end();
  row.key("messages_per_second").value(rounded(count / window));
  row.key("deliveries_per_second").value(rounded(pushes / window));
  row.key("server_cpu_seconds").value(rounded(cpu));
  row.key("messages_per_server_cpu_second").value(cpu > 0 ? rounded(count / cpu) : 0.0);
  row.key("deliveries_per_server_cpu_second").value(cpu > 0 ? rounded(pushes / cpu) : 0.0);
  row.key("server_rss_kib").value(memory_.rss_kib).key("server_peak_kib").value(memory_.peak_kib);
  row.key("generator_cpu_seconds").value(rounded(seconds(own_cpu_)));
  row.key("generator_busy").value(rounded(1 - seconds(to_.idle - from_.idle) / window));
  late_.write(row, "late_us");
  ack_latency_.write(row, "ack_us");
  push_latency_.write(row, "push_us");
}

}  // namespace signet::bench
