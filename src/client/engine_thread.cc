// The thread of an Engine: connect, then turn after turn: what handles say, what came, and a sleep
// until something happens.
#include <algorithm>
#include <array>

#include "client/engine_impl.h"
#include "crypto/random.h"
#include "crypto/wipe.h"

namespace signet {
namespace {

using client::EngineSessionEnd;
using std::chrono::milliseconds;

constexpr milliseconds kGoodAfter{10'000};  // a connection that lasts is no failure
constexpr milliseconds kGoodbye{200};       // for the last bytes of a connection
constexpr std::size_t kNonceBytes = 16;
constexpr std::size_t kReadBytes = std::size_t{64} * 1024;
constexpr int kReadsATurn = 16;  // 1 MiB, then handles have their turn

net::Endpoint endpoint_of(const client::Url& url, const TlsTrust& trust) {
  net::TcpEndpoint endpoint{url.host, url.port};
  if (url.secure) endpoint.tls = net::TlsOptions{trust.ca_file, "", trust.allow_tls12};
  return endpoint;
}

client::EngineSessionOptions session_options(const EngineOptions& options) {
  client::EngineSessionOptions session;
  session.open_timeout = options.connect_timeout;
  session.heartbeat_every = options.heartbeat_every;
  session.renew_before = options.renew_before;
  session.progress_every = options.progress_every;
  session.max_jobs = options.max_jobs;
  session.dead_after = std::max(session.dead_after, 3 * options.heartbeat_every);
  return session;
}

std::int64_t draw_below(std::uint64_t below) {
  return static_cast<std::int64_t>(crypto::random_below(below));
}

milliseconds until(Elapsed when, Elapsed now) {
  return std::max(std::chrono::ceil<milliseconds>(when - now), milliseconds(0));
}

EngineSessionEnd unreachable(const Error& error) {
  // A certificate can be mended while this runs, so it is tried again.
  const bool distrusted = error.code == ErrorCode::kUnauthorized;
  const std::string code = distrusted ? "tls_untrusted: " : "unreachable: ";
  return {{ErrorCode::kUnavailable, code + error.detail}, EngineSessionEnd::Next::kRetry};
}

}  // namespace

Engine::Impl::Impl(EngineOptions options, EngineHandlers handlers, client::Url url,
                   crypto::SecretText secret)
    : options_(std::move(options)),
      handlers_(std::move(handlers)),
      url_(std::move(url)),
      secret_(std::move(secret)),
      line_(std::make_shared<client::JobLine>()),
      backoff_(options_.first_retry, options_.last_retry) {}

Engine::Impl::~Impl() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  stop_waker_.wake();
  line_->waker.wake();
  thread_.join();
}

void Engine::Impl::start() {
  thread_ = std::thread([this] { run(); });
}

Status Engine::Impl::opened() const {
  SIGNET_TRY([[maybe_unused]] const Done stops, stop_waker_.opened());
  return line_->waker.opened();
}

void Engine::Impl::run() {
  thread_id_ = std::this_thread::get_id();
  while (!stopping_) {
    const EngineSessionEnd end = run_connection();
    session_.reset();
    if (stopping_) break;
    lose_all({ErrorCode::kUnavailable, "connection_lost: the job is given to somebody else"});
    {
      const std::lock_guard lock(mutex_);
      last_failure_ = end.error;
    }
    const milliseconds wait = wait_after(end);
    const bool is_refused = end.next == EngineSessionEnd::Next::kLater;
    report({is_refused ? ConnectionReport::State::kStopped : ConnectionReport::State::kWaiting,
            end.error.detail, wait});
    pause(wait);
  }
  const Error stopped{ErrorCode::kUnavailable, "stopped: the engine was closed"};
  for (const auto& [id, job] : jobs_) {
    if (const auto held = job.lock()) held->end(stopped);
  }
}

milliseconds Engine::Impl::wait_after(const EngineSessionEnd& end) {
  const bool was_good =
      ready_at_ && system_clock().elapsed() - *std::exchange(ready_at_, {}) >= kGoodAfter;
  if (was_good) backoff_.reset();
  switch (end.next) {
    case EngineSessionEnd::Next::kAtOnce:
      return milliseconds(0);
    case EngineSessionEnd::Next::kLater: {
      const auto half = static_cast<std::uint64_t>(options_.refused_retry.count()) / 2;
      return options_.refused_retry / 2 + milliseconds(draw_below(half));
    }
    case EngineSessionEnd::Next::kRetry:
      break;
  }
  return backoff_.next(draw_below);
}

EngineSessionEnd Engine::Impl::run_connection() {
  report({ConnectionReport::State::kConnecting, "", milliseconds(0)});
  auto token = options_.token();
  if (!token.ok()) return {token.error(), EngineSessionEnd::Next::kRetry};
  auto socket = net::OutgoingSocket::connect(endpoint_of(url_, options_.trust),
                                             options_.connect_timeout, &stop_waker_);
  if (!socket.ok()) {
    crypto::wipe(*token);
    return unreachable(socket.error());
  }
  const auto draw = [] { return crypto::random_hex(kNonceBytes); };
  session_.emplace(session_options(options_), *std::move(token), secret_, url_.authority(),
                   url_.path, draw, system_clock().elapsed(), system_clock().wall());
  run_session(*socket);
  if (session_->end()) return *session_->end();
  return {{ErrorCode::kUnavailable, "stopped: the engine was closed"}, {}};
}

void Engine::Impl::run_session(net::OutgoingSocket& socket) {
  while (!stopping_ && !session_->end()) {
    const Elapsed now = system_clock().elapsed();
    say_words(now);
    if (!move_bytes(socket, now)) break;
  }
  say_words(system_clock().elapsed());  // the last ones of an engine that stops
  leave(socket);
}

// What is said of a lease that is over, or of an earlier connection, the session passes over.
void Engine::Impl::say_words(Elapsed now) {
  const auto words = line_->take();
  for (const client::SaidWord& word : words) {
    const Status said =
        session_->say({word.step, word.job, word.lease, word.text}, now, system_clock().wall());
    if (!said.ok()) on_refused({ErrorCode::kMalformed, "malformed: " + said.error().detail});
    if (word.step >= dialects::JobStep::kCompleted) forget(word);
  }
}

// The job may be here again under another lease.
void Engine::Impl::forget(const client::SaidWord& word) {
  const auto found = jobs_.find(word.job);
  if (found == jobs_.end()) return;
  const auto held = found->second.lock();
  if (held == nullptr || held->lease() == word.lease) jobs_.erase(found);
}

bool Engine::Impl::move_bytes(net::OutgoingSocket& socket, Elapsed now) {
  write_all(socket);
  std::array<net::Watch, 1> watches{
      net::Watch{&socket, true, !session_->output().empty(), false, false}};
  net::wait_for_any(watches, &line_->waker, until(session_->next_deadline(), now));
  line_->waker.clear();
  const Elapsed woke = system_clock().elapsed();
  if (watches[0].can_read) read_all(socket, woke);
  session_->on_time(woke);
  renew_token();
  return !session_->end();
}

void Engine::Impl::renew_token() {
  if (!session_->wants_token()) return;
  auto token = options_.token();
  session_->renew(token.ok() ? *std::move(token) : std::string(), system_clock().elapsed(),
                  system_clock().wall());
}

void Engine::Impl::read_all(net::OutgoingSocket& socket, Elapsed now) {
  std::array<char, kReadBytes> bytes;
  for (int i = 0; i < kReadsATurn && !session_->end(); ++i) {
    const auto got = socket.read_some(bytes);
    if (!got.ok()) return session_->lost(got.error().detail);
    if (got->has_ended()) return session_->lost("the broker closed the connection");
    if (got->must_wait()) return;
    session_->feed(std::span(bytes).first(got->bytes), now, *this);
  }
}

void Engine::Impl::write_all(net::OutgoingSocket& socket) {
  std::string& output = session_->output();
  std::size_t written = 0;
  while (written < output.size()) {
    const auto moved = socket.write_some(std::string_view(output).substr(written));
    if (!moved.ok()) return session_->lost(moved.error().detail);
    if (moved->must_wait()) break;
    written += moved->bytes;
  }
  if (written < output.size()) {
    output.erase(0, written);
  } else {
    crypto::wipe(output);  // the token was in it
  }
}

void Engine::Impl::leave(net::OutgoingSocket& socket) {
  session_->say_goodbye();
  if (!session_->output().empty()) (void)socket.send_all(session_->output(), kGoodbye).ok();
}

void Engine::Impl::pause(milliseconds wait) {
  const Elapsed until_then = system_clock().elapsed() + wait;
  for (Elapsed now = system_clock().elapsed(); !stopping_ && now < until_then;
       now = system_clock().elapsed()) {
    (void)line_->take();  // of leases that are over
    net::wait_for_any({}, &line_->waker, std::max(until(until_then, now), milliseconds(1)));
    line_->waker.clear();
  }
}

void Engine::Impl::report(const ConnectionReport& report) {
  {
    const std::lock_guard lock(mutex_);
    connection_ = report;
  }
  changed_.notify_all();
  if (handlers_.on_connection) handlers_.on_connection(report);
}

// ---- what the broker says

void Engine::Impl::on_ready() {
  ready_at_ = system_clock().elapsed();
  report({ConnectionReport::State::kConnected, "", milliseconds(0)});
}

void Engine::Impl::on_job(dialects::JobTold told) {
  const auto held =
      std::make_shared<client::HeldJob>(told.id, told.lease, options_.max_result_bytes, line_);
  jobs_[told.id] = held;
  Job job;
  job.id = std::move(told.id);
  job.type = std::move(told.type);
  job.user = std::move(told.user);
  job.payload = std::move(told.payload);
  job.world = std::move(told.world);
  job.priority = told.priority;
  job.timeout = told.timeout;
  job.submitted_ms = told.submitted.ms;
  job.lease = told.lease;
  handlers_.on_job(job, JobHandle(held));
}

// One whose last word is on its way is not lost to the program.
void Engine::Impl::on_lost(const client::Lease& lease, const Error& why) {
  const auto found = jobs_.find(lease.job);
  const auto held = found == jobs_.end() ? nullptr : found->second.lock();
  if (found != jobs_.end()) jobs_.erase(found);
  if (held == nullptr || !held->held().ok()) return;
  held->end(why);
  if (handlers_.on_lost) handlers_.on_lost({lease.job, lease.number, why});
}

void Engine::Impl::lose_all(const Error& why) {
  const auto jobs = std::exchange(jobs_, {});
  for (const auto& [id, job] : jobs) {
    const auto held = job.lock();
    if (held == nullptr || !held->held().ok()) continue;
    held->end(why);
    if (handlers_.on_lost) handlers_.on_lost({id, held->lease(), why});
  }
}

void Engine::Impl::on_refused(const Error& why) {
  if (handlers_.on_refused) handlers_.on_refused(why);
}

}  // namespace signet
