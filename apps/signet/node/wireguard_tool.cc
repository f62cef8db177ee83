#include "signet/node/wireguard_tool.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <thread>

#include "base/encoding.h"
#include "base/time.h"
#include "crypto/compare.h"
#include "crypto/secret_base64.h"
#include "crypto/wipe.h"
#include "overlay/ipv4.h"
#include "signet/profile/private_file.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/text.h"

namespace signet::node {
namespace {

using cli::failure;
using overlay::WireGuardConfig;
using overlay::WireGuardForm;
using overlay::WireGuardKey;
using std::chrono::milliseconds;

constexpr std::size_t kMaxInterfaceName = 15;  // IFNAMSIZ, without its end
constexpr std::size_t kMaxErrorLine = 200;
constexpr milliseconds kReapPause{5};

// Owns a descriptor of a tool's input or output.
class ToolPipeEnd {
 public:
  explicit ToolPipeEnd(int number = -1) : number_(number) {}
  ToolPipeEnd(const ToolPipeEnd&) = delete;
  ToolPipeEnd& operator=(const ToolPipeEnd&) = delete;
  ~ToolPipeEnd() { shut(); }
  void hold(int number) {
    shut();
    number_ = number;
  }
  void shut() {
    if (number_ >= 0) close(number_);
    number_ = -1;
  }
  int number() const { return number_; }

