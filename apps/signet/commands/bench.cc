#include <iostream>

#include "signet/bench/run.h"
#include "signet/commands/commands.h"
#include "signet/commands/options.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/interrupt.h"
#include "signet/terminal/text.h"

namespace signet::cli {
namespace {

constexpr std::int64_t kMostPeers = 10'000;         // the connections of a mesh
constexpr std::int64_t kMostMessages = 10'000'000;  // days
constexpr std::int64_t kMostBytes = 40'000;         // of client.h
constexpr double kMostRate = 1'000'000;

Status bench(Context& context, BenchOptions options) {
  if (options.invite == "-") std::getline(std::cin, options.invite);
  SIGNET_TRY(BenchPlan plan, plan_of(options));
  catch_interrupts();
  BenchRun run(plan, context.trust);
  SIGNET_TRY([[maybe_unused]] const Done ready, run.prepare());
  run.measure();
  run.finish();
  if (context.out.is_for_people()) {
    context.out.record(figures_for_people(plan, run.figures()));
  } else {
    context.out.text(printable_json(figures_json(plan, run.figures())) + "\n");
  }
  if (is_all_delivered(plan, run.figures())) return Done{};
  context.out.note(shortfall_text(plan, run.figures()));
  return told_already();
}

void add_load_options(CLI::App& command, BenchOptions& options) {
  CLI::Option* peers = command.add_option("--peers", options.peers, "how many join and connect")
                           ->type_name("N")
                           ->check(CLI::Range(std::int64_t{2}, kMostPeers))
                           ->capture_default_str();
  CLI::Option* messages = command.add_option("--messages", options.messages, "of each peer")
                              ->type_name("N")
                              ->check(CLI::Range(std::int64_t{1}, kMostMessages))
                              ->capture_default_str();
  CLI::Option* rate =
      command
          .add_option("--rate", options.rate,
                      "messages a second, of all peers together, on a schedule (none: each peer "
                      "waits for acknowledgements)")
          ->type_name("PER_SECOND")
          ->check(CLI::Range(0.001, kMostRate));
  CLI::Option* in_flight = command
                               .add_option("--in-flight", options.in_flight,
                                           "messages of a peer that wait for their acknowledgement")
                               ->type_name("N")
                               ->check(CLI::Range(std::int64_t{1}, std::int64_t{10'000}))
                               ->capture_default_str()
                               ->excludes(rate);
  CLI::Option* fast = command
                          .add_flag("--as-fast-as-possible", options.as_fast_as_possible,
                                    "everything is due at once; only a rate limit is waited for")
                          ->excludes(rate)
                          ->excludes(in_flight);
  command
      .add_option("--shape", options.shape,
                  "a load test as it is known: claudemesh is 100 peers × 1,000 messages, all at "
                  "once")
      ->check(CLI::IsMember({"claudemesh"}))
      ->excludes(peers)
      ->excludes(messages)
      ->excludes(rate)
      ->excludes(in_flight)
      ->excludes(fast);
}

void add_message_options(CLI::App& command, BenchOptions& options) {
  command
      .add_option("--to", options.to,
                  "to up to 32 others in turn, to a channel of all peers, or to everybody in the "
                  "mesh")
      ->check(CLI::IsMember({"direct", "channel", "broadcast"}))
      ->capture_default_str();
  command.add_option("--size", options.size, "bytes of a text before it is sealed")
      ->type_name("BYTES")
      ->check(CLI::Range(static_cast<std::int64_t>(kLeastBenchBytes), kMostBytes))
      ->capture_default_str();
  CLI::Option* plain = command.add_flag("--plain", options.plain, "in the clear, to compare");
  command
      .add_flag("--sealed", options.sealed,
                "sealed by its sender, opened by its receivers (the default)")
      ->excludes(plain);
}

}  // namespace

void add_bench(CommandTree& tree) {
  auto options = std::make_shared<BenchOptions>();
  CLI::App& command =
      tree.command("bench",
                   "measure a running broker with throw-away members, who stay in the mesh until "
                   "they are revoked; exits 1 when anything was not delivered",
                   [options](Context& context) { return bench(context, *options); });
  command
      .add_option("--invite", options->invite,
                  "an invite with a use for each peer, as signetd dev prints one; - reads it from "
                  "standard input")
      ->type_name("LINK")
      ->required();
  add_load_options(command, *options);
  add_message_options(command, *options);
  add_seconds(command, "--timeout", options->timeout,
              "end when nothing came for so long; what is missing then is lost");
  add_examples(command, {"signet bench --invite ic://join/…",
                         "signet bench --invite ic://join/… --to channel --rate 500 -o json",
                         "signet bench --invite ic://join/… --shape claudemesh"});
}

}  // namespace signet::cli
