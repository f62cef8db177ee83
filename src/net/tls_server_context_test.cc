// The files of TLS: what is read, refused, and read again.
#include "net/tls_server_context.h"

#include <filesystem>
#include <optional>

#include "net/tls_peer_test.h"

namespace signet::net {
namespace {

namespace fs = std::filesystem;

TEST(TlsServerContext, LoadsOrSaysWhichFileIsWrongAndWhy) {
  const TlsFiles files;
  const std::string cert = pem_of(files.certificate.get());
  const std::string key = pem_of(files.key.get());
  const Key other = new_key();
  const Key weak(EVP_RSA_gen(1024));
  const auto issued = [&](const CertificateSpec& spec, EVP_PKEY* its_key) {
    return pem_of(files.authority.issue(spec, its_key).get());
  };
  files.write("chain.pem", cert + cert);
  files.write("expired.pem", issued({.from_s = -9, .until_s = -5}, files.key.get()));
  files.write("client.pem", issued({.usage = "clientAuth"}, files.key.get()));
  files.write("weak.pem", issued({}, weak.get()));
  files.write("weak-key.pem", pem_of(weak.get()));
  files.write("text.pem", "certificate");
  files.write("empty.pem", "");
  files.write("cut.pem", cert.substr(0, cert.size() / 2));
  files.write("cut2.pem", cert + cert.substr(0, cert.size() / 2));
  files.write("long.pem", std::string(1'100'000, 'x'));
  files.write("open.pem", key, 0644);
  files.write("group.pem", key, 0640);
  files.write("ca-group.pem", cert, 0664);
  files.write("ca-all.pem", cert, 0646);
  files.write("locked.pem", pem_of(files.key.get(), "word"));
  files.write("nokey.pem", cert);
  files.write("other.pem", pem_of(other.get()));
  fs::create_symlink(files.path("key.pem"), files.path("link.pem"));
  fs::create_symlink(files.path("cert.pem"), files.path("cert-link.pem"));
  fs::create_symlink(files.path("ca-all.pem"), files.path("ca-link.pem"));
  constexpr auto kMalformed = ErrorCode::kMalformed;
  const struct {
    const char* name;
    const char* certificate;
    const char* key;
    const char* client_ca;
    std::optional<ErrorCode> code;
    const char* detail;
    bool require = false;
  } rows[] = {
      // clang-format off
      {"as it should be", "cert.pem", "key.pem", "", {}, ""},
      {"a link to the certificate", "cert-link.pem", "key.pem", "", {}, ""},
      {"with authorities of clients", "cert.pem", "key.pem", "cert.pem", {}, ""},
      {"with a chain", "chain.pem", "key.pem", "", {}, ""},
      {"expired", "expired.pem", "key.pem", "", {}, ""},
      {"no certificate", "missing.pem", "key.pem", "", ErrorCode::kNotFound, "missing.pem: cannot be opened"},
      {"not PEM", "text.pem", "key.pem", "", kMalformed, "text.pem: holds no certificate"},
      {"empty", "empty.pem", "key.pem", "", kMalformed, "empty.pem: holds no certificate"},
      {"cut off", "cut.pem", "key.pem", "", kMalformed, "cut.pem: certificate 1 cannot be read"},
      {"a chain cut off", "cut2.pem", "key.pem", "", kMalformed, "cut2.pem: certificate 2 cannot be read"},
      {"endless", "long.pem", "key.pem", "", kMalformed, "long.pem: is over 1 MiB"},
      {"a client's", "client.pem", "key.pem", "", kMalformed, "client.pem: the certificate is not for servers"},
      {"too weak", "weak.pem", "weak-key.pem", "", kMalformed, "weak.pem: the certificate cannot be used (ee key too small)"},
      {"no key", "cert.pem", "missing.pem", "", ErrorCode::kNotFound, "missing.pem: no such file"},
      {"no key named", "cert.pem", "", "", kMalformed, "there is no tls.key"},
      {"a key alone", "", "key.pem", "", kMalformed, "need a tls.certificate"},
      {"authorities alone", "", "", "cert.pem", kMalformed, "need a tls.certificate"},
      {"certificates wanted of nobody's authority", "cert.pem", "key.pem", "", kMalformed, "needs tls.client_ca", true},
      {"a key that others read", "cert.pem", "open.pem", "", ErrorCode::kForbidden, "open.pem: others"},
      {"a key that the group reads", "cert.pem", "group.pem", "", ErrorCode::kForbidden, "group.pem: others"},
      {"a link to the key", "cert.pem", "link.pem", "", ErrorCode::kForbidden, "link.pem: is a symbolic link"},
      {"a locked key", "cert.pem", "locked.pem", "", kMalformed, "locked.pem: holds no private key in PEM, or one that a password locks"},
      {"the certificate as key", "cert.pem", "nokey.pem", "", kMalformed, "nokey.pem: holds no private key"},
      {"another's key", "cert.pem", "other.pem", "", kMalformed, "other.pem: is not the key of the certificate in"},
      {"no authorities", "cert.pem", "key.pem", "missing.pem", ErrorCode::kNotFound, "missing.pem: cannot be opened"},
      {"authorities that the group writes", "cert.pem", "key.pem", "ca-group.pem", ErrorCode::kForbidden, "ca-group.pem: others may write it; chmod go-w"},
      {"authorities that all write", "cert.pem", "key.pem", "ca-all.pem", ErrorCode::kForbidden, "ca-all.pem: others may write it"},
      {"a link to such", "cert.pem", "key.pem", "ca-link.pem", ErrorCode::kForbidden, "ca-link.pem: others may write it"},
      {"authorities that are none", "cert.pem", "key.pem", "text.pem", kMalformed, "text.pem: holds no certificate"},
      // clang-format on
  };
  const auto full = [&](const std::string& name) {
    return name.empty() ? std::string() : files.path(name);
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    TlsServerOptions options;
    options.certificate = full(row.certificate);
    options.key = full(row.key);
    options.client_ca = full(row.client_ca);
    options.require_certificate = row.require;
    const auto loaded = TlsServerContext::load(options);
    const std::string detail = loaded.ok() ? "" : loaded.error().detail;
    EXPECT_EQ(loaded.ok() ? std::nullopt : std::optional(loaded.error().code), row.code) << detail;
    EXPECT_NE(detail.find(row.detail), std::string::npos) << detail;
  }
}

TEST(TlsServerContext, KnowsWhenTheCertificateEnds) {
  TlsFiles files;
  files.renew({.until_s = 7'200});
  const auto loaded = TlsServerContext::load(files.options());
  ASSERT_TRUE(loaded.ok());
  const auto left = (*loaded)->certificate_ends().ms - system_clock().wall().ms;
  EXPECT_NEAR(static_cast<double>(left), 7'200'000, 60'000);
}

// ---- renewal

TEST_F(TlsServer, ShowsANewCertificateToNewHandshakesAndKeepsOldConnections) {
  start(2);
  TlsPeer before(address);
  ASSERT_TRUE(before.shake_hands());
  ASSERT_NE(before.get("/a"), "");

  files.renew({.until_s = 9'000});
  ASSERT_TRUE(network->reload_tls().ok());
  const auto left = network->certificate_ends()->ms - system_clock().wall().ms;
  EXPECT_NEAR(static_cast<double>(left), 9'000'000, 60'000);
  EXPECT_EQ(metric("signet_tls_certificate_not_after_seconds"),
            network->certificate_ends()->ms / 1'000);
  for (int i = 0; i < 4; ++i) {
    TlsPeer after(address);
    ASSERT_TRUE(after.shake_hands());
    EXPECT_EQ(after.serial(), files.serial());
  }
  EXPECT_NE(before.serial(), files.serial());
  EXPECT_NE(before.get("/b"), "");
}

TEST_F(TlsServer, KeepsTheLastGoodCertificate) {
  start();
  const long good = files.serial();
  const auto ends = network->certificate_ends();
  const struct {
    const char* name;
    std::function<void()> spoil;
    const char* detail;
  } rows[] = {
      {"another's key", [&] { files.write("key.pem", pem_of(new_key().get())); },
       "key.pem: is not the key"},
      {"half a file", [&] { files.write("cert.pem", "-----BEGIN CERTIFICATE-----\nMII"); },
       "cert.pem: certificate 1 cannot be read"},
      {"expired", [&] { files.renew({.from_s = -9, .until_s = -5}); },
       "cert.pem: the certificate expired"},
      {"gone", [&] { fs::remove(files.path("cert.pem")); }, "cert.pem: cannot be opened"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    row.spoil();
    const Status reloaded = network->reload_tls();
    ASSERT_FALSE(reloaded.ok());
    const std::string& detail = reloaded.error().detail;
    EXPECT_NE(detail.find(row.detail), std::string::npos) << detail;
    TlsPeer peer(address);
    ASSERT_TRUE(peer.shake_hands());
    EXPECT_EQ(peer.serial(), good);
    EXPECT_EQ(network->certificate_ends(), ends);
  }
}

TEST_F(TlsServer, DoesNotStartWithoutItsFiles) {
  options.tls->key = files.path("missing.pem");
  Owner idle;
  const auto made = Network::create(1, options, metrics, system_clock(),
                                    [&](Shard&) -> ConnectionEvents* { return &idle; });
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.error().detail.find("missing.pem"), std::string::npos);
}

}  // namespace
}  // namespace signet::net
