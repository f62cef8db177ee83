#include "audit/entry.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <utility>

#include "wire/json.h"

namespace signet::audit {
namespace {

// By the number of the event. A name that was written once is never given to something else.
constexpr std::array<std::string_view, kEvents> kNames = {
    "log_begun",
    "server_started",
    "mesh_added",
    "mesh_changed",
    "member_added",
    "standing_changed",
    "role_changed",
    "invite_added",
    "invite_revoked",
    "channel_joined",
    "channel_left",
    "secret_set",
    "secret_revoked",
    "tokens_revoked",
    "policy_changed",
    "routes_changed",
    "token_keys_changed",
    "hub_changed",
    "certificate_changed",
    "node_registered",
    "node_forgotten",
    "node_rekeyed",
    "epoch_decided",
    "verdict_changed",
    "operators_decided",
    "operator_signed",
    "admitted",
    "refused",
    "ended",
    "suppressed",
};
static_assert(static_cast<std::size_t>(Event::kSuppressed) + 1 == kEvents);

constexpr std::string_view kInvalid = "invalid";
constexpr std::size_t kMostWordBytes = 64;
constexpr WallTime kFirstTime{0};
constexpr WallTime kLastTime{253'402'300'799'999};  // 9999-12-31T23:59:59.999Z

Error malformed(std::string detail) { return {ErrorCode::kMalformed, std::move(detail)}; }

bool is_word(std::string_view text) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == ':' ||
           c == '-';
  };
  return text.size() <= kMostWordBytes && std::all_of(text.begin(), text.end(), is_allowed);
}

std::string_view word(std::string_view text) { return is_word(text) ? text : kInvalid; }

void add_text(wire::JsonWriter& writer, std::string_view key, std::string_view text) {
  if (!text.empty()) writer.key(key).value(text);
}

// Digits at a fixed place; nullopt where something else is there.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  const char* const begin = text.data() + at;
  const auto [end, fault] = std::from_chars(begin, begin + count, value);
  if (fault != std::errc() || end != begin + count || *begin == '-') return std::nullopt;
  return value;
}

// The one form that encode() writes, 2026-11-22T02:30:00.123Z; what stands between the digits, and
// days that no month has, are found when the entry is written again.
std::optional<WallTime> time_from(std::string_view text) {
  constexpr std::string_view kForm = "2026-11-22T02:30:00.123Z";
  if (text.size() != kForm.size()) return std::nullopt;
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2);
  const auto minute = digits(text, 14, 2);
  const auto second = digits(text, 17, 2);
  const auto millisecond = digits(text, 20, 3);
  if (!year || !month || !day || !hour || !minute || !second || !millisecond) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const std::chrono::milliseconds at = std::chrono::sys_days(date).time_since_epoch() +
                                       std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
                                       std::chrono::seconds(*second) +
                                       std::chrono::milliseconds(*millisecond);
  return WallTime{at.count()};
}

Result<Draft> read_draft(const wire::JsonValue& root) {
  const auto event = event_from(root["event"].string().value_or(""));
  if (!event) return malformed("event");
  Draft draft;
  draft.event = *event;
  draft.mesh = MeshNumber{root["mesh"].integer().value_or(0)};
  draft.subject = root["subject"].string().value_or("");
  draft.code = root["code"].string().value_or("");
  draft.by = root["by"].string().value_or("");
  draft.count = root["count"].integer().value_or(1);
  if (const auto hex = root["hash"].string()) {
    draft.hash.emplace();
    if (!from_hex(*hex, *draft.hash)) return malformed("hash");
  }
  return draft;
}

}  // namespace

std::string_view name_of(Event event) {
  const auto index = static_cast<std::size_t>(event);
  return index < kNames.size() ? kNames[index] : kInvalid;
}

std::optional<Event> event_from(std::string_view name) {
  const auto* const found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Event>(found - kNames.begin());
}

std::string encode(const Entry& entry) {
  if (entry.number > kLastEntry) std::abort();  // a log of years of millions a second
  const Draft& what = entry.what;
  wire::JsonWriter writer;
  writer.object().key("n").value(entry.number);
  writer.key("at").value(iso8601(std::clamp(entry.at, kFirstTime, kLastTime)));
  writer.key("event").value(name_of(what.event));
  if (what.mesh.value > 0) writer.key("mesh").value(what.mesh.value);
  add_text(writer, "subject",
           what.subject.empty() || is_pseudonym(what.subject) ? what.subject : kInvalid);
  add_text(writer, "code", word(what.code));
  add_text(writer, "by", word(what.by));
  if (what.hash) writer.key("hash").value(to_hex(*what.hash));
  if (what.count > 1) writer.key("count").value(what.count);
  return writer.end().take();
}

Result<Entry> parse_entry(std::string_view line) {
  if (line.size() > kMostEntryBytes) return malformed("longer than any entry");
  wire::JsonDocument document;
  if (const Status parsed = document.parse(line); !parsed.ok()) return parsed.error();
  const wire::JsonValue root = document.root();
  const auto number = root["n"].integer();
  if (!number || *number < 0 || static_cast<std::uint64_t>(*number) > kLastEntry) {
    return malformed("n");
  }
  const auto at = time_from(root["at"].string().value_or(""));
  if (!at) return malformed("at");
  SIGNET_TRY(Draft what, read_draft(root));
  Entry entry{static_cast<std::uint64_t>(*number), *at, std::move(what)};
  // Whatever else there is to say against the line, it shows here: one fact has one text.
  if (encode(entry) != line) return malformed("order, spaces or spelling");
  return entry;
}

}  // namespace signet::audit
