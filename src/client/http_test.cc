#include "client/http.h"

#include <gtest/gtest.h>
#include <sys/un.h>

#include "client/scripted_server_test.h"
#include "net/tls_server_test.h"
#include "net/waker.h"

namespace signet::client {
namespace {

using std::chrono::milliseconds;

// "more", "no answer", or the status and the body.
std::string reading_of(const Result<std::optional<HttpAnswer>>& answer) {
  if (!answer.ok()) {
    EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
    return "no answer";
  }
  if (!*answer) return "more";
  return std::to_string((*answer)->status) + " " + (*answer)->body;
}

TEST(ReadAnswer, OneReadingOrNone) {
  const struct {
    const char* name;
    std::string bytes;
    const char* open;   // while more may come
    const char* ended;  // when nothing will
  } rows[] = {
      // clang-format off
      {"nothing", "", "more", "no answer"},
      {"half a head", "HTTP/1.1 200 OK\r\nA: b\r\n", "more", "no answer"},
      {"a length", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "200 ok", "200 ok"},
      {"a length of nothing", "HTTP/1.1 400 Bad\r\nContent-Length: 0\r\n\r\n", "400 ", "400 "},
      {"a body that is not all there", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok", "more", "no answer"},
      {"more than its length", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nok", "200 o", "200 o"},
      {"no length", "HTTP/1.1 200 OK\r\n\r\nok", "more", "200 ok"},
      {"204 without length", "HTTP/1.1 204 No Content\r\n\r\n", "more", "204 "},
      {"no phrase", "HTTP/1.1 503\r\nContent-Length: 0\r\n\r\n", "503 ", "503 "},
      {"no headers", "HTTP/1.1 404 Not Found\r\n\r\n", "more", "404 "},
      {"a length in any case", "HTTP/1.1 200 OK\r\ncONTENT-lENGTH:\t 2 \r\n\r\nok", "200 ok", "200 ok"},
      {"a blank line in the body", "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n\r\n\r\nok", "200 \r\n\r\nok", "200 \r\n\r\nok"},

      {"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n", "no answer", "no answer"},
      {"HTTP/2", "HTTP/2 200\r\n\r\n", "no answer", "no answer"},
      {"another protocol", "SSH-2.0-x\r\n\r\n", "no answer", "no answer"},
      {"no status", "HTTP/1.1 \r\n\r\n", "no answer", "no answer"},
      {"a status of two digits", "HTTP/1.1 20\r\n\r\n", "no answer", "no answer"},
      {"a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", "no answer", "no answer"},
      {"a status with a sign", "HTTP/1.1 -20 OK\r\n\r\n", "no answer", "no answer"},
      {"a status below 100", "HTTP/1.1 099 OK\r\n\r\n", "no answer", "no answer"},
      {"a status of words", "HTTP/1.1 two OK\r\n\r\n", "no answer", "no answer"},
      {"a status elsewhere", "X\r\nHTTP/1.1 200 OK\r\n\r\n", "no answer", "no answer"},

      {"two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", "no answer", "no answer"},
      {"a negative length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "no answer", "no answer"},
      {"a length of words", "HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n", "no answer", "no answer"},
      {"a length and more", "HTTP/1.1 200 OK\r\nContent-Length: 2, 2\r\n\r\nok", "no answer", "no answer"},
      {"an empty length", "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n", "no answer", "no answer"},
      {"a length past any number", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n", "no answer", "no answer"},
      {"a length over the limit", "HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n", "no answer", "no answer"},
      {"chunked", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "no answer", "no answer"},
      {"over the limit without an end", std::string(kMaxAnswerBytes + 1, 'x'), "no answer", "no answer"},
      // clang-format on
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(reading_of(read_answer(row.bytes, false)), row.open);
    EXPECT_EQ(reading_of(read_answer(row.bytes, true)), row.ended);
  }
}

TEST(ReadAnswer, NoPrefixOfAnAnswerIsAnother) {
  const std::string whole = "HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 5\r\n\r\nhello";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(reading_of(read_answer(whole.substr(0, size), false)), "more") << size;
    EXPECT_EQ(reading_of(read_answer(whole.substr(0, size), true)), "no answer") << size;
  }
}

TEST(ReadStatus, TakesTheFirstLineForTheAnswer) {
  const struct {
    const char* name;
    std::string bytes;
    std::string open, ended;
  } rows[] = {
      // clang-format off
      {"half a line", "HTTP/1.1 200 OK", "more", "no answer"},
      {"nothing", "", "more", "no answer"},
      {"one line", "HTTP/1.1 200 OK\r\n", "200 ", "200 "},
      {"HTTP/1.0", "HTTP/1.0 204 No Content\r\n", "204 ", "204 "},
      {"chunks", "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "202 ", "202 "},
      {"a refusal", "HTTP/1.1 500 No\r\n", "500 ", "500 "},
      {"another version", "HTTP/2 200\r\n", "no answer", "no answer"},
      {"another protocol", "SSH-2.0-x\r\n", "no answer", "no answer"},
      {"no end of a line", std::string(4'097, 'x'), "no answer", "no answer"},
      // clang-format on
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(reading_of(read_status(row.bytes, false)), row.open);
    EXPECT_EQ(reading_of(read_status(row.bytes, true)), row.ended);
  }
}

Url at(const ScriptedServer& server) { return *parse_url(server.url("/join?x=y")); }

TEST(HttpRequest, SendsOneRequestAndReadsItsAnswer) {
  std::string seen;
  Result<HttpAnswer> answer = Error{ErrorCode::kBug, ""};
  {
    ScriptedServer server([&](ScriptedServer::Connection& connection) {
      seen = connection.read_to("{\"a\":1}");
      connection.write("HTTP/1.1 200 OK\r\nContent-Le");
      connection.write("ngth: 2\r\n\r\no");
      connection.write("k");
      (void)connection.read(1);  // the client ends it: a length needs no end
    });
    answer = http_request(at(server), "POST", "{\"a\":1}", milliseconds(5'000));
    ASSERT_TRUE(answer.ok());
  }
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, "ok");
  EXPECT_TRUE(seen.starts_with("POST /join?x=y HTTP/1.1\r\nHost: 127.0.0.1:")) << seen;
  EXPECT_TRUE(
      seen.ends_with("Content-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}"));
}

TEST(HttpRequest, EndsWithWhateverAServerDoes) {
  const struct {
    const char* name;
    ScriptedServer::Script script;
    ErrorCode code;
  } rows[] = {
      {"says nothing and goes", [](auto& c) { c.read_to("\r\n\r\n"); }, ErrorCode::kUnavailable},
      {"goes before it was asked", [](auto&) {}, ErrorCode::kUnavailable},
      {"breaks off",
       [](auto& c) {
         c.read_to("\r\n\r\n");
         c.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
       },
       ErrorCode::kUnavailable},
      {"never ends",
       [](auto& c) {
         c.read_to("\r\n\r\n");
         const std::string junk(64 * 1024, 'x');
         for (int i = 0; i < 64; ++i) c.write(junk);
       },
       ErrorCode::kUnavailable},
      {"says nothing and stays",
       [](auto& c) {
         c.read_to("\r\n\r\n");
         (void)c.read(1);  // until the client gives up
       },
       ErrorCode::kOverloaded},
      {"trickles",
       [](auto& c) {
         c.read_to("\r\n\r\n");
         c.write("HTTP/1.1 200 OK\r\n");
         while (c.write("a")) std::this_thread::sleep_for(milliseconds(5));
       },
       ErrorCode::kOverloaded},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    ScriptedServer server(row.script);
    const bool waits = row.code == ErrorCode::kOverloaded;
    const auto answer = http_request(at(server), "GET", "", milliseconds(waits ? 200 : 5'000));
    ASSERT_FALSE(answer.ok());
    EXPECT_EQ(answer.error().code, row.code) << answer.error().detail;
  }
}

TEST(HttpRequest, AWakerEndsIt) {
  ScriptedServer server([](ScriptedServer::Connection& connection) {
    connection.read_to("\r\n\r\n");
    (void)connection.read(1);  // until the client goes
  });
  net::Waker waker;
  std::thread other([&] {
    std::this_thread::sleep_for(milliseconds(50));
    waker.wake();
  });
  const HttpOptions options{.waker = &waker};
  const auto answer = http_request(at(server), "GET", "", milliseconds(60'000), options);
  other.join();
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(answer.error().detail.find("interrupted"), std::string::npos);
}

TEST(HttpRequest, NobodyThereIsUnavailable) {
  std::uint16_t port = 0;
  {
    ScriptedServer server([](auto&) {});
    port = server.port();
  }
  Url url = *parse_url("http://127.0.0.1:1/");
  url.port = port;
  const auto answer = http_request(url, "GET", "", milliseconds(1'000));
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::kUnavailable);
}

TEST(HttpRequest, SaysTheHeadersItWasGiven) {
  std::string seen;
  {
    ScriptedServer server([&](ScriptedServer::Connection& connection) {
      seen = connection.read_to("\r\n\r\n");
      connection.write("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n");
    });
    const HttpOptions options{.headers = {{"Authorization", "Bearer abc~"}, {"X-Empty", ""}}};
    ASSERT_TRUE(http_request(at(server), "GET", "", milliseconds(5'000), options).ok());
  }
  EXPECT_NE(seen.find("\r\nAuthorization: Bearer abc~\r\nX-Empty: \r\n"), std::string::npos)
      << seen;
}

TEST(HttpRequest, NothingGivenBecomesAnotherLine) {
  const struct {
    const char* name;
    std::string method = "GET";
    std::string path = "/";
    HttpHeader header = {"X", "y"};
    std::string host = "127.0.0.1";
  } rows[] = {
      {.name = "a value with a line break", .header = {"X", "y\r\nZ: z"}},
      {.name = "a value with a bare LF", .header = {"X", "y\nZ: z"}},
      {.name = "a value with a bare CR", .header = {"X", "y\rz"}},
      {.name = "a value with NUL", .header = {"X", std::string_view("y\0z", 3)}},
      {.name = "a value beyond ASCII", .header = {"X", "\xc3\xa9"}},
      {.name = "a name with a line break", .header = {"X: y\r\nZ", "z"}},
      {.name = "a name with a colon", .header = {"X:", "z"}},
      {.name = "a name with a space", .header = {"X y", "z"}},
      {.name = "no name", .header = {"", "z"}},
      {.name = "a second Host", .header = {"hOST", "other"}},
      {.name = "a second length", .header = {"Content-Length", "5"}},
      {.name = "a coding", .header = {"Transfer-Encoding", "chunked"}},
      {.name = "a method with a space", .method = "GET / HTTP/1.1\r\nX:"},
      {.name = "no method", .method = ""},
      {.name = "a path with a line break", .path = "/ HTTP/1.1\r\nX: y"},
      {.name = "no path", .path = ""},
      {.name = "a host with a line break", .host = "127.0.0.1\r\nX: y"},
  };
  for (const auto& row : rows) {
    std::string seen;
    {
      ScriptedServer server([&](ScriptedServer::Connection& c) { seen = c.read(1); });
      Url url = at(server);
      url.path = row.path;
      url.host = row.host;
      const HttpOptions options{.headers = {row.header}};
      const auto answer = http_request(url, row.method, "", milliseconds(5'000), options);
      ASSERT_FALSE(answer.ok()) << row.name;
      EXPECT_EQ(answer.error().code, ErrorCode::kMalformed) << row.name;
    }
    EXPECT_EQ(seen, "") << row.name;
  }
}

TEST(HttpRequest, SpeaksTlsToAnHttpsUrlAndToNoOther) {
  const net::TestAuthority authority;
  std::string seen;
  const auto script = [&](net::TlsConversation& conversation) {
    seen = conversation.read_to("\r\n\r\n");
    conversation.write("HTTP/1.1 200 OK\r\n\r\nover TLS");
  };
  const struct {
    const char* name;
    const char* scheme;
    bool is_trusted;
    bool says_goodbye;
    std::optional<ErrorCode> code;
  } rows[] = {
      {"https", "https", true, true, {}},
      {"wss", "wss", true, true, {}},
      {"https, cut off before the length is known", "https", true, false, ErrorCode::kUnavailable},
      {"https from a stranger", "https", false, true, ErrorCode::kUnauthorized},
      {"http", "http", true, true, ErrorCode::kUnavailable},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    seen.clear();
    Result<HttpAnswer> answer = Error{ErrorCode::kBug, ""};
    {
      net::OneShotServer server(
          net::tls_script(authority, {.says_goodbye = row.says_goodbye}, script));
      HttpOptions options;
      if (row.is_trusted) options.tls.ca_file = authority.ca_file();
      const auto url =
          parse_url(std::string(row.scheme) + "://127.0.0.1:" + std::to_string(server.port()));
      answer = http_request(*url, "GET", "", milliseconds(5'000), options);
    }
    ASSERT_EQ(answer.ok(), !row.code) << (answer.ok() ? "" : answer.error().detail);
    if (answer.ok()) {
      EXPECT_EQ(answer->body, "over TLS");
    } else {
      EXPECT_EQ(answer.error().code, *row.code) << answer.error().detail;
    }
    if (row.code == ErrorCode::kUnauthorized) {
      EXPECT_EQ(seen, "");
    }
  }
}

TEST(HttpRequest, ReachesAUnixSocket) {
  std::string folder = "/tmp/signet-http-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string path = folder + "/s";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ASSERT_EQ(listen(listener, 1), 0);
  std::string seen;
  std::thread server([&] {
    ScriptedServer::Connection connection(accept(listener, nullptr, nullptr));
    seen = connection.read_to("\r\n\r\n");
    connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlocal");
  });
  const HttpOptions options{.unix_socket = path};
  const auto answer =
      http_request(*parse_url("http://localhost/health"), "GET", "", milliseconds(5'000), options);
  server.join();
  close(listener);
  unlink(path.c_str());
  rmdir(folder.c_str());
  ASSERT_TRUE(answer.ok()) << answer.error().detail;
  EXPECT_EQ(answer->body, "local");
  EXPECT_TRUE(seen.starts_with("GET /health HTTP/1.1\r\nHost: localhost:80\r\n")) << seen;
  const auto refused =
      http_request(*parse_url("https://localhost/health"), "GET", "", milliseconds(5'000), options);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kMalformed);
}

}  // namespace
}  // namespace signet::client
