// claudemesh_load measures one thing about one server that already runs, and prints one JSON line.
//   claudemesh_load verify
//   claudemesh_load hellos  --format signet --at HOST:PORT --invite LINK --server-pid PID
//   claudemesh_load traffic --format … --at … --peers 100 --depth 4 --to random --messages 1000
//   claudemesh_load fanout  --format … --at … --peers 101 --burst 8 --server-pid PID
//   claudemesh_load idle    --format … --at … --peers 4000 --server-pid PID
//   claudemesh_load handshakes --at … --server-pid PID
//   claudemesh_load guards  --policy FILE --data FOLDER
//   claudemesh_load revoke  --format signet --at HOST:PORT --invite LINK --operator-token TOKEN
// With --tls, traffic, fanout and idle go over TLS 1.3; no certificate is verified.
//   claudemesh_load ceiling
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <map>

#include "crypto/random.h"
#include "fan_out.h"
#include "guard_cost.h"
#include "handshakes.h"
#include "hello_storm.h"
#include "idle_memory.h"
#include "load_row.h"
#include "load_target.h"
#include "revoke_effect.h"
#include "send_ceiling.h"
#include "traffic.h"

namespace signet::bench {
namespace {

constexpr std::size_t kStormMembers = 256;  // so that a member's hellos differ by milliseconds

struct Arguments {
  TargetOptions target;
  TrafficPlan traffic;
  FanOutPlan fan_out;
  std::string policy_file;
  std::string folder;
  std::int64_t warm_up_ms = 500;
  std::int64_t window_ms = 3'000;
  std::size_t hellos = 20'000;
  std::size_t at_once = 128;
  std::size_t handshakes = 2'000;
  std::size_t revocations = 20;
  std::string operator_token;
};

void add_target(CLI::App& command, Arguments& arguments) {
  command.add_option("--format", arguments.target.format)->required();
  command.add_option("--at", arguments.target.at, "HOST:PORT")->required();
  command.add_option("--invite", arguments.target.invite);
  command.add_option("--secret", arguments.target.secret, "of pulsemesh")
      ->envname("SIGNET_PULSEMESH_SECRET");
  command.add_option("--topic", arguments.target.topic, "of pulsemesh");
  command.add_option("--token-secret", arguments.target.token_secret, "of hub: it signs tokens")
      ->envname("SIGNET_JWT_SECRET");
  command.add_option("--server-pid", arguments.traffic.server);
  command.add_flag("--tls", arguments.target.over_tls, "TLS 1.3; the certificate is not verified");
}

void add_traffic(CLI::App& command, Arguments& arguments) {
  TrafficPlan& plan = arguments.traffic;
  const std::map<std::string, To> kTargets{{"partner", To::kPartner},
                                           {"random", To::kRandom},
                                           {"everyone", To::kEveryone},
                                           {"absent", To::kAbsent}};
  add_target(command, arguments);
  command.add_option("--peers", arguments.target.peers);
  command.add_option("--depth", plan.depth, "unacknowledged messages of a peer; 0: no bound");
  command.add_option("--rate", plan.per_second, "open loop: messages a second of all peers");
  command.add_option("--messages", plan.messages_each, "of each peer, instead of a window");
  command.add_flag("--one-way", plan.one_way, "only every other peer sends");
  command.add_option("--to", plan.to)->transform(CLI::CheckedTransformer(kTargets));
  command.add_option("--filler", plan.filler_bytes);
  command.add_option("--warm-up-ms", arguments.warm_up_ms);
  command.add_option("--window-ms", arguments.window_ms);
}

Status run_traffic(const Arguments& arguments, wire::JsonWriter& row) {
  SIGNET_TRY(const Target target, make_target(arguments.target));
  TrafficPlan plan = arguments.traffic;
  plan.warm_up = std::chrono::milliseconds(arguments.warm_up_ms);
  plan.window = std::chrono::milliseconds(arguments.window_ms);
  plan.expects_pushes = arguments.target.format != "redis";
  Traffic traffic(target, plan);
  SIGNET_TRY([[maybe_unused]] const Done connected, traffic.connect());
  traffic.run();
  traffic.write(row);
  return Done{};
}

Status run_fan_out(Arguments& arguments, wire::JsonWriter& row) {
  FanOutPlan& plan = arguments.fan_out;
  plan.server = arguments.traffic.server;
  plan.warm_up = std::chrono::milliseconds(arguments.warm_up_ms);
  plan.window = std::chrono::milliseconds(arguments.window_ms);
  arguments.target.fans_out = true;
  arguments.target.filler_bytes = plan.filler_bytes;
  SIGNET_TRY(const Target target, make_target(arguments.target));
  return run_fan_out(target, plan, row);
}

Status run_hellos(const Arguments& arguments, wire::JsonWriter& row) {
  SIGNET_TRY(const auto members, make_identities(arguments.target, kStormMembers));
  return run_hello_storm(
      {arguments.target.at, arguments.hellos, arguments.at_once, arguments.traffic.server}, members,
      row);
}

Status run_idle(const Arguments& arguments, wire::JsonWriter& row) {
  SIGNET_TRY(const Target target, make_target(arguments.target));
  IdleMemoryPlan plan;
  plan.server = arguments.traffic.server;
  return run_idle_memory(target, plan, row);
}

Status run_handshakes(const Arguments& arguments, wire::JsonWriter& row) {
  const HandshakesPlan plan{arguments.target.at, arguments.handshakes, arguments.traffic.server};
  return run_handshakes(plan, row);
}

Status run_revocations(const Arguments& arguments, wire::JsonWriter& row) {
  SIGNET_TRY(auto members, make_identities(arguments.target, arguments.revocations + 1));
  return run_revoke_effect(
      {arguments.target.at, arguments.operator_token, arguments.target.token_secret},
      std::move(members), row);
}

void write_verify_rate(wire::JsonWriter& row) {
  const VerifyRate rate = verify_rate();
  row.key("verifies_per_cpu_second").value(rounded(rate.per_cpu_second));
  row.key("core_share").value(rounded(rate.core_share));
}

int run(int argc, char** argv) {
  CLI::App app("claudemesh_load: measures a broker from outside");
  app.require_subcommand(1);
  Arguments arguments;
  const auto* verify = app.add_subcommand("verify", "Ed25519 verifications a second");
  auto* hellos = app.add_subcommand("hellos", "signed hellos a second");
  add_target(*hellos, arguments);
  hellos->add_option("--hellos", arguments.hellos);
  hellos->add_option("--at-once", arguments.at_once);
  auto* traffic = app.add_subcommand("traffic", "messages between peers");
  add_traffic(*traffic, arguments);
  auto* fan_out = app.add_subcommand("fanout", "one publishes, all others hear");
  add_target(*fan_out, arguments);
  fan_out->add_option("--peers", arguments.target.peers, "the one that publishes included");
  fan_out->add_option("--burst", arguments.fan_out.burst, "messages in one write");
  fan_out->add_option("--filler", arguments.fan_out.filler_bytes);
  fan_out->add_option("--warm-up-ms", arguments.warm_up_ms);
  fan_out->add_option("--window-ms", arguments.window_ms);
  auto* guards = app.add_subcommand("guards", "time of each guard by itself");
  guards->add_option("--policy", arguments.policy_file, "one of many rules")->required();
  guards->add_option("--data", arguments.folder, "where nonces are remembered")->required();
  const auto* ceiling = app.add_subcommand("ceiling", "serves what fan-out is held to");
  auto* idle = app.add_subcommand("idle", "memory of a connection that was let in");
  add_target(*idle, arguments);
  idle->add_option("--peers", arguments.target.peers);
  auto* handshakes = app.add_subcommand("handshakes", "TLS handshakes a second");
  add_target(*handshakes, arguments);
  handshakes->add_option("--handshakes", arguments.handshakes);
  auto* revoke = app.add_subcommand("revoke", "time until a revoked member is cut off");
  add_target(*revoke, arguments);
  revoke->add_option("--operator-token", arguments.operator_token)
      ->envname("SIGNET_BENCH_OPERATOR_TOKEN")
      ->required();
  revoke->add_option("--revocations", arguments.revocations);
  CLI11_PARSE(app, argc, argv);
  (void)std::signal(SIGPIPE, SIG_IGN);  // a server that hangs up is a figure, not the end

  wire::JsonWriter row;
  row.object();
  Status done = Done{};
  if (verify->parsed()) write_verify_rate(row);
  if (hellos->parsed()) done = run_hellos(arguments, row);
  if (traffic->parsed()) done = run_traffic(arguments, row);
  if (fan_out->parsed()) done = run_fan_out(arguments, row);
  if (guards->parsed()) done = write_guard_costs(arguments.policy_file, arguments.folder, row);
  if (ceiling->parsed()) done = serve_ceiling();
  if (idle->parsed()) done = run_idle(arguments, row);
  if (revoke->parsed()) done = run_revocations(arguments, row);
  if (handshakes->parsed()) done = run_handshakes(arguments, row);
  if (!done.ok()) {
    std::cerr << "claudemesh_load: " << done.error().detail << "\n";
    return EXIT_FAILURE;
  }
  print_row(row);
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace signet::bench

int main(int argc, char** argv) {
  return signet::crypto::initialize() ? signet::bench::run(argc, argv) : EXIT_FAILURE;
}
