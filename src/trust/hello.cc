#include "trust/hello.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string>

namespace signet::trust {
namespace {

constexpr std::size_t kMaxIdBytes = 64;

// A wall clock in milliseconds has 13 digits until the year 2286. Sixteen reach past what a
// JavaScript Date can hold and are still exact in a double, which is what such peers count in.
constexpr std::size_t kMaxTimestampDigits = 16;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes digits off the front; false when there are none.
bool take_digits(std::string_view& text) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_digit);
  const bool any = end != text.begin();
  text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
  return any;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// RFC 8259, section 6. The caller's JSON reader has checked it too; a number reader that takes more
// (`inf`, `nan`, hex) must not decide here.
bool is_json_number(std::string_view text) {
  take(text, '-');
  if (text.size() > 1 && text[0] == '0' && is_digit(text[1])) return false;
  if (!take_digits(text)) return false;
  if (take(text, '.') && !take_digits(text)) return false;
  if (take(text, 'e') || take(text, 'E')) {
    if (!take(text, '+')) take(text, '-');
    if (!take_digits(text)) return false;
  }
  return text.empty();
}

// The number where the text is a plain integer of few enough digits; else nullopt.
std::optional<std::int64_t> plain_integer(std::string_view text) {
  std::string_view digits = text;
  take(digits, '-');
  const bool is_plain = std::all_of(digits.begin(), digits.end(), is_digit);
  if (!is_plain || digits.size() > kMaxTimestampDigits || text == "-0") return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_fresh_integer(std::int64_t timestamp, WallTime now, std::chrono::milliseconds max_skew) {
  return WallTime{timestamp} >= now - max_skew && WallTime{timestamp} <= now + max_skew;
}

bool is_fresh_number(std::string_view text, WallTime now, std::chrono::milliseconds max_skew) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || !std::isfinite(value)) return false;
  return std::abs(value - static_cast<double>(now.ms)) <= static_cast<double>(max_skew.count());
}

// The timestamp, or the reason why there is none.
std::variant<std::int64_t, HelloReject> fresh_timestamp(const std::optional<std::string_view>& text,
                                                        WallTime now,
                                                        std::chrono::milliseconds max_skew) {
  if (!text || !is_json_number(*text)) return HelloReject::kTimestampSkew;
  if (const auto integer = plain_integer(*text)) {
    if (!is_fresh_integer(*integer, now, max_skew)) return HelloReject::kTimestampSkew;
    return *integer;
  }
  if (!is_fresh_number(*text, now, max_skew)) return HelloReject::kTimestampSkew;
  return HelloReject::kMalformed;
}

crypto::Digest16 digest_of(const crypto::PublicKey& key, std::int64_t timestamp,
                           std::string_view signed_text) {
  return crypto::digest16("signet.claudemesh.hello",
                          {text_of(key.bytes), std::to_string(timestamp), signed_text});
}

}  // namespace

bool is_hello_id(std::string_view id) {
  const auto is_allowed = [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
           c == '_' || c == '-';
  };
  return !id.empty() && id.size() <= kMaxIdBytes && std::all_of(id.begin(), id.end(), is_allowed);
}

std::variant<ProvenHello, HelloReject> check_hello(const HelloClaim& claim, WallTime now,
                                                   std::chrono::milliseconds max_skew,
                                                   bool has_capacity) {
  if (!has_capacity) return HelloReject::kCapacity;
  const auto timestamp = fresh_timestamp(claim.timestamp, now, max_skew);
  const auto* stale = std::get_if<HelloReject>(&timestamp);
  if (stale != nullptr) return *stale;

  const auto key = crypto::public_key_from_hex(claim.pubkey);
  crypto::Signature signature;
  if (!key || !from_hex(claim.signature, signature)) return HelloReject::kMalformed;
  if (!is_hello_id(claim.mesh_id) || !is_hello_id(claim.member_id)) return HelloReject::kMalformed;

  // Over the very bytes that were sent: the signer may have written its key in upper case.
  std::string text;
  for (const std::string_view part :
       {claim.mesh_id, std::string_view("|"), claim.member_id, std::string_view("|"), claim.pubkey,
        std::string_view("|"), *claim.timestamp}) {
    text += part;
  }
  if (!crypto::verify(*key, bytes_of(text), signature)) return HelloReject::kBadSignature;
  const std::int64_t timestamp_ms = std::get<std::int64_t>(timestamp);
  return ProvenHello{*key, timestamp_ms, digest_of(*key, timestamp_ms, text)};
}

}  // namespace signet::trust
