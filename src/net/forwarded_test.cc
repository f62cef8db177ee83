#include "net/forwarded.h"

#include <gtest/gtest.h>

namespace signet::net {
namespace {

PeerAddress at(const std::string& text) {
  const auto address = parse_address(text);
  EXPECT_TRUE(address.ok()) << text;
  return address.ok() ? *address : PeerAddress{};
}

TrustedProxies proxies() {
  const auto read = TrustedProxies::of(
      {"127.0.0.1", "10.0.0.0/8", "192.168.1.128/25", "::1", "fd00::/8", "::ffff:172.16.0.0/108"});
  EXPECT_TRUE(read.ok());
  return read.ok() ? *read : TrustedProxies();
}

TEST(TrustedProxies, HoldsAddressesAndNetworks) {
  const TrustedProxies trusted = proxies();
  const struct {
    const char* address;
    bool trusted;
  } cases[] = {
      // clang-format off
      {"127.0.0.1:1", true},         {"127.0.0.2:1", false},
      {"10.0.0.0:1", true},          {"10.255.255.255:1", true},
      {"9.255.255.255:1", false},    {"11.0.0.0:1", false},
      {"192.168.1.128:1", true},     {"192.168.1.255:1", true},
      {"192.168.1.127:1", false},    {"192.168.2.128:1", false},
      {"172.16.0.1:1", true},        {"172.31.255.255:1", true},
      {"172.32.0.0:1", false},       {"[::ffff:10.1.2.3]:1", true},
      {"[::ffff:11.1.2.3]:1", false}, {"[::1]:1", true},
      {"[::2]:1", false},            {"[fdff::1]:1", true},
      {"[fc00::1]:1", false},        {"[::]:1", false},
      {"0.0.0.0:1", false},
      // clang-format on
  };
  for (const auto& c : cases) EXPECT_EQ(trusted.trusts(at(c.address)), c.trusted) << c.address;
  EXPECT_FALSE(TrustedProxies().trusts(at("127.0.0.1:1")));
}

// The address of a peer of the Unix socket is all zero.
TEST(TrustedProxies, NeverTrustsAPeerOfTheUnixSocket) {
  PeerAddress local;
  local.local_user = 0;
  const auto wide = TrustedProxies::of({"::/16"});
  ASSERT_TRUE(wide.ok());
  EXPECT_TRUE(wide->trusts(at("[::5]:1")));
  EXPECT_FALSE(wide->trusts(local));
  EXPECT_FALSE(wide->trusts(at("10.0.0.1:1"))) << "a network of IPv6 holds no IPv4";
  const std::string_view line = "203.0.113.9";
  EXPECT_TRUE(client_of(local, {&line, 1}, *wide).is_local());
}

TEST(TrustedProxies, RefusesWhatIsNoNetwork) {
  const struct {
    const char* entry;
    const char* rule;
  } cases[] = {
      {"", "an IPv4 or IPv6 address"},
      {"proxy.example", "an IPv4 or IPv6 address"},
      {"localhost", "an IPv4 or IPv6 address"},
      {"10.0.0.7:80", "an IPv4 or IPv6 address"},
      {"[::1]", "an IPv4 or IPv6 address"},
      {"10.0.0", "an IPv4 or IPv6 address"},
      {"fe80::1%eth0", "an IPv4 or IPv6 address"},
      {" 10.0.0.7", "an IPv4 or IPv6 address"},
      {"10.0.0.0/", "its prefix"},
      {"10.0.0.0/33", "its prefix"},
      {"fd00::/129", "its prefix"},
      {"10.0.0.0/-1", "its prefix"},
      {"10.0.0.0/8/8", "its prefix"},
      {"10.0.0.0/255.0.0.0", "its prefix"},
      {"10.0.0.1/8", "bits beyond"},
      {"fd00::1/8", "bits beyond"},
      {"0.0.0.0/0", "everybody"},
      {"::/0", "everybody"},
      {"::ffff:0.0.0.0/96", "everybody"},
      {"10.0.0.0/7", "everybody"},
      {"128.0.0.0/1", "everybody"},
      {"::ffff:10.0.0.0/103", "everybody"},
      {"2000::/3", "everybody"},
      {"2a00::/15", "everybody"},
      {"fe00::/15", "everybody"},
      {"f800::/5", "everybody"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.entry);
    const auto read = TrustedProxies::of({"10.0.0.1", c.entry});
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code, ErrorCode::kMalformed);
    EXPECT_NE(read.error().detail.find(c.rule), std::string::npos) << read.error().detail;
  }
}

TEST(TrustedProxies, TakesTheWidestNetworkThatIsSomebodys) {
  for (const char* entry :
       {"11.0.0.0/8", "::ffff:11.0.0.0/104", "2a00::/16", "fc00::/7", "fd00::/8"}) {
    EXPECT_TRUE(TrustedProxies::of({entry}).ok()) << entry;
  }
}

TEST(ClientOf, IsTheRightmostThatIsNoProxy) {
  const TrustedProxies trusted = proxies();
  const std::string peer = "127.0.0.1:5000";
  const struct {
    const char* name;
    std::string from;
    std::vector<std::string_view> lines;
    std::string client;
  } cases[] = {
      // clang-format off
      {"no header", peer, {}, peer},
      {"one client", peer, {"203.0.113.9"}, "203.0.113.9:0"},
      {"an IPv6 client", peer, {"2001:db8::5"}, "[2001:db8::5]:0"},
      {"two proxies", peer, {"203.0.113.9, 10.1.1.1"}, "203.0.113.9:0"},
      {"three proxies, one IPv6", peer, {"203.0.113.9, fd00::7, 10.1.1.1"}, "203.0.113.9:0"},
      {"an IPv6 proxy", "[::1]:5000", {"203.0.113.9"}, "203.0.113.9:0"},
      {"a mapped proxy", "[::ffff:10.0.0.1]:5000", {"203.0.113.9"}, "203.0.113.9:0"},
      {"a mapped client is its IPv4 address", peer, {"::ffff:203.0.113.9"}, "203.0.113.9:0"},

      {"a stranger is not believed", "198.51.100.1:5000", {"203.0.113.9"}, "198.51.100.1:5000"},
      {"nor is he as another proxy", "198.51.100.1:5000", {"10.1.1.1"}, "198.51.100.1:5000"},
      {"a client that writes itself a header", peer, {"1.1.1.1, 203.0.113.9"}, "203.0.113.9:0"},
      {"that claims to be loopback", peer, {"127.0.0.1, 203.0.113.9"}, "203.0.113.9:0"},
      {"that names proxies", peer, {"1.1.1.1, 10.1.1.1, 203.0.113.9, 10.2.2.2"}, "203.0.113.9:0"},
      {"that writes it on a line of its own", peer, {"1.1.1.1", "203.0.113.9"}, "203.0.113.9:0"},
      {"lines join", peer, {"203.0.113.9", "10.1.1.1", "10.2.2.2"}, "203.0.113.9:0"},
      {"lines join, each a list", peer, {"1.1.1.1, 203.0.113.9", "10.1.1.1,10.2.2.2"}, "203.0.113.9:0"},

      {"spaces and tabs", peer, {" \t203.0.113.9\t ,  10.1.1.1 "}, "203.0.113.9:0"},
      {"no spaces", peer, {"203.0.113.9,10.1.1.1"}, "203.0.113.9:0"},
      {"a port", peer, {"203.0.113.9:4711"}, "203.0.113.9:0"},
      {"brackets", peer, {"[2001:db8::5]"}, "[2001:db8::5]:0"},
      {"brackets and a port", peer, {"[2001:db8::5]:4711"}, "[2001:db8::5]:0"},
      {"a proxy with a port", peer, {"203.0.113.9, 10.1.1.1:80"}, "203.0.113.9:0"},

      {"all are proxies", peer, {"10.3.3.3, 10.2.2.2, 10.1.1.1"}, "10.3.3.3:0"},
      {"unknown", peer, {"unknown"}, peer},
      {"unknown behind a proxy", peer, {"unknown, 10.1.1.1"}, "10.1.1.1:0"},
      {"a hidden one", peer, {"203.0.113.9, _hidden, 10.1.1.1"}, "10.1.1.1:0"},
      {"empty", peer, {""}, peer},
      {"an empty entry at the end", peer, {"203.0.113.9,"}, peer},
      {"an empty entry within", peer, {"203.0.113.9,,10.1.1.1"}, "10.1.1.1:0"},
      {"an empty line", peer, {"203.0.113.9", ""}, peer},
      {"only commas", peer, {",,,,"}, peer},
      {"a name", peer, {"localhost"}, peer},
      {"a zone", peer, {"fe80::1%eth0"}, peer},
      {"a quoted one", peer, {"\"203.0.113.9\""}, peer},
      {"as in Forwarded", peer, {"for=203.0.113.9"}, peer},
      {"an octal one", peer, {"0203.0.113.9"}, peer},
      {"too few parts", peer, {"203.0.113"}, peer},
      {"a network", peer, {"203.0.113.0/24"}, peer},
      {"a bad port", peer, {"203.0.113.9:x"}, peer},
      {"a port beyond", peer, {"203.0.113.9:65536"}, peer},
      {"an empty port", peer, {"203.0.113.9:"}, peer},
      {"IPv4 in brackets", peer, {"[203.0.113.9]"}, peer},
      {"an open bracket", peer, {"[2001:db8::5"}, peer},
      {"something behind the bracket", peer, {"[2001:db8::5]x"}, peer},
      {"a space within", peer, {"203.0.113.9 10.1.1.1"}, peer},
      {"a way in by the Unix socket", peer, {"unix:0"}, peer},
      // clang-format on
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const PeerAddress client = client_of(at(c.from), c.lines, trusted);
    EXPECT_EQ(client.text(), c.client);
    EXPECT_FALSE(client.is_local());
  }
}

TEST(ClientOf, LooksAtSixteenHops) {
  const TrustedProxies trusted = proxies();
  const auto list = [](int proxies_in_a_row) {
    std::string text = "203.0.113.9";
    for (int i = proxies_in_a_row; i > 0; --i) text += ", 10.0.0." + std::to_string(i);
    return text;
  };
  const auto client = [&](const std::string& text) {
    const std::string_view line = text;
    return client_of(at("127.0.0.1:1"), {&line, 1}, trusted).text();
  };
  EXPECT_EQ(client(list(15)), "203.0.113.9:0");
  EXPECT_EQ(client(list(16)), "10.0.0.16:0");
  EXPECT_EQ(client(list(4'000)), "10.0.0.16:0");
}

TEST(ClientOf, BelievesNobodyWhereNobodyIsTrusted) {
  const std::string_view line = "203.0.113.9";
  EXPECT_EQ(client_of(at("127.0.0.1:7"), {&line, 1}, {}).text(), "127.0.0.1:7");
}

}  // namespace
}  // namespace signet::net
