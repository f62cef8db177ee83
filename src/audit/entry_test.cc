#include "audit/entry.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace signet::audit {
namespace {

const std::string kSubject = "0123456789abcdef0123456789abcdef";
const std::string kHex = std::string(62, '0') + "ff";

Draft full() {
  Draft draft{Event::kPolicyChanged, {3}, kSubject, "applied", "operator", crypto::Digest32{}, 12};
  draft.hash->back() = 0xff;
  return draft;
}
// 2026-11-22T02:30:00.123Z
constexpr WallTime kAt{1'795'314'600'123};

TEST(EncodeEntry, WritesInOneOrderWithoutWhatIsEmpty) {
  EXPECT_EQ(
      encode({7, kAt, full()}),
      R"({"n":7,"at":"2026-11-22T02:30:00.123Z","event":"policy_changed","mesh":3,"subject":")" +
          kSubject + R"(","code":"applied","by":"operator","hash":")" + kHex + R"(","count":12})");
  EXPECT_EQ(encode({0, {0}, Draft{Event::kLogBegun, {}, {}, {}, {}, {}, 1}}),
            R"({"n":0,"at":"1970-01-01T00:00:00.000Z","event":"log_begun"})");
}

// What a peer chose may reach a word by a mistake of ours; it still forges no line.
TEST(EncodeEntry, WritesWhatIsNoWordAsInvalid) {
  const std::vector<std::pair<const char*, std::string>> payloads = {
      {"quote", "a\",\"by\":\"operator"},
      {"line break", "a\nb"},
      {"return", "a\rb"},
      {"escape", "\x1b[2J"},
      {"nul", std::string("a\0b", 3)},
      {"bidi", "\xe2\x80\xae"},
      {"c1", "\xc2\x9b"},
      {"capital", "Admitted"},
      {"space", "two words"},
      {"backslash", "a\\u000a"},
      {"delete", "\x7f"},
      {"broken UTF-8", "\xff"},
      {"markup", "<b>"},
      {"65 bytes", std::string(65, 'a')},
      {"a megabyte", std::string(1'000'000, 'a')},
  };
  for (const auto& [name, text] : payloads) {
    Draft draft{Event::kRefused, {}, text, text, text, {}, 1};
    const std::string line = encode({1, kAt, draft});
    EXPECT_EQ(line,
              R"({"n":1,"at":"2026-11-22T02:30:00.123Z","event":"refused","subject":"invalid",)"
              R"("code":"invalid","by":"invalid"})")
        << name;
    EXPECT_TRUE(parse_entry(line).ok()) << name;
  }
  EXPECT_NE(encode({1, kAt, Draft{Event::kRefused, {}, {}, std::string(64, 'a'), {}, {}, 1}})
                .find(std::string(64, 'a')),
            std::string::npos);
}

TEST(EncodeEntry, KeepsTimesAndCountsInWhatALineHolds) {
  const Draft draft{Event::kRefused, {-1}, {}, {}, {}, {}, -5};
  EXPECT_EQ(encode({1, {-1}, draft}),
            R"({"n":1,"at":"1970-01-01T00:00:00.000Z","event":"refused"})");
  EXPECT_EQ(encode({1, {std::numeric_limits<std::int64_t>::max()}, draft}),
            R"({"n":1,"at":"9999-12-31T23:59:59.999Z","event":"refused"})");
}

TEST(EncodeEntry, HasABound) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const std::string word(64, 'w');
  for (std::size_t event = 0; event < kEvents; ++event) {
    const Draft draft{static_cast<Event>(event), {kMost}, kSubject, word, word,
                      crypto::Digest32{},        kMost};
    const std::string line = encode({kLastEntry, {kMost}, draft});
    EXPECT_LE(line.size(), kMostEntryBytes);
    EXPECT_TRUE(parse_entry(line).ok()) << line;
  }
}

TEST(EncodeEntry, EndsWithANumberThatReadersRound) {
  EXPECT_DEATH(encode({kLastEntry + 1, kAt, full()}), "");
}

TEST(Event, NamesAreWordsThatReadBackAndDiffer) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kEvents; ++i) {
    const auto event = static_cast<Event>(i);
    names.insert(name_of(event));
    EXPECT_EQ(event_from(name_of(event)), event);
  }
  EXPECT_EQ(names.size(), kEvents);
  EXPECT_EQ(event_from(""), std::nullopt);
  EXPECT_EQ(event_from("invalid"), std::nullopt);
  EXPECT_EQ(name_of(static_cast<Event>(kEvents)), "invalid");
  EXPECT_EQ(name_of(Event::kSuppressed), "suppressed");
  EXPECT_FALSE(is_traffic(Event::kCertificateChanged));
  EXPECT_TRUE(is_traffic(Event::kAdmitted));
}

