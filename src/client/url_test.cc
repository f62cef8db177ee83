#include "client/url.h"

#include <gtest/gtest.h>

namespace signet::client {
namespace {

TEST(ParseUrl, TakesWhatAClientNeeds) {
  const struct {
    const char* text;
    const char* host;
    int port;
    const char* path;
    const char* authority;
    bool secure = false;
  } rows[] = {
      {"http://a", "a", 80, "/", "a:80"},
      {"ws://a/", "a", 80, "/", "a:80"},
      {"https://a", "a", 443, "/", "a:443", true},
      {"wss://a/ws", "a", 443, "/ws", "a:443", true},
      {"wss://a:80/ws", "a", 80, "/ws", "a:80", true},
      {"ws://a:443/ws", "a", 443, "/ws", "a:443"},
      {"wss://[::1]/ws", "::1", 443, "/ws", "[::1]:443", true},
      {"ws://127.0.0.1:7900/ws", "127.0.0.1", 7900, "/ws", "127.0.0.1:7900"},
      {"http://my-host.example:1/a/b?c=d&e=%20", "my-host.example", 1, "/a/b?c=d&e=%20",
       "my-host.example:1"},
      {"ws://[::1]:65535/ws", "::1", 65'535, "/ws", "[::1]:65535"},
      {"ws://[2001:db8::1]", "2001:db8::1", 80, "/", "[2001:db8::1]:80"},
      {"http://a/b:c@d", "a", 80, "/b:c@d", "a:80"},
      {"http://a//b", "a", 80, "//b", "a:80"},
  };
  for (const auto& row : rows) {
    const auto url = parse_url(row.text);
    ASSERT_TRUE(url.ok()) << row.text;
    EXPECT_EQ(url->host, row.host) << row.text;
    EXPECT_EQ(url->port, row.port) << row.text;
    EXPECT_EQ(url->path, row.path) << row.text;
    EXPECT_EQ(url->authority(), row.authority) << row.text;
    EXPECT_EQ(url->secure, row.secure) << row.text;
  }
}

TEST(ParseUrl, RefusesTheRest) {
  const struct {
    const char* name;
    std::string text;
  } rows[] = {
      {"nothing", ""},
      {"no scheme", "localhost:7900"},
      {"a path", "/ws"},
      {"another scheme", "ftp://a"},
      {"a scheme in capitals", "WS://a"},
      {"a file", "file:///etc/passwd"},
      {"TLS in capitals", "WSS://a"},
      {"TLS without a host", "wss:///ws"},
      {"TLS with a user", "wss://user@a"},
      {"TLS twice", "wss://wss://a"},
      {"no host", "ws:///ws"},
      {"no host but a port", "ws://:80"},
      {"an empty port", "ws://a:"},
      {"port zero", "ws://a:0"},
      {"a port too large", "ws://a:65536"},
      {"a port with a sign", "ws://a:+80"},
      {"a negative port", "ws://a:-80"},
      {"a port of words", "ws://a:http"},
      {"two ports", "ws://a:1:2"},
      {"a user", "ws://user@a"},
      {"a user and a password", "ws://user:secret@a"},
      {"a fragment", "ws://a/ws#x"},
      {"a query without a path", "ws://a?x"},
      {"brackets around nothing", "ws://[]"},
      {"an open bracket", "ws://[::1"},
      {"a closed bracket", "ws://::1]"},
      {"IPv6 without brackets", "ws://::1"},
      {"a zone", "ws://[fe80::1%25eth0]"},
      {"a name in brackets", "ws://[example]"},
      {"a space in the path", "ws://a/b c"},
      {"a second request line", "ws://a/ HTTP/1.1\r\nX: y\r\n\r\nGET /"},
      {"a second header in the host", "ws://a\r\nX: y/"},
      {"a bare LF", "ws://a/\nb"},
      {"NUL", std::string("ws://a/\0b", 9)},
      {"DEL", "ws://a/\x7f"},
      {"UTF-8", "ws://a/\xc3\xa9"},
      {"a host in UTF-8", "ws://\xc3\xa9/"},
      {"a backslash", "ws://a\\b/"},
  };
  for (const auto& row : rows) {
    const auto url = parse_url(row.text);
    ASSERT_FALSE(url.ok()) << row.name;
    EXPECT_EQ(url.error().code, ErrorCode::kMalformed) << row.name;
  }
}

TEST(IsPlainPath, HoldsNothingThatEndsALine) {
  const struct {
    const char* path;
    bool is_plain;
  } rows[] = {
      {"/", true},     {"/a/b?c=d%20", true}, {"", false},          {"a", false},
      {"/a b", false}, {"/a\r\nX: y", false}, {"/\xc3\xa9", false}, {"/#x", false},
  };
  for (const auto& row : rows) EXPECT_EQ(is_plain_path(row.path), row.is_plain) << row.path;
}

}  // namespace
}  // namespace signet::client
