#include "net/origin_list.h"

#include <gtest/gtest.h>

namespace signet::net {
namespace {

OriginList listed() {
  const auto list = OriginList::of({"https://app.example", "https://app.example:8443",
                                    "http://10.0.0.7:3000", "https://[2001:db8::1]",
                                    "https://xn--bcher-kva.example", "capacitor://localhost"});
  EXPECT_TRUE(list.ok());
  return list.ok() ? *list : OriginList();
}

TEST(OriginList, AllowsWhatIsListedLetterByLetter) {
  const OriginList list = listed();
  const std::string very_long = "https://" + std::string(60'000, 'a') + ".example";
  const struct {
    const char* name;
    std::string origin;
    bool allowed;
  } cases[] = {
      // clang-format off
      {"as listed", "https://app.example", true},
      {"as listed, with its port", "https://app.example:8443", true},
      {"an IPv4 address", "http://10.0.0.7:3000", true},
      {"an IPv6 address", "https://[2001:db8::1]", true},
      {"punycode", "https://xn--bcher-kva.example", true},
      {"the scheme of an app", "capacitor://localhost", true},

      {"empty", "", false},
      {"null", "null", false},
      {"another scheme", "http://app.example", false},
      {"the scheme of a WebSocket", "wss://app.example", false},
      {"no scheme", "app.example", false},
      {"no scheme, slashes", "//app.example", false},
      {"another port", "https://app.example:8444", false},
      {"the scheme's own port", "https://app.example:443", false},
      {"a port of the same value", "https://app.example:08443", false},
      {"an empty port", "https://app.example:", false},
      {"a prefix of it", "https://app.exampl", false},
      {"it as a prefix", "https://app.example.evil.example", false},
      {"it as a prefix without a dot", "https://app.examples", false},
      {"it as a suffix", "https://evil-app.example", false},
      {"a host below it", "https://evil.app.example", false},
      {"the host above it", "https://example", false},
      {"it as the user", "https://app.example@evil.example", false},
      {"it as user and password", "https://app.example:8443@evil.example", false},
      {"a user before it", "https://user@app.example", false},
      {"it as a path", "https://evil.example/https://app.example", false},
      {"it as a fragment", "https://evil.example#https://app.example", false},
      {"a slash at the end", "https://app.example/", false},
      {"a path", "https://app.example/app", false},
      {"a query", "https://app.example?x", false},
      {"a last dot", "https://app.example.", false},
      {"the host in capitals", "https://APP.example", false},
      {"the scheme in capitals", "HTTPS://app.example", false},
      {"a look-alike in UTF-8", "https://\xd0\xb0pp.example", false},
      {"the name behind the punycode", "https://b\xc3\xbc" "cher.example", false},
      {"punycode in capitals", "https://XN--bcher-kva.example", false},
      {"a percent escape", "https://app%2eexample", false},
      {"IPv6 in capitals", "https://[2001:DB8::1]", false},
      {"IPv6 written out", "https://[2001:db8:0:0:0:0:0:1]", false},
      {"IPv6 with a zone", "https://[2001:db8::1%25eth0]", false},
      {"IPv6 without brackets", "https://2001:db8::1", false},
      {"IPv4 as one number", "http://167772167:3000", false},
      {"IPv4 in octal", "http://012.0.0.7:3000", false},
      {"IPv4 in IPv6", "http://[::ffff:10.0.0.7]:3000", false},
      {"a space before it", " https://app.example", false},
      {"a space behind it", "https://app.example ", false},
      {"a tab behind it", "https://app.example\t", false},
      {"a tab within", "https://app\t.example", false},
      {"NUL behind it", std::string("https://app.example\0", 20), false},
      {"a list that ends with it", "https://evil.example, https://app.example", false},
      {"a list that begins with it", "https://app.example, https://evil.example", false},
      {"a list with spaces, as RFC 6454 has it", "https://app.example https://evil.example", false},
      {"a wildcard", "*", false},
      {"very long", very_long, false},
      {"loopback is not listed", "http://127.0.0.1:5173", false},
      {"nor is its word", "loopback", false},
      // clang-format on
  };
  for (const auto& c : cases) EXPECT_EQ(list.allows(c.origin), c.allowed) << c.name;
}

TEST(OriginList, LoopbackStandsForPagesOfThisMachine) {
  const auto list = OriginList::of({"loopback", "https://app.example"});
  ASSERT_TRUE(list.ok());
  const struct {
    const char* name;
    const char* origin;
    bool allowed;
  } cases[] = {
      {"what is listed beside it", "https://app.example", true},
      {"a page of 127.0.0.1", "http://127.0.0.1", true},
      {"with a port", "http://127.0.0.1:5173", true},
      {"of the far end of the network", "http://127.255.255.254:1", true},
      {"over TLS", "https://127.0.0.1:65535", true},
      {"IPv6", "http://[::1]", true},
      {"IPv6 with a port", "https://[::1]:8443", true},
      {"localhost", "http://localhost", true},
      {"localhost with a port", "http://localhost:3000", true},

      {"the word", "loopback", false},
      {"null", "null", false},
      {"empty", "", false},
      {"the scheme of an app", "capacitor://localhost", false},
      {"a file", "file://localhost", false},
      {"a WebSocket", "ws://localhost:3000", false},
      {"a name that begins like it", "http://localhost.evil.example", false},
      {"a name that ends like it", "http://evil-localhost", false},
      {"a name below it", "http://evil.localhost", false},
      {"a last dot", "http://localhost.", false},
      {"capitals", "http://LOCALHOST", false},
      {"an address as a name", "http://127.0.0.1.evil.example", false},
      {"as a user", "http://127.0.0.1@evil.example", false},
      {"the next network", "http://128.0.0.1", false},
      {"any address", "http://0.0.0.0:3000", false},
      {"any address of IPv6", "http://[::]:3000", false},
      {"the short form", "http://127.1", false},
      {"one number", "http://2130706433", false},
      {"hexadecimal", "http://0x7f000001", false},
      {"octal", "http://0177.0.0.1", false},
      {"in IPv6", "http://[::ffff:127.0.0.1]", false},
      {"in IPv6, hexadecimal", "http://[::ffff:7f00:1]", false},
      {"IPv6 written out", "http://[0:0:0:0:0:0:0:1]", false},
      {"an open bracket", "http://[::1", false},
      {"its own port", "http://127.0.0.1:80", false},
      {"port 0", "http://127.0.0.1:0", false},
      {"a port beyond", "http://127.0.0.1:65536", false},
      {"no port", "http://127.0.0.1:", false},
      {"two ports", "http://127.0.0.1:1:2", false},
      {"a path", "http://127.0.0.1/", false},
      {"a list", "http://127.0.0.1, http://evil.example", false},
      {"a machine of the network", "http://192.168.1.2:5173", false},
  };
  for (const auto& c : cases) EXPECT_EQ(list->allows(c.origin), c.allowed) << c.name;
}

TEST(OriginList, AnEmptyOneAllowsNoPageAndAnyAll) {
  for (const char* origin : {"", "null", "https://app.example", "http://127.0.0.1", "x"}) {
    EXPECT_FALSE(OriginList().allows(origin)) << origin;
    EXPECT_TRUE(OriginList::any().allows(origin)) << origin;
  }
}

// An entry that no browser ever sends would shut out the page that it means.
TEST(OriginList, RefusesEntriesThatAreNoWholeOrigins) {
  const struct {
    const char* entry;
    const char* rule;
  } cases[] = {
      {"", "it is SCHEME://HOST"},
      {"app.example", "it is SCHEME://HOST"},
      {"*", "it is SCHEME://HOST"},
      {"Loopback", "it is SCHEME://HOST"},
      {"https:app.example", "it is SCHEME://HOST"},
      {"null", "every sandboxed page"},
      {"://app.example", "its scheme"},
      {"HTTPS://app.example", "its scheme"},
      {"1s://app.example", "its scheme"},
      {"https://", "its host"},
      {"https://App.example", "its host"},
      {"https://app.example.", "its host"},
      {"https://.example", "its host"},
      {"https://b\xc3\xbc"
       "cher.example",
       "its host"},
      {"https://app .example", "its host"},
      {"https://127.1", "its host"},
      {"https://[::0001]", "its host"},
      {"https://[2001:DB8::1]", "its host"},
      {"https://*.example", "no wildcard"},
      {"https://user@app.example", "names no user"},
      {"https://app.example/", "nothing follows"},
      {"https://app.example?x", "nothing follows"},
      {"https://app.example:443", "own port"},
      {"http://app.example:80", "own port"},
      {"https://app.example:", "its port"},
      {"https://app.example:0", "its port"},
      {"https://app.example:080", "its port"},
      {"https://app.example:65536", "its port"},
      {"https://app.example:8443x", "its port"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.entry);
    const auto list = OriginList::of({"https://good.example", c.entry});
    ASSERT_FALSE(list.ok());
    EXPECT_EQ(list.error().code, ErrorCode::kMalformed);
    EXPECT_NE(list.error().detail.find(c.rule), std::string::npos) << list.error().detail;
    EXPECT_NE(list.error().detail.find("'" + std::string(c.entry) + "'"), std::string::npos);
  }
}

}  // namespace
}  // namespace signet::net
