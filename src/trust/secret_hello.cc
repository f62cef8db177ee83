#include "trust/secret_hello.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "base/encoding.h"
#include "crypto/compare.h"
#include "crypto/mac.h"

namespace signet::trust {
namespace {

constexpr std::size_t kMaxFractionDigits = 9;  // nanoseconds: no clock counts finer

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Lowercase hex of 32 bytes. Upper case is another text for the same digest: v1 never took it.
std::optional<crypto::Digest32> digest_from(std::string_view signature) {
  const auto is_upper = [](char c) { return c >= 'A' && c <= 'F'; };
  crypto::Digest32 digest;
  if (std::any_of(signature.begin(), signature.end(), is_upper)) return std::nullopt;
  if (!from_hex(signature, digest)) return std::nullopt;
  return digest;
}

// Takes exactly `count` digits off the front.
std::optional<int> take_number(std::string_view& text, std::size_t count) {
  if (text.size() < count || !std::all_of(text.begin(), text.begin() + count, is_digit)) {
    return std::nullopt;
  }
  int number = 0;
  std::from_chars(text.data(), text.data() + count, number);
  text.remove_prefix(count);
  return number;
}

// As many digits as the format has, and then the character behind them; none at the end.
std::optional<int> take_number(std::string_view& text, std::size_t count, char behind) {
  const auto number = take_number(text, count);
  if (!number || !text.starts_with(behind)) return std::nullopt;
  text.remove_prefix(1);
  return number;
}

std::optional<std::chrono::sys_days> take_date(std::string_view& text) {
  const auto year = take_number(text, 4, '-');
  const auto month = year ? take_number(text, 2, '-') : std::nullopt;
  const auto day = month ? take_number(text, 2, 'T') : std::nullopt;
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date);
}

// `.123456`, or nothing; what is finer than a millisecond is cut off.
std::optional<std::chrono::milliseconds> take_fraction(std::string_view& text) {
  if (!text.starts_with('.')) return std::chrono::milliseconds(0);
  text.remove_prefix(1);
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const auto digits = static_cast<std::size_t>(end - text.begin());
  if (digits == 0 || digits > kMaxFractionDigits) return std::nullopt;
  int ms = 0;
  for (std::size_t i = 0; i < 3; ++i) ms = ms * 10 + (i < digits ? text[i] - '0' : 0);
  text.remove_prefix(digits);
  return std::chrono::milliseconds(ms);
}

// A minute has 60 seconds here: the clocks of clients never show a leap second.
std::optional<std::chrono::milliseconds> take_time_of_day(std::string_view& text) {
  const auto hours = take_number(text, 2, ':');
  const auto minutes = hours ? take_number(text, 2, ':') : std::nullopt;
  const auto seconds = minutes ? take_number(text, 2) : std::nullopt;
  if (!seconds || *hours > 23 || *minutes > 59 || *seconds > 59) return std::nullopt;
  const auto fraction = take_fraction(text);
  if (!fraction) return std::nullopt;
  return std::chrono::hours(*hours) + std::chrono::minutes(*minutes) +
         std::chrono::seconds(*seconds) + *fraction;
}

// The whole rest: nothing or `Z` for UTC, else what local clocks are ahead of it: `+02:00`, as
// Python's isoformat writes it, `+0200`, as its strftime does, or `+02`.
std::optional<std::chrono::minutes> zone_from(std::string_view text) {
  if (text.empty() || text == "Z") return std::chrono::minutes(0);
  const bool behind = text.front() == '-';
  if (!behind && text.front() != '+') return std::nullopt;
  text.remove_prefix(1);
  const auto hours = take_number(text, 2);
  if (!hours || *hours > 23) return std::nullopt;
  std::optional<int> minutes = 0;
  if (!text.empty()) {
    if (text.front() == ':') text.remove_prefix(1);
    minutes = take_number(text, 2);
  }
  if (!minutes || *minutes > 59 || !text.empty()) return std::nullopt;
  const auto ahead = std::chrono::hours(*hours) + std::chrono::minutes(*minutes);
  return behind ? -ahead : ahead;
}

// Over the text that says least: a flat message has two, and messages that differ in the spaced one
// (`1` and `1.0`) may be the same in the compact one. Were it over the spaced text, a browser's
// signature would be good again for its message in another spelling.
crypto::Digest16 digest_of(const SecretClaim& claim) {
  const std::string_view text = claim.compact.empty() ? claim.spaced : claim.compact;
  return crypto::digest16("signet.pulsemesh.handshake", {claim.source, text});
}

}  // namespace

bool shows_secret(const SecretClaim& claim, std::string_view secret, bool takes_digest) {
  const auto shown = digest_from(claim.signature);
  if (!shown || secret.empty()) return false;
  // All forms are computed and compared, so that the time does not tell which one it was, nor which
  // are taken.
  const auto shows = [&](const crypto::Digest32& digest) {
    return crypto::equal_secrets(text_of(*shown), text_of(digest));
  };
  const bool mac = shows(crypto::hmac_sha256(secret, claim.spaced));
  const bool spaced = shows(crypto::sha256({claim.spaced, secret}));
  const bool compact = shows(crypto::sha256({claim.compact, secret}));
  // No branch by what they say: tests/constant_time.cc.
  const bool has_compact = !claim.compact.empty();
  const bool digest_counts = takes_digest && !claim.hmac_only;
  return mac | (digest_counts & (spaced | (has_compact & compact)));
}

std::optional<WallTime> parse_iso8601(std::string_view text) {
  const auto date = take_date(text);
  const auto time = date ? take_time_of_day(text) : std::nullopt;
  const auto zone = time ? zone_from(text) : std::nullopt;
  if (!zone) return std::nullopt;
  const std::chrono::sys_time<std::chrono::milliseconds> utc = *date + *time - *zone;
  return WallTime{utc.time_since_epoch().count()};
}

std::variant<ProvenSecret, HandshakeRefusal> check_freshness(const SecretClaim& claim, WallTime now,
                                                             std::chrono::milliseconds max_skew) {
  const auto at = claim.timestamp ? parse_iso8601(*claim.timestamp) : std::nullopt;
  if (max_skew.count() <= 0) return ProvenSecret{at.value_or(now).ms, digest_of(claim)};
  if (!at || *at < now - max_skew || *at > now + max_skew) return HandshakeRefusal::kStale;
  return ProvenSecret{at->ms, digest_of(claim)};
}

}  // namespace signet::trust
