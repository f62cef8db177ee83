#include "alerts/webhook.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <optional>
#include <semaphore>
#include <utility>

#include "base/encoding.h"
#include "base/log.h"
#include "base/mailbox.h"
#include "client/backoff.h"
#include "client/http.h"
#include "crypto/mac.h"
#include "crypto/random.h"
#include "net/waker.h"

namespace signet::alerts {
namespace {

using std::chrono::milliseconds;

constexpr std::int64_t kMsPerSecond = 1'000;

// By what it says, without a lookup: `127.example` is a name like any other.
bool is_loopback(const std::string& host) {
  constexpr unsigned kLoopback = 127;
  in_addr address{};
  if (inet_pton(AF_INET, host.c_str(), &address) == 1) {
    return ntohl(address.s_addr) >> 24 == kLoopback;
  }
  return host == "localhost" || host == "::1";
}

Error refused(std::string_view sentence) {
  return {ErrorCode::kMalformed, "alerts.webhook: " + std::string(sentence)};
}

Result<client::Url> url_of(const WebhookOptions& options) {
  const bool is_http = options.url.starts_with("http://") || options.url.starts_with("https://");
  auto url = client::parse_url(options.url);
  if (!is_http || !url.ok()) return refused("this is no https URL without a user or a fragment");
  if (!url->secure && !is_loopback(url->host)) {
    return refused("http is for loopback only: over a network alerts go by https");
  }
  if (options.secret.empty()) return refused("it wants alerts.webhook_secret, to sign its calls");
  return url;
}

struct WebhookMetrics {
  explicit WebhookMetrics(MetricRegistry& metrics)
      : delivered(metrics.counter("signet_webhook_delivered_total", "Alerts that were taken.")),
        failed(metrics.counter("signet_webhook_failed_total", "Alerts that nobody took in time.")),
        dropped(metrics.counter("signet_webhook_dropped_total",
                                "Alerts that were not sent: too many waited, or the end came.")) {}
  Counter& delivered;
  Counter& failed;
  Counter& dropped;
};

}  // namespace

std::string webhook_signature(std::string_view secret, std::int64_t unix_seconds,
                              std::string_view body) {
  const std::string time = std::to_string(unix_seconds);
  const auto mac = crypto::hmac_sha256(secret, time + "." + std::string(body));
  return "t=" + time + ",v1=" + to_hex(mac);
}

// Caller is what the thread works with. It outlives the Webhook when the thread hangs in a lookup;
// then `stopping_` is set, and nothing of others is touched any more.
class Webhook::Caller {
 public:
  Caller(WebhookOptions options, client::Url url, MetricRegistry& metrics, const Clock& clock)
      : options_(std::move(options)),
        url_(std::move(url)),
        metrics_(metrics),
        clock_(clock),
        backoff_(options_.first_retry, options_.last_retry),
        mailbox_([this] { wake_.release(); }) {}

  Status opened() const { return waker_.opened(); }

  void post(WebhookCall call) {
    mailbox_.post([this, posted = std::move(call)] { take(posted); });
  }

  void run() {
    while (!stopping_) {
      mailbox_.drain();
      const auto wait = until_due();
      if (wait == milliseconds(0)) {
        attempt();
      } else if (wait) {
        (void)wake_.try_acquire_for(*wait);
      } else {
        wake_.acquire();
      }
    }
    ended_.release();
  }

  // True when the thread has ended.
  bool stop() {
    stopping_ = true;
    waker_.wake();
    wake_.release();
    return ended_.try_acquire_for(options_.stop_within);
  }

  // Once the thread has ended, or never began.
  void drop_all() {
    mailbox_.drain();
    metrics_.dropped.add(static_cast<std::int64_t>(waiting_.size()));
    waiting_.clear();
  }

 private:
  void take(const WebhookCall& call) {
    if (waiting_.size() == options_.max_waiting) {
      log(LogLevel::kWarn, "alert.webhook_dropped", {{"id", waiting_.front().id}});
      metrics_.dropped.add();
      finish_first();
    }
    waiting_.push_back(call);
  }

