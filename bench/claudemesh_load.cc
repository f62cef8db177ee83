// claudemesh_load measures one thing about one server that already runs, and prints one JSON line.
//   claudemesh_load verify
//   claudemesh_load hellos  --format signet --at HOST:PORT --invite LINK --server-pid PID
//   claudemesh_load traffic --format … --at … --peers 100 --depth 4 --to random --messages 1000
#include <CLI/CLI.hpp>
#include <cstdlib>
#include <iostream>
#include <map>

#include "crypto/random.h"
#include "hello_storm.h"
#include "load_row.h"
#include "load_target.h"
#include "traffic.h"

namespace signet::bench {
namespace {

constexpr std::size_t kStormMembers = 256;  // so that a member's hellos differ by milliseconds

struct Arguments {
  TargetOptions target;
  TrafficPlan traffic;
  std::int64_t warm_up_ms = 500;
  std::int64_t window_ms = 3'000;
  std::size_t hellos = 20'000;
  std::size_t at_once = 128;
};

void add_target(CLI::App& command, Arguments& arguments) {
  command.add_option("--format", arguments.target.format)->required();
  command.add_option("--at", arguments.target.at, "HOST:PORT")->required();
  command.add_option("--invite", arguments.target.invite);
  command.add_option("--server-pid", arguments.traffic.server);
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

Status run_hellos(const Arguments& arguments, wire::JsonWriter& row) {
  SIGNET_TRY(const auto members, make_identities(arguments.target, kStormMembers));
  return run_hello_storm(
      {arguments.target.at, arguments.hellos, arguments.at_once, arguments.traffic.server}, members,
      row);
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
  CLI11_PARSE(app, argc, argv);

  wire::JsonWriter row;
  row.object();
  Status done = Done{};
  if (verify->parsed()) write_verify_rate(row);
  if (hellos->parsed()) done = run_hellos(arguments, row);
  if (traffic->parsed()) done = run_traffic(arguments, row);
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
