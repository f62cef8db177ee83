#include "alerts/alert_desk.h"

#include <gtest/gtest.h>

#include "alerts/receiver_for_test.h"
#include "base/captured_log_for_test.h"
#include "base/fake_clock.h"
#include "crypto/random.h"
#include "wire/json.h"

namespace signet::alerts {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr const char* kActive = "signet_alert_active";
constexpr const char* kReplaysLabel = "alert=\"replays\"";

class AlertDeskTest : public ::testing::Test {
 protected:
  AlertDeskTest() {
    EXPECT_TRUE(crypto::initialize());
    options_.every = milliseconds(5);
    options_.server = "lab-1:8088";
    options_.data_directory = "/";
    threshold(Alert::kReplays) = 3;
  }

  std::int64_t& threshold(Alert alert) {
    return options_.thresholds[static_cast<std::size_t>(alert)];
  }
  std::unique_ptr<AlertDesk> start() {
    auto made = AlertDesk::create(options_, metrics_, clock_);
    EXPECT_TRUE(made.ok());
    if (!made.ok()) return nullptr;
    (*made)->start();
    return *std::move(made);
  }
  bool becomes(double active, const char* label = kReplaysLabel) const {
    const auto end = steady_clock::now() + seconds(10);
    while (metrics_.sum(kActive, label) != active) {
      if (steady_clock::now() > end) return false;
      std::this_thread::sleep_for(milliseconds(2));
    }
    return true;
  }

  MetricRegistry metrics_;
  Counter& replayed_ =
      metrics_.counter("signet_handshakes_refused_total", "R.", "reason=\"replayed\"");
  Counter& other_ =
      metrics_.counter("signet_handshakes_refused_total", "R.", "reason=\"not_json\"");
  FakeClock clock_;
  AlertOptions options_;
};

TEST_F(AlertDeskTest, TellsWhatBeganAndWhatEnded) {
  CapturedLog log;
  Receiver receiver([](std::size_t) { return Receiver::status("200 OK"); });
  options_.webhook.emplace();
  options_.webhook->url = receiver.url();
  options_.webhook->secret = crypto::SecretText("sixteen bytes, or more");
  replayed_.add(100);  // from before
  const auto desk = start();
  ASSERT_TRUE(desk);
  EXPECT_EQ(metrics_.sum(kActive), 0);
  other_.add(50);
  replayed_.add(3);
  ASSERT_TRUE(becomes(1));
  EXPECT_EQ(metrics_.sum(kActive), 1) << "no other one";
  ASSERT_TRUE(receiver.wait_for(1));  // it is told, with the time of then
  clock_.advance(seconds(61));
  std::this_thread::sleep_for(milliseconds(30));  // readings that are quiet
  clock_.advance(seconds(120));
  ASSERT_TRUE(becomes(0));
  ASSERT_TRUE(receiver.wait_for(2));

  const std::string told = log.take();
  for (const char* part :
       {R"("level":"warn","event":"alert.began","alert":"replays","value":3,)",
        R"("level":"info","event":"alert.ended","alert":"replays","value":0,)"}) {
    EXPECT_NE(told.find(part), std::string::npos) << part << " in " << told;
  }
  const auto calls = receiver.calls();
  const char* states[] = {"began", "ended"};
  std::string since;
  for (std::size_t i = 0; i < 2; ++i) {
    wire::JsonDocument document;
    ASSERT_TRUE(document.parse(calls[i].body).ok()) << calls[i].body;
    const auto body = document.root();
    EXPECT_EQ(body.size(), 8U);
    EXPECT_EQ(body["alert"].string(), "replays");
    EXPECT_EQ(body["state"].string(), states[i]);
    EXPECT_EQ(body["value"].integer(), i == 0 ? 3 : 0);
    EXPECT_EQ(body["threshold"].integer(), 3);
    EXPECT_EQ(body["server"].string(), "lab-1:8088");
    EXPECT_EQ(body["id"].string(), calls[i].header("Signet-Delivery"));
    if (i == 0) since = std::string(*body["since"].string());
    EXPECT_EQ(body["since"].string(), since);
    EXPECT_EQ(body["at"].string() == since, i == 0) << calls[i].body;
  }
}

TEST_F(AlertDeskTest, ReadsLevels) {
  const struct {
    const char* name;
    Alert alert;
    bool active;
    std::int64_t threshold;
    const char* gauge;
    std::int64_t value;
  } rows[] = {
      // clang-format off
      {"room on the disk", Alert::kDiskFree, false, 1, "", 0},
      {"too little of it", Alert::kDiskFree, true, std::int64_t{1} << 62, "", 0},
      {"a healthy store", Alert::kStoreUnhealthy, false, 1, "broker_db_healthy", 1},
      {"a broken one", Alert::kStoreUnhealthy, true, 1, "broker_db_healthy", 0},
      {"a store that takes nothing", Alert::kStoreFull, true, 1, "signet_store_disk_full", 1},
      {"a log that does not fit together", Alert::kAuditDamaged, true, 1, "signet_audit_damaged", 1},
      {"no certificate", Alert::kCertificateExpiry, false, 1'000, "signet_tls_certificate_not_after_seconds", 0},
      {"a good one", Alert::kCertificateExpiry, false, 1'000, "signet_tls_certificate_not_after_seconds", 1'700'001'000},
      {"one that ends soon", Alert::kCertificateExpiry, true, 1'000, "signet_tls_certificate_not_after_seconds", 1'700'000'999},
      {"one that has ended", Alert::kCertificateExpiry, true, 1'000, "signet_tls_certificate_not_after_seconds", 1'600'000'000},
      // clang-format on
  };
  for (const auto& row : rows) {
    CapturedLog log;
    MetricRegistry metrics;
    AlertOptions options = options_;
    options.thresholds[static_cast<std::size_t>(row.alert)] = row.threshold;
    if (*row.gauge != '\0') metrics.gauge(row.gauge, "G.").set(row.value);
    auto desk = AlertDesk::create(options, metrics, clock_);
    ASSERT_TRUE(desk.ok());
    (*desk)->start();
    const std::string label = "alert=\"" + std::string(name_of(row.alert)) + "\"";
    EXPECT_EQ(metrics.sum(kActive, label), row.active ? 1 : 0) << row.name;
    EXPECT_EQ(metrics.sum(kActive), row.active ? 1 : 0) << row.name;
  }
}

TEST_F(AlertDeskTest, SaysHowMuchOfTheDiskIsFree) {
  const auto desk = start();
  EXPECT_GT(metrics_.sum("signet_disk_free_bytes").value_or(0), 0);
}

TEST_F(AlertDeskTest, RefusesAWebhookThatIsNotSafe) {
  options_.webhook.emplace();
  options_.webhook->url = "http://alerts.example/";
  options_.webhook->secret = crypto::SecretText("sixteen bytes, or more");
  EXPECT_FALSE(AlertDesk::create(options_, metrics_, clock_).ok());
}

TEST_F(AlertDeskTest, StopsAtOnceHoweverRarelyItLooks) {
  options_.every = seconds(3'600);
  const auto desk = start();
  const auto before = steady_clock::now();
  desk->stop();
  EXPECT_LT(steady_clock::now() - before, seconds(1));
}

}  // namespace
}  // namespace signet::alerts