TEST(ParseEntry, ReadsWhatWasWritten) {
  for (std::size_t event = 0; event < kEvents; ++event) {
    for (unsigned parts = 0; parts < 64; ++parts) {
      Draft draft = full();
      draft.event = static_cast<Event>(event);
      if ((parts & 1U) != 0) draft.mesh = {};
      if ((parts & 2U) != 0) draft.subject.clear();
      if ((parts & 4U) != 0) draft.code.clear();
      if ((parts & 8U) != 0) draft.by.clear();
      if ((parts & 16U) != 0) draft.hash.reset();
      if ((parts & 32U) != 0) draft.count = 1;
      const std::string line = encode({parts, kAt, draft});
      const Result<Entry> read = parse_entry(line);
      ASSERT_TRUE(read.ok()) << line << ": " << read.error().detail;
      EXPECT_EQ(read->number, parts);
      EXPECT_EQ(read->at, kAt);
      EXPECT_EQ(read->what.event, draft.event);
      EXPECT_EQ(read->what.mesh, draft.mesh);
      EXPECT_EQ(read->what.subject, draft.subject);
      EXPECT_EQ(read->what.code, draft.code);
      EXPECT_EQ(read->what.by, draft.by);
      EXPECT_EQ(read->what.hash, draft.hash);
      EXPECT_EQ(read->what.count, draft.count);
      EXPECT_EQ(encode(*read), line);
    }
  }
}

