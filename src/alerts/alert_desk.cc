#include "alerts/alert_desk.h"

#include <sys/statvfs.h>

#include <limits>
#include <utility>

#include "alerts/alert_sources.h"
#include "base/log.h"
#include "crypto/random.h"
#include "wire/json.h"

namespace signet::alerts {
namespace {

constexpr std::int64_t kMsPerSecond = 1'000;
constexpr std::size_t kIdBytes = 16;

std::optional<std::int64_t> free_bytes(const std::string& directory) {
  struct statvfs disk {};
  if (statvfs(directory.c_str(), &disk) != 0) return std::nullopt;
  return static_cast<std::int64_t>(disk.f_bavail) * static_cast<std::int64_t>(disk.f_frsize);
}

void publish_disk(MetricRegistry& metrics, const std::string& directory) {
  metrics.gauge_from("signet_disk_free_bytes",
                     "Free bytes on the disk of server.data; NaN: it can't be asked.", [directory] {
                       const auto bytes = free_bytes(directory);
                       return bytes ? static_cast<double>(*bytes)
                                    : std::numeric_limits<double>::quiet_NaN();
                     });
}

// How long ago it began.
std::chrono::milliseconds age_of(const AlertEvent& event, Elapsed now) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(now - event.since);
}

// How long the certificate is still good; nullopt where there is none.
std::optional<std::int64_t> seconds_left(std::optional<std::int64_t> ends, WallTime now) {
  if (ends.value_or(0) == 0) return std::nullopt;
  return *ends - now.ms / kMsPerSecond;
}

}  // namespace

Result<std::unique_ptr<AlertDesk>> AlertDesk::create(AlertOptions options, MetricRegistry& metrics,
                                                     const Clock& clock) {
  std::unique_ptr<Webhook> webhook;
  if (options.webhook) {
    SIGNET_TRY(webhook, Webhook::create(*options.webhook, metrics, clock));
  }
  return std::unique_ptr<AlertDesk>(
      new AlertDesk(std::move(options), metrics, clock, std::move(webhook)));
}

AlertDesk::AlertDesk(AlertOptions options, MetricRegistry& metrics, const Clock& clock,
                     std::unique_ptr<Webhook> webhook)
    : options_(std::move(options)),
      metrics_(metrics),
      clock_(clock),
      webhook_(std::move(webhook)),
      book_(options_.thresholds, options_.window) {
  for (std::size_t i = 0; i < kAlertCount; ++i) {
    const std::string label = "alert=\"" + std::string(name_of(static_cast<Alert>(i))) + "\"";
    active_[i] = &metrics.gauge("signet_alert_active", "1 while the alert is.", label);
  }
  publish_disk(metrics, options_.data_directory);
}

AlertDesk::~AlertDesk() { stop(); }

void AlertDesk::start() {
  if (webhook_) webhook_->start();
  look();  // what the counters say now is what they are compared with
  thread_ = std::thread([this] { run(); });
}

void AlertDesk::stop() {
  if (!thread_.joinable()) return;
  end_.release();
  thread_.join();
  if (webhook_) webhook_->stop();
}

void AlertDesk::run() {
  while (!end_.try_acquire_for(options_.every)) look();
}

void AlertDesk::look() {
  const AlertReading reading = read();
  for (const AlertEvent& event : book_.judge(reading)) tell(event, reading.now);
}

AlertReading AlertDesk::read() const {
  AlertReading reading{clock_.elapsed(), {}};
  for (std::size_t i = 0; i < kAlertCount; ++i) {
    reading.values[i] = read_sources(metrics_, static_cast<Alert>(i));
  }
  const auto at = [&](Alert alert) -> auto& {
    return reading.values[static_cast<std::size_t>(alert)];
  };
  at(Alert::kDiskFree) = free_bytes(options_.data_directory);
  auto& certificate = at(Alert::kCertificateExpiry);
  certificate = seconds_left(certificate, clock_.wall());
  return reading;
}

void AlertDesk::tell(const AlertEvent& event, Elapsed now) {
  active_[static_cast<std::size_t>(event.alert)]->set(event.began ? 1 : 0);
  const std::string id = crypto::random_hex(kIdBytes);
  log(event.began ? LogLevel::kWarn : LogLevel::kInfo, event.began ? "alert.began" : "alert.ended",
      {{"alert", name_of(event.alert)},
       {"value", event.value},
       {"threshold", event.threshold},
       {"since", iso8601(clock_.wall() - age_of(event, now))},
       {"id", id}});
  if (webhook_) webhook_->post({id, body_of(event, now, id)});
}

std::string AlertDesk::body_of(const AlertEvent& event, Elapsed now, const std::string& id) const {
  const WallTime wall = clock_.wall();
  wire::JsonWriter json;
  json.object().key("alert").value(name_of(event.alert));
  json.key("state").value(event.began ? "began" : "ended");
  json.key("value").value(event.value).key("threshold").value(event.threshold);
  json.key("since").value(iso8601(wall - age_of(event, now)));
  json.key("at").value(iso8601(wall));
  json.key("server").value(options_.server).key("id").value(id).end();
  return json.take();
}

}  // namespace signet::alerts
