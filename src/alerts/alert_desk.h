// AlertDesk looks at the metrics every few seconds, lets an AlertBook judge, and tells what began
// and ended: in the log, on the metrics page and by the webhook. A thread of its own.
#pragma once

#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <thread>

#include "alerts/alert_book.h"
#include "alerts/webhook.h"
#include "base/metrics.h"
#include "base/time.h"
#include "signet/result.h"

namespace signet::alerts {

struct AlertOptions {
  AlertThresholds thresholds{};
  std::chrono::milliseconds every{10'000};  // an alert is late by that at the most
  std::chrono::nanoseconds window = kAlertWindow;
  std::string data_directory;             // whose disk is watched
  std::string server;                     // how the webhook's receiver knows this one from others
  std::optional<WebhookOptions> webhook;  // nullopt: none
};

class AlertDesk {
 public:
  // Registers its metrics, so before anything is served. The metrics and the clock outlive it.
  // Fails as Webhook::create().
  static Result<std::unique_ptr<AlertDesk>> create(AlertOptions options, MetricRegistry& metrics,
                                                   const Clock& clock);
  ~AlertDesk();  // stop()s

  // Starts the threads; what is counted from here on can begin an alert. The owner's thread.
  void start();
  // Ends them, within two seconds. What the webhook has not told by then is dropped, and counted.
  void stop();

 private:
  AlertDesk(AlertOptions options, MetricRegistry& metrics, const Clock& clock,
            std::unique_ptr<Webhook> webhook);
  void run();
  void look();
  AlertReading read() const;
  void tell(const AlertEvent& event, Elapsed now);
  std::string body_of(const AlertEvent& event, Elapsed now, const std::string& id) const;

  const AlertOptions options_;
  const MetricRegistry& metrics_;
  const Clock& clock_;
  const std::unique_ptr<Webhook> webhook_;  // null: none
  PerAlert<Counter*> active_{};             // 1 while the alert is
  AlertBook book_;

  std::binary_semaphore end_{0};
  std::thread thread_;
};

}  // namespace signet::alerts
