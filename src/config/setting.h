// Setting describes one thing an operator can set. The table of all of them (settings.h) generates
// everything else: parsing, checks, environment names, the reference, `config show`, reload.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace signet::config {

enum class Type : std::uint8_t {
  kBool,       // true, false, 1, 0
  kInteger,    // a whole number of `unit`
  kBytes,      // "65536", "64KiB", "64MiB"
  kDuration,   // "250ms", "30s", "7d"; a multiple of `unit`
  kText,       // printable text
  kChoice,     // one of the words in `unit`, separated by '|'
  kList,       // texts; separated by ',' outside of a file
  kAddresses,  // a list of HOST:PORT
  kSecret,     // text from the environment or from the file that `<key>_file` names
};

// What SIGHUP does with a new value.
enum class Reload : std::uint8_t { kLive, kRestart };

struct Setting {
  std::string_view section;
  std::string_view key;
  Type type;
  std::string_view default_text;
  std::string_view dev_text;  // what `signetd dev` starts from; empty: default_text
  std::string_view unit;      // kInteger: what is counted; kDuration: the step; kChoice: the words
  std::int64_t min;           // kDuration in microseconds; texts in bytes; lists in entries
  std::int64_t max;
  Reload reload;
  std::string_view doc;  // what it is, and the reason of its default

  constexpr bool secret() const { return type == Type::kSecret; }
};

// "net.ping_interval"
std::string name_of(const Setting& setting);

// "SIGNET_NET_PING_INTERVAL"
std::string environment_name(const Setting& setting);

inline constexpr std::int64_t kMillisecond = 1'000;  // in microseconds, as durations are kept
inline constexpr std::int64_t kSecond = 1'000 * kMillisecond;
inline constexpr std::int64_t kMinute = 60 * kSecond;
inline constexpr std::int64_t kHour = 60 * kMinute;
inline constexpr std::int64_t kDay = 24 * kHour;
inline constexpr std::int64_t kKiB = 1024;
inline constexpr std::int64_t kMiB = 1024 * kKiB;
inline constexpr std::int64_t kGiB = 1024 * kMiB;
inline constexpr std::int64_t kTiB = 1024 * kGiB;

// The step of a duration setting in microseconds. REQUIRES: one of the four.
constexpr std::int64_t step_of(std::string_view unit) {
  return unit == "us" ? 1 : unit == "ms" ? kMillisecond : unit == "s" ? kSecond : kHour;
}

}  // namespace signet::config
