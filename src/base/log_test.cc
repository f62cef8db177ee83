#include "base/log.h"

#include <gtest/gtest.h>

#include <limits>
#include <optional>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "base/captured_log_for_test.h"

namespace signet {
namespace {

using namespace std::string_literals;

std::string utf8(char32_t c) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((c >> shift) & 0x3F)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0 | (c >> 6)), tail(0)};
  if (c < 0x10000) return {static_cast<char>(0xE0 | (c >> 12)), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | (c >> 18)), tail(12), tail(6), tail(0)};
}

// A slow, strict reader of the one shape a log line may have: an object of strings, whole numbers
// and `true`. It answers the members in order, or nothing at the first fault.
class LineReader {
 public:
  using Members = std::vector<std::pair<std::string, std::string>>;

  explicit LineReader(std::string_view text) : rest_(text) {}

  std::optional<Members> object() {
    Members members;
    if (!take("{")) return std::nullopt;
    do {
      const auto name = string();
      if (!name || !take(":")) return std::nullopt;
      const auto value = rest_.starts_with('"') ? string() : bare();
      if (!value) return std::nullopt;
      members.emplace_back(*name, *value);
    } while (take(","));
    if (!take("}\n") || !rest_.empty()) return std::nullopt;
    return members;
  }

 private:
  bool take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  std::optional<std::string> bare() {
    const std::size_t size = rest_.find_first_not_of("-0123456789true");
    const std::string value(rest_.substr(0, size));
    rest_.remove_prefix(value.size());
    if (value.empty()) return std::nullopt;
    return value;
  }

  std::optional<std::string> string() {
    std::string value;
    if (!take("\"")) return std::nullopt;
    while (!take("\"")) {
      if (rest_.empty() || static_cast<unsigned char>(rest_[0]) < 0x20) return std::nullopt;
      if (take("\\u")) {
        const auto unit = unit16();
        if (!unit) return std::nullopt;
        char32_t c = *unit;
        if (c >= 0xD800 && c <= 0xDBFF) {
          const auto low = take("\\u") ? unit16() : std::nullopt;
          if (!low || *low < 0xDC00 || *low > 0xDFFF) return std::nullopt;
          c = 0x10000 + ((c - 0xD800) << 10) + (*low - 0xDC00);
        } else if (c >= 0xDC00 && c <= 0xDFFF) {
          return std::nullopt;
        }
        value += utf8(c);
        continue;
      }
      if (take("\\") && !rest_.starts_with('"') && !rest_.starts_with('\\')) return std::nullopt;
      value += rest_[0];
      rest_.remove_prefix(1);
    }
    return value;
  }

  std::optional<char32_t> unit16() {
    char32_t unit = 0;
    if (rest_.size() < 4) return std::nullopt;
    for (const char c : rest_.substr(0, 4)) {
      const std::size_t digit = "0123456789abcdef"s.find(c);
      if (digit == std::string::npos) return std::nullopt;
      unit = unit * 16 + static_cast<char32_t>(digit);
    }
    rest_.remove_prefix(4);
    return unit;
  }

  std::string_view rest_;
};

struct Payload {
  std::string text;
  std::string shown;  // what a reader of the line gets back
};

void add_as_is(std::vector<Payload>& corpus, std::string text) { corpus.push_back({text, text}); }

std::vector<Payload> broken_utf8() {
  const std::string bad = utf8(0xFFFD);
  const std::pair<std::string, std::size_t> broken[] = {
      {"\x80", 1},
      {"\xbf", 1},
      {"\xc0\xaf", 2},
      {"\xc1\xbf", 2},
      {"\xc2", 1},
      {"\xe0\x80\xaf", 3},
      {"\xe0\x9f\xbf", 3},
      {"\xe2\x80", 2},
      {"\xe2", 1},
      {"\xed\xa0\x80", 3},
      {"\xed\xbf\xbf", 3},
      {"\xed\xae\x80\xed\xb0\x80", 6},
      {"\xf0\x80\x80\x8a", 4},
      {"\xf0\x8f\xbf\xbf", 4},
      {"\xf0\x9f\x98", 3},
      {"\xf4\x90\x80\x80", 4},
      {"\xf5\x80\x80\x80", 4},
      {"\xf8\x88\x80\x80\x80", 5},
      {"\xfe", 1},
      {"\xff\xfe", 2},
      {"\xc0\x8a", 2},
      {"\xe0\x80\x8a", 3},
      {"\x9b", 1},
      {"\xf0\x80\x80\x80\x9b", 5},
  };
  std::vector<Payload> corpus;
  for (const auto& [bytes, count] : broken) {
    std::string shown = "a";
    for (std::size_t i = 0; i < count; ++i) shown += bad;
    corpus.push_back({"a" + bytes + "z", shown + "z"});
    corpus.push_back({"a" + bytes, shown});                // at the end of the text
    corpus.push_back({"a" + bytes + "\"", shown + "\""});  // must not swallow the quote
  }
  return corpus;
}

