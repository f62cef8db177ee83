#include "alerts/webhook.h"

#include <gtest/gtest.h>

#include "alerts/receiver_for_test.h"
#include "base/captured_log_for_test.h"
#include "crypto/random.h"

namespace signet::alerts {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr std::string_view kSecret = "a secret of the receiver";

class WebhookTest : public ::testing::Test {
 protected:
  WebhookTest() { EXPECT_TRUE(crypto::initialize()); }

  std::unique_ptr<Webhook> start(const std::string& url) {
    options_.url = url;
    auto made = Webhook::create(options_, metrics_, system_clock());
    if (!made.ok()) return nullptr;
    (*made)->start();
    return *std::move(made);
  }

  // Waits until the figure says it.
  bool counted(std::string_view name, double n) const {
    const auto end = steady_clock::now() + seconds(10);
    while (metrics_.sum(name) != n) {
      if (steady_clock::now() > end) return false;
      std::this_thread::sleep_for(milliseconds(2));
    }
    return true;
  }

  static WebhookOptions quick() {
    WebhookOptions options;
    options.secret = crypto::SecretText(kSecret);
    options.first_retry = milliseconds(2);
    options.last_retry = milliseconds(20);
    return options;
  }

  WebhookOptions options_ = quick();
  MetricRegistry metrics_;
};

// Computed with another implementation: openssl dgst -sha256 -hmac.
TEST(WebhookSignature, IsThatOfTheTimeAndTheBody) {
  EXPECT_EQ(webhook_signature("0123456789abcdef", 1'700'000'000, "{\"alert\":\"replays\"}"),
            "t=1700000000,v1=b75d2d31dc5188c0ca257f448f20b48e0f759cc7f29e83069584bf1fc02ee608");
}

TEST_F(WebhookTest, RefusesWhatWouldNotBeSafe) {
  const struct {
    const char* name;
    const char* url;
    bool has_secret;
    const char* ca_file;
    const char* says;  // nullptr: it is taken
  } rows[] = {
      // clang-format off
      {"https", "https://alerts.example/hook", true, "", nullptr},
      {"http on loopback", "http://127.0.0.1:9000/hook", true, "", nullptr},
      {"http on another address of loopback", "http://127.8.0.1/", true, "", nullptr},
      {"http on loopback, IPv6", "http://[::1]:9000/", true, "", nullptr},
      {"http on localhost", "http://localhost:9000/", true, "", nullptr},
      {"http elsewhere", "http://alerts.example/hook", true, "", "loopback only"},
      {"a name that looks like loopback", "http://127.0.0.1.example/", true, "", "loopback only"},
      {"another one", "http://127.example/", true, "", "loopback only"},
      {"an address in the network", "http://10.0.0.1/", true, "", "loopback only"},
      {"a WebSocket", "wss://alerts.example/", true, "", "no https URL"},
      {"a user in it", "https://a:b@alerts.example/", true, "", "no https URL"},
      {"nothing", "", true, "", "no https URL"},
      {"no secret", "https://alerts.example/hook", false, "", "alerts.webhook_secret"},
      {"roots that are not there", "https://alerts.example/", true, "/no/such/ca.pem", "/no/such/ca.pem"},
      // clang-format on
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    WebhookOptions options;
    options.url = row.url;
    options.ca_file = row.ca_file;
    if (row.has_secret) options.secret = crypto::SecretText(kSecret);
    const auto made = Webhook::create(options, metrics_, system_clock());
    EXPECT_EQ(made.ok(), row.says == nullptr);
    if (made.ok() || row.says == nullptr) continue;
    EXPECT_NE(made.error().detail.find(row.says), std::string::npos) << made.error().detail;
  }
}

TEST_F(WebhookTest, PostsOneSignedCallAfterAnother) {
  Receiver receiver([](std::size_t) { return Receiver::status("204 No Content"); });
  const auto webhook = start(receiver.url());
  ASSERT_TRUE(webhook);
  for (int i = 0; i < 5; ++i) {
    webhook->post({"id" + std::to_string(i), "{\"n\":" + std::to_string(i) + "}"});
  }
  ASSERT_TRUE(receiver.wait_for(5));
  ASSERT_TRUE(counted("signet_webhook_delivered_total", 5));
  const auto calls = receiver.calls();
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_TRUE(calls[i].head.starts_with("POST /hook?k=v HTTP/1.1\r\n")) << calls[i].head;
    EXPECT_EQ(calls[i].header("Content-Type"), "application/json");
    EXPECT_EQ(calls[i].header("Signet-Delivery"), "id" + std::to_string(i));
    EXPECT_EQ(calls[i].body, "{\"n\":" + std::to_string(i) + "}");
    const std::string signature = calls[i].header("Signet-Signature");
    const std::int64_t time = std::strtoll(signature.c_str() + 2, nullptr, 10);
    EXPECT_LE(std::abs(time - system_clock().wall().ms / 1'000), 20) << "a time of now";
    EXPECT_EQ(signature, webhook_signature(kSecret, time, calls[i].body));
  }
}

TEST_F(WebhookTest, TriesAgainUntilItIsTaken) {
  const struct {
    const char* name;
    std::string refusal;
  } rows[] = {
      {"an error", Receiver::status("500 Oh")},
      {"a redirect, which is not followed",
       "HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"},
      {"an answer that is none", "hello\r\n"},
      {"no answer at all", ""},
  };
  options_.timeout = milliseconds(50);
  double delivered = 0;
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Receiver receiver(
        [&](std::size_t n) { return n < 3 ? row.refusal : Receiver::status("200 OK"); });
    const auto webhook = start(receiver.url());
    ASSERT_TRUE(webhook);
    webhook->post({"first", "{}"});
    webhook->post({"second", "{}"});
    ASSERT_TRUE(receiver.wait_for(5));
    ASSERT_TRUE(counted("signet_webhook_delivered_total", delivered += 2));
    std::string ids;
    for (const auto& call : receiver.calls()) {
      ids += call.header("Signet-Delivery") + " ";
      EXPECT_TRUE(call.head.starts_with("POST /hook?k=v ")) << call.head;
    }
    EXPECT_EQ(ids, "first first first first second ");
  }
  EXPECT_EQ(metrics_.sum("signet_webhook_failed_total"), 0);
}

TEST_F(WebhookTest, TakesAnyAnswerOf2xxForTaken) {
  const std::string answers[] = {
      "HTTP/1.0 200 OK\r\n\r\n",
      "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
  };
  Receiver receiver([&](std::size_t n) { return answers[n % 3]; });
  const auto webhook = start(receiver.url());
  ASSERT_TRUE(webhook);
  for (const char* id : {"a", "b", "c"}) webhook->post({id, "{}"});
  ASSERT_TRUE(counted("signet_webhook_delivered_total", 3));
  EXPECT_EQ(receiver.calls().size(), 3U);
}

TEST_F(WebhookTest, GivesUpInTheEndAndGoesOn) {
  CapturedLog log;
  Receiver receiver([](std::size_t n) { return Receiver::status(n == 0 ? "503 No" : "200 OK"); });
  options_.retry_for = milliseconds(0);
  const auto webhook = start(receiver.url());
  ASSERT_TRUE(webhook);
  webhook->post({"first", "{}"});
  webhook->post({"second", "{}"});
  ASSERT_TRUE(counted("signet_webhook_delivered_total", 1));
  EXPECT_EQ(metrics_.sum("signet_webhook_failed_total"), 1);
  EXPECT_EQ(receiver.calls().back().header("Signet-Delivery"), "second");
  const std::string told = log.take();
  EXPECT_NE(told.find("alert.webhook_failed"), std::string::npos) << told;
  EXPECT_NE(told.find("status 503"), std::string::npos) << told;
  EXPECT_EQ(told.find("/hook"), std::string::npos) << "a path may be a secret: " << told;
}

TEST_F(WebhookTest, OfTooManyTheOldestGoes) {
  CapturedLog log;
  std::atomic<bool> open{false};
  Receiver receiver([&](std::size_t) { return Receiver::status(open ? "200 OK" : "500 No"); });
  options_.max_waiting = 4;
  const auto webhook = start(receiver.url());
  ASSERT_TRUE(webhook);
  for (int i = 0; i < 10; ++i) webhook->post({std::to_string(i), "{}"});
  ASSERT_TRUE(counted("signet_webhook_dropped_total", 6));
  open = true;
  ASSERT_TRUE(counted("signet_webhook_delivered_total", 4));
  EXPECT_EQ(receiver.calls().back().header("Signet-Delivery"), "9");
}

TEST_F(WebhookTest, StopsInTheMidstOfACall) {
  Receiver receiver([](std::size_t) { return std::string(); });
  options_.timeout = seconds(60);
  const auto webhook = start(receiver.url());
  ASSERT_TRUE(webhook);
  webhook->post({"first", "{}"});
  webhook->post({"second", "{}"});
  ASSERT_TRUE(receiver.wait_for(1));
  const auto before = steady_clock::now();
  webhook->stop();
  EXPECT_LT(steady_clock::now() - before, seconds(2));
  EXPECT_EQ(metrics_.sum("signet_webhook_dropped_total"), 2);
}

TEST_F(WebhookTest, StopsWhileItWaitsForTheNextTry) {
  Receiver receiver([](std::size_t) { return Receiver::status("500 No"); });
  options_.first_retry = options_.last_retry = seconds(3'600);
  const auto webhook = start(receiver.url());
  ASSERT_TRUE(webhook);
  webhook->post({"first", "{}"});
  ASSERT_TRUE(receiver.wait_for(1));
  const auto before = steady_clock::now();
  webhook->stop();
  EXPECT_LT(steady_clock::now() - before, seconds(2));
}

}  // namespace
}  // namespace signet::alerts
