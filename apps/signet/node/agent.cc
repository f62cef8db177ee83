#include "signet/node/agent.h"

#include <algorithm>
#include <future>
#include <utility>

#include "signet/terminal/failure.h"

namespace signet::node {
namespace {

using overlay::WireGuardForm;
using std::chrono::milliseconds;

// One that answers are sealed to, and of two reports that were not answered each may have arrived.
constexpr std::size_t kMaxFreshKeys = 3;
constexpr std::size_t kMaxTold = 32;  // kinds of complaints that are remembered

class ThreadedSuite final : public SuiteTask {
 public:
  explicit ThreadedSuite(StoppableSuite suite) : suite_(std::move(suite)) {}
  ThreadedSuite(const ThreadedSuite&) = delete;
  ThreadedSuite& operator=(const ThreadedSuite&) = delete;
  ~ThreadedSuite() override { stop_ = true; }  // and then `running_` waits
  void start() override {
    running_ = std::async(std::launch::async, [this] { return suite_(stop_); });
  }
  std::optional<Result<SuiteReport>> take() override {
    if (running_.wait_for(milliseconds(0)) != std::future_status::ready) return std::nullopt;
    return running_.get();
  }

 private:
  const StoppableSuite suite_;
  std::atomic<bool> stop_{false};
  std::future<Result<SuiteReport>> running_;  // the last: its end is waited for before theirs
};

bool is_same_text(const SecretBytes& a, const SecretBytes& b) { return a.text() == b.text(); }

}  // namespace

std::unique_ptr<SuiteTask> suite_on_thread(StoppableSuite suite) {
  return std::make_unique<ThreadedSuite>(std::move(suite));
}

Agent::Agent(const AgentOptions& options, const AgentPorts& ports, KeptState kept)
    : options_(options),
      ports_(ports),
      kept_(std::move(kept)),
      backoff_(options.retry_first, options.retry_last),
      next_submit_(ports.clock.elapsed()),
      next_poll_(next_submit_) {
  settle(nullptr);
}

milliseconds Agent::turn() {
  look_at_suite(ports_.clock.elapsed());
  const Elapsed now = ports_.clock.elapsed();
  if (now >= next_poll_) {
    look_at_peers(now);
    poll(now);
  } else if (again_ && ports_.clock.wall() >= *again_) {
    settle(nullptr);
  }
  return until_next(ports_.clock.elapsed());
}

milliseconds Agent::until_next(Elapsed now) const {
  const auto left = [&](Elapsed at) { return std::chrono::ceil<milliseconds>(at - now); };
  milliseconds wait = left(next_poll_);
  wait = std::min(wait, is_measuring_ ? options_.look_every : left(next_submit_));
  if (again_) {
    const auto ahead = milliseconds(again_->ms - ports_.clock.wall().ms);
    wait = std::min(wait, std::max(ahead, milliseconds(1)));
  }
  return std::max(wait, milliseconds(0));
}

// ---- reports

void Agent::look_at_suite(Elapsed now) {
  if (!is_measuring_) {
    if (now < next_submit_) return;
    next_submit_ = now + options_.submit_every;
    is_measuring_ = true;
    ports_.suite.start();
  }
  const auto report = ports_.suite.take();
  if (!report) return;
  is_measuring_ = false;
  if (report->ok()) return submit(**report, now);
  ++counts_.suites_failed;
  failed_ = report->error();
  complain(LogLevel::kWarn, "node.suite_failed", "suite", cli::tell(report->error()).message);
}

// The sequence is on disk before it is sent, so that none is sent twice.
void Agent::submit(const SuiteReport& report, Elapsed now) {
  KeptState next = copy_of(kept_);
  ++next.sequence;
  if (!write_kept_state(next)) return;
  fresh_.push_front(crypto::FreshKeyPair::generate());
  if (fresh_.size() > kMaxFreshKeys) fresh_.pop_back();
  const auto answer =
      send_submission(ports_.link, kept_, ports_.key, report, fresh_.front().public_key(),
                      times_.next(ports_.clock.wall()));
  if (answer.ok()) return on_submitted(*answer, now);
  failed_ = answer.error();
  on_no_answer(answer.error(), "submission");
  submit_soon(now);
}

void Agent::on_submitted(const Answered& answer, Elapsed now) {
  if (answer.is_taken()) {
    ++counts_.submissions;
    is_submitted_ = true;
    next_poll_ = std::min(next_poll_, now);
    return log(LogLevel::kInfo, "node.submitted",
               {{"node", kept_.node}, {"sequence", kept_.sequence}});
  }
  ++counts_.refused;
  complain(LogLevel::kWarn, "node.submission_refused", answer.code, answer.detail);
  if (answer.code != name_of(SubmissionRefusal::kReplayed)) {
    failed_ = refused(answer, "the report");
    return;
  }
  // On disk with the next report. What is mended so ends nothing, --once neither.
  kept_.sequence = sequence_beyond(kept_.sequence, ports_.clock.wall());
  submit_soon(now);
}

void Agent::submit_soon(Elapsed now) {
  next_submit_ = std::min(next_submit_, now + options_.submit_again);
}

// ---- configuration

void Agent::poll(Elapsed now) {
  next_poll_ = now + options_.poll_every;
  const auto said = to_say();
  const auto answer =
      ask_config(ports_.link, kept_, ports_.key, said, times_.next(ports_.clock.wall()));
  if (!answer.ok()) {
    failed_ = answer.error();
    on_no_answer(answer.error(), "configuration");
    settle(nullptr);
    return retry(now);
  }
  if (!answer->is_taken()) {
    ++counts_.refused;
    failed_ = refused(*answer, "the question for the configuration");
    complain(LogLevel::kWarn, "node.question_refused", answer->code, answer->detail);
    settle(nullptr);
    return retry(now);
  }
  backoff_.reset();
  on_config(*answer, now);
  // What is new to say is said soon: others wait for it. Not at once, so that whoever makes it new
  // with every answer keeps nobody busy.
  is_told_back_ = to_say() == said;
  if (!is_told_back_) next_poll_ = now + std::min(options_.look_every, options_.poll_every);
}

dialects::NodeKeysSaid Agent::to_say() const {
  return options_.looks_only ? dialects::NodeKeysSaid{} : keys_said(kept_, applied_epoch_);
}

// Nobody answered in time, or somebody with more than is an answer.
void Agent::on_no_answer(const Error& error, std::string_view asked) {
  ++counts_.unanswered;
  const bool is_answered = is_too_long(error);
  const std::string_view reason = is_answered ? "too_long" : asked;
  complain(is_answered ? LogLevel::kError : LogLevel::kWarn,
           is_answered ? "node.answer_refused" : "node.controller_away", reason, error.detail);
}

void Agent::retry(Elapsed now) {
  next_poll_ = now + std::max(backoff_.next(ports_.draw), options_.look_every);
}

void Agent::on_config(const Answered& answer, Elapsed now) {
  auto config = dialects::read_config(answer.body);
  if (!config.ok()) {
    ++counts_.answers[static_cast<std::size_t>(AnswerFault::kBroken)];
    failed_ = config.error();
    complain(LogLevel::kError, "node.answer_refused", name_of(AnswerFault::kBroken),
             config.error().detail);
    return settle(nullptr);
  }
  if (config->revocations > kept_.revocations.serial) fetch_revocations();
  const OpenedAnswer opened = open_answer(*std::move(config), kept_.mesh, fresh_);
  settle(&opened);
  if (opened.fresh_key && opened.unopened == 0) forget_fresh(*opened.fresh_key);
  if (opened.unopened > 0) submit_soon(now);
}

// An answer under one of them says that the controller holds no older one.
void Agent::forget_fresh(std::size_t used) {
  while (fresh_.size() > used + 1) fresh_.pop_back();
}

// ---- revocations

void Agent::fetch_revocations() {
  const auto answer = ask_revocations(ports_.link);
  if (!answer.ok()) {
    return on_no_answer(answer.error(), "revocations");
  }
  if (answer->is_taken()) return take_list(answer->body);
  ++counts_.refused;
  complain(LogLevel::kWarn, "node.question_refused", answer->code, answer->detail);
}

void Agent::take_list(const std::string& body) {
  const auto list = dialects::read_revocations(body);
  if (!list.ok()) {
    return complain(LogLevel::kError, "node.revocations_refused", "malformed", list.error().detail);
  }
  ListTaken taken = node::take_list(kept_.revocations, kept_.mesh, *list);
  ++counts_.lists[static_cast<std::size_t>(taken.fault)];
  if (taken.fault != ListFault::kNone) {
    return complain(LogLevel::kError, "node.revocations_refused", name_of(taken.fault));
  }
  if (taken.kept == kept_.revocations) return;
  log(LogLevel::kWarn, "node.revocations_taken",
      {{"node", kept_.node}, {"serial", taken.kept.serial}, {"keys", taken.kept.keys.size()}});
  kept_.revocations = std::move(taken.kept);
  is_unkept_ = true;
}

// ---- what is decided

void Agent::look_at_peers(Elapsed now) {
  if (applied_text_.empty()) return;
  const auto peers = ports_.tool.peers();
  if (!peers.ok()) {
    applied_text_ = SecretBytes();  // it is made again, or it says what is wrong
    ports_.tool.forget();
    return;
  }
  watch_.look(*peers, ports_.clock.wall(), now);
  if (peers->empty() && !applied_.peers.empty()) {
    applied_text_ = SecretBytes();
    ports_.tool.forget();
  }
}

// Disk, then WireGuard; what may be said of it follows with the next question.
void Agent::settle(const OpenedAnswer* answer) {
  const Plan next = plan(kept_, {answer, ports_.clock.wall(), watch_.failing()});
  if (answer != nullptr) on_answer(next.fault);
  if (next.is_older_denial) complain(LogLevel::kError, "node.older_denial_taken", "older_epoch");
  again_ = next.again;
  const bool is_kept = keep(next);
  if (is_kept || next.wanted == Wanted::kNoPeers) apply(next);
  if (!is_kept && next.wanted == Wanted::kPeers) cut_revoked();
  const bool is_taken = answer != nullptr && next.fault == AnswerFault::kNone;
  if (is_taken && is_kept && is_submitted_) {
    is_configured_ = next.wanted == Wanted::kNothing || !applied_text_.empty();
  }
}

void Agent::on_answer(AnswerFault fault) {
  ++counts_.answers[static_cast<std::size_t>(fault)];
  if (fault == AnswerFault::kNone) return;
  // After a start this is what comes, until the first report is answered.
  const bool is_usual = fault == AnswerFault::kNotOpened;
  complain(is_usual ? LogLevel::kInfo : LogLevel::kError, "node.answer_refused", name_of(fault));
  if (is_usual) return;
  failed_ = cli::failure(ErrorCode::kUnavailable, name_of(fault),
                         "the controller's answer was not taken; what was kept before stays");
}

bool Agent::write_kept_state(const KeptState& next) {
  if (const Status kept = ports_.store.write(next); !kept.ok()) {
    ++counts_.disk_failed;
    failed_ = kept.error();
    complain(LogLevel::kError, "node.not_kept", "disk", kept.error().detail);
    return false;
  }
  kept_ = copy_of(next);
  is_unkept_ = false;
  return true;
}

// False where the disk did not take it. To take peers away needs no promise of the disk, so what
// does that holds from now on, and is written with what comes next.
bool Agent::keep(const Plan& next) {
  const auto verdict = kept_.allowed;
  bool is_kept = true;
  if (next.changed || is_unkept_) is_kept = write_kept_state(next.kept);
  if (!is_kept && next.wanted == Wanted::kNoPeers) {
    kept_ = copy_of(next.kept);
    is_unkept_ = true;
  }
  if (verdict != kept_.allowed) {
    log(LogLevel::kInfo, kept_.allowed == true ? "node.allowed" : "node.denied",
        {{"node", kept_.node}, {"epoch", kept_.epoch}, {"reason", kept_.reason}});
  }
  return is_kept;
}

void Agent::apply(const Plan& next) {
  if (next.wanted == Wanted::kNothing) return;
  if (!apply_config(next.config)) return;
  applied_epoch_ = next.wanted == Wanted::kPeers ? next.kept.in_use : 0;
}

// True when the interface has it.
bool Agent::apply_config(const overlay::WireGuardConfig& config) {
  auto text = overlay::write(config, WireGuardForm::kSync);
  if (text.ok() && is_same_text(*text, applied_text_)) return true;
  const Status applied = text.ok() ? ports_.tool.apply(config) : Status(text.error());
  if (!applied.ok()) {
    ++counts_.apply_failed;
    failed_ = applied.error();
    applied_text_ = SecretBytes();
    const cli::Told told = cli::tell(applied.error());
    complain(LogLevel::kError, "node.not_applied", told.code, told.message + " " + told.advice);
    return false;
  }
  ++counts_.applied;
  applied_text_ = *std::move(text);
  applied_ = copy_of(config);
  log(LogLevel::kInfo, "node.applied",
      {{"node", kept_.node}, {"peers", config.peers.size()}, {"keys", kept_.in_use}});
  return true;
}

// A full disk keeps nobody in: of the peers that there are, those in a list go at once.
void Agent::cut_revoked() {
  if (applied_text_.empty()) return;
  overlay::WireGuardConfig left = copy_of(applied_);
  std::erase_if(left.peers, [&](const overlay::WireGuardPeer& peer) {
    return kept_.revocations.keys.contains(peer.key);
  });
  (void)apply_config(left);
}

// ---- beginning and end

std::optional<Status> Agent::once() const {
  if (is_configured_ && is_told_back_) return Status(Done{});
  if (failed_) return Status(*failed_);
  return std::nullopt;
}

void Agent::run(const std::function<bool()>& stopped,
                const std::function<void(milliseconds)>& sleep) {
  while (!stopped()) {
    milliseconds left = turn();
    while (left > milliseconds(0) && !stopped()) {
      const milliseconds part = std::min(left, options_.look_every);
      sleep(part);
      left -= part;
    }
  }
  end();
}

void Agent::end() {
  if (options_.down_on_exit) {
    overlay::WireGuardConfig none;
    none.private_key = copy_of(kept_.wireguard);
    none.listen_port = kept_.listen_port;
    if (const Status down = ports_.tool.apply(none); !down.ok()) {
      complain(LogLevel::kError, "node.not_applied", cli::tell(down.error()).code,
               cli::tell(down.error()).message);
    }
  }
  log(LogLevel::kInfo, "node.ended",
      {{"node", kept_.node},
       {"submissions", counts_.submissions},
       {"refused", counts_.refused},
       {"unanswered", counts_.unanswered},
       {"applied", counts_.applied},
       {"apply_failed", counts_.apply_failed},
       {"tunnels", options_.down_on_exit ? "down" : "as they are"}});
}

// ---- the log

bool Agent::keeps_quiet(std::string_view what, Elapsed now) {
  const auto known = std::find_if(told_.begin(), told_.end(),
                                  [&](const LastTold& each) { return each.what == what; });
  if (known == told_.end()) {
    if (told_.size() == kMaxTold) told_.erase(told_.begin());
    told_.push_back({std::string(what), now});
    return false;
  }
  if (now - known->at < options_.tell_every) return true;
  known->at = now;
  return false;
}

// What goes on is told once in a while.
void Agent::complain(LogLevel level, std::string_view event, std::string_view why,
                     std::string_view detail) {
  const std::string what = std::string(event).append(" ").append(why);
  if (keeps_quiet(what, ports_.clock.elapsed())) return;
  log(level, event, {{"node", kept_.node}, {"reason", why}, {"detail", detail}});
}

}  // namespace signet::node
