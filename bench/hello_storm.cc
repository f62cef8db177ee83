#include "hello_storm.h"

#include <unistd.h>

#include <memory>
#include <set>

#include "base/time.h"
#include "claudemesh_protocol.h"
#include "load_connection.h"
#include "load_row.h"
#include "load_target.h"
#include "server_process.h"

namespace signet::bench {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kStalledAfter{10};

// One connection of the storm, from connect to hello_ack.
class Arrival final : public ProtocolEvents {
 public:
  Arrival(const std::string& at, std::string hello)
      : connection(claudemesh_protocol(at, std::move(hello)), *this) {}

  bool admitted = false;
  std::string refused;
  const steady_clock::time_point started = steady_clock::now();

 private:
  void on_ready() override { admitted = true; }
  void on_ack(MessageIndex) override {}
  void on_push(std::string_view) override {}
  void on_refused(std::string_view reason) override { refused = reason; }

 public:
  LoadConnection connection;  // last: it uses the rest
};

// Fresh for the replay memory: no member signs one timestamp twice.
std::vector<std::string> sign_hellos(const std::vector<Membership>& members, std::size_t count) {
  const std::int64_t now = system_clock().wall().ms;
  std::vector<std::string> hellos;
  for (std::size_t i = 0; i < count; ++i) {
    const auto earlier = static_cast<std::int64_t>((count - 1 - i) / members.size());
    hellos.push_back(signed_hello(members[i % members.size()], now - earlier));
  }
  return hellos;
}

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

Status run_hello_storm(const HelloStormPlan& plan, const std::vector<Membership>& members,
                       wire::JsonWriter& row) {
  std::string host;
  std::uint16_t port = 0;
  SIGNET_TRY([[maybe_unused]] const Done split, split_address(plan.at, host, port));
  std::vector<std::string> hellos = sign_hellos(members, plan.hellos);
  LoadLoop loop;
  std::vector<std::unique_ptr<Arrival>> arrivals;
  Latencies latency;
  std::size_t next = 0;
  const auto cpu_from = cpu_time_of(plan.server);
  const auto own_from = cpu_time_of(getpid());
  const auto start = steady_clock::now();
  auto progress = start;
  while (latency.count() < plan.hellos) {
    while (next < plan.hellos && arrivals.size() < plan.at_once) {
      arrivals.push_back(std::make_unique<Arrival>(plan.at, std::move(hellos[next++])));
      SIGNET_TRY([[maybe_unused]] const Done opened, arrivals.back()->connection.open(host, port));
      loop.add(arrivals.back()->connection);
    }
    if (!loop.turn().empty()) return Error{ErrorCode::kUnavailable, "the server hung up"};
    const auto now = steady_clock::now();
    for (const auto& arrival : arrivals) {
      if (!arrival->refused.empty()) return Error{ErrorCode::kUnavailable, arrival->refused};
    }
    const std::size_t gone = std::erase_if(arrivals, [&](const auto& arrival) {
      if (!arrival->admitted) return false;
      latency.add(now - arrival->started);
      loop.remove(arrival->connection);
      return true;
    });
    if (gone > 0) progress = now;
    if (now > progress + kStalledAfter) return Error{ErrorCode::kUnavailable, "it stalled"};
  }
  const double elapsed = seconds(steady_clock::now() - start);
  const double cpu = seconds(cpu_time_of(plan.server) - cpu_from);
  const auto count = static_cast<double>(plan.hellos);
  row.key("hellos").value(std::uint64_t{plan.hellos});
  row.key("at_once").value(std::uint64_t{plan.at_once}).key("seconds").value(rounded(elapsed));
  row.key("hellos_per_second").value(rounded(count / elapsed));
  row.key("server_cpu_seconds").value(rounded(cpu));
  row.key("hellos_per_server_cpu_second").value(cpu > 0 ? rounded(count / cpu) : 0.0);
  row.key("generator_cpu_seconds").value(rounded(seconds(cpu_time_of(getpid()) - own_from)));
  row.key("generator_busy").value(rounded(1 - seconds(loop.idle()) / elapsed));
  row.key("server_rss_kib").value(memory_of(plan.server).rss_kib);
  latency.write(row, "admitted_us");
  return Done{};
}

VerifyRate verify_rate() {
  constexpr std::size_t kTexts = 256;
  constexpr std::chrono::milliseconds kLong{700};
  const auto key = crypto::SecretKey::generate();
  std::vector<std::pair<std::string, crypto::Signature>> signed_texts;
  for (std::size_t i = 0; i < kTexts; ++i) {
    std::string text = std::string(120, 'm') + std::to_string(i);  // as long as a hello's text
    const auto signature = key.sign(bytes_of(text));
    signed_texts.emplace_back(std::move(text), signature);
  }
  const auto cpu_from = cpu_time_of(getpid());
  const auto start = steady_clock::now();
  std::size_t verified = 0;
  while (steady_clock::now() < start + kLong) {
    for (const auto& [text, signature] : signed_texts) {
      verified += crypto::verify(key.public_key(), bytes_of(text), signature) ? 1 : 0;
    }
  }
  const double cpu = seconds(cpu_time_of(getpid()) - cpu_from);
  const double elapsed = seconds(steady_clock::now() - start);
  return {static_cast<double>(verified) / cpu, cpu / elapsed};
}

}  // namespace signet::bench
