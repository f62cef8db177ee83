#include "signet/doctor/findings.h"

#include <gtest/gtest.h>

namespace signet::cli {
namespace {

constexpr WallTime kDate{784'111'777'000};  // Sun, 06 Nov 1994 08:49:37 GMT

TEST(HttpDate, IsReadStrictly) {
  EXPECT_EQ(http_date("Sun, 06 Nov 1994 08:49:37 GMT"), kDate);
  for (const std::string_view text : {"", "Sun, 06 Nov 1994 08:49:37", "1994-11-06T08:49:37Z",
                                      "Sun, 06 Nov 1994 08:49:37 GMT x"}) {
    EXPECT_FALSE(http_date(text)) << text;
  }
}

TEST(Health, IsReadFromTheAnswer) {
  const HealthAnswer health = read_health(
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDATE:  Sun, 06 Nov 1994 08:49:37 "
      "GMT\r\n"
      "\r\n{\"status\":\"ok\",\"version\":\"0.1.0\",\"gitSha\":\"abc\"}");
  EXPECT_EQ(health.status, 200);
  EXPECT_EQ(health.date, kDate);
  EXPECT_EQ(health.version, "0.1.0");
  EXPECT_EQ(health.state, "ok");
  for (const std::string_view text :
       {"", "HTTP/1.1 200 OK\r\n", "SSH-2.0-x\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n<html>"}) {
    EXPECT_EQ(read_health(text).state, "") << text;
  }
}

TEST(Clock, IsWrongWhereTheBrokerWouldLetNobodyIn) {
  using std::chrono::milliseconds;
  const struct {
    std::int64_t off_s;
    Health health;
  } kRows[] = {{0, Health::kOk},       {9, Health::kOk},        {-10, Health::kOk},
               {30, Health::kWarning}, {-59, Health::kWarning}, {60, Health::kWrong},
               {-61, Health::kWrong},  {86'400, Health::kWrong}};
  for (const auto& row : kRows) {
    const Finding finding = clock_finding(kDate, kDate + milliseconds(row.off_s * 1'000));
    EXPECT_EQ(finding.health, row.health) << row.off_s;
    EXPECT_EQ(finding.advice.empty(), row.health == Health::kOk) << row.off_s;
  }
  EXPECT_EQ(clock_finding(std::nullopt, kDate).health, Health::kWarning);
}

TEST(Version, OfAnotherKindIsAWarning) {
  EXPECT_EQ(version_finding("0.1.7", "0.1.0").health, Health::kOk);
  EXPECT_EQ(version_finding("0.2.0", "0.1.0").health, Health::kWarning);
  EXPECT_EQ(version_finding("", "0.1.0").health, Health::kWarning);
}

TEST(Certificate, IsWorthAWordTwoWeeksBefore) {
  const auto health = [](int days) {
    return certificate_finding(kDate + std::chrono::hours(24 * days + 1), kDate, "CN=x").health;
  };
  EXPECT_EQ(health(90), Health::kOk);
  EXPECT_EQ(health(14), Health::kOk);
  EXPECT_EQ(health(13), Health::kWarning);
  EXPECT_EQ(health(-2), Health::kWrong);
}

}  // namespace
}  // namespace signet::cli