  // nullopt: there is nothing to do.
  std::optional<milliseconds> until_due() const {
    if (waiting_.empty()) return std::nullopt;
    const auto left = std::chrono::ceil<milliseconds>(due_ - clock_.elapsed());
    return std::max(left, milliseconds(0));
  }

  void attempt() {
    const Elapsed now = clock_.elapsed();
    if (!first_try_) first_try_ = now;
    const auto answer = send(waiting_.front());
    if (stopping_) return;
    const bool taken = answer.ok() && answer->status / 100 == 2;
    if (taken) {
      metrics_.delivered.add();
      return finish_first();
    }
    on_failure(answer.ok() ? "status " + std::to_string(answer->status) : answer.error().detail);
  }

  Result<client::HttpAnswer> send(const WebhookCall& call) const {
    const std::string signature =
        webhook_signature(options_.secret.reveal(), clock_.wall().ms / kMsPerSecond, call.body);
    client::HttpOptions http;
    http.headers = {
        {"User-Agent", "Signet"}, {"Signet-Delivery", call.id}, {"Signet-Signature", signature}};
    http.tls.ca_file = options_.ca_file;
    http.waker = &waker_;
    http.status_only = true;
    return client::http_request(url_, "POST", call.body, options_.timeout, http);
  }

  // The URL may hold a secret in its path: the log names the host.
  void on_failure(const std::string& why) {
    const std::string& id = waiting_.front().id;
    const milliseconds wait = backoff_.next(&crypto::random_below);
    due_ = clock_.elapsed() + wait;
    if (due_ - *first_try_ < options_.retry_for) {
      if (std::exchange(told_, true)) return;
      return log(LogLevel::kWarn, "alert.webhook_retried",
                 {{"id", id}, {"host", url_.host}, {"detail", why}});
    }
    log(LogLevel::kError, "alert.webhook_failed",
        {{"id", id}, {"host", url_.host}, {"detail", why}});
    metrics_.failed.add();
    finish_first();
  }

  void finish_first() {
    waiting_.pop_front();
    first_try_.reset();
    due_ = Elapsed{};
    told_ = false;
    backoff_.reset();
  }

  const WebhookOptions options_;
  const client::Url url_;
  WebhookMetrics metrics_;
  const Clock& clock_;

  net::Waker waker_;  // ends a call
  std::atomic<bool> stopping_{false};
  std::counting_semaphore<> wake_{0};
  std::binary_semaphore ended_{0};

  // Of the thread.
  std::deque<WebhookCall> waiting_;  // the first is the one that is being told
  std::optional<Elapsed> first_try_;
  Elapsed due_;
  bool told_ = false;  // that its first call failed
  client::Backoff backoff_;

  Mailbox mailbox_;
};

Result<std::unique_ptr<Webhook>> Webhook::create(WebhookOptions options, MetricRegistry& metrics,
                                                 const Clock& clock) {
  SIGNET_TRY(auto url, url_of(options));
  if (!options.ca_file.empty() && access(options.ca_file.c_str(), R_OK) != 0) {
    return Error{ErrorCode::kNotFound, "alerts.webhook_ca: " + options.ca_file + " can't be read"};
  }
  auto caller = std::make_shared<Caller>(std::move(options), std::move(url), metrics, clock);
  SIGNET_TRY([[maybe_unused]] const Done opened, caller->opened());
  return std::unique_ptr<Webhook>(new Webhook(std::move(caller)));
}

Webhook::Webhook(std::shared_ptr<Caller> caller) : caller_(std::move(caller)) {}

Webhook::~Webhook() { stop(); }

void Webhook::start() {
  thread_ = std::thread([caller = caller_] { caller->run(); });
}

void Webhook::stop() {
  if (!thread_.joinable()) return;
  if (!caller_->stop()) {
    log(LogLevel::kWarn, "alert.webhook_left", {{"detail", "a lookup of its host hangs"}});
    return thread_.detach();
  }
  thread_.join();
  caller_->drop_all();
}

void Webhook::post(WebhookCall call) { caller_->post(std::move(call)); }

}  // namespace signet::alerts
