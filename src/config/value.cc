#include "config/value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <span>

namespace signet::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};
// Largest first, so that printing takes the largest that is exact.
constexpr std::array kDurationUnits{Unit{"d", kDay},          Unit{"h", kHour},
                                    Unit{"m", kMinute},       Unit{"s", kSecond},
                                    Unit{"ms", kMillisecond}, Unit{"us", 1}};
constexpr std::array kByteUnits{Unit{"TiB", kTiB}, Unit{"GiB", kGiB}, Unit{"MiB", kMiB},
                                Unit{"KiB", kKiB}, Unit{"", 1}};

// Digits only: no sign, no space, no leading '+'; what is left after them is in `rest`.
std::optional<std::int64_t> digits(std::string_view text, std::string_view& rest) {
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc{}) return std::nullopt;
  rest = text.substr(static_cast<std::size_t>(read.ptr - text.data()));
  return number;
}

std::optional<std::int64_t> scaled(std::string_view text, std::span<const Unit> units) {
  std::string_view unit;
  const auto number = digits(text, unit);
  if (!number) return std::nullopt;
  if (*number == 0 && unit.empty()) return 0;  // nothing is nothing in every unit
  const auto* const found =
      std::find_if(units.data(), units.data() + units.size(),
                   [&](const Unit& candidate) { return candidate.name == unit; });
  std::int64_t product = 0;
  if (found == units.data() + units.size() ||
      __builtin_mul_overflow(*number, found->factor, &product)) {
    return std::nullopt;
  }
  return product;
}

std::string print_scaled(std::int64_t number, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (number != 0 && number % unit.factor == 0) {
      return std::to_string(number / unit.factor).append(unit.name);
    }
  }
  return "0";
}

std::optional<std::int64_t> boolean(std::string_view text) {
  if (text == "true" || text == "1") return 1;
  if (text == "false" || text == "0") return 0;
  return std::nullopt;
}

std::optional<std::int64_t> whole(std::string_view text) {
  std::string_view rest;
  const auto number = digits(text, rest);
  return rest.empty() ? number : std::nullopt;
}

std::optional<std::int64_t> number_of(const Setting& setting, std::string_view text) {
  switch (setting.type) {
    case Type::kBool:
      return boolean(text);
    case Type::kInteger:
      return whole(text);
    case Type::kBytes:
      return scaled(text, kByteUnits);
    case Type::kDuration: {
      // Where old environments say a bare number, it is seconds.
      const auto bare = setting.unit == "s" ? whole(text) : std::nullopt;
      if (bare && *bare <= setting.max / kSecond) return *bare * kSecond;
      const auto number = scaled(text, kDurationUnits);
      return number && *number % step_of(setting.unit) == 0 ? number : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

// Printable ASCII, or the bytes of UTF-8: no control character ends up in a path or a log.
bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f; });
}

bool is_word_of(std::string_view words, std::string_view text) {
  for (std::size_t at = 0; at <= words.size();) {
    const std::size_t end = std::min(words.find('|', at), words.size());
    if (words.substr(at, end - at) == text) return true;
    at = end + 1;
  }
  return false;
}

// HOST:PORT or [IPv6]:PORT; whether the host is an address is for the one that binds it.
bool is_address(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  const auto port = whole(text.substr(colon + 1));
  const bool plain = !host.empty() && host.find_first_of(":[] ") == std::string_view::npos;
  return (bracketed || plain) && port && *port <= 65'535;
}

// "" is no entry; "a,,b" has an empty one, which parse_list refuses.
std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  if (text.empty()) return parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(',', at), text.size());
    parts.emplace_back(text.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

std::string between(const Setting& setting) {
  const auto print = [&](std::int64_t n) {
    if (setting.type == Type::kDuration) return print_duration(n);
    if (setting.type == Type::kBytes) return print_bytes(n);
    return std::to_string(n);
  };
  return " from " + print(setting.min) + " to " + print(setting.max);
}

std::string alternatives(std::string_view words) {
  std::string text(words);
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos;) {
    text.replace(at, 1, ", ");
  }
  return text;
}

Error not_allowed(const Setting& setting) {
  return {ErrorCode::kMalformed, "allowed is " + allowed(setting)};
}

bool within(const Setting& setting, std::int64_t number) {
  return number >= setting.min && number <= setting.max;
}

}  // namespace

Result<Value> parse_value(const Setting& setting, std::string_view text) {
  Value value;
  switch (setting.type) {
    case Type::kList:
    case Type::kAddresses:
      return parse_list(setting, split(text));
    case Type::kText:
    case Type::kSecret:
      if (!within(setting, static_cast<std::int64_t>(text.size())) || !is_printable(text)) {
        return not_allowed(setting);
      }
      value.text = setting.secret() ? std::string_view() : text;
      return value;
    case Type::kChoice:
      if (!is_word_of(setting.unit, text)) return not_allowed(setting);
      value.text = text;
      return value;
    case Type::kBool:
    case Type::kInteger:
    case Type::kBytes:
    case Type::kDuration:
      break;
  }
  const auto number = number_of(setting, text);
  if (!number || (setting.type != Type::kBool && !within(setting, *number))) {
    return not_allowed(setting);
  }
  value.number = *number;
  return value;
}

Result<Value> parse_list(const Setting& setting, const std::vector<std::string>& entries) {
  if (!within(setting, static_cast<std::int64_t>(entries.size()))) return not_allowed(setting);
  for (const std::string& entry : entries) {
    const bool good = setting.type == Type::kAddresses
                          ? is_address(entry)
                          : !entry.empty() && entry.find(',') == std::string::npos;
    if (!good || !is_printable(entry)) return not_allowed(setting);
  }
  return Value{.number = 0, .text = {}, .list = entries};
}

std::string print_value(const Setting& setting, const Value& value) {
  switch (setting.type) {
    case Type::kBool:
      return value.number != 0 ? "true" : "false";
    case Type::kInteger:
      return std::to_string(value.number);
    case Type::kBytes:
      return print_bytes(value.number);
    case Type::kDuration:
      return print_duration(value.number);
    case Type::kText:
    case Type::kChoice:
      return value.text;
    case Type::kSecret:
      return "********";
    case Type::kList:
    case Type::kAddresses:
      break;
  }
  std::string text;
  for (const std::string& entry : value.list) text.append(text.empty() ? "" : ",").append(entry);
  return text;
}

std::string allowed(const Setting& setting) {
  const std::string range = between(setting);
  switch (setting.type) {
    case Type::kBool:
      return "true, false, 1 or 0";
    case Type::kInteger:
      return "a whole number" + range;
    case Type::kBytes:
      return "a size such as \"65536\", \"64KiB\" or \"64MiB\"," + range;
    case Type::kDuration:
      return "a duration such as \"250ms\", \"30s\" or \"7d\"," + range + " in steps of 1" +
             std::string(setting.unit);
    case Type::kText:
    case Type::kSecret:
      return "a text of" + range.substr(5) + " printable bytes";
    case Type::kChoice:
      return "one of " + alternatives(setting.unit);
    case Type::kList:
      return "a list of" + range.substr(5) + " texts without a comma";
    case Type::kAddresses:
      return "a list of" + range.substr(5) +
             " addresses such as \"127.0.0.1:8088\" or \"[::1]:8088\"";
  }
  return {};
}

std::string print_duration(std::int64_t microseconds) {
  return print_scaled(microseconds, kDurationUnits);
}

std::string print_bytes(std::int64_t bytes) { return print_scaled(bytes, kByteUnits); }

}  // namespace signet::config
