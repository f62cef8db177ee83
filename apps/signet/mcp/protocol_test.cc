#include "signet/mcp/protocol.h"

#include <gtest/gtest.h>

#include "wire/json.h"

namespace signet::mcp {
namespace {

using wire::JsonDocument;

const std::string kMeta = R"("_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",)"
                          R"("io.modelcontextprotocol/clientCapabilities":{}})";

Protocol fresh() {
  return Protocol({.server_version = "1.2.3",
                   .instructions = "how to",
                   .tools = R"([{"name":"look"}])",
                   .tool_names = {"look"},
                   .max_calls = 2});
}

std::string request(const std::string& id, const std::string& method, const std::string& params) {
  return R"({"jsonrpc":"2.0","id":)" + id + R"(,"method":")" + method + R"(","params":{)" + params +
         "}}";
}

Protocol initialized() {
  Protocol protocol = fresh();
  protocol.take(request("0", "initialize", R"("protocolVersion":"2025-11-25")"));
  return protocol;
}

// `code` of an answer that is an error, 0 of one that is a result, 1 where there is no answer.
std::int64_t code_in(const std::string& answer) {
  if (answer.empty()) return 1;
  JsonDocument document;
  EXPECT_TRUE(document.parse(answer).ok()) << answer;
  EXPECT_EQ(document.root()["jsonrpc"].string(), "2.0") << answer;
  return document.root()["error"]["code"].integer().value_or(0);
}

std::string id_in(const std::string& answer) {
  JsonDocument document;
  EXPECT_TRUE(document.parse(answer).ok()) << answer;
  return std::string(document.root()["id"].raw());
}

struct LineRow {
  const char* name;
  std::string line;
  std::int64_t code;
  const char* id;  // of the answer; empty: none
};

TEST(Protocol, AnswersEveryBrokenLineByItsRule) {
  // clang-format off
  const LineRow rows[] = {
    {"no JSON",               "hello",                                                kParseError,     ""},
    {"half a line",           R"({"jsonrpc":"2.0","id":1,"meth)",                     kParseError,     ""},
    {"two documents",         R"({"jsonrpc":"2.0","id":1,"method":"ping"}{})",        kParseError,     ""},
    {"a key twice",           R"({"jsonrpc":"2.0","id":1,"id":2,"method":"ping"})",   kParseError,     ""},
    {"invalid UTF-8",         "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}",   kParseError,     ""},
    {"too deep",              std::string(100, '['),                                  kParseError,     ""},
    {"a batch",               R"([{"jsonrpc":"2.0","id":1,"method":"ping"}])",        kInvalidRequest, ""},
    {"an empty batch",        "[]",                                                   kInvalidRequest, ""},
    {"a number",              "7",                                                    kInvalidRequest, ""},
    {"an empty object",       "{}",                                                   kInvalidRequest, ""},
    {"no version",            R"({"id":1,"method":"ping"})",                          kInvalidRequest, "1"},
    {"another version",       R"({"jsonrpc":"1.0","id":"a","method":"ping"})",        kInvalidRequest, "\"a\""},
    {"no method",             R"({"jsonrpc":"2.0","id":7})",                          kInvalidRequest, "7"},
    {"method is no text",     R"({"jsonrpc":"2.0","id":7,"method":7})",               kInvalidRequest, "7"},
    {"id null",               R"({"jsonrpc":"2.0","id":null,"method":"ping"})",       kInvalidRequest, ""},
    {"id a fraction",         R"({"jsonrpc":"2.0","id":1.5,"method":"ping"})",        kInvalidRequest, ""},
    {"id an object",          R"({"jsonrpc":"2.0","id":{},"method":"ping"})",         kInvalidRequest, ""},
    {"id too long",           R"({"jsonrpc":"2.0","id":")" + std::string(300, 'x') + R"(","method":"ping"})",
                                                                                      kInvalidRequest, ""},
    {"params an array",       R"({"jsonrpc":"2.0","id":1,"method":"ping","params":[]})",  kInvalidParams, "1"},
    {"unknown method",        request("1", "no/such", ""),                            kMethodNotFound, "1"},
    {"a method of the other revision", request("1", "server/discover", ""),           kMethodNotFound, "1"},
    {"resources",             request("1", "resources/list", ""),                     kMethodNotFound, "1"},
    {"a cursor",              request("1", "tools/list", R"("cursor":"x")"),          kInvalidParams,  "1"},
    {"no tool",               request("1", "tools/call", ""),                         kInvalidParams,  "1"},
    {"tool no text",          request("1", "tools/call", R"("name":1)"),              kInvalidParams,  "1"},
    {"unknown tool",          request("1", "tools/call", R"("name":"rm")"),           kInvalidParams,  "1"},
    {"arguments an array",    request("1", "tools/call", R"("name":"look","arguments":[])"), kInvalidParams, "1"},
    {"initialize, no version", request("1", "initialize", ""),                        kInvalidParams,  "1"},
    {"an empty line",         "",                                                     1,               ""},
    {"white space",           " \t\r",                                                1,               ""},
    {"a notification",        R"({"jsonrpc":"2.0","method":"notifications/initialized"})", 1,          ""},
    {"unknown notification",  R"({"jsonrpc":"2.0","method":"no/such"})",              1,               ""},
    {"somebody's answer",     R"({"jsonrpc":"2.0","id":1,"result":{}})",              1,               ""},
    {"somebody's error",      R"({"jsonrpc":"2.0","id":1,"error":{"code":1}})",       1,               ""},
    {"cancelled, no id",      R"({"jsonrpc":"2.0","method":"notifications/cancelled"})", 1,            ""},
    {"CR before the newline", request("1", "ping", "") + "\r",                        0,               "1"},
  };
  // clang-format on
  for (const LineRow& row : rows) {
    SCOPED_TRACE(row.name);
    Protocol protocol = initialized();
    const Step step = protocol.take(row.line);
    EXPECT_EQ(code_in(step.answer), row.code) << step.answer;
    EXPECT_FALSE(step.call.has_value());
    if (!step.answer.empty()) {
      EXPECT_EQ(id_in(step.answer), row.id);
    }
    EXPECT_EQ(step.answer.find('\n'), std::string::npos);
  }
}

TEST(Protocol, EchoesIdsExactly) {
  for (const char* id : {"0", "-7", "12345678901234567890123", "\"a\"", "\"\"", R"("\u0041\n\"")",
                         "\"caf\u00e9\""}) {
    Protocol protocol = fresh();
    EXPECT_EQ(id_in(protocol.take(request(id, "ping", "")).answer), id);
  }
}

struct EraRow {
  const char* name;
  const char* method;
  std::string params;
  std::int64_t before;  // initialize
  std::int64_t after;
};

TEST(Protocol, ChoosesTheRevisionByWhatTheRequestCarries) {
  const auto meta = [](const std::string& version, const std::string& rest) {
    return R"("_meta":{"io.modelcontextprotocol/protocolVersion":)" + version + rest + "}";
  };
  const std::string capable = R"(,"io.modelcontextprotocol/clientCapabilities":{})";
  // clang-format off
  const EraRow rows[] = {
    {"ping is the handshake's",      "ping",            "",                            0,                   0},
    {"bare list",                    "tools/list",      "",                            kInvalidParams,      0},
    {"bare discover",                "server/discover", "",                            kInvalidParams,      kMethodNotFound},
    {"stateless list",               "tools/list",      kMeta,                         0,                   0},
    {"stateless discover",           "server/discover", kMeta,                         0,                   0},
    {"stateless ping is gone",       "ping",            kMeta,                         kMethodNotFound,     kMethodNotFound},
    {"stateless logging is gone",    "logging/setLevel", kMeta,                        kMethodNotFound,     kMethodNotFound},
    {"version of the past",          "tools/list",      meta("\"2025-11-25\"", capable), kUnsupportedVersion, kUnsupportedVersion},
    {"version of the future",        "tools/list",      meta("\"2199-01-01\"", capable), kUnsupportedVersion, kUnsupportedVersion},
    {"unknown version, no capabilities", "server/discover", meta("\"1900-01-01\"", ""), kUnsupportedVersion, kUnsupportedVersion},
    {"version no text",              "tools/list",      meta("7", capable),            kInvalidParams,      kInvalidParams},
    {"no capabilities",              "tools/list",      meta("\"2026-07-28\"", ""),    kInvalidParams,      kInvalidParams},
    {"capabilities no object",       "tools/list",
     meta("\"2026-07-28\"", R"(,"io.modelcontextprotocol/clientCapabilities":1)"),     kInvalidParams,      kInvalidParams},
    {"only a progress token",        "tools/list",      R"("_meta":{"progressToken":1})", kInvalidParams,   0},
  };
  // clang-format on
  for (const EraRow& row : rows) {
    SCOPED_TRACE(row.name);
    Protocol before = fresh();
    EXPECT_EQ(code_in(before.take(request("1", row.method, row.params)).answer), row.before);
    Protocol after = initialized();
    EXPECT_EQ(code_in(after.take(request("1", row.method, row.params)).answer), row.after);
  }
}

TEST(Protocol, AgreesOnARevisionThatBothSpeak) {
  struct Row {
    const char *wanted, *agreed;
  };
  const Row rows[] = {{"2025-11-25", "2025-11-25"},
                      {"2025-06-18", "2025-06-18"},
                      {"2024-11-05", "2025-11-25"},
                      {"2026-07-28", "2025-11-25"},  // that one has no handshake
                      {"nonsense", "2025-11-25"}};
  for (const Row& row : rows) {
    Protocol protocol = fresh();
    const std::string params = R"("protocolVersion":")" + std::string(row.wanted) + "\"";
    JsonDocument answer;
    ASSERT_TRUE(answer.parse(protocol.take(request("1", "initialize", params)).answer).ok());
    const auto result = answer.root()["result"];
    EXPECT_EQ(result["protocolVersion"].string(), row.agreed) << row.wanted;
    EXPECT_TRUE(result["capabilities"]["tools"]);
    EXPECT_EQ(result["serverInfo"]["name"].string(), "signet");
    EXPECT_EQ(result["serverInfo"]["version"].string(), "1.2.3");
    EXPECT_EQ(result["instructions"].string(), "how to");
    EXPECT_FALSE(result["resultType"]);
  }
}

