// How a configuration reaches WireGuard: by its own tools, `wg` and `ip`, which work alike for the
// kernel's and for wireguard-go. No shell is started, nothing secret is among the arguments, and no
// secret lies in a file system: the text is handed over in memory.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "overlay/wireguard_config.h"
#include "signet/node/plan.h"
#include "signet/result.h"

namespace signet::node {

// What a program said.
struct ToolAnswer {
  int exit = 0;
  std::string out;
  std::string error;  // its first line, fit to show
};

// Starts the program of an absolute path and waits for its end. `input` is its standard input: a
// file in memory, which it can also open as kInputPath. It has no other descriptor of ours.
// Fails kUnavailable where it can't be started, kOverloaded at the timeout (it is killed), or where
// it prints more than a tool does.
inline constexpr std::string_view kInputPath = "/proc/self/fd/0";
inline constexpr std::size_t kMaxToolOutput = 16'777'216;  // 65,535 peers of `wg show`
Result<ToolAnswer> run_tool(const std::string& program, const std::vector<std::string>& arguments,
                            std::string_view input, std::chrono::milliseconds timeout);

// The first executable file of that name in the absolute folders of `path` ($PATH); empty: none.
std::string find_program(std::string_view name, std::string_view path);

// True for what Linux lets an interface be called, and no option: 1 to 15 of letters, digits and
// . _ - = +, not first a dash.
bool is_interface_name(std::string_view name);

// WireGuardTool is what the agent has of the outside. One thread.
class WireGuardTool {
 public:
  WireGuardTool() = default;
  WireGuardTool(const WireGuardTool&) = delete;
  WireGuardTool& operator=(const WireGuardTool&) = delete;
  virtual ~WireGuardTool() = default;
  // Makes the interface have these peers and no others.
  virtual Status apply(const overlay::WireGuardConfig& config) = 0;
  // The peers that it has now.
  virtual Result<std::vector<PeerSeen>> peers() = 0;
  // The interface may be another one than before: the next apply() sets all of it.
  virtual void forget() {}
};

struct InterfaceOptions {
  std::string interface;
  bool manage_address = true;  // the node's address and `up` are set, too
  // A tool answers within milliseconds; one that hangs must not hold the agent up for long.
  std::chrono::milliseconds timeout{5'000};
  // Keys of so many pairs are changed one by one, each by a program of a few milliseconds; of more,
  // the change would take longer than what syncconf may lose is worth.
  std::size_t keys_one_by_one = 500;
};

// The peers of `wanted` whose pre-shared key differs, where nothing else does; nullopt: something
// else does, or the configurations can't be compared peer by peer.
std::optional<std::vector<const overlay::WireGuardPeer*>> changed_keys_alone(
    const overlay::WireGuardConfig& applied, const overlay::WireGuardConfig& wanted);

// InterfaceTool applies by `wg syncconf`. An endpoint that it has set is not set again while it
// stays the same: WireGuard follows a peer that moves, and should not be called back. Where keys of
// pairs changed and nothing else, `wg set` changes them alone: syncconf sets the allowed addresses
// of each peer anew, and what comes in that moment is lost (seen with wireguard-go).
class InterfaceTool final : public WireGuardTool {
 public:
  // `path`: $PATH, in which the programs are looked up once. Fails kMalformed (usage) for a name
  // that no interface has, kNotFound (no_wireguard_tools) without `wg`, or `ip` where it is needed.
  static Result<std::unique_ptr<InterfaceTool>> find(const InterfaceOptions& options,
                                                     std::string_view path);
  // Fails kNotFound (no_interface), kForbidden (no_right), kUnavailable (wireguard_failed), each
  // with what to do.
  Status apply(const overlay::WireGuardConfig& config) override;
  Result<std::vector<PeerSeen>> peers() override;
  void forget() override;

 private:
  InterfaceTool(const InterfaceOptions& options, std::string wg, std::string ip)
      : options_(options), wg_(std::move(wg)), ip_(std::move(ip)) {}
  Result<std::string> run(const std::string& program, const std::vector<std::string>& arguments,
                          std::string_view input = {}) const;
  Status synchronize(const overlay::WireGuardConfig& config);
  Status set_keys(const std::vector<const overlay::WireGuardPeer*>& peers);
  Status set_address(const overlay::WireGuardConfig& config);

  const InterfaceOptions options_;
  const std::string wg_;
  const std::string ip_;
  std::map<overlay::WireGuardKey, overlay::Endpoint> endpoints_;  // as they were set
  std::optional<overlay::WireGuardConfig> applied_;               // all of it; none: not known
  std::string address_;                                           // as it was set
  bool is_addressed_ = false;  // and still is, as far as is known
};

// DryRunTool writes what would be applied, in wg-quick's form, and has no interface.
class DryRunTool final : public WireGuardTool {
 public:
  // `path`: a private file, replaced as a whole. `-`: `print` is given the text, without the
  // private key.
  DryRunTool(std::string path, std::function<void(std::string_view)> print)
      : path_(std::move(path)), print_(std::move(print)) {}
  Status apply(const overlay::WireGuardConfig& config) override;
  // As they were written; nothing is known of handshakes.
  Result<std::vector<PeerSeen>> peers() override { return peers_; }

 private:
  const std::string path_;
  const std::function<void(std::string_view)> print_;
  std::vector<PeerSeen> peers_;
};

// `wg show IFACE latest-handshakes` and `… transfer`, together. Fails kMalformed for what they do
// not print.
Result<std::vector<PeerSeen>> read_peers(std::string_view handshakes, std::string_view transfer);

// What a person reads when a tool says no.
Error tool_failure(std::string_view interface, const ToolAnswer& answer);

}  // namespace signet::node
