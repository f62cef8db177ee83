#include "signet/terminal/pulse_view.h"

#include <gtest/gtest.h>

namespace signet::cli {
namespace {

Pulse pulse(const std::string& json) {
  Pulse out;
  out.topic = "a.b";
  out.from = std::string(64, 'e');
  out.at = "2023-11-14T22:13:20.123Z";
  out.number = 12;
  out.topic_number = 3;
  out.json = json;
  return out;
}

TEST(PulseView, PutsJsonOnOneLine) {
  // clang-format off
  const struct { const char* name; const char* json; const char* line; } rows[] = {
      {"as it is", R"({"a":1})", R"({"a":1})"},
      {"with lines", "{\n\t\"a\" : [1,\r\n 2] }", R"({"a":[1,2]})"},
      {"blanks in a text stay", R"({ "a b" : " c " })", R"({"a b":" c "})"},
      {"a quote in a text", R"({ "a" : " \" b " })", R"({"a":" \" b "})"},
      {"a backslash at the end of a text", R"({ "a" : "\\" , "b" : 1 })", R"({"a":"\\","b":1})"},
      {"a quote behind two backslashes", R"({ "a" : "\\\" x" })", R"({"a":"\\\" x"})"},
  };
  // clang-format on
  for (const auto& row : rows) {
    EXPECT_EQ(one_line_json(row.json), row.line) << row.name;
  }
}

TEST(PulseView, ShowsOneLineOnWhichNothingActs) {
  EXPECT_EQ(pulse_line(pulse("{\"a\":\n1}"), Output()),
            "2023-11-14T22:13:20.123Z  a.b  eeeeeeeeeeeeeeee  {\"a\":1}");
  Pulse hostile = pulse("{\"a\":\"\xe2\x80\xae\x7f\"}");
  hostile.from = "x\033[2J\n";
  hostile.at = "\r";
  const std::string line = pulse_line(hostile, Output());
  for (const char* forbidden : {"\033", "\n", "\r", "\xe2\x80\xae", "\x7f"}) {
    EXPECT_EQ(line.find(forbidden), std::string::npos) << line;
  }
}

TEST(PulseView, IsLoudAboutWhatDidNotCome) {
  EXPECT_EQ(loss_before(pulse("{}")), "");
  Pulse missed = pulse("{}");
  missed.missed = 2;
  EXPECT_EQ(loss_before(missed), "WARNING: 2 pulse(s) of a.b before number 12 did not come");
  missed.gap = true;
  EXPECT_EQ(loss_before(missed),
            "WARNING: a gap: pulses before number 12 are gone, and nobody knows how many");
}

}  // namespace
}  // namespace signet::cli
