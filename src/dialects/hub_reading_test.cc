#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/overloaded.h"
#include "crypto/mac.h"
#include "dialects/hub.h"

namespace signet::dialects {
namespace {

using Answer = HubMalformed::Answer;

constexpr WallTime kNow{1'700'000'000'000};

std::string shown(std::optional<std::string_view> part) { return part ? std::string(*part) : "-"; }
std::string shown(std::optional<std::int64_t> part) { return part ? std::to_string(*part) : "-"; }

std::string shown(const trust::ActionClaim& claim) {
  return shown(claim.type) + ' ' + std::string(claim.payload) + ' ' + shown(claim.timestamp_ms) +
         ' ' + shown(claim.nonce) + ' ' + shown(claim.signature);
}

std::string_view name_of(Answer answer) {
  constexpr std::string_view kNames[] = {"none", "action", "agent", "job", "token"};
  return kNames[static_cast<std::size_t>(answer)];
}

// A verb in one line.
std::string said(const HubVerb& verb) {
  return std::visit(Overloaded{
                        [](const HubAction& v) {
                          const std::string category =
                              v.category.empty() ? "" : ' ' + std::string(v.category);
                          return "action " + shown(v.claim) + category;
                        },
                        [](const HubHeartbeat& v) { return "heartbeat " + std::string(v.ts); },
                        [](const HubPresence& v) { return "presence " + std::string(v.state); },
                        [](const HubAgentHeartbeat& v) {
                          return "agent " + shown(v.claim.agent) + ' ' +
                                 shown(v.claim.timestamp_ms) + ' ' + shown(v.claim.nonce) + ' ' +
                                 std::string(v.claim.body) + ' ' + shown(v.claim.bare_body) + ' ' +
                                 shown(v.claim.signature) + ' ' + shown(v.claim.algorithm);
                        },
                        [](const HubGenerateWorld& v) { return "world " + std::string(v.config); },
                        [](const HubTokenRefresh& v) { return "refresh " + std::string(v.token); },
                        [](const HubMalformed& v) {
                          return "malformed " + std::string(name_of(v.answer)) + ' ' +
                                 std::string(v.code) + ' ' + std::string(v.event);
                        },
                        [](const HubUnknown& v) { return "unknown " + std::string(v.event); },
                    },
                    verb);
}

std::string said(const EngineVerb& verb) {
  return std::visit(Overloaded{
                        [](const EngineReady& v) {
                          return "ready " + std::to_string(static_cast<int>(v.dialect));
                        },
                        [](const EngineHeartbeat&) { return std::string("heartbeat"); },
                        [](const EnginePacketSaid& v) {
                          return std::string(rejection_of(v.event)) + ' ' + shown(v.claim.payload) +
                                 ' ' + shown(v.claim.nonce) + ' ' + shown(v.claim.timestamp_ms) +
                                 ' ' + shown(v.claim.signature);
                        },
                        [](const HubTokenRefresh& v) { return "refresh " + std::string(v.token); },
                        [](const HubMalformed& v) {
                          return "malformed " + std::string(name_of(v.answer)) + ' ' +
                                 std::string(v.code) + ' ' + std::string(v.event);
                        },
                        [](const HubUnknown& v) { return "unknown " + std::string(v.event); },
                    },
                    verb);
}

struct Row {
  const char* name;
  std::string_view data, said;
};

TEST(HubReading, ReadsEachEventOfAUser) {
  // clang-format off
  constexpr Row kRows[] = {
      {"an action", R"(["action",{"type":"t","payload":{"a":1},"ts":5,"nonce":"n","sig":"s"}])", R"(action t {"a":1} 5 n s)"},
      {"its members in another order", R"(["action",{"sig":"s","nonce":"n","ts":5,"payload":null,"type":"t"}])", "action t null 5 n s"},
      {"with a category", R"(["action",{"type":"t","category":"nav"}])", "action t undefined - - - nav"},
      {"with a category that is none", R"(["action",{"type":"t","category":7}])", "action t undefined - - -"},
      {"an empty action", R"(["action",{}])", "action - undefined - - -"},
      {"wrong types all over", R"(["action",{"type":1,"payload":[],"ts":"5","nonce":{},"sig":null}])", "action - [] - - -"},
      {"a payload as it is printed", R"(["action",{"payload":{"b" : 1.50, "1":"\u0061"}}])", R"(action - {"1":"a","b":1.5} - - -)"},
      {"members of no meaning", R"(["action",{"type":"t","__proto__":{"ts":5},"x":1}])", "action t undefined - - -"},
      {"more arguments", R"(["action",{"type":"t"},{"type":"u"},1])", "action t undefined - - -"},
      {"a heartbeat", R"(["heartbeat",{"ts":17}])", "heartbeat 17"},
      {"with a time as text", R"(["heartbeat",{"ts":"now"}])", R"(heartbeat "now")"},
      {"with a time as a fraction", R"(["heartbeat",{"ts":1.5e3}])", "heartbeat 1.5e3"},
      {"with no time", R"(["heartbeat",{}])", "heartbeat "},
      {"with no data", R"(["heartbeat"])", "heartbeat "},
      {"with data that is none", R"(["heartbeat",[1]])", "heartbeat "},
      {"with an object for a time", R"(["heartbeat",{"ts":{"a":1}}])", "heartbeat "},
      {"with null for a time", R"(["heartbeat",{"ts":null}])", "heartbeat "},
      {"with a long time", R"(["heartbeat",{"ts":"0123456789012345678901234567890123456789012345678901234567890123456789"}])", "heartbeat "},
      {"a presence", R"(["presence","idle"])", "presence idle"},
      {"an unknown presence", R"(["presence","asleep"])", "presence asleep"},
      {"an agent", R"(["agent_heartbeat",{"agentId":"HintAgent","ts":5,"nonce":"n","body":{"x":[1]},"sig":"s","alg":"HS256"}])", R"(agent HintAgent 5 n {"x":[1]} - s HS256)"},
      {"an agent with a text", R"(["agent_heartbeat",{"agentId":"A","ts":5,"nonce":"n","body":"b","sig":"s"}])", R"(agent A 5 n "b" b s -)"},
      {"an agent without a body", R"(["agent_heartbeat",{"agentId":"A"}])", "agent A - - undefined - - -"},
      {"an agent with an algorithm that is none", R"(["agent_heartbeat",{"alg":null}])", "agent - - - undefined - - null"},
      {"a world", R"(["generate_world",{"config":{"a": 1},"submittedAt":5}])", R"(world {"a": 1})"},
      {"a world that is a text", R"(["generate_world",{"config":"x"}])", R"(world "x")"},
      {"a refresh", R"(["token_refresh",{"token":"a.b.c"}])", "refresh a.b.c"},
  };
  // clang-format on
  HubReader used;
  for (const Row& row : kRows) {
    HubReader fresh;
    EXPECT_EQ(said(fresh.read_user(row.data)), row.said) << row.name;
    EXPECT_EQ(said(used.read_user(row.data)), row.said) << row.name;
  }
}

TEST(HubReading, WhatIsNoneOfItsEventHasItsAnswer) {
  // clang-format off
  constexpr Row kRows[] = {
      {"an action without data", R"(["action"])", "malformed action malformed action"},
      {"null", R"(["action",null])", "malformed action malformed action"},
      {"a number", R"(["action",1])", "malformed action malformed action"},
      {"a text", R"(["action","click"])", "malformed action malformed action"},
      {"a list", R"(["action",[{"type":"t"}]])", "malformed action malformed action"},
      {"its object second", R"(["action",null,{"type":"t"}])", "malformed action malformed action"},
      {"a name twice", R"(["action",{"type":"t","type":"u"}])", "malformed action malformed action"},
      {"a name twice, with spaces", " [ \"action\" , {\"a\":1,\"a\":2}]", "malformed action malformed action"},
      {"half a character", R"(["action",{"type":"\udc00"}])", "malformed action malformed action"},
      {"no UTF-8", "[\"action\",{\"type\":\"\xff\"}]", "malformed action malformed action"},
      {"cut off", R"(["action",{"type")", "malformed action malformed action"},
      {"bytes behind it", R"(["action",{}]x)", "malformed action malformed action"},
      {"a presence without data", R"(["presence"])", "malformed none  presence"},
      {"a presence that is an object", R"(["presence",{"state":"idle"}])", "malformed none  presence"},
      {"a presence that is null", R"(["presence",null])", "malformed none  presence"},
      {"a heartbeat that is no JSON", R"(["heartbeat",{]])", "malformed none  heartbeat"},
      {"an agent without data", R"(["agent_heartbeat"])", "malformed agent malformed agent_heartbeat"},
      {"an agent that is a list", R"(["agent_heartbeat",[]])", "malformed agent malformed agent_heartbeat"},
      {"a world without data", R"(["generate_world"])", "malformed job invalid_payload generate_world"},
      {"a world that is a text", R"(["generate_world","x"])", "malformed job invalid_payload generate_world"},
      {"a world that is no JSON", R"(["generate_world",{"config":NaN}])", "malformed job invalid_payload generate_world"},
      {"a world without config", R"(["generate_world",{}])", "malformed job missing_config generate_world"},
      {"a world with null", R"(["generate_world",{"config":null}])", "malformed job missing_config generate_world"},
      {"a refresh without data", R"(["token_refresh"])", "malformed token malformed token_refresh"},
      {"a refresh without a token", R"(["token_refresh",{}])", "malformed token malformed token_refresh"},
      {"a refresh with an empty one", R"(["token_refresh",{"token":""}])", "malformed token malformed token_refresh"},
      {"a refresh with a number", R"(["token_refresh",{"token":1}])", "malformed token malformed token_refresh"},
      {"a refresh that is a text", R"(["token_refresh","a.b.c"])", "malformed token malformed token_refresh"},
      {"nothing", "", "malformed none  "},
      {"an empty list", "[]", "malformed none  "},
      {"an object", R"({"0":"action","1":{}})", "malformed none  "},
      {"an object whose first member is a name", R"({"a":"action","b":{"type":"t"}})", "malformed none  "},
      {"a text", R"("action")", "malformed none  "},
      {"null for a name", R"([null,{}])", "malformed none  "},
      {"a number for a name", R"([1,{}])", "malformed none  "},
      {"a list for a name", R"([["action"],{}])", "malformed none  "},
      {"no JSON, and no event that there is", R"(["x",)", "malformed none  "},
      {"no JSON, and an escape in the name", R"(["\u0061ction",)", "malformed none  "},
      {"no JSON, and no name", "[\"action", "malformed none  "},
      {"no JSON at all", "action", "malformed none  "},
  };
  // clang-format on
  HubReader reader;
  for (const Row& row : kRows) {
    EXPECT_EQ(said(reader.read_user(row.data)), row.said) << row.name;
  }
}

TEST(HubReading, AnEventOfAnotherNameIsUnknownAndShownOnlyWhereThatIsSafe) {
  const std::string longest(64, 'e');
  const std::string longer(65, 'e');
  struct Event {
    const char* name;
    std::string data, shown;
  };
  const Event events[] = {
      {"another one", R"(["move",{}])", "move"},
      {"another case", R"(["Action",{}])", "Action"},
      {"a space before", R"([" action",{}])", " action"},
      {"nothing", R"(["",{}])", ""},
      {"one of Socket.IO's own", R"(["disconnect"])", "disconnect"},
      {"one that objects have", R"(["__proto__"])", "__proto__"},
      {"an engine's", R"(["job_ack",{}])", "job_ack"},
      {"what only the server says", R"(["action_update",{}])", "action_update"},
      {"with a line end", R"(["a\nb"])", ""},
      {"with an escape sequence", R"(["\u001b[31m"])", ""},
      {"with a zero", R"(["action\u0000"])", ""},
      {"beyond ASCII", R"(["é"])", ""},
      {"a long one", "[\"" + longest + "\"]", longest},
      {"a longer one", "[\"" + longer + "\"]", ""},
  };
  HubReader reader;
  for (const Event& event : events) {
    EXPECT_EQ(said(reader.read_user(event.data)), "unknown " + event.shown) << event.name;
    if (event.shown == "job_ack") continue;
    EXPECT_EQ(said(reader.read_engine(event.data)), "unknown " + event.shown) << event.name;
  }
}

// An escaped name is the same name: there is one reading of a text of JSON.
TEST(HubReading, ANameMayBeEscaped) {
  HubReader reader;
  EXPECT_EQ(said(reader.read_user(R"(["\u0061ction",{"typ\u0065":"t"}])")),
            "action t undefined - - -");
}

// Threat C4: every form of a time, signed as a browser would sign the number that it is.
TEST(HubReading, ATimeHasOneSpelling) {
  struct Time {
    std::string_view ts, verdict;
  };
  // clang-format off
  constexpr Time kTimes[] = {
      {"1700000000000", "good"}, {"1699999985000", "good"}, {"1700000015000", "good"},
      {"1699999984999", "timestamp_expired"}, {"1700000015001", "timestamp_expired"},
      {"0", "timestamp_expired"}, {"-0", "timestamp_expired"}, {"1", "timestamp_expired"}, {"-1", "timestamp_expired"},
      {"1700000000", "timestamp_expired"}, {"170000000000", "timestamp_expired"}, {"17000000000000", "timestamp_expired"},
      {"1700000000000000", "timestamp_expired"}, {"1700000000000000000", "timestamp_expired"}, {"-1700000000000", "timestamp_expired"},
      {"2147483647", "timestamp_expired"}, {"4294967296", "timestamp_expired"}, {"9007199254740991", "timestamp_expired"},
      {"9007199254740993", "timestamp_expired"}, {"9223372036854775807", "timestamp_expired"}, {"-9223372036854775808", "timestamp_expired"},
      // No whole number that there is: a missing one.
      {"9223372036854775808", "invalid_signature"}, {"-9223372036854775809", "invalid_signature"}, {"18446744073709551616", "invalid_signature"},
      {"340282366920938463463374607431768211456", "invalid_signature"},
      {"1700000000000.0", "invalid_signature"}, {"1700000000000.5", "invalid_signature"}, {"1699999999999.9999", "invalid_signature"},
      {"1.7e12", "invalid_signature"}, {"1.7E12", "invalid_signature"}, {"1.7e+12", "invalid_signature"}, {"17e11", "invalid_signature"},
      {"1700000000000e0", "invalid_signature"}, {"17000000000000e-1", "invalid_signature"}, {"1e400", "invalid_signature"}, {"-1e400", "invalid_signature"},
      {"1700000000.000", "invalid_signature"}, {"0.0", "invalid_signature"}, {"0e0", "invalid_signature"}, {"1e-400", "invalid_signature"},
      {"\"1700000000000\"", "invalid_signature"}, {"\" 1700000000000\"", "invalid_signature"}, {"\"0x18bcfe56800\"", "invalid_signature"},
      {"\"2023-11-14T22:13:20Z\"", "invalid_signature"}, {"\"2023-11-14T22:13:20.000Z\"", "invalid_signature"}, {"\"2023-11-14T22:13:20\"", "invalid_signature"},
      {"\"2023-11-14T23:13:20+01:00\"", "invalid_signature"}, {"\"2016-12-31T23:59:60Z\"", "invalid_signature"}, {"\"Tue, 14 Nov 2023 22:13:20 GMT\"", "invalid_signature"},
      {"\"now\"", "invalid_signature"}, {"\"\"", "invalid_signature"},
      {"null", "invalid_signature"}, {"true", "invalid_signature"}, {"false", "invalid_signature"},
      {"[]", "invalid_signature"}, {"[1700000000000]", "invalid_signature"}, {"{}", "invalid_signature"}, {"{\"ms\":1700000000000}", "invalid_signature"},
      // No JSON.
      {"01700000000000", "malformed"}, {"+1700000000000", "malformed"}, {"1700000000000.", "malformed"}, {".17e13", "malformed"},
      {"0x18bcfe56800", "malformed"}, {"1_700_000_000_000", "malformed"}, {"1700000000000n", "malformed"}, {"NaN", "malformed"},
      {"Infinity", "malformed"}, {"-Infinity", "malformed"}, {"undefined", "malformed"}, {"1,700,000,000,000", "malformed"}, {"", "malformed"},
  };
  // clang-format on
  static_assert(std::size(kTimes) >= 60);
  HubReader reader;
  for (const Time& time : kTimes) {
    // What a browser prints of whatever this is, where it is near, is the plain integer.
    const bool is_edge = time.verdict == "good";
    const std::string text = "t|null|" + (is_edge ? std::string(time.ts) : "1700000000000") + "|n";
    const std::string event = R"(["action",{"type":"t","payload":null,"ts":)" +
                              std::string(time.ts) + R"(,"nonce":"n","sig":")" +
                              to_hex(crypto::hmac_sha256("key", text)) + "\"}]";
    const HubVerb verb = reader.read_user(event);
    std::string_view verdict = "good";
    if (const auto* const action = std::get_if<HubAction>(&verb)) {
      const auto refused = trust::check_action(action->claim, {"key"}, kNow, {});
      if (refused) verdict = signet::name_of(*refused);
    } else {
      verdict = std::get<HubMalformed>(verb).code;
    }
    EXPECT_EQ(verdict, time.verdict) << time.ts;
  }
}

TEST(HubReading, ReadsEachEventOfAnEngine) {
  // clang-format off
  constexpr Row kRows[] = {
      {"ready", R"(["engine_ready"])", "ready 0"},
      {"ready, for one dialect", R"(["engine_ready",{"dialect":"engine_job"}])", "ready 1"},
      {"ready, for the other", R"(["engine_ready",{"dialect":"job:dispatch"}])", "ready 2"},
      {"ready, for one that there is not", R"(["engine_ready",{"dialect":"x"}])", "ready 0"},
      {"ready, for a number", R"(["engine_ready",{"dialect":1}])", "ready 0"},
      {"ready, with more", R"(["engine_ready",{"engineId":"e"},2])", "ready 0"},
      {"ready, with a text", R"(["engine_ready","engine_job"])", "ready 0"},
      {"a heartbeat", R"(["engine_heartbeat",{"ts":1}])", "heartbeat"},
      {"a bare heartbeat", R"(["engine_heartbeat"])", "heartbeat"},
      {"an envelope", R"(["job_started",{"payload":{"job_id" : "j"},"nonce":"n","ts":5,"sig":"s"}])", R"(job_started_rejected {"job_id":"j"} n 5 s)"},
      {"an envelope of nothing", R"(["job_progress",{}])", "job_progress_rejected - - - -"},
      {"no envelope", R"(["job_completed"])", "job_completed_rejected - - - -"},
      {"a list for one", R"(["job_failed",["payload"]])", "job_failed_rejected - - - -"},
      {"one that is no JSON", R"(["job_ack",{"a":1,"a":2}])", "job_ack_rejected - - - -"},
      {"wrong types all over", R"(["engine_error",{"payload":"{}","nonce":1,"ts":"5","sig":[]}])", "engine_error_rejected - - - -"},
      {"a list for a payload", R"(["job_status",{"payload":[1],"ts":5.0}])", "status_rejected - - - -"},
      {"null for a payload", R"(["job_status",{"payload":null}])", "status_rejected - - - -"},
      {"a refresh", R"(["token_refresh",{"token":"a.b.c"}])", "refresh a.b.c"},
      {"a refresh without a token", R"(["token_refresh",{}])", "malformed token malformed token_refresh"},
      {"a refresh with an empty one", R"(["token_refresh",{"token":""}])", "malformed token malformed token_refresh"},
      {"a refresh that is no JSON", R"(["token_refresh",{"token":"a","token":"b"}])", "malformed token malformed token_refresh"},
      {"ready, and no JSON", R"(["engine_ready",{)", "unknown "},
      {"a user's event", R"(["action",{}])", "unknown action"},
      {"nothing", "", "unknown "},
      {"an object", R"({"a":"job_ack"})", "unknown "},
  };
  // clang-format on
  HubReader used;
  for (const Row& row : kRows) {
    EXPECT_EQ(said(used.read_engine(row.data)), row.said) << row.name;
  }
}

struct Fit {
  const char* name;
  std::string_view event, payload;
  bool fits;
  std::string_view job, text;
  std::optional<std::uint64_t> lease;
};

TEST(HubReading, APayloadFitsItsEventOrDoesNot) {
  constexpr auto kNone = std::nullopt;
  // clang-format off
  const Fit rows[] = {
      {"an ack", "job_ack", R"({"jobId":"j","status":"received"})", true, "j", "", kNone},
      {"an ack without a status", "job_ack", R"({"jobId":"j"})", true, "j", "", kNone},
      {"an ack with a number for one", "job_ack", R"({"jobId":"j","status":1})", false, "j", "", kNone},
      {"an ack in the other spelling", "job_ack", R"({"job_id":"j"})", true, "j", "", kNone},
      {"a status", "job_status", R"({"jobId":"j","jobType":"t","status":"s","error":"e"})", true, "j", "", kNone},
      {"started", "job_started", R"({"job_id":"j","timestamp":"whenever"})", true, "j", "", kNone},
      {"started, with a lease", "job_started", R"({"job_id":"j","lease":9})", true, "j", "", 9},
      {"with the largest lease", "job_started", R"({"job_id":"j","lease":9223372036854775807})", true, "j", "", 9'223'372'036'854'775'807},
      {"with null for a lease", "job_started", R"({"job_id":"j","lease":null})", true, "j", "", kNone},
      {"with a text for a lease", "job_started", R"({"job_id":"j","lease":"9"})", false, "j", "", kNone},
      {"with a fraction for a lease", "job_started", R"({"job_id":"j","lease":9.0})", false, "j", "", kNone},
      {"with a lease below zero", "job_started", R"({"job_id":"j","lease":-1})", false, "j", "", kNone},
      {"with a lease beyond 63 bits", "job_started", R"({"job_id":"j","lease":9223372036854775808})", false, "j", "", kNone},
      {"no job", "job_started", R"({"timestamp":1})", false, "", "", kNone},
      {"an empty job", "job_started", R"({"job_id":""})", false, "", "", kNone},
      {"a number for a job", "job_started", R"({"job_id":7})", false, "", "", kNone},
      {"two jobs", "job_started", R"({"job_id":"j","jobId":"k"})", false, "", "", kNone},
      {"a job twice", "job_started", R"({"job_id":"j","jobId":"j"})", true, "j", "", kNone},
      {"a job, and a number", "job_started", R"({"job_id":"j","jobId":7})", false, "", "", kNone},
      {"progress", "job_progress", R"({"job_id":"j","progress":0.50})", true, "j", "0.50", kNone},
      {"progress without any", "job_progress", R"({"job_id":"j"})", false, "j", "", kNone},
      {"progress that is a text", "job_progress", R"({"job_id":"j","progress":"1"})", false, "j", "\"1\"", kNone},
      {"progress beyond a double", "job_progress", R"({"job_id":"j","progress":1e400})", false, "j", "1e400", kNone},
      {"completed", "job_completed", R"({"job_id":"j","result":{"a" : 1}})", true, "j", R"({"a" : 1})", kNone},
      {"completed with null", "job_completed", R"({"job_id":"j","result":null})", true, "j", "null", kNone},
      {"completed without a result", "job_completed", R"({"job_id":"j"})", true, "j", "", kNone},
      {"failed", "job_failed", R"({"job_id":"j","error":"no\u0020GPU","details":{}})", true, "j", "no GPU", kNone},
      {"failed without an error", "job_failed", R"({"job_id":"j"})", true, "j", "", kNone},
      {"failed with an object", "job_failed", R"({"job_id":"j","error":{}})", false, "j", "", kNone},
      {"an error of the engine", "engine_error", R"({"error":"x"})", true, "", "x", kNone},
      {"an error of another form", "engine_error", R"({"message":"x"})", true, "", "", kNone},
      {"an error that is a number", "engine_error", R"({"error":1})", false, "", "", kNone},
      {"a list", "job_started", R"(["j"])", false, "", "", kNone},
  };
  // clang-format on
  HubReader reader;
  for (const Fit& row : rows) {
    const std::string data =
        "[\"" + std::string(row.event) + "\",{\"payload\":" + std::string(row.payload) + "}]";
    const EngineVerb verb = reader.read_engine(data);
    const auto& packet = std::get<EnginePacketSaid>(verb);
    EXPECT_EQ(packet.fits, row.fits) << row.name;
    EXPECT_EQ(packet.job, row.job) << row.name;
    EXPECT_EQ(packet.text, row.text) << row.name;
    EXPECT_EQ(packet.lease, row.lease) << row.name;
  }
}

TEST(HubReading, AnIdIsShortAndAnErrorIsCutBetweenCharacters) {
  const auto packet = [](HubReader& reader, const std::string& job, const std::string& error) {
    const std::string data =
        R"(["job_failed",{"payload":{"job_id":")" + job + R"(","error":")" + error + "\"}}]";
    return std::get<EnginePacketSaid>(reader.read_engine(data));
  };
  HubReader reader;
  EXPECT_TRUE(packet(reader, std::string(kMaxJobIdBytes, 'j'), "").fits);
  EXPECT_FALSE(packet(reader, std::string(kMaxJobIdBytes + 1, 'j'), "").fits);
  EXPECT_EQ(packet(reader, "j", std::string(kMaxJobErrorBytes, 'e')).text.size(),
            kMaxJobErrorBytes);
  EXPECT_EQ(packet(reader, "j", std::string(kMaxJobErrorBytes + 1, 'e')).text.size(),
            kMaxJobErrorBytes);
  const std::string within = std::string(kMaxJobErrorBytes - 1, 'e') + "é";
  EXPECT_EQ(packet(reader, "j", within).text, std::string(kMaxJobErrorBytes - 1, 'e'));
}

TEST(HubReading, ATokenIsAText) {
  HubReader reader;
  EXPECT_EQ(reader.read_credentials(R"({"token":"a.b.c"})").token, "a.b.c");
  EXPECT_EQ(reader.read_credentials(R"({"x":1,"token":"\u0061"})").token, "a");
  for (const std::string_view none :
       {"", "{}", "null", "[]", "\"a.b.c\"", R"(["token","a.b.c"])", R"({"token":""})",
        R"({"token":null})", R"({"token":7})", R"({"token":["a"]})", R"({"Token":"a"})",
        R"({"token":"a","token":"b"})", R"({"token":"a")", R"({"token":"a"}})"}) {
    EXPECT_FALSE(reader.read_credentials(none).token) << none;
  }
}

TEST(HubReading, WhoAsksToBeSimulatedSaysTrue) {
  HubReader reader;
  EXPECT_TRUE(reader.read_credentials(R"({"simulated":true})").simulated);
  const HubCredentials both = reader.read_credentials(R"({"token":"a","simulated":true})");
  EXPECT_TRUE(both.simulated);
  EXPECT_EQ(both.token, "a");
  for (const std::string_view other :
       {"", "{}", "true", R"({"simulated":false})", R"({"simulated":"true"})", R"({"simulated":1})",
        R"({"simulated":null})", R"({"simulated":true,"simulated":true})"}) {
    EXPECT_FALSE(reader.read_credentials(other).simulated) << other;
  }
}

// Nothing of an earlier event shows: neither in what is printed nor in what is missing.
TEST(HubReading, EveryCutOfAnActionIsRefused) {
  const std::string event =
      R"(["action",{"type":"t","payload":{"a":[1]},"ts":5,"nonce":"n","sig":"s"}])";
  HubReader reader;
  for (std::size_t size = 0; size < event.size(); ++size) {
    const std::string answer = said(reader.read_user(event.substr(0, size)));
    const bool is_named = size >= std::string_view(R"(["action")").size();
    EXPECT_EQ(answer, is_named ? "malformed action malformed action" : "malformed none  ") << size;
  }
  EXPECT_EQ(said(reader.read_user(event)), R"(action t {"a":[1]} 5 n s)");
}

TEST(HubReading, EachSignedEventHasItsRejection) {
  struct Rejection {
    EngineEvent event;
    std::string_view name;
  };
  constexpr Rejection kRows[] = {
      {EngineEvent::kJobAck, "job_ack_rejected"},
      {EngineEvent::kJobStatus, "status_rejected"},
      {EngineEvent::kJobStarted, "job_started_rejected"},
      {EngineEvent::kJobProgress, "job_progress_rejected"},
      {EngineEvent::kJobCompleted, "job_completed_rejected"},
      {EngineEvent::kJobFailed, "job_failed_rejected"},
      {EngineEvent::kEngineError, "engine_error_rejected"},
  };
  for (const Rejection& row : kRows) EXPECT_EQ(rejection_of(row.event), row.name);
}

}  // namespace
}  // namespace signet::dialects
