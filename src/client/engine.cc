// The public methods of Engine and of its handles: what programs do on their own threads.
#include "signet/engine.h"

#include "client/engine_impl.h"
#include "crypto/random.h"
#include "crypto/wipe.h"

namespace signet {
namespace {

constexpr std::string_view kSocketIoPath = "/socket.io/";

Error failure(ErrorCode code, std::string_view stable_code, std::string_view sentence) {
  return {code, std::string(stable_code) + ": " + std::string(sentence)};
}

Result<client::Url> hub_url(std::string_view text) {
  auto url = client::parse_url(text);
  if (!url.ok()) return failure(ErrorCode::kMalformed, "bad_url", url.error().detail);
  if (url->path.find('?') != std::string::npos) {
    return failure(ErrorCode::kMalformed, "bad_url", "the query is Socket.IO's own");
  }
  if (url->path == "/") url->path = kSocketIoPath;
  if (url->path.back() != '/') url->path += '/';
  return url;
}

}  // namespace

JobHandle::JobHandle(std::shared_ptr<client::HeldJob> job) : job_(std::move(job)) {}
Status JobHandle::start() const { return job_->start(); }
Status JobHandle::progress(double percent) const { return job_->progress(percent); }
Status JobHandle::complete(std::string_view json) const { return job_->complete(json); }
Status JobHandle::fail(std::string_view reason) const { return job_->fail(reason); }
Status JobHandle::held() const { return job_->held(); }
const std::string& JobHandle::job_id() const { return job_->id(); }

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::open(EngineOptions options, EngineHandlers handlers) {
  const crypto::SecretText secret(options.secret);
  crypto::wipe(options.secret);
  if (!crypto::initialize()) {
    return failure(ErrorCode::kUnavailable, "no_randomness", "the system gives no random numbers");
  }
  SIGNET_TRY(client::Url url, hub_url(options.broker_url));
  if (!handlers.on_job || !options.token || secret.empty()) {
    return failure(ErrorCode::kMalformed, "usage", "an engine has on_job, a token and a secret");
  }
  auto impl =
      std::make_unique<Impl>(std::move(options), std::move(handlers), std::move(url), secret);
  SIGNET_TRY([[maybe_unused]] const Done wakes, impl->opened());
  impl->start();
  return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

ConnectionReport Engine::connection() const { return impl_->connection(); }

Status Engine::wait_connected(std::chrono::milliseconds timeout) {
  return impl_->wait_connected(timeout);
}

ConnectionReport Engine::Impl::connection() const {
  const std::lock_guard lock(mutex_);
  return connection_;
}

Status Engine::Impl::wait_connected(std::chrono::milliseconds timeout) {
  if (is_own_thread()) {
    return failure(ErrorCode::kBug, "called_from_handler", "a handler may not wait for the broker");
  }
  using State = ConnectionReport::State;
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, timeout, [this] {
    return connection_.state == State::kConnected || connection_.state == State::kStopped;
  });
  if (connection_.state == State::kConnected) return Done{};
  return last_failure_;
}

}  // namespace signet
