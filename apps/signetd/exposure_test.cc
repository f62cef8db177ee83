#include "signetd/exposure.h"

#include <gtest/gtest.h>

namespace signet {
namespace {

net::PeerAddress at(const std::string& text) {
  const auto address = net::parse_address(text);
  EXPECT_TRUE(address.ok()) << text;
  return address.ok() ? *address : net::PeerAddress{};
}

TEST(Exposure, IsRefusedUnlessSomebodySaidSo) {
  const std::vector<std::string> proof;
  const std::vector<std::string> dev{"dev mode"};
  const std::vector<std::string> join{"legacy_join of mesh team"};
  constexpr bool kTls = true, kPlain = true, kOpen = true;
  const struct {
    const char* name;
    const char* listen;
    bool encrypted, allow_plain, allow_open;
    std::vector<std::string> open;
    std::vector<const char*> says;  // none: it is fine
  } cases[] = {
      // clang-format off
      {"loopback", "127.0.0.1:1", !kTls, !kPlain, !kOpen, proof, {}},
      {"all of loopback", "127.8.9.1:1", !kTls, !kPlain, !kOpen, proof, {}},
      {"IPv6 loopback", "[::1]:1", !kTls, !kPlain, !kOpen, proof, {}},
      {"mapped loopback", "[::ffff:127.0.0.1]:1", !kTls, !kPlain, !kOpen, proof, {}},
      {"dev mode on loopback", "127.0.0.1:1", !kTls, !kPlain, !kOpen, dev, {}},

      {"all, plain", "0.0.0.0:1", !kTls, !kPlain, !kOpen, proof, {"tls.certificate", "server.allow_plain"}},
      {"all of IPv6, plain", "[::]:1", !kTls, !kPlain, !kOpen, proof, {"server.allow_plain"}},
      {"a LAN, plain", "192.168.1.5:1", !kTls, !kPlain, !kOpen, proof, {"192.168.1.5:1", "server.allow_plain"}},
      {"a link, plain", "[fe80::1]:1", !kTls, !kPlain, !kOpen, proof, {"server.allow_plain"}},
      {"mapped LAN, plain", "[::ffff:10.0.0.1]:1", !kTls, !kPlain, !kOpen, proof, {"server.allow_plain"}},
      {"plain by intent", "0.0.0.0:1", !kTls, kPlain, !kOpen, proof, {}},
      {"over TLS", "0.0.0.0:1", kTls, !kPlain, !kOpen, proof, {}},
      {"open by intent is not plain by intent", "0.0.0.0:1", !kTls, !kPlain, kOpen, proof, {"server.allow_plain"}},

      {"dev mode over TLS", "0.0.0.0:1", kTls, !kPlain, !kOpen, dev, {"dev mode", "server.allow_open"}},
      {"dev mode, plain by intent", "0.0.0.0:1", !kTls, kPlain, !kOpen, dev, {"server.allow_open"}},
      {"both at once", "0.0.0.0:1", !kTls, !kPlain, !kOpen, join,
       {"server.allow_plain", "legacy_join of mesh team", "server.allow_open"}},
      {"legacy_join over TLS", "[::]:1", kTls, !kPlain, !kOpen, join, {"legacy_join of mesh team", "server.allow_open"}},
      {"open by intent", "0.0.0.0:1", kTls, !kPlain, kOpen, join, {}},
      {"all by intent", "0.0.0.0:1", !kTls, kPlain, kOpen, dev, {}},
      // clang-format on
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    Exposure exposure;
    exposure.listen = {at("127.0.0.1:9"), at(c.listen)};
    exposure.operators = at("127.0.0.1:8");
    exposure.encrypted = c.encrypted;
    exposure.allow_plain = c.allow_plain;
    exposure.allow_open = c.allow_open;
    exposure.open = c.open;
    const Status status = check_exposure(exposure);
    ASSERT_EQ(status.ok(), c.says.empty());
    for (const char* word : c.says) {
      EXPECT_NE(status.error().detail.find(word), std::string::npos) << status.error().detail;
    }
  }
}

TEST(Exposure, OfOperatorsIsNeverBeyondLoopback) {
  for (const char* address : {"127.0.0.1:1", "127.0.0.9:1", "[::1]:1"}) {
    Exposure exposure;
    exposure.operators = at(address);
    EXPECT_TRUE(check_exposure(exposure).ok()) << address;
  }
  for (const char* address : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "[fd00::1]:1"}) {
    Exposure exposure;
    exposure.operators = at(address);
    exposure.encrypted = exposure.allow_plain = exposure.allow_open = true;
    const Status status = check_exposure(exposure);
    ASSERT_FALSE(status.ok()) << address;
    EXPECT_EQ(status.error().code, ErrorCode::kForbidden);
    EXPECT_NE(status.error().detail.find("admin.listen"), std::string::npos);
  }
}

config::Config configured(const std::vector<std::string>& settings, bool dev = false) {
  config::Sources sources;
  sources.profile = dev ? config::Profile::kDev : config::Profile::kRun;
  for (const std::string& each : settings) sources.flags.push_back(*config::parse_set(each));
  auto loaded = config::load(sources);
  EXPECT_TRUE(loaded.ok()) << (loaded.ok() ? "" : loaded.error().detail);
  return *std::move(loaded);
}

TEST(Exposure, OfSettings) {
  const struct {
    const char* name;
    std::vector<std::string> settings;
    bool dev;
    const char* says;  // empty: it is fine
  } cases[] = {
      // clang-format off
      {"the defaults", {}, false, ""},
      {"the defaults of dev mode", {}, true, ""},
      {"all addresses", {"server.listen=0.0.0.0:1"}, false, "server.allow_plain"},
      {"behind a proxy", {"server.listen=0.0.0.0:1", "server.allow_plain=true"}, false, ""},
      {"over TLS", {"server.listen=0.0.0.0:1", "tls.certificate=c", "tls.key=k"}, false, ""},
      {"dev mode", {"server.listen=0.0.0.0:1", "server.allow_plain=true"}, true, "dev mode"},
      {"legacy_join", {"server.listen=0.0.0.0:1", "server.allow_plain=true", "claudemesh.legacy_join=true"}, false, "claudemesh.legacy_join"},
      {"an open relay", {"server.listen=0.0.0.0:1", "server.allow_plain=true", "simpatico.open=true"}, false, "simpatico.open"},
      {"open by intent", {"server.listen=0.0.0.0:1", "server.allow_plain=true", "server.allow_open=true", "simpatico.open=true"}, false, ""},
      {"no operator's door", {"admin.listen=none"}, false, ""},
      {"an operator's door for all", {"admin.listen=0.0.0.0:1"}, false, "admin.listen: 0.0.0.0:1"},
      {"no address", {"admin.listen=here"}, false, "admin.listen: an address"},
      {"no origin", {"server.origins=https://app.example/"}, false, "server.origins: 'https://app.example/'"},
      {"an origin", {"server.origins=https://app.example"}, false, ""},
      {"no proxy", {"server.trusted_proxies=10.0.0.0/99"}, false, "server.trusted_proxies: '10.0.0.0/99'"},
      {"a proxy", {"server.trusted_proxies=10.0.0.0/8"}, false, ""},
      // clang-format on
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const Status status = check_doors(configured(c.settings, c.dev), c.dev);
    ASSERT_EQ(status.ok(), std::string(c.says).empty())
        << (status.ok() ? "" : status.error().detail);
    if (status.ok()) continue;
    EXPECT_NE(status.error().detail.find(c.says), std::string::npos) << status.error().detail;
  }
}

}  // namespace
}  // namespace signet
