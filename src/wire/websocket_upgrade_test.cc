#include "wire/websocket_upgrade.h"

#include <gtest/gtest.h>

#include <iostream>

#include "wire/vectors_for_test.h"

namespace signet::wire {
namespace {

constexpr std::string_view kSampleKey = "dGhlIHNhbXBsZSBub25jZQ==";  // section 1.3
constexpr std::string_view kSampleAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

// What a reader says about some bytes, in the words of the vectors.
struct Outcome {
  std::string verdict;
  int status = 0;
  std::string rule;
  std::vector<std::string> subprotocols;
  bool operator==(const Outcome&) const = default;
};

void PrintTo(const Outcome& outcome, std::ostream* out) {
  *out << outcome.verdict << " " << outcome.status << " " << outcome.rule;
  for (const std::string& name : outcome.subprotocols) *out << " " << name;
}

Outcome refused(const BadRequest& bad) {
  return {"refused", bad.status, std::string(bad.rule), {}};
}

Outcome read_as_server(std::string_view bytes, const HttpLimits& limits) {
  const auto parsed = parse_request_head(bytes, limits);
  if (std::holds_alternative<NeedMore>(parsed)) return {"need_more", 0, "", {}};
  if (const auto* bad = std::get_if<BadRequest>(&parsed)) return refused(*bad);
  const auto read = read_upgrade(std::get<RequestHead>(parsed));
  if (std::holds_alternative<NotAnUpgrade>(read)) return {"request", 0, "", {}};
  if (const auto* bad = std::get_if<BadRequest>(&read)) return refused(*bad);
  Outcome outcome{"upgrade", 0, "", {}};
  for (const auto name : std::get<Upgrade>(read).subprotocols) {
    outcome.subprotocols.emplace_back(name);
  }
  return outcome;
}

Outcome read_as_client(std::string_view bytes, std::string_view key) {
  const auto read = read_upgrade_response(bytes, key);
  if (std::holds_alternative<NeedMore>(read)) return {"need_more", 0, "", {}};
  if (const auto* bad = std::get_if<BadRequest>(&read)) return refused(*bad);
  return {"upgrade", 0, "", {}};
}

Outcome expected_of(const JsonValue& vector) {
  Outcome expected{std::string(*vector["verdict"].string()), 0, "", {}};
  if (const auto status = vector["status"].integer()) expected.status = static_cast<int>(*status);
  if (const auto rule = vector["rule"].string()) expected.rule = *rule;
  for (std::size_t i = 0; i < vector["subprotocols"].size(); ++i) {
    expected.subprotocols.emplace_back(*vector["subprotocols"][i].string());
  }
  return expected;
}

HttpLimits limits_of(const JsonValue& vector) {
  HttpLimits limits;
  const auto set = [&](std::string_view name, std::size_t& limit) {
    if (const auto n = vector["limits"][name].integer()) limit = static_cast<std::size_t>(*n);
  };
  set("max_head_bytes", limits.max_head_bytes);
  set("max_headers", limits.max_headers);
  set("max_target_bytes", limits.max_target_bytes);
  return limits;
}

void run_vector(const JsonValue& vector) {
  const std::string bytes = bytes_from_hex(*vector["bytes"].string());
  const HttpLimits limits = limits_of(vector);
  const Outcome expected = expected_of(vector);
  const bool server = vector["side"].string() == "server";
  const auto read = [&](std::string_view prefix) {
    // A copy of its own size, so that a sanitizer sees a read beyond it.
    const std::vector<char> copy(prefix.begin(), prefix.end());
    const std::string_view view(copy.data(), copy.size());
    return server ? read_as_server(view, limits) : read_as_client(view, *vector["key"].string());
  };
  EXPECT_EQ(read(bytes), expected);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Outcome outcome = read(std::string_view(bytes).substr(0, size));
    if (outcome.verdict == "need_more") continue;
    ASSERT_EQ(outcome, expected) << "first " << size;
  }
}

TEST(Upgrade, AnswersEveryVectorFromAnyPrefixOn) {
  JsonDocument document;
  const JsonValue vectors = load_vectors(document, "websocket_upgrade.json");
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    SCOPED_TRACE(*vectors[i]["name"].string());
    run_vector(vectors[i]);
  }
  std::cout << "upgrade vectors run: " << vectors.size() << "\n";
  EXPECT_GE(vectors.size(), 80u);
}

TEST(Upgrade, AcceptKeyIsThatOfTheStandard) { EXPECT_EQ(accept_key(kSampleKey), kSampleAccept); }

TEST(Upgrade, BothSidesUnderstandEachOther) {
  for (const std::string_view path : {"/ws", "/ws?a=b", "/"}) {
    std::string request;
    append_upgrade_request(request, "127.0.0.1:8088", path, kSampleKey);
    const auto parsed = parse_request_head(request, {});
    ASSERT_TRUE(std::holds_alternative<RequestHead>(parsed));
    const RequestHead& head = std::get<RequestHead>(parsed);
    EXPECT_EQ(head.target, path);
    const auto upgrade = read_upgrade(head);
    ASSERT_TRUE(std::holds_alternative<Upgrade>(upgrade));
    std::string answer;
    append_switching_protocols(answer, std::get<Upgrade>(upgrade).key, "");
    const auto taken = read_upgrade_response(answer + "\x81", kSampleKey);
    ASSERT_TRUE(std::holds_alternative<std::size_t>(taken));
    EXPECT_EQ(std::get<std::size_t>(taken), answer.size());
  }
}

TEST(Upgrade, AnswerNamesTheSubprotocolOnlyWhereThereIsOne) {
  std::string with;
  append_switching_protocols(with, kSampleKey, "signet");
  EXPECT_NE(with.find("\r\nSec-WebSocket-Protocol: signet\r\n"), std::string::npos);
  std::string without;
  append_switching_protocols(without, kSampleKey, "");
  EXPECT_EQ(without.find("Protocol:"), std::string::npos);
}

TEST(Upgrade, AnEndlessAnswerIsRefused) {
  const std::string endless(17'000, '1');
  const std::string start = "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nX: ";
  // clang-format off
  const struct { const char* name; std::string bytes; Outcome outcome; } rows[] = {
      {"first line", "HTTP/1.1 " + endless, {"refused", 0, "head size", {}}},
      {"header", start + endless, {"refused", 101, "head size", {}}},
  };
  // clang-format on
  for (const auto& row : rows) EXPECT_EQ(read_as_client(row.bytes, "k"), row.outcome) << row.name;
}

}  // namespace
}  // namespace signet::wire