TEST(Protocol, NamesTheVersionsItHasWhereAnotherIsWanted) {
  Protocol protocol = fresh();
  const std::string params = R"("_meta":{"io.modelcontextprotocol/protocolVersion":"1900-01-01"})";
  JsonDocument answer;
  ASSERT_TRUE(answer.parse(protocol.take(request("1", "server/discover", params)).answer).ok());
  const auto data = answer.root()["error"]["data"];
  EXPECT_EQ(data["requested"].string(), "1900-01-01");
  EXPECT_EQ(data["supported"].raw(), R"(["2026-07-28"])");
}

TEST(Protocol, DiscoversWithoutAHandshake) {
  Protocol protocol = fresh();
  JsonDocument answer;
  ASSERT_TRUE(answer.parse(protocol.take(request("1", "server/discover", kMeta)).answer).ok());
  const auto result = answer.root()["result"];
  EXPECT_EQ(result["resultType"].string(), "complete");
  EXPECT_EQ(result["supportedVersions"].raw(), R"(["2026-07-28"])");
  EXPECT_TRUE(result["capabilities"]["tools"]);
  EXPECT_EQ(result["instructions"].string(), "how to");
  EXPECT_GE(result["ttlMs"].integer().value_or(-1), 0);
  EXPECT_EQ(result["cacheScope"].string(), "public");
  EXPECT_EQ(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"].string(), "signet");
}

TEST(Protocol, ListsToolsAsTheRevisionWantsIt) {
  Protocol protocol = initialized();
  JsonDocument handshake, stateless;
  ASSERT_TRUE(handshake.parse(protocol.take(request("1", "tools/list", "")).answer).ok());
  ASSERT_TRUE(stateless.parse(protocol.take(request("2", "tools/list", kMeta)).answer).ok());
  EXPECT_EQ(handshake.root()["result"]["tools"].raw(), R"([{"name":"look"}])");
  EXPECT_FALSE(handshake.root()["result"]["resultType"]);
  EXPECT_FALSE(handshake.root()["result"]["ttlMs"]);
  EXPECT_EQ(stateless.root()["result"]["tools"].raw(), R"([{"name":"look"}])");
  EXPECT_EQ(stateless.root()["result"]["resultType"].string(), "complete");
  EXPECT_TRUE(stateless.root()["result"]["ttlMs"]);
}

const std::string kCall = R"("name":"look","arguments":{"a": 1})";

TEST(Protocol, AnswersACallInTheRevisionOfItsRequest) {
  Protocol protocol = initialized();
  const Step old_call = protocol.take(request("1", "tools/call", kCall));
  const Step new_call = protocol.take(request("\"x\"", "tools/call", kCall + "," + kMeta));
  ASSERT_TRUE(old_call.call && new_call.call);
  EXPECT_EQ(old_call.call->tool, "look");
  EXPECT_EQ(old_call.call->arguments, R"({"a": 1})");
  EXPECT_EQ(protocol.calls(), 2U);

  JsonDocument newer, older;
  ASSERT_TRUE(
      newer.parse(*protocol.answer("\"x\"", {.is_error = false, .text = R"({"n":1})"})).ok());
  ASSERT_TRUE(older.parse(*protocol.answer("1", {.is_error = false, .text = R"({"n":1})"})).ok());
  EXPECT_EQ(protocol.calls(), 0U);
  for (const auto& answer : {older.root()["result"], newer.root()["result"]}) {
    EXPECT_EQ(answer["content"][0]["type"].string(), "text");
    EXPECT_EQ(answer["content"][0]["text"].string(), R"({"n":1})");
    EXPECT_EQ(answer["structuredContent"].raw(), R"({"n":1})");
    EXPECT_EQ(answer["isError"].boolean(), false);
  }
  EXPECT_EQ(newer.root()["result"]["resultType"].string(), "complete");
  EXPECT_FALSE(older.root()["result"]["resultType"]);
  EXPECT_EQ(newer.root()["id"].raw(), "\"x\"");
}

TEST(Protocol, ShowsAnErrorOfAToolAsTextAlone) {
  Protocol protocol = initialized();
  protocol.take(request("1", "tools/call", kCall));
  JsonDocument answer;
  ASSERT_TRUE(answer.parse(*protocol.answer("1", {.is_error = true, .text = "no \"luck\""})).ok());
  EXPECT_EQ(answer.root()["result"]["isError"].boolean(), true);
  EXPECT_EQ(answer.root()["result"]["content"][0]["text"].string(), "no \"luck\"");
  EXPECT_FALSE(answer.root()["result"]["structuredContent"]);
}

TEST(Protocol, TakesACallWithoutArguments) {
  Protocol protocol = initialized();
  const Step step = protocol.take(request("1", "tools/call", R"("name":"look")"));
  ASSERT_TRUE(step.call);
  EXPECT_EQ(step.call->arguments, "{}");
}

TEST(Protocol, AnswersNoCallTwiceAndNoneThatWasCancelled) {
  Protocol protocol = initialized();
  protocol.take(request("1", "tools/call", kCall));
  const Step cancelled = protocol.take(
      R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}})");
  EXPECT_EQ(cancelled.answer, "");
  EXPECT_EQ(cancelled.cancelled, "1");
  EXPECT_EQ(protocol.answer("1", {}), std::nullopt);
  EXPECT_EQ(protocol.answer("1", {}), std::nullopt);
  EXPECT_EQ(protocol.answer("2", {}), std::nullopt);
  EXPECT_EQ(protocol.calls(), 0U);
}