std::vector<Payload> corpus() {
  std::vector<Payload> all = broken_utf8();
  for (char32_t c = 0; c <= 0xA0; ++c) add_as_is(all, "a" + utf8(c) + "z");
  const char32_t hidden[] = {0x061C, 0x180E, 0x200B, 0x200C, 0x200D,  0x200E,  0x200F, 0x2028,
                             0x2029, 0x202A, 0x202B, 0x202C, 0x202D,  0x202E,  0x2060, 0x2064,
                             0x2066, 0x2067, 0x2068, 0x2069, 0x206F,  0xFEFF,  0xFFF9, 0xFFFB,
                             0xFFFE, 0xFFFF, 0x00AD, 0xFFFD, 0xE0001, 0xE0041, 0xE01EF};
  for (const char32_t c : hidden) {
    add_as_is(all, utf8(c));
    add_as_is(all, "user" + utf8(c) + "nimda" + utf8(0x202C));
  }
  const std::string attacks[] = {
      "\x1b[31mred\x1b[0m",
      "\x1b]0;title\x07",
      "\x1b]8;;http://x\x1b\\link",
      "\x1b[2J\x1b[H",
      "\x1b[1A\x1b[2K",
      "\x1b(0lqk",
      "\x1b"
      "c",
      "\x1b[6n",
      "\x1bP1$r0m\x1b\\",
      utf8(0x9B) + "31m",
      utf8(0x9D) + "0;t" + utf8(0x9C),
      utf8(0x85),
      "a\r\nb",
      "a\nb",
      "a\rb",
      "\n",
      "ok\n{\"ts\":\"x\",\"level\":\"error\",\"event\":\"forged\"}",
      "\r\n\r\n",
      "\v\f\b\t",
      "\",\"admin\":true,\"x\":\"",
      "\"}",
      "\"}\n{\"event\":\"x",
      "\\",
      "\\\"",
      "\\\\\"",
      "\\u000a",
      "\\n",
      "\\ud800",
      "</script>",
      "%n%s%x",
      "${jndi:ldap://x}",
      "'; DROP TABLE--",
      "\0"s,
      "a\0b"s,
      "",
      " ",
      "é",
      "日本語",
      "😀",
      "👩‍💻",
      "ß\xcc\x88",
      "\xf4\x8f\xbf\xbd",
      "a\xcc\x80\xcc\x80\xcc\x80",
  };
  for (const std::string& attack : attacks) add_as_is(all, attack);
  return all;
}

bool has_raw_control(std::string_view line) {
  for (const char c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) return true;
  }
  for (char32_t c = 0x80; c < 0xA0; ++c) {
    if (line.find(utf8(c)) != line.npos) return true;
  }
  constexpr char32_t kObeyed[] = {0x061C, 0x200E, 0x200F, 0x2028, 0x2029, 0x202A, 0x202B,
                                  0x202C, 0x202D, 0x202E, 0x2066, 0x2067, 0x2068, 0x2069};
  for (const char32_t c : kObeyed) {
    if (line.find(utf8(c)) != line.npos) return true;
  }
  return false;
}

TEST(LogLine, NoPayloadEscapesItsField) {
  const std::vector<Payload> payloads = corpus();
  ASSERT_GE(payloads.size(), 200U);
  for (const Payload& payload : payloads) {
    const std::string line =
        log_line("T", LogLevel::kWarn, "hello.rejected", {{"peer", payload.text}, {"count", 3}});
    SCOPED_TRACE(line);
    ASSERT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_FALSE(has_raw_control(std::string_view(line).substr(0, line.size() - 1)));
    const auto members = LineReader(line).object();
    ASSERT_TRUE(members.has_value());
    const LineReader::Members expected = {{"ts", "T"},
                                          {"level", "warn"},
                                          {"event", "hello.rejected"},
                                          {"peer", payload.shown},
                                          {"count", "3"}};
    EXPECT_EQ(*members, expected);
  }
}

TEST(LogLine, NamesAndEventsAreEscapedToo) {
  for (const Payload& payload : corpus()) {
    const std::string line = log_line("T", LogLevel::kInfo, payload.text, {{payload.text, "v"}});
    SCOPED_TRACE(line);
    ASSERT_EQ(line.find('\n'), line.size() - 1);
    const auto members = LineReader(line).object();
    ASSERT_TRUE(members.has_value());
    ASSERT_EQ(members->size(), 4U);
    EXPECT_EQ((*members)[2].second, payload.shown);
    EXPECT_EQ((*members)[3].first, payload.shown);
  }
}

