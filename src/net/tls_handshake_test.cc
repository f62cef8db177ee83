// Handshakes: what is spoken, whom the server believes, and those that come to nothing.
#include "net/tls_peer_test.h"

namespace signet::net {
namespace {

class TlsHandshake : public TlsServer {};

TEST_F(TlsHandshake, SpeaksNoVersionThatIsTooOld) {
  const struct {
    const char* name;
    bool allow_tls12;
    int oldest, newest;
    std::string spoken;  // empty: none
  } rows[] = {
      {"1.3", false, TLS1_3_VERSION, TLS1_3_VERSION, "TLSv1.3"},
      {"1.2 or 1.3", false, TLS1_2_VERSION, TLS1_3_VERSION, "TLSv1.3"},
      {"1.2", false, TLS1_2_VERSION, TLS1_2_VERSION, ""},
      {"1.1", false, TLS1_1_VERSION, TLS1_1_VERSION, ""},
      {"1.2 on request", true, TLS1_2_VERSION, TLS1_2_VERSION, "TLSv1.2"},
      {"1.3 beside 1.2", true, TLS1_2_VERSION, TLS1_3_VERSION, "TLSv1.3"},
      {"1.1 beside 1.2", true, TLS1_VERSION, TLS1_1_VERSION, ""},
  };
  std::int64_t refused = 0;
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    options.tls->allow_tls12 = row.allow_tls12;
    restart();
    TlsPeer peer(address, {.oldest = row.oldest, .newest = row.newest});
    const bool is_spoken = !row.spoken.empty();
    EXPECT_EQ(peer.shake_hands(), is_spoken);
    EXPECT_EQ(is_spoken ? std::string(SSL_get_version(peer.ssl())) : std::string(), row.spoken);
    refused += is_spoken ? 0 : 1;
    EXPECT_TRUE(counts("version", refused));
  }
}

TEST_F(TlsHandshake, TakesOnlyForwardSecretSealedSuitesOfTls12) {
  options.tls->allow_tls12 = true;
  start();
  const struct {
    const char* suite;
    bool is_taken;
  } rows[] = {
      {"ECDHE-ECDSA-AES128-GCM-SHA256", true},
      {"ECDHE-ECDSA-CHACHA20-POLY1305", true},
      {"ECDHE-ECDSA-AES128-SHA256", false},
      {"ECDHE-ECDSA-AES128-SHA", false},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.suite);
    TlsPeer peer(address, {.oldest = TLS1_2_VERSION, .newest = TLS1_2_VERSION});
    ASSERT_EQ(SSL_set_cipher_list(peer.ssl(), row.suite), 1);
    EXPECT_EQ(peer.shake_hands(), row.is_taken);
  }
  EXPECT_TRUE(counts("parameters", 2));
}

TEST_F(TlsHandshake, DoesNotRenegotiate) {
  options.tls->allow_tls12 = true;
  start();
  TlsPeer peer(address, {.oldest = TLS1_2_VERSION, .newest = TLS1_2_VERSION});
  ASSERT_TRUE(peer.shake_hands());
  EXPECT_NE(peer.get("/a"), "");
  ASSERT_EQ(SSL_renegotiate(peer.ssl()), 1);
  EXPECT_FALSE(peer.shake_hands());
  EXPECT_EQ(metric("signet_tls_handshakes_total"), 1);
}

TEST_F(TlsHandshake, TakesNoApplicationButHttp) {
  start();
  const struct {
    const char* name;
    std::string offered;
    bool is_taken;
  } rows[] = {
      {"none", "", true},
      {"http/1.1", "\x08http/1.1", true},
      {"h2 or http/1.1", "\x02h2\x08http/1.1", true},
      {"h2", "\x02h2", false},
      {"another", "\x04mqtt", false},
      {"longer", "\x09http/1.1x", false},
  };
  std::int64_t refused = 0;
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    TlsPeer peer(address, {.protocols = row.offered});
    EXPECT_EQ(peer.shake_hands(), row.is_taken);
    refused += row.is_taken ? 0 : 1;
  }
  EXPECT_TRUE(counts("application", refused));
}

TEST_F(TlsHandshake, CountsWhoDoesNotBelieveIt) {
  start();
  TlsPeer peer(address);
  SSL_set_verify(peer.ssl(), SSL_VERIFY_PEER, nullptr);
  EXPECT_FALSE(peer.shake_hands());
  EXPECT_TRUE(counts("client_refused"));
  EXPECT_EQ(metric("signet_tls_handshakes_total"), 0);
}

TEST_F(TlsHandshake, GivesNoTicketToComeBackWith) {
  start();
  TlsPeer peer(address);
  ASSERT_TRUE(peer.shake_hands());
  ASSERT_NE(peer.get("/a"), "");
  EXPECT_EQ(SSL_SESSION_is_resumable(SSL_get0_session(peer.ssl())), 0);
  EXPECT_EQ(SSL_SESSION_get_max_early_data(SSL_get0_session(peer.ssl())), 0u);
}

