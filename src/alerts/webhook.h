// Webhook tells a server of others about alerts: one POST after another, signed, tried again until
// it is taken. docs/alerts.md is the page for who writes the receiver.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "base/metrics.h"
#include "base/time.h"
#include "crypto/secret_text.h"
#include "signet/result.h"

namespace signet::alerts {

// Each bound with its reason; config fills them, tests shrink them.
struct WebhookOptions {
  std::string url;            // https, or http on loopback
  crypto::SecretText secret;  // of the signature
  std::string ca_file;        // PEM, the only roots believed; empty: those of the system
  std::chrono::milliseconds timeout{5'000};        // of one call
  std::chrono::milliseconds retry_for{3'600'000};  // then a call is given up
  std::chrono::milliseconds first_retry{1'000};    // a random part of it, doubled each time: a
  std::chrono::milliseconds last_retry{300'000};   // receiver that restarts is not run over
  std::size_t max_waiting = 64;                    // calls; of more the oldest goes
  // Then a lookup of a name, which can't be ended, is left behind. SIGTERM is answered within 5 s,
  // and draining takes 4 of them.
  std::chrono::milliseconds stop_within{900};
};

// `id` is the same whenever the call is tried: a receiver that knows it has taken it already.
struct WebhookCall {
  std::string id;
  std::string body;  // JSON
};

// "t=1700000000,v1=<hex>": HMAC-SHA-256 of "<t>.<body>" under the secret.
std::string webhook_signature(std::string_view secret, std::int64_t unix_seconds,
                              std::string_view body);

class Webhook {
 public:
  // Fails kMalformed with a sentence for the operator: for a URL that is none or would carry alerts
  // in the clear over a network, and without a secret; kNotFound for roots that can't be read. The
  // metrics and the clock outlive it.
  static Result<std::unique_ptr<Webhook>> create(WebhookOptions options, MetricRegistry& metrics,
                                                 const Clock& clock);
  ~Webhook();  // stop()s

  // Starts its thread. The owner's thread, as stop().
  void start();
  // Ends the thread, in the midst of a call too, within options.stop_within. What was not taken by
  // then is dropped, and counted.
  void stop();

  // Any thread; never waits. Calls go out one at a time, in the order they were posted.
  void post(WebhookCall call);

 private:
  class Caller;
  explicit Webhook(std::shared_ptr<Caller> caller);

  const std::shared_ptr<Caller> caller_;  // shared with its thread, which may outlive this object
  std::thread thread_;
};

}  // namespace signet::alerts