TEST(Protocol, RefusesAnIdThatWaitsAndMoreCallsThanItRuns) {
  Protocol protocol = initialized();
  protocol.take(request("1", "tools/call", kCall));
  EXPECT_EQ(code_in(protocol.take(request("1", "tools/call", kCall)).answer), kInvalidRequest);
  EXPECT_EQ(code_in(protocol.take(request("1", "ping", "")).answer), kInvalidRequest);
  protocol.take(request("2", "tools/call", kCall));
  const Step third = protocol.take(request("3", "tools/call", kCall));
  EXPECT_FALSE(third.call);
  EXPECT_NE(third.answer.find("too_many_calls"), std::string::npos);
  EXPECT_NE(third.answer.find(R"("isError":true)"), std::string::npos);
  EXPECT_EQ(code_in(protocol.take(request("4", "ping", "")).answer), 0);
  protocol.answer("1", {.is_error = true, .text = "x"});
  EXPECT_TRUE(protocol.take(request("1", "tools/call", kCall)).call);
}

TEST(Protocol, KeepsASubscriptionSilentUntilItEnds) {
  Protocol protocol = fresh();
  const std::string params = R"("notifications":{"toolsListChanged":true},)" + kMeta;
  const Step opened = protocol.take(request("5", "subscriptions/listen", params));
  JsonDocument ack;
  ASSERT_TRUE(ack.parse(opened.answer).ok());
  EXPECT_EQ(ack.root()["method"].string(), "notifications/subscriptions/acknowledged");
  EXPECT_EQ(ack.root()["params"]["notifications"].raw(), "{}");
  EXPECT_EQ(ack.root()["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"].raw(), "5");
  EXPECT_FALSE(ack.root()["id"]);

  protocol.take(request("6", "subscriptions/listen", params));
  protocol.take(R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":6}})");
  const auto last = protocol.finish();
  ASSERT_EQ(last.size(), 1U);
  EXPECT_EQ(id_in(last[0]), "5");
  EXPECT_TRUE(protocol.finish().empty());

  const Step bad = protocol.take(request("7", "subscriptions/listen", kMeta));
  EXPECT_EQ(code_in(bad.answer), kInvalidParams);
}

