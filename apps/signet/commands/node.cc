// signet node: the agent of an overlay's node, and what it keeps. What operators ask about nodes is
// in node_view.cc.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "base/encoding.h"
#include "base/secret_memory.h"
#include "client/identity_access.h"
#include "crypto/random.h"
#include "overlay/ipv4.h"
#include "signet/commands/commands.h"
#include "signet/commands/options.h"
#include "signet/node/agent.h"
#include "signet/node/builtin_suite.h"
#include "signet/node/health_probe.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/interrupt.h"
#include "signet/terminal/text.h"

namespace signet::cli {
namespace {

using node::KeptFile;
using node::KeptState;
using std::chrono::milliseconds;

constexpr double kMaxSpan = 86'400'000;     // milliseconds: a day
constexpr milliseconds kLeastEvery{1'000};  // ten a minute are taken; one burst of them is
constexpr milliseconds kOncePatience{60'000};

struct NodeChoice {
  std::string name, controller;
  bool insecure_http = false;
};
struct RegisterOptions {
  NodeChoice node;
  std::string endpoint;
  std::uint16_t listen_port = 0;
};
struct RunOptions {
  NodeChoice node;
  std::string interface, dry_run;
  std::vector<std::string> suite;          // a program and its words
  std::string every = "20s", poll = "2s";  // AgentOptions says why
  std::string suite_timeout = "30s";       // a report is of use for 120
  bool has_suite = false, once = false, no_address = false, down_on_exit = false;
};

// `200ms`, `20s`, `1.5m`; a bare number is of seconds. Nullopt for anything else, and more than a
// day.
std::optional<milliseconds> span_from(const std::string& text) {
  const auto unit_at = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string unit = text.substr(unit_at);
  constexpr double kSecond = 1'000;
  constexpr double kMinute = 60'000;
  const double factor = unit == "ms" ? 1 : unit == "m" ? kMinute : kSecond;
  double number = 0;
  const bool is_number = CLI::detail::lexical_cast(text.substr(0, unit_at), number);
  const bool is_known = unit.empty() || unit == "ms" || unit == "s" || unit == "m";
  if (!is_number || !is_known || number * factor > kMaxSpan) return std::nullopt;
  return milliseconds(static_cast<std::int64_t>(number * factor));
}

std::string refuse_no_span(std::string& text) {
  return span_from(text) ? "" : "Value " + text + " is no time like 200ms or 20s, up to a day";
}

void add_span(CLI::App& command, const std::string& name, std::string& span,
              const std::string& what) {
  command.add_option(name, span, what)
      ->type_name("TIME")
      ->check(CLI::Validator(refuse_no_span, ""))
      ->capture_default_str();
}

// The membership that the node is of, and its file.
struct NodePlace {
  Profile profile;
  Membership membership;
  std::string path;
};

Result<NodePlace> place_of(Context& context, const std::string& name) {
  if (!overlay::is_node_name(name)) {
    return usage_error("no node can be called " + name,
                       "A name has 1 to 64 letters, digits and . - _, and no dot first.");
  }
  SIGNET_TRY(Profile profile, context.profile());
  SIGNET_TRY(Membership membership, membership_of(profile));
  std::string path = node::kept_file(context.paths, profile, name);
  return NodePlace{std::move(profile), std::move(membership), std::move(path)};
}

TlsTrust node_trust(const Context& context, const Profile& profile) {
  TlsTrust trust = context.trust;
  if (trust.ca_file.empty()) trust.ca_file = profile.ca_file;
  trust.allow_tls12 = trust.allow_tls12 || profile.allow_tls12;
  return trust;
}

Result<std::unique_ptr<node::HttpControllerLink>> link_of(const Context& context,
                                                          const NodePlace& place,
                                                          const NodeChoice& choice) {
  node::ControllerLinkOptions options;
  options.url = choice.controller.empty() ? place.profile.broker_url : choice.controller;
  options.trust = node_trust(context, place.profile);
  options.insecure_http = choice.insecure_http;
  return node::HttpControllerLink::to(options);
}

Result<KeptState> kept_of(const KeptFile& file, const NodePlace& place) {
  SIGNET_TRY(KeptState kept, file.read());
  if (kept.mesh == place.profile.mesh_id) return kept;
  return failure(ErrorCode::kConflict, "other_mesh", file.path() + " is of a node in another mesh",
                 "Move it away, or name the mesh: --mesh.");
}

// --- register ---

std::string text_member(std::string_view body, std::string_view name) {
  wire::JsonDocument document;
  if (!document.parse(body).ok()) return {};
  return std::string(document.root()[name].string().value_or(""));
}

// What is there already stays; a new one gets a key of its own.
Result<KeptState> kept_or_new(const KeptFile& file, const NodePlace& place,
                              const std::string& name) {
  auto kept = kept_of(file, place);
  const bool is_new = !kept.ok() && tell(kept.error()).code == "no_such_node";
  return is_new ? Result<KeptState>(node::new_state(name, place.profile.mesh_id)) : std::move(kept);
}

Status register_node(Context& context, const RegisterOptions& options) {
  SIGNET_TRY(const NodePlace place, place_of(context, options.node.name));
  SIGNET_TRY(const auto link, link_of(context, place, options.node));
  SIGNET_TRY(const auto file, KeptFile::take(place.path));
  SIGNET_TRY(KeptState kept, kept_or_new(*file, place, options.node.name));
  if (options.listen_port != 0) kept.listen_port = options.listen_port;
  if (!options.endpoint.empty()) {
    const auto endpoint = overlay::Endpoint::of(options.endpoint);
    if (!endpoint.ok()) {
      return usage_error(options.endpoint + " is no endpoint",
                         "It is an address in numbers with a port: 192.0.2.7:51820");
    }
    kept.endpoint = endpoint->text();
  }
  // Its key is on disk before anybody hears of it.
  SIGNET_TRY([[maybe_unused]] const Done written, file->write(kept));
  SIGNET_TRY(const node::Answered answer,
             node::send_registration(*link, kept, IdentityAccess::key(place.membership.identity),
                                     system_clock().wall()));
  if (!answer.is_taken()) return node::refused(answer, "the registration");
  const auto address = overlay::ipv4_from(text_member(answer.body, "address"));
  if (address) kept.address = *address;
  if (address && kept.bits == 0) kept.bits = overlay::WireGuardConfig{}.bits;
  SIGNET_TRY([[maybe_unused]] const Done again, file->write(kept));
  const std::string shown = kept.address == 0 ? "" : overlay::ipv4_text(kept.address);
  const std::string key = to_base64(node::wireguard_key_of(kept.wireguard));
  context.out.done("Registered " + kept.node + " in " + place.profile.slug + ": its address is " +
                       shown + "\nNext: signet node run " + kept.node + " --interface wg0",
                   {{"node", kept.node},
                    {"mesh", place.profile.slug},
                    {"address", shown},
                    {"wireguard_key", key},
                    {"file", place.path}});
  return Done{};
}

// --- rekey ---

// The new key is the node's when the controller said so; asked again, it says the same. Without a
// clear word it waits on disk, because the controller may have taken it.
Result<bool> finish_rekey(node::ControllerLink& link, KeptFile& file, const crypto::SecretKey& key,
                          KeptState& kept) {
  SIGNET_TRY(const node::Answered answer, node::send_rekey(link, kept, key, system_clock().wall()));
  if (!answer.is_taken() && !node::means_no(answer)) {
    return node::refused(answer, "the change of keys");
  }
  if (answer.is_taken()) {
    kept.wireguard = std::move(kept.pending);
    // They were for the key that is gone. What was used is still not gone back behind.
    kept.texts.clear();
    kept.offer = {};
  }
  kept.pending = SecretBytes();
  SIGNET_TRY([[maybe_unused]] const Done written, file.write(kept));
  if (!answer.is_taken()) return node::refused(answer, "the change of keys");
  return true;
}

Status rekey(Context& context, const NodeChoice& options) {
  SIGNET_TRY(const NodePlace place, place_of(context, options.name));
  SIGNET_TRY(const auto link, link_of(context, place, options));
  SIGNET_TRY(const auto file, KeptFile::take(place.path));
  SIGNET_TRY(KeptState kept, kept_of(*file, place));
  if (kept.pending.empty()) {
    kept.pending = node::new_wireguard_secret();
    SIGNET_TRY([[maybe_unused]] const Done written, file->write(kept));
  }
  const auto done =
      finish_rekey(*link, *file, IdentityAccess::key(place.membership.identity), kept);
  if (!done.ok()) return done.error();
  const std::string key = to_base64(node::wireguard_key_of(kept.wireguard));
  context.out.done(kept.node + " has a new WireGuard key: " + key +
                       "\nIts agent gets the keys of its peers with its next report.",
                   {{"node", kept.node}, {"wireguard_key", key}});
  return Done{};
}

// --- show ---

Value epoch_value(std::uint64_t epoch) {
  return epoch == 0 ? Value() : Value(static_cast<std::int64_t>(epoch));
}

std::string verdict_of(const KeptState& kept) {
  if (!kept.allowed) return "no decision yet";
  return std::string(*kept.allowed ? "allowed" : "denied") + ": " + printable_line(kept.reason);
}

Status show_node(Context& context, const std::string& name) {
  SIGNET_TRY(const NodePlace place, place_of(context, name));
  SIGNET_TRY(const KeptState kept, node::look_at_kept(place.path));
  const std::string address = kept.address == 0 ? "" : overlay::ipv4_text(kept.address);
  const auto optional_epoch = [](const std::optional<std::uint64_t>& epoch) {
    return epoch_value(epoch.value_or(0));
  };
  context.out.record({
      {"node", kept.node, "Node"},
      {"mesh", place.profile.slug, "Mesh"},
      {"address", address, "Address"},
      {"bits", kept.bits == 0 ? Value() : Value(std::int64_t{kept.bits})},
      {"endpoint", kept.endpoint, "Endpoint"},
      {"listen_port", std::int64_t{kept.listen_port}, "Port"},
      {"wireguard_key", to_base64(node::wireguard_key_of(kept.wireguard)), "WireGuard key"},
      {"key_change_pending", !kept.pending.empty()},
      {"verdict", verdict_of(kept), "Verdict"},
      {"allowed", kept.allowed ? Value(*kept.allowed) : Value()},
      {"epoch_id", epoch_value(kept.epoch), "Epoch"},
      {"in_use", epoch_value(kept.in_use), "Keys in use"},
      {"current", epoch_value(kept.offer.current), "Keys offered"},
      {"next", optional_epoch(kept.offer.next), "Next keys"},
      {"moment_utc", kept.offer.moment ? Value(iso8601(*kept.offer.moment)) : Value(), "Switch at"},
      {"previous", optional_epoch(kept.offer.previous), "Previous keys"},
      {"sequence", static_cast<std::int64_t>(kept.sequence), "Reports"},
      {"revocations", static_cast<std::int64_t>(kept.revocations.serial), "Revocations"},
      {"revoked_keys", static_cast<std::int64_t>(kept.revocations.keys.size())},
      {"file", place.path, "File"},
  });
  return Done{};
}

// --- run ---

// Nothing is done with what is shown, so nothing is said or kept of it. A file stands in for the
// interface: somebody applies it.
bool looks_only(const RunOptions& options) { return options.dry_run == "-"; }

void print_configuration(Context& context, std::string_view text) {
  context.out.item(text, {{"configuration", std::string(text)}});
}

std::string decided_of(const KeptState& kept) {
  return kept.allowed ? kept.node + " is " + verdict_of(kept)
                      : "Nothing is decided of " + kept.node + " yet.";
}

// To programs all of it is one document, and a failure has no configuration.
Status tell_once(Context& context, const Status& once, const KeptState& kept,
                 const SecretBytes& configuration) {
  const bool is_one_document = context.out.format() == Format::kJson;
  if (!configuration.empty() && !is_one_document) {
    print_configuration(context, configuration.text());
  }
  if (!once.ok()) return once.error();
  Fields fields{{"node", kept.node},
                {"allowed", kept.allowed ? Value(*kept.allowed) : Value()},
                {"in_use", epoch_value(kept.in_use)}};
  if (!configuration.empty() && is_one_document) {
    fields.push_back({"configuration", std::string(configuration.text())});
  }
  context.out.done(decided_of(kept), fields);
  return Done{};
}

// With --once what a dry run would print is kept in `last`, which outlives the tool.
Result<std::unique_ptr<node::WireGuardTool>> tool_of(Context& context, const RunOptions& options,
                                                     SecretBytes& last) {
  if (!options.dry_run.empty()) {
    const auto print = [&context, &last, once = options.once](std::string_view text) {
      if (!once) return print_configuration(context, text);
      last = SecretBytes(text);
    };
    return std::unique_ptr<node::WireGuardTool>(
        std::make_unique<node::DryRunTool>(options.dry_run, print));
  }
  if (options.interface.empty()) {
    return usage_error("which interface?", "--interface wg0, or look first: --dry-run -");
  }
  const char* path = std::getenv("PATH");
  SIGNET_TRY(auto tool, node::InterfaceTool::find({options.interface, !options.no_address},
                                                  path == nullptr ? "" : path));
  return std::unique_ptr<node::WireGuardTool>(std::move(tool));
}

// REQUIRES: refuse_no_span() took it.
milliseconds span_of(const std::string& text) { return span_from(text).value_or(milliseconds(0)); }

node::StoppableSuite suite_of(const Context& context, const NodePlace& place,
                              const client::Url& url, const RunOptions& options) {
  if (options.has_suite) {
    return [command = options.suite, timeout = span_of(options.suite_timeout)](
               const std::atomic<bool>& stop) -> Result<node::SuiteReport> {
      auto report = node::run_suite_command(command, timeout, &stop);
      if (report.ok()) return report;
      return failure(report.error().code, "suite_failed", report.error().detail);
    };
  }
  const TlsTrust trust = node_trust(context, place.profile);
  return [url, trust](const std::atomic<bool>& stop) {
    const node::BuiltinSuiteOptions suite;
    const auto probe = [&]() -> Result<node::Probe> {
      if (stop) return Error{ErrorCode::kUnavailable, "stopped"};
      return node::probe_health(url, trust, suite.probe_timeout);
    };
    return node::run_builtin_suite(suite, probe);
  };
}

Status run_once(node::Agent& agent) {
  const Elapsed deadline = system_clock().elapsed() + kOncePatience;
  while (!is_interrupted() && system_clock().elapsed() < deadline) {
    const milliseconds left = agent.turn();
    if (const auto done = agent.once()) return *done;
    std::this_thread::sleep_for(std::min(left, node::AgentOptions{}.look_every));
  }
  return failure(ErrorCode::kOverloaded, is_interrupted() ? "interrupted" : "timeout",
                 "the node was not configured in time");
}

Status run_agent(Context& context, const RunOptions& options) {
  if (options.has_suite == options.suite.empty()) {
    return usage_error("which program is the suite?", "--suite-command PROGRAM WORD…, at the end");
  }
  SIGNET_TRY(const NodePlace place, place_of(context, options.node.name));
  SIGNET_TRY(const auto link, link_of(context, place, options.node));
  SecretBytes last;
  SIGNET_TRY(const auto tool, tool_of(context, options, last));
  SIGNET_TRY(const auto file, KeptFile::take(place.path));
  SIGNET_TRY(KeptState kept, kept_of(*file, place));
  const crypto::SecretKey& key = IdentityAccess::key(place.membership.identity);
  catch_interrupts();
  if (!kept.pending.empty() && !looks_only(options)) {
    const auto done = finish_rekey(*link, *file, key, kept);
    if (!done.ok()) context.out.note("the key is not changed yet: " + tell(done.error()).message);
  }
  node::AgentOptions how;
  how.submit_every = std::max(span_of(options.every), kLeastEvery);
  how.poll_every = std::max(span_of(options.poll), how.look_every);
  how.retry_first = how.poll_every;
  how.down_on_exit = options.down_on_exit;
  how.looks_only = looks_only(options);
  const auto suite = node::suite_on_thread(suite_of(context, place, link->url(), options));
  node::CountOnlyStore count(*file, copy_of(kept));
  node::KeptStore& store = how.looks_only ? static_cast<node::KeptStore&>(count) : *file;
  node::Agent agent(how, {*link, *tool, store, *suite, key, system_clock(), crypto::random_below},
                    std::move(kept));
  if (options.once) {
    const Status once = run_once(agent);
    const SecretBytes configuration = std::move(last);  // without what the end takes down
    if (once.ok()) agent.end();
    return tell_once(context, once, agent.kept(), configuration);
  }
  agent.run(is_interrupted, [](milliseconds time) { std::this_thread::sleep_for(time); });
  return Done{};
}

// --- the tree ---

void add_choice(CLI::App& command, NodeChoice& choice) {
  command.add_option("name", choice.name, "what the node is called in its mesh")->required();
  command
      .add_option("--controller", choice.controller,
                  "address of the controller (else the broker of the mesh)")
      ->type_name("URL");
  command.add_flag("--insecure-http", choice.insecure_http,
                   "reach it without TLS although it is another machine");
}

void add_register(CommandTree& tree, CLI::App& noun) {
  auto options = std::make_shared<RegisterOptions>();
  CLI::App& command =
      tree.command(noun, "register", "make a node of this member and tell the controller its key",
                   [options](Context& context) { return register_node(context, *options); });
  add_choice(command, options->node);
  command
      .add_option("--listen-port", options->listen_port,
                  "where its WireGuard listens; 51820 where nothing is said")
      ->type_name("PORT")
      ->check(CLI::Range(1, 65'535));
  command
      .add_option("--endpoint", options->endpoint,
                  "where peers reach it, in numbers; none where it calls them")
      ->type_name("IP:PORT");
  add_examples(command, {"signet node register node-a --endpoint 192.0.2.7:51820"});
}

void add_suite_options(CLI::App& command, RunOptions& options) {
  command.add_flag("--suite-command", options.has_suite,
                   "the words behind it, to the end, are a program that prints the report as JSON "
                   "(else the built-in suite measures)");
  command.add_option("suite", options.suite, "that program and its words")->type_name("WORD");
  add_span(command, "--suite-timeout", options.suite_timeout, "how long that program may take");
  add_span(command, "--every", options.every, "from one report to the next");
  add_span(command, "--poll", options.poll, "from one look at the configuration to the next");
}

void add_run(CommandTree& tree, CLI::App& noun) {
  auto options = std::make_shared<RunOptions>();
  CLI::App& command = tree.command(
      noun, "run", "measure, report and keep WireGuard as the controller says, until Ctrl-C",
      [options](Context& context) { return run_agent(context, *options); });
  add_choice(command, options->node);
  auto* interface = command
                        .add_option("--interface", options->interface,
                                    "the WireGuard interface; it must be there already")
                        ->type_name("NAME");
  command
      .add_option("--dry-run", options->dry_run,
                  "write what would be applied, for wg-quick; - prints it, without the private key")
      ->type_name("FILE")
      ->excludes(interface);
  add_suite_options(command, *options);
  command.add_flag("--once", options->once, "one report and one configuration, then end");
  command.add_flag("--no-address", options->no_address,
                   "leave the interface's address, and whether it is up, to others");
  command.add_flag("--down-on-exit", options->down_on_exit,
                   "remove all peers at the end (else tunnels stay as they are)");
  add_examples(
      command,
      {"signet node run node-a --interface wg0", "signet node run node-a --dry-run - --once",
       "signet node run node-a --interface wg0 --suite-command /opt/suite --fast"});
}

}  // namespace

void add_node(CommandTree& tree) {
  CLI::App& noun =
      tree.noun("node", "nodes of the overlay: this machine's agent, and what is kept");
  add_register(tree, noun);
  add_run(tree, noun);

  auto changed = std::make_shared<NodeChoice>();
  CLI::App& changing =
      tree.command(noun, "rekey", "give the node another WireGuard key; end its agent first",
                   [changed](Context& context) { return rekey(context, *changed); });
  add_choice(changing, *changed);

  auto name = std::make_shared<std::string>();
  CLI::App& showing =
      tree.command(noun, "show", "what the agent keeps of a node here; no secret is shown",
                   [name](Context& context) { return show_node(context, *name); });
  showing.add_option("name", *name, "what the node is called in its mesh")->required();

  add_node_viewing(tree, noun);
}

}  // namespace signet::cli
