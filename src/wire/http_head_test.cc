#include "wire/http_head.h"

#include <gtest/gtest.h>

#include <chrono>

namespace signet::wire {
namespace {

// Rules and verdicts of whole requests are vectors (websocket_upgrade_test.cc). Here is what an
// accepted head says, and what is written.

RequestHead parsed(std::string_view bytes) {
  auto result = parse_request_head(bytes, {});
  const auto* head = std::get_if<RequestHead>(&result);
  EXPECT_NE(head, nullptr) << bytes;
  return head != nullptr ? *head : RequestHead{};
}

TEST(RequestHead, ShowsThePartsAsSent) {
  const std::string_view bytes =
      "POST /join?a=b?c HTTP/1.1\r\nHost: a\r\nX-Two:  padded \t\r\nx-two: second\r\n"
      "Content-Length: 007\r\nEmpty:\r\n\r\n{\"a\":1}";
  const RequestHead head = parsed(bytes);
  EXPECT_EQ(head.method, "POST");
  EXPECT_EQ(head.target, "/join?a=b?c");
  EXPECT_EQ(head.path, "/join");
  EXPECT_EQ(head.query, "a=b?c");
  EXPECT_EQ(head.headers.size(), 5u);
  EXPECT_EQ(head.headers[1].name, "X-Two");
  EXPECT_EQ(head.header("X-TWO"), "padded");
  EXPECT_EQ(head.header("empty"), "");
  EXPECT_EQ(head.header("absent"), std::nullopt);
  EXPECT_EQ(head.content_length, 7u);
  EXPECT_EQ(bytes.substr(head.head_bytes), "{\"a\":1}");
}

TEST(RequestHead, SaysWhetherTheConnectionStays) {
  // clang-format off
  const struct { const char* name; std::string_view bytes; bool stays; } rows[] = {
      {"1.1",                "GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
      {"1.1 close",          "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false},
      {"1.1 Close in a list", "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n", false},
      {"1.1 close in a second header", "GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: close\r\n\r\n", false},
      {"1.1 closed is another word", "GET / HTTP/1.1\r\nHost: a\r\nConnection: closed\r\n\r\n", true},
      {"1.0",                "GET / HTTP/1.0\r\nHost: a\r\n\r\n", false},
      {"1.0 keep-alive",     "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false},
  };
  // clang-format on
  for (const auto& row : rows) EXPECT_EQ(parsed(row.bytes).keep_alive, row.stays) << row.name;
}

// One byte a read is the most work that a peer can make of a head.
TEST(RequestHead, TricklingALargeHeadStaysCheap) {
  std::string bytes = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 0; i < 98; ++i) {
    bytes += "X-" + std::to_string(i) + ": " + std::string(150, 'y') + "\r\n";
  }
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t size = 1; size <= bytes.size(); ++size) {
    const auto result = parse_request_head(std::string_view(bytes).substr(0, size), {});
    ASSERT_TRUE(std::holds_alternative<NeedMore>(result));
  }
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_LT(took, std::chrono::seconds(2));  // far more than it takes, far less than a re-parse
}

TEST(DecodePath, OneReadingOrNone) {
  // clang-format off
  const struct { const char* name; std::string_view path; std::optional<std::string> decoded; } rows[] = {
      {"plain",                 "/a/b", "/a/b"},
      {"root",                  "/", "/"},
      {"an escape",             "/a%20b", "/a b"},
      {"either case",           "/%c3%A9", "/\xc3\xa9"},
      {"an escaped percent",    "/%2541", "/%41"},
      {"a plus is a plus",      "/a+b", "/a+b"},
      {"three dots",            "/...", "/..."},
      {"dots in a name",        "/a..b/.c", "/a..b/.c"},
      {"an escape cut to one",  "/a%2", std::nullopt},
      {"an escape cut to none", "/a%", std::nullopt},
      {"no hex",                "/a%zz", std::nullopt},
      {"a sign in an escape",   "/a%+1", std::nullopt},
      {"NUL",                   "/a%00", std::nullopt},
      {"a line end",            "/a%0d%0ab", std::nullopt},
      {"DEL",                   "/a%7f", std::nullopt},
      {"an encoded slash",      "/a%2fb", std::nullopt},
      {"an encoded slash, upper", "/a%2Fb", std::nullopt},
      {"overlong slash",        "/a%c0%afb", std::nullopt},
      {"no UTF-8",              "/a%ff", std::nullopt},
      {"a surrogate",           "/a%ed%a0%80", std::nullopt},
      {"a dot",                 "/./a", std::nullopt},
      {"two dots",              "/../a", std::nullopt},
      {"two dots last",         "/a/..", std::nullopt},
      {"encoded dots",          "/%2e%2e/a", std::nullopt},
      {"half encoded dots",     "/.%2e/a", std::nullopt},
      {"an encoded dot last",   "/a/%2e", std::nullopt},
  };
  // clang-format on
  for (const auto& row : rows) EXPECT_EQ(decode_path(row.path), row.decoded) << row.name;
}

TEST(AppendResponse, WritesHeadAndBody) {
  std::string out;
  append_response(out, {200, "application/json", {{"Cache-Control", "no-store"}}, true}, "{}");
  EXPECT_EQ(out,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n"
            "Content-Length: 2\r\nConnection: close\r\n\r\n{}");
}

TEST(AppendResponse, WritesWhatAStatusNeeds) {
  const struct {
    const char* name;
    ResponseHead head;
    const char* body;
    const char* written;
  } rows[] = {
      {"204 has no length", {204, "", {}, false}, "", "HTTP/1.1 204 No Content\r\n\r\n"},
      {"204 has no body",
       {204, "", {{"A", "b"}}, false},
       "lost",
       "HTTP/1.1 204 No Content\r\nA: b\r\n\r\n"},
      {"204 to HEAD", {204, "", {}, false, true}, "lost", "HTTP/1.1 204 No Content\r\n\r\n"},
      {"200 to HEAD",
       {200, "", {}, false, true},
       "five5",
       "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"},
      {"426 names the protocol and its version",
       {426, "", {}, true},
       "",
       "HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
       "Sec-WebSocket-Version: 13\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
  };
  for (const auto& row : rows) {
    std::string out;
    append_response(out, row.head, row.body);
    EXPECT_EQ(out, row.written) << row.name;
  }
}

TEST(AppendResponse, EveryStatusOfTheParserHasAPhrase) {
  for (const int status : {400, 405, 413, 414, 426, 431, 501, 505, 503, 429}) {
    std::string out;
    append_response(out, {status, "", {}, false}, "");
    EXPECT_EQ(out.find(" Status\r\n"), std::string::npos) << status;
    EXPECT_NE(out.find("Content-Length: 0\r\n\r\n"), std::string::npos) << status;
  }
}

TEST(AppendResponse, NoValueStartsAnotherHeader) {
  std::string out;
  append_response(out, {302, "", {{"Location", "/a\r\nSet-Cookie: b\n\x01"}}, false}, "");
  EXPECT_EQ(out.find("\r\nSet-Cookie"), std::string::npos);
  EXPECT_NE(out.find("Location: /a  Set-Cookie: b  \r\n"), std::string::npos);
}

}  // namespace
}  // namespace signet::wire
