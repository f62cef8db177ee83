#include "handshakes.h"

#include <unistd.h>

#include <chrono>
#include <memory>

#include "load_connection.h"
#include "load_row.h"
#include "load_target.h"
#include "server_process.h"

namespace signet::bench {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kWarmUp = 50;  // tables and caches of both sides

double seconds(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}

// Says nothing and hears nothing.
class Silent final : public Protocol, public ProtocolEvents {
  void start(std::string&) override {}
  void receive(std::span<char>, std::string&, ProtocolEvents&) override {}
  void send(std::string&, std::string_view, MessageIndex, std::string_view) override {}
  void on_ready() override {}
  void on_ack(MessageIndex) override {}
  void on_push(std::string_view) override {}
  void on_refused(std::string_view) override {}
};

Status shake(const std::string& host, std::uint16_t port, std::size_t count, Latencies& latency) {
  Silent events;
  for (std::size_t i = 0; i < count; ++i) {
    LoadConnection connection(std::make_unique<Silent>(), events);
    const auto started = steady_clock::now();
    SIGNET_TRY([[maybe_unused]] const Done opened, connection.open(host, port, true));
    latency.add(steady_clock::now() - started);
  }
  return Done{};
}

}  // namespace

Status run_handshakes(const HandshakesPlan& plan, wire::JsonWriter& row) {
  std::string host;
  std::uint16_t port = 0;
  SIGNET_TRY([[maybe_unused]] const Done split, split_address(plan.at, host, port));
  Latencies cold;
  SIGNET_TRY([[maybe_unused]] const Done warm, shake(host, port, kWarmUp, cold));
  Latencies latency;
  const auto cpu_from = cpu_time_of(plan.server);
  const auto own_from = cpu_time_of(getpid());
  const auto start = steady_clock::now();
  SIGNET_TRY([[maybe_unused]] const Done all, shake(host, port, plan.handshakes, latency));
  const double elapsed = seconds(steady_clock::now() - start);
  const double cpu = seconds(cpu_time_of(plan.server) - cpu_from);
  const auto count = static_cast<double>(plan.handshakes);
  row.key("handshakes").value(std::uint64_t{plan.handshakes});
  row.key("seconds").value(rounded(elapsed));
  row.key("handshakes_per_second").value(rounded(count / elapsed));
  row.key("server_cpu_seconds").value(rounded(cpu));
  row.key("handshakes_per_server_cpu_second").value(cpu > 0 ? rounded(count / cpu) : 0.0);
  row.key("generator_cpu_seconds").value(rounded(seconds(cpu_time_of(getpid()) - own_from)));
  row.key("server_rss_kib").value(memory_of(plan.server).rss_kib);
  latency.write(row, "handshake_us");
  return Done{};
}

}  // namespace signet::bench
