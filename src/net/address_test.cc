#include "net/address.h"

#include <gtest/gtest.h>

namespace signet::net {
namespace {

TEST(ParseAddress, ReadsLiteralsAndPrintsThemAgain) {
  const struct {
    const char* name;
    const char* text;
    const char* printed;
    bool ipv4;
    bool loopback;
  } cases[] = {
      {"loopback", "127.0.0.1:80", "127.0.0.1:80", true, true},
      {"far end of the loopback network", "127.255.255.254:1", "127.255.255.254:1", true, true},
      {"localhost", "localhost:8088", "127.0.0.1:8088", true, true},
      {"any port", "0.0.0.0:0", "0.0.0.0:0", true, false},
      {"last port", "10.1.2.3:65535", "10.1.2.3:65535", true, false},
      {"IPv6 loopback", "[::1]:80", "[::1]:80", false, true},
      {"IPv6", "[2001:db8::5]:443", "[2001:db8::5]:443", false, false},
      {"IPv6 any", "[::]:80", "[::]:80", false, false},
      {"IPv4 in IPv6", "[::ffff:10.0.0.1]:80", "10.0.0.1:80", true, false},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto address = parse_address(c.text);
    ASSERT_TRUE(address.ok());
    EXPECT_EQ(address->text(), c.printed);
    EXPECT_EQ(address->is_ipv4(), c.ipv4);
    EXPECT_EQ(address->is_loopback(), c.loopback);
  }
}

TEST(ParseAddress, MakesNobodyLocal) {
  for (const char* text : {"127.0.0.1:80", "[::1]:80", "[::]:0", "0.0.0.0:0", "localhost:1"}) {
    const auto address = parse_address(text);
    ASSERT_TRUE(address.ok());
    EXPECT_FALSE(address->is_local()) << text;
  }
  for (const char* text : {"unix:0", "unix:1000", "unix:/run/x.sock", "/run/x.sock"}) {
    const auto address = parse_address(text);
    EXPECT_TRUE(!address.ok() || !address->is_local()) << text;
  }
}

TEST(LocalPeer, IsNoLoopbackAddress) {
  PeerAddress peer;
  peer.local_user = 1000;
  EXPECT_TRUE(peer.is_local());
  EXPECT_FALSE(peer.is_loopback());
  EXPECT_EQ(peer.text(), "unix:1000");
}

TEST(ParseAddress, RefusesEverythingElse) {
  const struct {
    const char* name;
    const char* text;
  } cases[] = {
      {"empty", ""},
      {"no port", "127.0.0.1"},
      {"empty port", "127.0.0.1:"},
      {"port too large", "127.0.0.1:65536"},
      {"negative port", "127.0.0.1:-1"},
      {"port with a tail", "127.0.0.1:80x"},
      {"space", "127.0.0.1: 80"},
      {"a name", "example.org:80"},
      {"no host", ":80"},
      {"IPv6 without brackets", "::1:80"},
      {"IPv4 in brackets", "[127.0.0.1]:80"},
      {"empty brackets", "[]:80"},
      {"short IPv4", "127.1:80"},
      {"number out of range", "256.0.0.1:80"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_FALSE(parse_address(c.text).ok());
  }
}

TEST(LimitKey, CountsAnIpv4AddressAndAnIpv6NetworkAsOne) {
  const struct {
    const char* name;
    const char* one;
    const char* other;
    bool same;
  } cases[] = {
      {"same IPv4, other port", "10.0.0.1:1", "10.0.0.1:2", true},
      {"other IPv4", "10.0.0.1:1", "10.0.0.2:1", false},
      {"same /64", "[2001:db8:1:2::1]:1", "[2001:db8:1:2:ffff::9]:2", true},
      {"other /64", "[2001:db8:1:2::1]:1", "[2001:db8:1:3::1]:1", false},
      {"mapped and plain", "[::ffff:10.0.0.1]:1", "10.0.0.1:1", true},
      {"IPv4 against the IPv6 network it is mapped into", "10.0.0.1:1", "[::1]:1", false},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto one = parse_address(c.one), other = parse_address(c.other);
    ASSERT_TRUE(one.ok() && other.ok());
    EXPECT_EQ(one->limit_key() == other->limit_key(), c.same);
  }
}

}  // namespace
}  // namespace signet::net