 private:
  int number_;
};

Error tool_error(std::string_view what) {
  return {ErrorCode::kUnavailable, std::string(what) + ": " + std::strerror(errno)};
}

// The input as a file that only this process and its child have, at its start.
Status fill_memory(ToolPipeEnd& memory, std::string_view text) {
  memory.hold(memfd_create("signet-wireguard", MFD_CLOEXEC));
  if (memory.number() < 0) return tool_error("memory for a tool's input");
  while (!text.empty()) {
    const ssize_t wrote = write(memory.number(), text.data(), text.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return tool_error("memory for a tool's input");
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  if (lseek(memory.number(), 0, SEEK_SET) != 0) return tool_error("memory for a tool's input");
  return Done{};
}

Status make_pipe(ToolPipeEnd& reading, ToolPipeEnd& writing) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return tool_error("a pipe");
  reading.hold(ends[0]);
  writing.hold(ends[1]);
  return Done{};
}

// Everything that this process has open is closed at exec, but for these three.
Result<pid_t> start_tool(const std::string& program, const std::vector<std::string>& arguments,
                         int input, int out, int error) {
  std::vector<std::string> words{program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  if (posix_spawn_file_actions_init(&actions) != 0) return tool_error("a process");
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, error, STDERR_FILENO);
  pid_t child = 0;
  const int why = posix_spawn(&child, program.c_str(), &actions, nullptr, pointers.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (why == 0) return child;
  errno = why;
  return tool_error(program + " can't be started");
}

// Reads what is there. False: the end.
bool read_some(ToolPipeEnd& from, std::string& to) {
  std::array<char, 16'384> chunk{};
  const ssize_t got = read(from.number(), chunk.data(), chunk.size());
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return true;
  if (got <= 0) return false;
  to.append(chunk.data(), static_cast<std::size_t>(got));
  return true;
}

// Until both ends are closed; false at the deadline, and where it prints without end.
bool read_outputs(ToolPipeEnd& out, ToolPipeEnd& error, Elapsed deadline, ToolAnswer& answer) {
  while (out.number() >= 0 || error.number() >= 0) {
    const auto left = std::chrono::ceil<milliseconds>(deadline - system_clock().elapsed());
    if (left <= milliseconds(0) || answer.out.size() + answer.error.size() > kMaxToolOutput) {
      return false;
    }
    std::array<pollfd, 2> ends{{{out.number(), POLLIN, 0}, {error.number(), POLLIN, 0}}};
    if (poll(ends.data(), ends.size(), static_cast<int>(left.count())) < 0 && errno != EINTR) {
      return false;
    }
    if (ends[0].revents != 0 && !read_some(out, answer.out)) out.shut();
    if (ends[1].revents != 0 && !read_some(error, answer.error)) error.shut();
  }
  return true;
}

// Its exit, or nullopt at the deadline.
std::optional<int> reap(pid_t child, Elapsed deadline) {
  for (;;) {
    int status = 0;
    const pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (ended < 0 && errno != EINTR) return 127;
    if (system_clock().elapsed() >= deadline) return std::nullopt;
    std::this_thread::sleep_for(kReapPause);
  }
}

std::string first_line_of(std::string_view text) {
  return cli::printable_line(text.substr(0, std::min(text.find('\n'), kMaxErrorLine)));
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

// ---- `wg show`

std::string_view take_field(std::string_view& line) {
  const auto end = std::min(line.find('\t'), line.size());
  const std::string_view field = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return field;
}

std::string_view take_shown_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::optional<WireGuardKey> shown_key(std::string_view text) {
  WireGuardKey key{};
  const auto bytes = from_base64(text);
  if (!bytes || bytes->size() != key.size()) return std::nullopt;
  std::memcpy(key.data(), bytes->data(), key.size());
  return key;
}

template <class Number>
bool shown_number(std::string_view text, Number& out) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
  return read.ec == std::errc{} && read.ptr == text.data() + text.size();
}

Error shown_malformed() { return {ErrorCode::kMalformed, "wg show printed something else"}; }

Result<std::map<WireGuardKey, WallTime>> read_handshakes(std::string_view text) {
  constexpr std::int64_t kMillisecondsOfSecond = 1'000;
  constexpr std::int64_t kMaxSeconds = 253'402'300'799;  // the end of 9999
  std::map<WireGuardKey, WallTime> times;
  while (!text.empty()) {
    std::string_view line = take_shown_line(text);
    const auto key = shown_key(take_field(line));
    std::int64_t seconds = 0;
    const bool good = key && shown_number(line, seconds) && seconds >= 0 && seconds <= kMaxSeconds;
    if (!good) return shown_malformed();
    times[*key] = {seconds * kMillisecondsOfSecond};
  }
  return times;
}

}  // namespace

Result<ToolAnswer> run_tool(const std::string& program, const std::vector<std::string>& arguments,
                            std::string_view input, milliseconds timeout) {
  ToolPipeEnd memory;
  ToolPipeEnd out;
  ToolPipeEnd out_writing;
  ToolPipeEnd error;
  ToolPipeEnd error_writing;
  SIGNET_TRY([[maybe_unused]] const Done filled, fill_memory(memory, input));
  SIGNET_TRY([[maybe_unused]] const Done one, make_pipe(out, out_writing));
  SIGNET_TRY([[maybe_unused]] const Done two, make_pipe(error, error_writing));
  const Elapsed deadline = system_clock().elapsed() + timeout;
  SIGNET_TRY(const pid_t child, start_tool(program, arguments, memory.number(),
                                           out_writing.number(), error_writing.number()));
  out_writing.shut();
  error_writing.shut();
  ToolAnswer answer;
  const bool told = read_outputs(out, error, deadline, answer);
  const auto exit = told ? reap(child, deadline) : std::nullopt;
  if (!exit) {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    return Error{ErrorCode::kOverloaded, program + " did not end in time"};
  }
  answer.exit = *exit;
  answer.error = first_line_of(answer.error);
  return answer;
}

std::string find_program(std::string_view name, std::string_view path) {
  while (!path.empty()) {
    const auto end = std::min(path.find(':'), path.size());
    const std::string_view folder = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (!folder.starts_with('/')) continue;  // what lies where somebody stands may be anybody's
    std::string file = std::string(folder).append("/").append(name);
    struct stat facts {};
    const bool is_file = stat(file.c_str(), &facts) == 0 && S_ISREG(facts.st_mode);
    if (is_file && access(file.c_str(), X_OK) == 0) return file;
  }
  return {};
}

bool is_interface_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-=+").find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= kMaxInterfaceName && name.front() != '-' && name != "." &&
         name != ".." && std::all_of(name.begin(), name.end(), fits);
}

namespace {

// What wg says of any name where the kernel has no WireGuard and no wireguard-go answers.
bool is_unknown_kind(std::string_view said) {
  return contains(said, "Protocol not supported") || contains(said, "Operation not supported") ||
         contains(said, "Address family not supported");
}

bool has_interface(const std::string& name) {
  struct stat facts {};
  return stat(("/sys/class/net/" + name).c_str(), &facts) == 0;
}

}  // namespace

Error tool_failure(std::string_view interface, const ToolAnswer& answer) {
  const std::string name(interface);
  if (contains(answer.error, "No such device") || contains(answer.error, "Cannot find device") ||
      contains(answer.error, "does not exist") ||
      (is_unknown_kind(answer.error) && !has_interface(name))) {
    return failure(ErrorCode::kNotFound, "no_interface", "the interface " + name + " is not there",
                   "Make it: ip link add " + name + " type wireguard, or: wireguard-go " + name);
  }
  if (contains(answer.error, "Operation not permitted") ||
      contains(answer.error, "Permission denied")) {
    return failure(ErrorCode::kForbidden, "no_right",
                   "this user may not change the interface " + name,
                   "Give the agent CAP_NET_ADMIN, as the unit in docs/node-agent.md does; beside "
                   "wireguard-go, whose socket is root's, run it as root.");
  }
  const std::string why =
      answer.error.empty() ? "exit code " + std::to_string(answer.exit) : answer.error;
  return failure(ErrorCode::kUnavailable, "wireguard_failed", "for " + name + ": " + why);
}

Result<std::vector<PeerSeen>> read_peers(std::string_view handshakes, std::string_view transfer) {
  SIGNET_TRY(const auto times, read_handshakes(handshakes));
  std::vector<PeerSeen> peers;
  while (!transfer.empty()) {
    std::string_view line = take_shown_line(transfer);
    const auto key = shown_key(take_field(line));
    std::uint64_t received = 0;
    PeerSeen peer;
    if (!key || !shown_number(take_field(line), received) || !shown_number(line, peer.sent_bytes)) {
      return shown_malformed();
    }
    peer.key = *key;
    const auto time = times.find(*key);
    if (time != times.end()) peer.handshake = time->second;
    peers.push_back(peer);
  }
  return peers;
}

Result<std::unique_ptr<InterfaceTool>> InterfaceTool::find(const InterfaceOptions& options,
                                                           std::string_view path) {
  if (!is_interface_name(options.interface)) {
    return cli::usage_error("no interface can be called " + options.interface,
                            "It is a name like wg0.");
  }
  std::string wg = find_program("wg", path);
  std::string ip = options.manage_address ? find_program("ip", path) : std::string();
  if (wg.empty()) {
    return failure(ErrorCode::kNotFound, "no_wireguard_tools", "there is no program wg in PATH",
                   "Install wireguard-tools, or look first: --dry-run -");
  }
  if (options.manage_address && ip.empty()) {
    return failure(ErrorCode::kNotFound, "no_wireguard_tools", "there is no program ip in PATH",
                   "Install iproute2, or leave the address to others: --no-address");
  }
  return std::unique_ptr<InterfaceTool>(new InterfaceTool(options, std::move(wg), std::move(ip)));
}

Result<std::string> InterfaceTool::run(const std::string& program,
                                       const std::vector<std::string>& arguments,
                                       std::string_view input) const {
  auto answer = run_tool(program, arguments, input, options_.timeout);
  if (!answer.ok()) {
    return failure(ErrorCode::kUnavailable, "wireguard_failed", answer.error().detail);
  }
  if (answer->exit != 0) return tool_failure(options_.interface, *answer);
  return std::move(answer->out);
}

std::optional<std::vector<const overlay::WireGuardPeer*>> changed_keys_alone(
    const WireGuardConfig& applied, const WireGuardConfig& wanted) {
  const bool same_node =
      crypto::equal_secrets(applied.private_key.text(), wanted.private_key.text()) &&
      applied.address == wanted.address && applied.bits == wanted.bits &&
      applied.listen_port == wanted.listen_port && applied.peers.size() == wanted.peers.size();
  if (!same_node) return std::nullopt;
  std::vector<const overlay::WireGuardPeer*> changed;
  for (std::size_t at = 0; at < wanted.peers.size(); ++at) {
    const overlay::WireGuardPeer& before = applied.peers[at];
    const overlay::WireGuardPeer& after = wanted.peers[at];
    const bool same_peer = before.key == after.key && before.allowed_ip == after.allowed_ip &&
                           before.endpoint == after.endpoint &&
                           before.keepalive_s == after.keepalive_s;
    if (!same_peer || after.preshared.empty()) return std::nullopt;
    if (!crypto::equal_secrets(before.preshared.text(), after.preshared.text())) {
      changed.push_back(&after);
    }
  }
  return changed;
}

Status InterfaceTool::apply(const WireGuardConfig& config) {
  const auto keys = applied_ ? changed_keys_alone(*applied_, config) : std::nullopt;
  applied_.reset();  // whatever a failure leaves behind: the next one says all
  const bool one_by_one = keys && !keys->empty() && keys->size() <= options_.keys_one_by_one;
  SIGNET_TRY([[maybe_unused]] const Done done, one_by_one ? set_keys(*keys) : synchronize(config));
  applied_ = copy_of(config);
  return Done{};
}

Status InterfaceTool::set_keys(const std::vector<const overlay::WireGuardPeer*>& peers) {
  for (const overlay::WireGuardPeer* peer : peers) {
    const SecretBytes text = crypto::to_secret_base64(peer->preshared.bytes());
    SIGNET_TRY([[maybe_unused]] const std::string said,
               run(wg_,
                   {"set", options_.interface, "peer", to_base64(peer->key), "preshared-key",
                    std::string(kInputPath)},
                   text.text()));
  }
  return Done{};
}

Status InterfaceTool::synchronize(const WireGuardConfig& config) {
  WireGuardConfig sent = copy_of(config);
  std::map<WireGuardKey, overlay::Endpoint> endpoints;
  for (overlay::WireGuardPeer& peer : sent.peers) {
    if (!peer.endpoint) continue;
    endpoints.emplace(peer.key, *peer.endpoint);
    const auto known = endpoints_.find(peer.key);
    if (known != endpoints_.end() && known->second == *peer.endpoint) peer.endpoint.reset();
  }
  SIGNET_TRY(const SecretBytes text, overlay::write(sent, WireGuardForm::kSync));
  const bool was_addressed = is_addressed_;
  forget();  // whatever a failure leaves behind: the next one says all
  SIGNET_TRY([[maybe_unused]] const std::string said,
             run(wg_, {"syncconf", options_.interface, std::string(kInputPath)}, text.text()));
  is_addressed_ = was_addressed;
  SIGNET_TRY([[maybe_unused]] const Done addressed, set_address(config));
  endpoints_ = std::move(endpoints);
  is_addressed_ = true;
  return Done{};
}

void InterfaceTool::forget() {
  applied_.reset();
  endpoints_.clear();
  is_addressed_ = false;
}

Status InterfaceTool::set_address(const WireGuardConfig& config) {
  if (!options_.manage_address || config.address == 0) return Done{};
  const std::string address =
      overlay::ipv4_text(config.address) + "/" + std::to_string(config.bits);
  if (address == address_ && is_addressed_) return Done{};
  const std::string& name = options_.interface;
  SIGNET_TRY([[maybe_unused]] const std::string set,
             run(ip_, {"-4", "address", "replace", address, "dev", name}));
  SIGNET_TRY([[maybe_unused]] const std::string up, run(ip_, {"link", "set", "dev", name, "up"}));
  if (!address_.empty() && address_ != address) {
    SIGNET_TRY([[maybe_unused]] const std::string gone,
               run(ip_, {"-4", "address", "del", address_, "dev", name}));
  }
  address_ = address;
  return Done{};
}

Result<std::vector<PeerSeen>> InterfaceTool::peers() {
  SIGNET_TRY(const std::string handshakes,
             run(wg_, {"show", options_.interface, "latest-handshakes"}));
  SIGNET_TRY(const std::string transfer, run(wg_, {"show", options_.interface, "transfer"}));
  return read_peers(handshakes, transfer);
}

Status DryRunTool::apply(const WireGuardConfig& config) {
  constexpr std::string_view kLeftOut =
      "# PrivateKey is left out here; --dry-run FILE writes it into a private file.\n";
  const auto form = config.address == 0 ? WireGuardForm::kSync : WireGuardForm::kQuick;
  peers_.clear();
  for (const overlay::WireGuardPeer& peer : config.peers) peers_.push_back({peer.key, {}, 0});
  if (path_ != "-") {
    SIGNET_TRY(const SecretBytes text, overlay::write(config, form));
    return cli::write_private_file(path_, text.text());
  }
  WireGuardConfig shown = copy_of(config);
  shown.private_key = SecretBytes();
  SIGNET_TRY(const SecretBytes text, overlay::write(shown, form));
  std::string all = std::string(kLeftOut).append(text.text());
  const crypto::WipedAtEnd wiped(all);
  print_(all);
  return Done{};
}

}  // namespace signet::node