TEST(LogLine, AnyBytesMakeOneGoodLine) {
  std::mt19937 random(3);
  for (int i = 0; i < 20'000; ++i) {
    std::string bytes(random() % 40, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    const std::string line = log_line("T", LogLevel::kInfo, "e", {{"f", bytes}});
    ASSERT_EQ(line.find('\n'), line.size() - 1);
    ASSERT_TRUE(LineReader(line).object().has_value()) << line;
    ASSERT_FALSE(has_raw_control(std::string_view(line).substr(0, line.size() - 1)));
  }
}

TEST(LogLine, CutsAtACharacter) {
  struct Case {
    const char* name;
    std::string text;
    std::string shown;
  };
  const Case cases[] = {
      {"just fits", std::string(256, 'x'), std::string(256, 'x')},
      {"one over", std::string(257, 'x'), std::string(256, 'x') + "…"},
      {"a character across the edge", std::string(255, 'x') + "éé", std::string(255, 'x') + "…"},
      {"a character up to the edge", std::string(254, 'x') + "éé", std::string(254, 'x') + "é…"},
      {"a megabyte", std::string(1 << 20, 'x'), std::string(256, 'x') + "…"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const auto members = LineReader(log_line("T", LogLevel::kInfo, "e", {{"f", c.text}})).object();
    ASSERT_TRUE(members.has_value());
    EXPECT_EQ(members->back().second, c.shown);
  }
}

TEST(LogLine, FitsWhatAPipeTakesInOnePiece) {
  const std::string worst(256, '\x01');
  const std::string line = log_line("T", LogLevel::kInfo, worst,
                                    {{"a", worst}, {worst, worst}, {"b", "small"}, {"c", worst}});
  EXPECT_LE(line.size(), 4096U);
  const auto members = LineReader(line).object();
  ASSERT_TRUE(members.has_value());
  EXPECT_EQ(members->back(), (std::pair<std::string, std::string>{"cut", "true"}));
}

TEST(LogLine, WritesEveryKindOfNumber) {
  EXPECT_EQ(log_line("T", LogLevel::kDebug, "e",
                     {{"int", -1},
                      {"size", std::size_t{7}},
                      {"least", std::numeric_limits<std::int64_t>::min()},
                      {"small", std::uint16_t{9}},
                      {"wide", std::uint32_t{4'000'000'000}}}),
            "{\"ts\":\"T\",\"level\":\"debug\",\"event\":\"e\",\"int\":-1,\"size\":7,"
            "\"least\":-9223372036854775808,\"small\":9,\"wide\":4000000000}\n");
}

TEST(Log, WritesNothingBelowTheLevel) {
  CapturedLog captured;
  constexpr LogLevel kLevels[] = {LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn,
                                  LogLevel::kError};
  for (const LogLevel least : kLevels) {
    set_log_level(least);
    for (const LogLevel level : kLevels) {
      EXPECT_EQ(log_enabled(level), level >= least);
      log(level, "event");
      EXPECT_EQ(captured.take().empty(), level < least);
    }
  }
}

TEST(Log, WritesATimeAndOneLine) {
  CapturedLog captured;
  log(LogLevel::kError, "store.failed", {{"why", "disk\nfull"}});
  const auto members = LineReader(captured.take()).object();
  ASSERT_TRUE(members.has_value());
  ASSERT_EQ(members->size(), 4U);
  EXPECT_EQ((*members)[0].second.size(), std::string_view("2026-01-05T12:34:50.123Z").size());
  EXPECT_EQ((*members)[1].second, "error");
  EXPECT_EQ((*members)[3].second, "disk\nfull");
}

TEST(Log, SurvivesAFullPipeAndAClosedOne) {
  CapturedLog captured;
  const std::string text(200, 'x');
  for (int i = 0; i < 1'000; ++i) log(LogLevel::kInfo, "flood", {{"text", text}});
  const std::string kept = captured.take();
  EXPECT_FALSE(kept.empty());
  EXPECT_TRUE(kept.ends_with('\n'));
  set_log_descriptor(-1);
  log(LogLevel::kInfo, "nowhere");
}

TEST(Log, LinesOfManyThreadsDoNotMix) {
  CapturedLog captured;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 50; ++i) log(LogLevel::kInfo, "work", {{"thread", t}, {"turn", i}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string all = captured.take();
  int lines = 0;
  for (std::size_t at = 0; at < all.size(); ++lines) {
    const std::size_t end = all.find('\n', at) + 1;
    ASSERT_TRUE(LineReader(std::string_view(all).substr(at, end - at)).object().has_value());
    at = end;
  }
  EXPECT_EQ(lines, 200);
}

}  // namespace
}  // namespace signet
