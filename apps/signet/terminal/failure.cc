#include "signet/terminal/failure.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "base/codes.h"

namespace signet::cli {
namespace {

constexpr std::string_view kUsageCode = "usage";
constexpr std::string_view kToldCode = "told";

bool is_code(std::string_view text) {
  constexpr std::size_t kLongest = 40;  // a sentence without spaces is none
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && text.size() <= kLongest && std::all_of(text.begin(), text.end(), fits);
}

// The one place where a failure becomes an exit code.
int exit_code(ErrorCode category, std::string_view code) {
  if (code == kUsageCode) return kExitUsage;
  switch (category) {
    case ErrorCode::kMalformed:
    case ErrorCode::kBug:
      return kExitFailed;
    case ErrorCode::kNotFound:
      return kExitNotFound;
    case ErrorCode::kUnauthorized:
    case ErrorCode::kForbidden:
      return kExitDenied;
    case ErrorCode::kOverloaded:
    case ErrorCode::kUnavailable:
      return kExitUnavailable;
    case ErrorCode::kConflict:
      return kExitConflict;
  }
  return kExitFailed;
}

std::string_view name_of(ErrorCode category) {
  constexpr std::array<std::string_view, 8> kNames{"malformed",   "unauthorized", "denied",
                                                   "not_found",   "conflict",     "overloaded",
                                                   "unavailable", "bug"};
  return kNames[static_cast<std::size_t>(category)];
}

struct Advice {
  std::string_view code;
  std::string_view what_to_do;
};
constexpr std::array kAdvice = std::to_array<Advice>({
    {"ambiguous_name", "Say the key, or its first 8 digits: `signet peers --all` lists them."},
    {"bad_key", "A key is 64 hex digits, as `signet keygen` writes them."},
    {"bad_pulse", "A pulse is a JSON object: signet topic pub a.b '{\"n\":1}'"},
    {"bad_topic",
     "A topic is like mirror.intent; a pattern may have * for a segment and > at its end."},
    {"capacity", "Try again later, or ask the operator to raise max_connections."},
    {"connection_lost", "Try again. `signet doctor` looks at the whole way."},
    {"denied", "Ask the operator of the broker."},
    {"disk", "Is there room on the disk? `signet doctor` looks at the whole way."},
    {"disk_full", "Make room on the disk, then try again."},
    {"hello_timeout", "The broker is busy or hangs: try again, or tell its operator."},
    {"invite_exhausted", "Ask the owner of the mesh for a new invite."},
    {"invite_expired", "Ask the owner of the mesh for a new invite."},
    {"invite_malformed", "Copy the whole link again; it begins with ic://join/ or https://."},
    {"invite_bad_signature", "Copy the whole link again, or ask the owner for a new one."},
    {"invite_not_found", "Ask the owner of the mesh for an invite that is registered."},
    {"invite_owner_mismatch", "Whoever made this invite does not own the mesh: do not use it."},
    {"invite_revoked", "Ask the owner of the mesh for a new invite."},
    {"member_revoked",
     "A revoked key never comes back: join with another one. Where the mesh is joined here, "
     "`signet leave` comes first."},
    {"mesh_not_found", "Ask the owner which broker serves the mesh."},
    {"no_broker", "Look at the address of the broker: `signet mesh show`."},
    {"no_such_member", "`signet peers --all` lists who is there."},
    {"outbox_full", "Wait until the broker is there again, or cancel what waits."},
    {"peer_key_changed",
     "Ask them over another way; if they really have a new key: `signet peers trust` and the "
     "name."},
    {"quota_exceeded", "Their mailbox is full: try again when they have read."},
    {"rate_limited", "Wait a little, then try again."},
    {"revoked",
     "Revocation is final for a key: ask the operator for an invite, then `signet leave` and "
     "`signet join LINK`."},
    {"state_corrupt",
     "Try again: a new state is made, and the damaged file stays where it is said."},
    {"state_newer", "Use the newer version of signet that wrote it."},
    {"state_not_yours", "The file and its folder must be yours alone: chmod 600 and chmod 700."},
    {"store_full", "Ask the operator of the broker to make room."},
    {"text_too_long", "Send it in parts of at most 40,000 bytes."},
    {"suite_failed",
     "Run it by itself: it prints its report as JSON, and ends with 0 in time "
     "(--suite-timeout)."},
    {"timestamp_skew", "Set this machine's clock. `signet doctor` looks at the whole way."},
    {"tls_certificate_wanted",
     "signet has none to show: its operator can let members in by their keys alone "
     "(tls.client_certificates = \"optional\")."},
    {"tls_untrusted", "If you trust this broker, name its authority: --ca-file FILE."},
    {"unauthorized",
     "Ask the operator. A key that was revoked never comes back: `signet leave`, then `signet join "
     "LINK` with a new invite."},
    {"unreachable", "Is the broker running? `signet doctor` looks at the whole way."},
    {"unavailable", "Is the broker running? `signet doctor` looks at the whole way."},
});

std::string_view advice_for(std::string_view code) {
  const auto found = std::find_if(kAdvice.begin(), kAdvice.end(),
                                  [&](const Advice& each) { return each.code == code; });
  return found == kAdvice.end() ? std::string_view() : found->what_to_do;
}

template <class Code, std::size_t kCount>
std::optional<std::string_view> meaning(std::string_view code) {
  for (std::size_t i = 0; i < kCount; ++i) {
    if (signet::name_of(static_cast<Code>(i)) == code) return meaning_of(static_cast<Code>(i));
  }
  return std::nullopt;
}

// The broker's own words for a code that came without a sentence.
std::string sentence_of(std::string_view code) {
  auto found = meaning<JoinRefusal, kJoinRefusalCount>(code);
  if (!found) found = meaning<HelloReject, kHelloRejectCount>(code);
  if (!found) found = meaning<Refusal, kRefusalCount>(code);
  if (!found && code == signet::name_of(CloseReason::kRevoked)) {
    found = meaning_of(CloseReason::kRevoked);
  }
  return std::string(found.value_or(code));
}

}  // namespace

Told tell(const Error& error) {
  Told told;
  std::string_view rest = error.detail;
  const auto line_end = rest.find('\n');
  if (line_end != std::string_view::npos) {
    told.advice = rest.substr(line_end + 1);
    rest = rest.substr(0, line_end);
  }
  const std::string_view code = rest.substr(0, rest.find(':'));
  const std::string_view behind = rest.substr(code.size());
  if (is_code(code) && (behind.empty() || behind.starts_with(": "))) {
    told.code = code;
    rest.remove_prefix(std::min(rest.size(), code.size() + 2));
    told.message = rest.empty() ? sentence_of(code) : std::string(rest);
  } else {
    told.code = name_of(error.code);
    told.message = rest.empty() ? told.code : std::string(rest);
  }
  if (told.advice.empty()) told.advice = advice_for(told.code);
  told.exit = exit_code(error.code, told.code);
  return told;
}

Error failure(ErrorCode category, std::string_view code, std::string_view sentence,
              std::string_view advice) {
  // Both may hold words of a broker, which must not become the advice.
  std::string detail = std::string(is_code(code) ? code : "refused") + ": " + std::string(sentence);
  std::replace(detail.begin(), detail.end(), '\n', ' ');
  if (!advice.empty()) detail.append("\n").append(advice);
  return {category, std::move(detail)};
}

Error about_peer(const Error& error, std::string_view who) {
  const Told told = tell(error);
  if (told.code != "peer_key_changed") return error;
  // Quoted for a shell that it is copied into, where it is more than a plain word.
  const bool is_plain = std::all_of(who.begin(), who.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
  std::string name(who);
  for (auto at = name.find('\''); !is_plain && at != name.npos; at = name.find('\'', at + 4)) {
    name.replace(at, 1, "'\\''");
  }
  if (!is_plain) name = "'" + name + "'";
  return failure(error.code, told.code, told.message,
                 "Ask them over another way; if they really have a new key: `signet peers trust " +
                     name + "`.");
}

Error usage_error(std::string_view sentence, std::string_view advice) {
  return failure(ErrorCode::kMalformed, kUsageCode, sentence, advice);
}

Error told_already() { return {ErrorCode::kMalformed, std::string(kToldCode)}; }

bool is_told_already(const Error& error) { return error.detail == kToldCode; }

}  // namespace signet::cli
