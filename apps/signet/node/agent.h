// The node's agent: it measures, reports, asks for the configuration and applies it. What is to be
// done plan() decides; this carries it out, in the order that a crash can't spoil: on disk first,
// then to WireGuard, then to the controller. One thread; a suite runs on one of its own.
//
// While the controller is away, or says what can't be taken, everything stays as it is.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/time.h"
#include "client/backoff.h"
#include "crypto/fresh_box.h"
#include "crypto/sign.h"
#include "signet/node/controller_link.h"
#include "signet/node/kept_state.h"
#include "signet/node/plan.h"
#include "signet/node/suite.h"
#include "signet/node/wireguard_tool.h"
#include "signet/result.h"

namespace signet::node {

// A suite that runs beside the agent, so that keys are switched and peers removed meanwhile.
class SuiteTask {
 public:
  SuiteTask() = default;
  SuiteTask(const SuiteTask&) = delete;
  SuiteTask& operator=(const SuiteTask&) = delete;
  virtual ~SuiteTask() = default;
  virtual void start() = 0;  // REQUIRES: none runs
  // What it came to; nullopt while it runs. REQUIRES: it was started, and not taken since.
  virtual std::optional<Result<SuiteReport>> take() = 0;
};
// On a thread. The destructor sets the flag that `suite` is given, and waits for its end: who runs
// for long looks at the flag.
using StoppableSuite = std::function<Result<SuiteReport>(const std::atomic<bool>& stop)>;
std::unique_ptr<SuiteTask> suite_on_thread(StoppableSuite suite);

struct AgentOptions {
  // A report counts for 120 s (protocol/overlay.md): of six, five may be lost.
  std::chrono::milliseconds submit_every{20'000};
  // Who is quarantined is cut within 5 s everywhere: the poll, the answer and the tool.
  std::chrono::milliseconds poll_every{2'000};
  // Full jitter up to a bound that doubles: many nodes that lost one controller.
  std::chrono::milliseconds retry_first{2'000};
  std::chrono::milliseconds retry_last{15'000};
  // After an answer to a fresh key that is gone, or a count that was lost: not at once, since each
  // costs one of the ten that a minute has.
  std::chrono::milliseconds submit_again{5'000};
  // How long a finished suite may wait to be seen, and an end that was asked for.
  std::chrono::milliseconds look_every{200};
  // A refusal that goes on is told again so often.
  std::chrono::milliseconds tell_every{60'000};
  bool down_on_exit = false;  // remove all peers at the end
  // Nobody has what is applied, so nothing is said of keys: others would switch to them.
  bool looks_only = false;
};

// What the agent works with; all of it outlives the agent.
struct AgentPorts {
  ControllerLink& link;
  WireGuardTool& tool;
  KeptStore& store;
  SuiteTask& suite;
  const crypto::SecretKey& key;  // of the member, which signs for the node
  const Clock& clock;
  std::function<std::uint64_t(std::uint64_t)> draw;  // uniform below
};

struct AgentCounts {
  std::uint64_t submissions = 0;  // that were taken
  std::uint64_t refused = 0;      // submissions and questions
  std::uint64_t unanswered = 0;
  std::uint64_t suites_failed = 0;
  std::uint64_t applied = 0;
  std::uint64_t apply_failed = 0;
  std::uint64_t disk_failed = 0;
  std::array<std::uint64_t, kAnswerFaults> answers{};  // by fault; those that were taken first
  std::array<std::uint64_t, kListFaults> lists{};
};

class Agent {
 public:
  // `kept` is what is on disk.
  Agent(const AgentOptions& options, const AgentPorts& ports, KeptState kept);

  // Does what is due now, and says how long nothing will be. Applies what is kept before it asks
  // anybody, so that tunnels come up without a controller.
  std::chrono::milliseconds turn();

  // One report and one configuration that was taken after it, applied and told back: `--once`. The
  // failure that stands in the way; nullopt: not yet.
  std::optional<Status> once() const;

  // Turns until `stopped`, and ends. Sleeps in parts, so that it is seen.
  void run(const std::function<bool()>& stopped,
           const std::function<void(std::chrono::milliseconds)>& sleep);
  // Tunnels stay up, without down_on_exit.
  void end();

  const KeptState& kept() const { return kept_; }
  const AgentCounts& counts() const { return counts_; }

 private:
  using milliseconds = std::chrono::milliseconds;
  struct LastTold {
    std::string what;
    Elapsed at;
  };

  void look_at_suite(Elapsed now);
  void submit(const SuiteReport& report, Elapsed now);
  void on_submitted(const Answered& answer, Elapsed now);
  void poll(Elapsed now);
  dialects::NodeKeysSaid to_say() const;
  void on_no_answer(const Error& error, std::string_view asked);
  void on_config(const Answered& answer, Elapsed now);
  void fetch_revocations();
  void take_list(const std::string& body);
  void look_at_peers(Elapsed now);
  void settle(const OpenedAnswer* answer);
  void on_answer(AnswerFault fault);
  bool keep(const Plan& next);
  bool write_kept_state(const KeptState& next);
  void apply(const Plan& next);
  bool apply_config(const overlay::WireGuardConfig& config);
  void cut_revoked();
  void retry(Elapsed now);
  void submit_soon(Elapsed now);
  void forget_fresh(std::size_t used);
  bool keeps_quiet(std::string_view what, Elapsed now);
  void complain(LogLevel level, std::string_view event, std::string_view why,
                std::string_view detail = {});
  milliseconds until_next(Elapsed now) const;

  const AgentOptions options_;
  const AgentPorts ports_;
  KeptState kept_;          // as on disk, but for what is_unkept_ says
  bool is_unkept_ = false;  // kept_ has what the disk did not take: it takes peers away
  std::deque<crypto::FreshKeyPair> fresh_;  // the newest first
  SignedTimes times_;
  HandshakeWatch watch_;
  client::Backoff backoff_;
  SecretBytes applied_text_;          // empty: not known what the interface has
  overlay::WireGuardConfig applied_;  // what the interface has, where that is known
  std::uint64_t applied_epoch_ = 0;
  std::optional<WallTime> again_;
  Elapsed next_submit_;
  Elapsed next_poll_;
  bool is_measuring_ = false;
  bool is_submitted_ = false;   // since the start
  bool is_configured_ = false;  // by an answer after that, which was taken and applied
  bool is_told_back_ = false;  // the last question said all that there was to say behind its answer
  std::optional<Error> failed_;
  std::vector<LastTold> told_;
  AgentCounts counts_;
};

}  // namespace signet::node