// ---- client certificates

TEST_F(TlsHandshake, BelievesOnlyCertificatesOfItsAuthorities) {
  const TestAuthority other;
  const Key key = new_key();
  const auto ours = [&](const CertificateSpec& spec) {
    return files.authority.issue(spec, key.get());
  };
  const CertificateSpec good{.common_name = "ada", .usage = "clientAuth"};
  const CertificateSpec expired{
      .common_name = "ada", .from_s = -9, .until_s = -5, .usage = "clientAuth"};
  const CertificateSpec early{.common_name = "ada", .from_s = 900, .usage = "clientAuth"};
  const CertificateSpec self{.common_name = "ada", .usage = "clientAuth", .is_self_signed = true};
  const struct {
    const char* name;
    bool is_required;
    Certificate certificate;
    const char* called;  // empty: refused
    const char* reason;
  } rows[] = {
      {"good", false, ours(good), "[ada]", ""},
      {"good and required", true, ours(good), "[ada]", ""},
      {"none", false, nullptr, "[]", ""},
      {"none but required", true, nullptr, "", "no_certificate"},
      {"expired", false, ours(expired), "", "certificate"},
      {"not valid yet", false, ours(early), "", "certificate"},
      {"of another authority", false, other.issue(good, key.get()), "", "certificate"},
      {"self-signed", true, ours(self), "", "certificate"},
      {"a server's", false, ours({.common_name = "ada"}), "", "certificate"},
  };
  options.tls->client_ca = files.authority.ca_file();
  tell_names();
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    options.tls->require_certificate = row.is_required;
    restart();
    const auto before = failures(row.reason);
    EXPECT_EQ(name_of_client(row.certificate.get(), key.get()), row.called);
    EXPECT_TRUE(*row.called != '\0' || counts(row.reason, before + 1));
    const int refused = *row.called != '\0' ? 0 : 1;
    EXPECT_TRUE(eventually([&] { return bad_certificates() == refused; })) << "and is reported";
  }
}