TEST(ParseEntry, ReadsEveryDayOfFourYears) {
  constexpr std::int64_t kDay = 86'400'000;
  for (std::int64_t day = 0; day < 4 * 366; ++day) {
    const WallTime at{kAt.ms + day * kDay + day * 61'001};
    const Result<Entry> read = parse_entry(encode({1, at, full()}));
    ASSERT_TRUE(read.ok()) << day;
    EXPECT_EQ(read->at, at);
  }
}

struct Malformed {
  const char* name;
  std::string line;
};

TEST(ParseEntry, RefusesEveryOtherText) {
  const std::string at = R"("at":"2026-11-22T02:30:00.123Z")";
  const std::string good = R"({"n":7,)" + at + R"(,"event":"refused","mesh":1,"code":"stale"})";
  ASSERT_TRUE(parse_entry(good).ok());
  const auto with = [&at](const std::string& rest) {
    return R"({"n":7,)" + at + R"(,"event":"refused")" + rest + "}";
  };
  const auto when = [](const std::string& time) {
    return R"({"n":7,"at":")" + time + R"(","event":"refused"})";
  };
  const auto number = [&at](const std::string& n) {
    return R"({"n":)" + n + "," + at + R"(,"event":"refused"})";
  };
  const std::string hash(64, 'a');
  // clang-format off
  const std::vector<Malformed> rows = {
      {"empty", ""},
      {"no object", "7"},
      {"an array", "[" + good + "]"},
      {"no JSON", good.substr(0, good.size() - 1)},
      {"two", good + good},
      {"a space behind", good + " "},
      {"a space before", " " + good},
      {"a line break behind", good + "\n"},
      {"a space between", R"({"n":7, )" + at + R"(,"event":"refused"})"},
      {"a space after a colon", R"({"n": 7,)" + at + R"(,"event":"refused"})"},
      {"another order", R"({)" + at + R"(,"n":7,"event":"refused"})"},
      {"another order behind", with(R"(,"code":"stale","mesh":1)")},
      {"a key twice", with(R"(,"mesh":1,"mesh":1)")},
      {"another key", with(R"(,"more":1)")},
      {"a key in capitals", with(R"(,"Mesh":1)")},
      {"an escaped key", with(R"(,"\u006desh":1)")},
      {"an escaped word", with(R"(,"code":"st\u0061le")")},
      {"no number", R"({)" + at + R"(,"event":"refused"})"},
      {"no time", R"({"n":7,"event":"refused"})"},
      {"no event", R"({"n":7,)" + at + "}"},
      {"unknown event", R"({"n":7,)" + at + R"(,"event":"granted"})"},
      {"event in capitals", R"({"n":7,)" + at + R"(,"event":"Refused"})"},
      {"event as a number", R"({"n":7,)" + at + R"(,"event":19})"},
      {"number below zero", number("-1")},
      {"minus zero", number("-0")},
      {"number with a point", number("7.0")},
      {"number with an exponent", number("7e0")},
      {"number as text", number("\"7\"")},
      {"number past 2^53", number("9007199254740992")},
      {"number past 2^64", number("18446744073709551616")},
      {"leading zero", number("07")},
      {"time without milliseconds", when("2026-11-22T02:30:00Z")},
      {"time with an offset", when("2026-11-22T02:30:00.123+00:00")},
      {"time of another zone", when("2026-11-22T02:30:00.123z")},
      {"time with a space", when("2026-11-22 02:30:00.123Z")},
      {"thirteenth month", when("2026-13-22T02:30:00.123Z")},
      {"month zero", when("2026-00-22T02:30:00.123Z")},
      {"30 February", when("2026-02-30T02:30:00.123Z")},
      {"29 February of a short year", when("2026-02-29T02:30:00.123Z")},
      {"hour 24", when("2026-11-22T24:00:00.000Z")},
      {"minute 60", when("2026-11-22T02:60:00.000Z")},
      {"leap second", when("2026-12-31T23:59:60.000Z")},
      {"before 1970", when("1969-12-31T23:59:59.999Z")},
      {"a minus in the year", when("-026-11-22T02:30:00.123Z")},
      {"a minus in the day", when("2026-11--2T02:30:00.123Z")},
      {"a plus in the hour", when("2026-11-22T+2:30:00.123Z")},
      {"a space in the hour", when("2026-11-22T 2:30:00.123Z")},
      {"mesh 0", with(R"(,"mesh":0)")},
      {"mesh below 0", with(R"(,"mesh":-1)")},
      {"mesh as text", with(R"(,"mesh":"1")")},
      {"mesh null", with(R"(,"mesh":null)")},
      {"count 0", with(R"(,"count":0)")},
      {"count 1", with(R"(,"count":1)")},
      {"count below 0", with(R"(,"count":-3)")},
      {"count past 2^63", with(R"(,"count":9223372036854775808)")},
      {"empty code", with(R"(,"code":"")")},
      {"code with a line break", with(R"(,"code":"a\nb")")},
      {"code with a raw line break", with(",\"code\":\"a\nb\"")},
      {"code with a quote", with(R"(,"code":"a\"b")")},
      {"code with an escape", with(R"(,"code":"\u001b[2J")")},
      {"code with a raw escape", with(",\"code\":\"\x1b[2J\"")},
      {"code with bidi", with(",\"code\":\"\xe2\x80\xae\"")},
      {"code in capitals", with(R"(,"code":"Stale")")},
      {"code of 65 bytes", with(R"(,"code":")" + std::string(65, 'a') + "\"")},
      {"by with a space", with(R"(,"by":"the operator")")},
      {"subject with a name", with(R"(,"subject":"alice")")},
      {"subject in capitals", with(R"(,"subject":")" + std::string(32, 'A') + "\"")},
      {"subject of 31 digits", with(R"(,"subject":")" + std::string(31, 'a') + "\"")},
      {"hash in capitals", with(R"(,"hash":")" + std::string(64, 'A') + "\"")},
      {"short hash", with(R"(,"hash":")" + hash.substr(1) + "\"")},
      {"long hash", with(R"(,"hash":")" + hash + "aa\"")},
      {"hash of other letters", with(R"(,"hash":")" + std::string(64, 'g') + "\"")},
      {"longer than any", with(R"(,"code":")" + std::string(600, 'a') + "\"")},
      {"a byte order mark", "\xef\xbb\xbf" + good},
      {"a nul behind", good + std::string(1, '\0')},
  };
  // clang-format on
  for (const Malformed& row : rows) {
    const Result<Entry> read = parse_entry(row.line);
    EXPECT_FALSE(read.ok()) << row.name;
    if (read.ok()) continue;
    EXPECT_EQ(read.error().code, ErrorCode::kMalformed) << row.name;
  }
  EXPECT_TRUE(parse_entry(with(R"(,"hash":")" + hash + "\"")).ok());
}

// No two lines say the same, so a line that is another one is another leaf.
TEST(ParseEntry, EveryChangedByteIsRefusedOrSaysSomethingElse) {
  const std::string line = encode({7, kAt, full()});
  for (std::size_t at = 0; at < line.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string changed = line;
      changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ (1U << bit));
      const Result<Entry> read = parse_entry(changed);
      if (read.ok()) {
        EXPECT_EQ(encode(*read), changed);
      }
    }
  }
}

}  // namespace
}  // namespace signet::audit
