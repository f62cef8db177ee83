#include "signet/doctor/findings.h"

#include <time.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "wire/json.h"

namespace signet::cli {
namespace {

constexpr std::chrono::seconds kMaxSkew{60};   // claudemesh.max_skew
constexpr std::chrono::seconds kSeenSkew{10};  // worth a word; Date counts whole seconds
constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kSoonDays = 14;

bool same_letters(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

std::string_view header(std::string_view head, std::string_view name) {
  for (auto at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !same_letters(line.substr(0, colon), name)) continue;
    const auto value = line.find_first_not_of(' ', colon + 1);
    return value == std::string_view::npos ? std::string_view() : line.substr(value);
  }
  return {};
}

std::string_view minor_of(std::string_view version) {
  return version.substr(0, version.rfind('.'));
}

}  // namespace

std::optional<WallTime> http_date(std::string_view text) {
  const std::string copy(text);
  struct tm parts {};
  const char* end = strptime(copy.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  return WallTime{static_cast<std::int64_t>(timegm(&parts)) * 1'000};
}

HealthAnswer read_health(std::string_view answer) {
  constexpr std::string_view kStart = "HTTP/1.1 ";
  HealthAnswer health;
  const auto end = answer.find("\r\n\r\n");
  if (!answer.starts_with(kStart) || end == std::string_view::npos) return health;
  const std::string_view number = answer.substr(kStart.size(), 3);
  std::from_chars(number.data(), number.data() + number.size(), health.status);
  health.date = http_date(header(answer.substr(0, end), "date"));
  wire::JsonDocument document;
  if (!document.parse(answer.substr(end + 4)).ok()) return health;
  health.version = document.root()["version"].string().value_or("");
  health.state = document.root()["status"].string().value_or("");
  health.git_sha = document.root()["gitSha"].string().value_or("");
  return health;
}

Finding clock_finding(std::optional<WallTime> theirs, WallTime ours) {
  Finding finding{.check = "clock", .mesh = {}, .health = Health::kOk, .what = {}};
  if (!theirs) {
    finding.health = Health::kWarning;
    finding.what = "the broker does not say what time it is";
    return finding;
  }
  const std::int64_t off_ms = ours.ms - theirs->ms;
  const std::int64_t off = std::abs(off_ms) / 1'000;
  finding.what = "this clock is " + std::to_string(off) + " s " +
                 (off_ms < 0 ? "behind" : "ahead of") + " the broker's";
  if (off <= kSeenSkew.count()) {
    finding.what = "this clock and the broker's agree";
    return finding;
  }
  finding.health = off >= kMaxSkew.count() ? Health::kWrong : Health::kWarning;
  finding.advice =
      "Set the clock that is wrong: with more than 60 s between them the broker lets "
      "nobody in.";
  return finding;
}

Finding version_finding(std::string_view theirs, std::string_view ours) {
  Finding finding{.check = "version", .mesh = {}, .health = Health::kOk, .what = {}};
  finding.what = "signet " + std::string(ours) + ", broker " +
                 (theirs.empty() ? "of unknown version" : std::string(theirs));
  if (minor_of(theirs) == minor_of(ours)) return finding;
  finding.health = Health::kWarning;
  finding.advice = "Use the same version on both sides; what both know still works.";
  return finding;
}

Finding certificate_finding(WallTime not_after, WallTime now, const std::string& subject) {
  const std::int64_t days = (not_after.ms - now.ms) / kDayMs;
  Finding finding{.check = "tls", .mesh = {}, .health = Health::kOk, .what = {}};
  finding.what =
      "the certificate of " + subject + " is good for " + std::to_string(days) + " more day(s)";
  if (days >= kSoonDays) return finding;
  finding.health = days < 0 ? Health::kWrong : Health::kWarning;
  finding.advice = "Ask the operator to renew it.";
  return finding;
}

}  // namespace signet::cli