// Of a chain the soonest end counts, wherever it is.
TEST_F(TlsHandshake, ACertificateHoldsUntilItOrWhoVouchesForItEnds) {
  const struct {
    const char* name;
    long own_s;
    long authority_s;
  } rows[] = {{"its own", 600, 3'600}, {"its authority's", 3'600, 600}};
  prepare = [](Owner& owner) {
    owner.request = [](Connection& connection, const HttpRequest&) {
      const std::string ends = std::to_string(connection.certificate_ends().ms / 1'000);
      connection.respond({200, "text/plain", {}, "[" + ends + "]"});
    };
  };
  const Key root_key = new_key();
  const Key key = new_key();
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const Certificate root =
        make_certificate({.names = nullptr, .common_name = "root", .until_s = row.authority_s},
                         root_key.get(), nullptr, nullptr, true);
    const Certificate own =
        make_certificate({.common_name = "ada", .until_s = row.own_s, .usage = "clientAuth"},
                         key.get(), root.get(), root_key.get());
    options.tls->client_ca = files.write("root.pem", pem_of(root.get()));
    restart();
    const std::string told = name_of_client(own.get(), key.get());
    const X509* first = row.own_s < row.authority_s ? own.get() : root.get();
    ASSERT_GT(told.size(), 2U);
    EXPECT_EQ(ASN1_TIME_cmp_time_t(X509_get0_notAfter(first), std::stol(told.substr(1))), 0);
  }
  restart();
  EXPECT_EQ(name_of_client(nullptr, key.get()), "[0]") << "there is none";
}

TEST_F(TlsHandshake, TakesPlainTextAsANameAndCountsOthers) {
  const struct {
    const char* name;
    std::string common_name;
    bool is_taken;
  } rows[] = {
      {"a name", "ada@example", true},   {"64 characters", std::string(64, 'a'), true},
      {"no ASCII", "ad\xc3\xa1", false}, {"a line break", "ada\nroot", false},
      {"a tab", "ada\troot", false},
  };
  options.tls->client_ca = files.authority.ca_file();
  tell_names();
  start();
  const Key key = new_key();
  std::int64_t unreadable = 0;
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const Certificate certificate = files.authority.issue(
        {.common_name = row.common_name.c_str(), .usage = "clientAuth"}, key.get());
    const std::string called = row.is_taken ? "[" + row.common_name + "]" : "[]";
    EXPECT_EQ(name_of_client(certificate.get(), key.get()), called);
    unreadable += row.is_taken ? 0 : 1;
  }
  EXPECT_TRUE(counts("unreadable_name", unreadable));
}

TEST_F(TlsHandshake, TheCertificateOfATrustedProxyNamesNobody) {
  const Key key = new_key();
  const Certificate certificate =
      files.authority.issue({.common_name = "proxy", .usage = "clientAuth"}, key.get());
  options.tls->client_ca = files.authority.ca_file();
  tell_names();
  for (const bool is_trusted : {false, true}) {
    SCOPED_TRACE(is_trusted);
    options.trusted_proxies.clear();
    if (is_trusted) options.trusted_proxies.emplace_back("127.0.0.1");
    restart();
    EXPECT_EQ(name_of_client(certificate.get(), key.get()), is_trusted ? "[]" : "[proxy]");
  }
}

TEST_F(TlsHandshake, TakesNeitherOfTwoNames) {
  const Key root_key = new_key();
  const Key key = new_key();
  const Certificate root = make_certificate({.names = nullptr, .common_name = "root"},
                                            root_key.get(), nullptr, nullptr, true);
  const Certificate twice = make_certificate({.common_name = "ada", .usage = "clientAuth"},
                                             key.get(), root.get(), root_key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(twice.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("bob"), -1, -1, 0);
  X509_sign(twice.get(), root_key.get(), EVP_sha256());
  options.tls->client_ca = files.write("root.pem", pem_of(root.get()));
  tell_names();
  start();
  EXPECT_EQ(name_of_client(twice.get(), key.get()), "[]");
  EXPECT_TRUE(counts("unreadable_name"));
}

// ---- those who never prove anything

TEST_F(TlsHandshake, EndsHandshakesThatTakeTooLongAndServesOthersMeanwhile) {
  options.tls->handshake_timeout = milliseconds(200);
  start();
  Peer silent = connected();
  TlsPeer slow(address);
  SSL_do_handshake(slow.ssl());
  std::thread trickle([&, hello = slow.flight()] {
    for (std::size_t i = 0; i < 50; ++i) {  // each byte comes well in time
      if (!slow.wire.send({&hello[i], 1})) return;
      std::this_thread::sleep_for(milliseconds(20));
    }
  });
  TlsPeer good(address);
  EXPECT_TRUE(good.shake_hands());
  EXPECT_NE(good.get("/a"), "");
  EXPECT_TRUE(silent.ended());
  EXPECT_TRUE(counts("timeout", 2));
  std::this_thread::sleep_for(milliseconds(100));
  EXPECT_NE(good.get("/b"), "") << "its handshake is done: that time no longer counts";
  EXPECT_EQ(closed("timed_out"), 2);
  trickle.join();
}

TEST_F(TlsHandshake, RefusesWhatIsNoTls) {
  start();
  Peer http = connected();
  http.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answer = http.answer();
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 400");
  EXPECT_TRUE(answer.ends_with("use https://\n"));
  EXPECT_TRUE(counts("not_tls"));

  std::uint32_t seed = 12'345;
  for (std::size_t round = 0; round < 200; ++round) {
    SCOPED_TRACE(round);
    std::string garbage(round * 7 + 1, '\0');
    for (char& byte : garbage) {
      seed = seed * 1'664'525 + 1'013'904'223;
      byte = static_cast<char>(seed >> 24);
    }
    if (round % 2 == 1) garbage.insert(0, "\x16\x03\x01\x01");  // as if it were a handshake
    Peer peer = connected();
    peer.send(garbage);
    peer.end_writing();
    peer.take_all();
  }
  EXPECT_TRUE(eventually([&] { return metric("signet_connections") == 0; }));
  EXPECT_EQ(owner().requests, 0);
  EXPECT_EQ(metric("signet_tls_handshakes_total"), 0);
}

TEST_F(TlsHandshake, IsNotEndedByChangedHandshakes) {
  start();
  for (std::size_t at = 0; at < 300; at += 3) {
    SCOPED_TRACE(at);
    TlsPeer peer(address);
    SSL_do_handshake(peer.ssl());
    std::string hello = peer.flight();
    hello[at % hello.size()] = static_cast<char>(hello[at % hello.size()] ^ 0x55);
    peer.wire.send(hello);
    peer.wire.end_writing();
    while (peer.pull()) {
    }
    EXPECT_NE(SSL_do_handshake(peer.ssl()), 1);
  }
  TlsPeer good(address);
  EXPECT_TRUE(good.shake_hands());
}

TEST_F(TlsHandshake, LeavesTheOperatorsDoorPlain) {
  start();
  const auto door = network->listen(*parse_address("127.0.0.1:0"), Door::kOperator);
  ASSERT_TRUE(door.ok());
  Peer peer;
  ASSERT_TRUE(peer.connect(*door));
  peer.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(peer.answer().find(" 200 "), std::string::npos);
}

}  // namespace
}  // namespace signet::net