TEST(Protocol, BoundsSubscriptions) {
  Protocol protocol = fresh();
  const std::string params = R"("notifications":{},)" + kMeta;
  for (const char* id : {"1", "2"}) protocol.take(request(id, "subscriptions/listen", params));
  EXPECT_EQ(code_in(protocol.take(request("3", "subscriptions/listen", params)).answer),
            kInvalidRequest);
}

std::vector<std::string> cut(std::size_t max, const std::vector<std::string>& pieces) {
  Lines lines(max);
  std::vector<std::string> got;
  const auto use = [&](std::optional<std::string_view> line) {
    got.push_back(line ? std::string(*line) : "(too long)");
  };
  for (const std::string& piece : pieces) lines.take(piece, use);
  lines.finish(use);
  return got;
}

TEST(Lines, AreCutAtNewlinesAndBounded) {
  using Got = std::vector<std::string>;
  EXPECT_EQ(cut(9, {"a\nb\n"}), (Got{"a", "b"}));
  EXPECT_EQ(cut(9, {"a", "b", "\n", "c"}), (Got{"ab", "c"}));
  EXPECT_EQ(cut(9, {""}), Got{});
  EXPECT_EQ(cut(9, {"\n\n"}), (Got{"", ""}));
  EXPECT_EQ(cut(3, {"abc\nabcd\nab\n"}), (Got{"abc", "(too long)", "ab"}));
  EXPECT_EQ(cut(3, {"ab", "cd", "ef", "\nx\n"}), (Got{"(too long)", "x"}));
  EXPECT_EQ(cut(3, {"abcdef"}), (Got{"(too long)"}));
}

TEST(Lines, TooLongOnesAreRefusedWithoutAnId) {
  Protocol protocol = fresh();
  EXPECT_EQ(code_in(protocol.take_too_long().answer), kInvalidRequest);
}

}  // namespace
}  // namespace signet::mcp
