// What an outgoing TLS connection demands of its peer, against servers of OpenSSL's own.
#include <gtest/gtest.h>

#include <array>
#include <atomic>

#include "net/outgoing_socket.h"
#include "net/tls_server_test.h"

namespace signet::net {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{5'000};

const TestAuthority& authority() {
  static const TestAuthority kAuthority;
  return kAuthority;
}

TlsOptions trusting_authority() { return {.ca_file = authority().ca_file()}; }

Endpoint at(std::uint16_t port, const std::string& host = "127.0.0.1",
            const TlsOptions& options = trusting_authority()) {
  return TcpEndpoint{host, port, options};
}

// A server of TLS, and the socket that reached it.
struct Reached {
  Reached(const TlsServerSpec& spec, TlsScript script)
      : server(tls_script(authority(), spec, std::move(script))),
        socket(OutgoingSocket::connect(at(server.port()), kPatience)) {
    if (!socket.ok()) ADD_FAILURE() << socket.error().detail;
  }
  explicit Reached(TlsScript script) : Reached(TlsServerSpec(), std::move(script)) {}

  OneShotServer server;
  Result<OutgoingSocket> socket;  // closed before the server's thread is waited for
};

// "" when connected, else the code's number and the detail.
struct Outcome {
  std::optional<ErrorCode> code;
  std::string detail;
};

Outcome connect_to(std::uint16_t port, const std::string& host, const TlsOptions& options) {
  const auto socket = OutgoingSocket::connect(at(port, host, options), kPatience);
  if (socket.ok()) return {};
  return {socket.error().code, socket.error().detail};
}

TEST(OutgoingTls, BelievesOnlyWhoProvesToBeTheHost) {
  constexpr auto kUnauthorized = ErrorCode::kUnauthorized;
  const struct {
    const char* name;
    CertificateSpec certificate;
    const char* host;
    const char* server_name;
    std::optional<ErrorCode> code;
    const char* detail;
  } rows[] = {
      // clang-format off
      {"an address it names", {}, "127.0.0.1", "", {}, ""},
      {"a name it names", {}, "localhost", "", {}, ""},
      {"a name with the last dot", {}, "127.0.0.1", "localhost.", {}, ""},
      {"a name asked for in place of the host", {.names = "DNS:broker.example"}, "127.0.0.1", "broker.example", {}, ""},
      {"a name in other case", {.names = "DNS:Broker.Example"}, "127.0.0.1", "broker.eXample", {}, ""},
      {"a wildcard", {.names = "DNS:*.mesh.example"}, "127.0.0.1", "broker.mesh.example", {}, ""},
      {"a wildcard for two labels", {.names = "DNS:*.mesh.example"}, "127.0.0.1", "a.broker.mesh.example", kUnauthorized, "another name than a.broker.mesh.example"},
      {"a wildcard for everything below the top", {.names = "DNS:*.example"}, "127.0.0.1", "broker.example", kUnauthorized, "another name"},
      {"half a wildcard", {.names = "DNS:b*.mesh.example"}, "127.0.0.1", "broker.mesh.example", kUnauthorized, "another name"},
      {"another name", {.names = "DNS:other.example"}, "localhost", "", kUnauthorized, "another name than localhost"},
      {"another address", {.names = "IP:127.0.0.2"}, "127.0.0.1", "", kUnauthorized, "another name than 127.0.0.1"},
      {"the address as a name", {.names = "DNS:127.0.0.1"}, "127.0.0.1", "", kUnauthorized, "another name"},
      {"a name with more behind it", {.names = "DNS:localhost.example"}, "localhost", "", kUnauthorized, "another name"},
      {"the name as common name only", {.names = nullptr, .common_name = "localhost"}, "localhost", "", kUnauthorized, "another name"},
      {"the name as common name beside another", {.names = "DNS:a.example", .common_name = "localhost"}, "localhost", "", kUnauthorized, "another name"},
      {"expired", {.from_s = -7'200, .until_s = -60}, "127.0.0.1", "", kUnauthorized, "certificate expired"},
      {"not valid yet", {.from_s = 3'600, .until_s = 7'200}, "127.0.0.1", "", kUnauthorized, "not valid yet"},
      {"self-signed", {.is_self_signed = true}, "127.0.0.1", "", kUnauthorized, "self-signed"},
      {"a client's", {.usage = "clientAuth"}, "127.0.0.1", "", kUnauthorized, "not for servers"},
      // clang-format on
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    TlsOptions options = trusting_authority();
    options.server_name = row.server_name;
    std::atomic<bool> was_reached = false;
    Outcome outcome;
    {
      const TlsServerSpec spec{.certificate = row.certificate};
      OneShotServer server(tls_script(authority(), spec, [&](TlsConversation& conversation) {
        was_reached = conversation.read(1) == "x";
      }));
      outcome = connect_to(server.port(), row.host, options);
    }
    EXPECT_EQ(outcome.code, row.code) << outcome.detail;
    EXPECT_NE(outcome.detail.find(row.detail), std::string::npos) << outcome.detail;
    EXPECT_FALSE(was_reached);
  }
}

TEST(OutgoingTls, BelievesNoAuthorityThatTheSystemDoesNot) {
  OneShotServer server(tls_script(authority(), {}, [](auto&) {}));
  const Outcome outcome = connect_to(server.port(), "127.0.0.1", TlsOptions());
  EXPECT_EQ(outcome.code, ErrorCode::kUnauthorized);
  EXPECT_NE(outcome.detail.find("nobody who is trusted"), std::string::npos) << outcome.detail;
}

TEST(OutgoingTls, BelievesACertificateThatIsItsOwnRootWhenItIsNamed) {
  const Key key(EVP_EC_gen("P-256"));
  const std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  const Certificate certificate = authority().issue({.is_self_signed = true}, key.get());
  SSL_CTX_use_certificate(context.get(), certificate.get());
  SSL_CTX_use_PrivateKey(context.get(), key.get());
  const CertificateFile file(certificate.get());
  OneShotServer server(
      [&](int descriptor) { serve_tls(descriptor, context.get(), true, [](auto&) {}); });
  EXPECT_EQ(connect_to(server.port(), "127.0.0.1", {.ca_file = file.path()}).detail, "");
}

TEST(OutgoingTls, SpeaksNothingOlderThanItMay) {
  const struct {
    const char* name;
    int newest;
    bool allow_tls12;
    std::optional<ErrorCode> code;
    const char* version;
  } rows[] = {
      {"1.3", TLS1_3_VERSION, false, {}, "TLSv1.3"},
      {"1.3 where 1.2 would do", TLS1_3_VERSION, true, {}, "TLSv1.3"},
      {"1.2 unasked", TLS1_2_VERSION, false, ErrorCode::kMalformed, ""},
      {"1.2 on request", TLS1_2_VERSION, true, {}, "TLSv1.2"},
      {"1.1", TLS1_1_VERSION, false, ErrorCode::kMalformed, ""},
      {"1.1 where 1.2 would do", TLS1_1_VERSION, true, ErrorCode::kMalformed, ""},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    OneShotServer server(tls_script(authority(), {.oldest = TLS1_VERSION, .newest = row.newest},
                                    [](auto& c) { c.read(1); }));
    TlsOptions options = trusting_authority();
    options.allow_tls12 = row.allow_tls12;
    const auto socket = OutgoingSocket::connect(at(server.port(), "127.0.0.1", options), kPatience);
    ASSERT_EQ(socket.ok(), !row.code) << (socket.ok() ? "" : socket.error().detail);
    if (socket.ok()) {
      EXPECT_EQ(socket->tls_facts()->version, row.version);
    } else {
      EXPECT_EQ(socket.error().code, *row.code);
      EXPECT_NE(socket.error().detail.find("protocol too old"), std::string::npos)
          << socket.error().detail;
    }
  }
}

TEST(OutgoingTls, TellsAPersonWhatItFound) {
  TlsServerSpec spec;
  spec.certificate.common_name = "evil\r\nname \x1b[31m";
  Reached reached(spec, [](auto& c) { c.read(1); });
  ASSERT_TRUE(reached.socket.ok());
  const auto facts = reached.socket->tls_facts();
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->version, "TLSv1.3");
  EXPECT_TRUE(facts->cipher.starts_with("TLS_")) << facts->cipher;
  EXPECT_EQ(facts->subject, "CN=evil\\0D\\0Aname \\1B[31m");
  EXPECT_EQ(facts->issuer, "CN=authority");
  const auto hour = system_clock().wall() + milliseconds(3'600'000);
  EXPECT_LT(facts->not_after, hour + milliseconds(1'000));
  EXPECT_GT(facts->not_after, hour - milliseconds(60'000));
}

TEST(OutgoingTls, SaysWhichNameItWants) {
  std::string asked = "nobody asked";
  const auto script = [&](TlsConversation& conversation) {
    const char* name = SSL_get_servername(conversation.ssl(), TLSEXT_NAMETYPE_host_name);
    asked = name != nullptr ? name : "";
  };
  {
    OneShotServer server(tls_script(authority(), {}, script));
    EXPECT_EQ(connect_to(server.port(), "localhost", trusting_authority()).detail, "");
  }
  EXPECT_EQ(asked, "localhost");
  {
    OneShotServer server(tls_script(authority(), {}, script));
    EXPECT_EQ(connect_to(server.port(), "127.0.0.1", trusting_authority()).detail, "");
  }
  EXPECT_EQ(asked, "");  // an address is no server name, RFC 6066 section 3
}

TEST(OutgoingTls, HandshakesEndWhateverAPeerDoes) {
  const std::string record_head("\x16\x03\x03\x40\x00", 5);  // a handshake record of 16 KiB
  const struct {
    const char* name;
    OneShotServer::Script script;
    ErrorCode code;
    const char* detail;
  } rows[] = {
      {"says nothing",
       [](int descriptor) {
         std::array<char, 4'096> bytes;
         while (recv(descriptor, bytes.data(), bytes.size(), 0) > 0) continue;
       },
       ErrorCode::kUnavailable, "timeout"},
      {"trickles",
       [&](int descriptor) {
         (void)send(descriptor, record_head.data(), record_head.size(), MSG_NOSIGNAL);
         while (send(descriptor, "\x02", 1, MSG_NOSIGNAL) == 1) {
           std::this_thread::sleep_for(milliseconds(5));
         }
       },
       ErrorCode::kUnavailable, "timeout"},
      {"hangs up",
       [](int descriptor) {
         std::array<char, 4'096> bytes;
         (void)recv(descriptor, bytes.data(), bytes.size(), 0);
       },
       ErrorCode::kUnavailable, "hung up"},
      {"speaks HTTP",
       [](int descriptor) {
         std::array<char, 4'096> bytes;
         (void)recv(descriptor, bytes.data(), bytes.size(), 0);
         const std::string_view answer = "HTTP/1.1 400 Bad Request\r\n\r\n";
         (void)send(descriptor, answer.data(), answer.size(), MSG_NOSIGNAL);
       },
       ErrorCode::kMalformed, "does not speak TLS"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    OneShotServer server(row.script);
    const bool waits = std::string_view(row.detail) == "timeout";
    const auto begin = system_clock().elapsed();
    const auto socket =
        OutgoingSocket::connect(at(server.port()), waits ? milliseconds(200) : kPatience);
    EXPECT_LT(system_clock().elapsed() - begin, milliseconds(3'000));
    ASSERT_FALSE(socket.ok());
    EXPECT_EQ(socket.error().code, row.code);
    EXPECT_NE(socket.error().detail.find(row.detail), std::string::npos) << socket.error().detail;
  }
}

TEST(OutgoingTls, WhatCanNotBeVerifiedIsNotTried) {
  const struct {
    const char* name;
    TcpEndpoint endpoint;
    ErrorCode code;
  } rows[] = {
      {"no host", {"", 1, TlsOptions()}, ErrorCode::kMalformed},
      {"NUL in a host", {std::string("a\0b", 3), 1, TlsOptions()}, ErrorCode::kMalformed},
  };
  for (const auto& row : rows) {
    const auto socket = OutgoingSocket::connect(row.endpoint, kPatience);
    ASSERT_FALSE(socket.ok()) << row.name;
    EXPECT_EQ(socket.error().code, row.code) << row.name;
  }
  const struct {
    const char* name;
    TlsOptions options;
    ErrorCode code;
  } option_rows[] = {
      {"no such ca_file", {.ca_file = "/nonexistent"}, ErrorCode::kNotFound},
      {"a ca_file without certificates", {.ca_file = "/dev/null"}, ErrorCode::kNotFound},
      {"only a dot", {.ca_file = authority().ca_file(), .server_name = "."}, ErrorCode::kMalformed},
      {"NUL in a name",
       {.ca_file = authority().ca_file(), .server_name = std::string("a\0b", 3)},
       ErrorCode::kMalformed},
  };
  for (const auto& row : option_rows) {
    OneShotServer server([](int) {});
    EXPECT_EQ(connect_to(server.port(), "127.0.0.1", row.options).code, row.code) << row.name;
  }
}

// Reads until the end: the bytes, and whether the end was in order.
std::pair<std::string, bool> read_all(OutgoingSocket& socket) {
  std::string bytes;
  std::array<char, 1'000> chunk;
  for (;;) {
    const auto got = socket.receive(chunk, kPatience);
    if (!got.ok()) return {bytes, false};
    if (*got == 0) return {bytes, true};
    bytes.append(chunk.data(), *got);
  }
}

TEST(OutgoingTls, AnEndWithoutAGoodbyeIsNotTheEnd) {
  for (const int newest : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const bool says_goodbye : {true, false}) {
      TlsOptions options = trusting_authority();
      options.allow_tls12 = true;
      OneShotServer server(tls_script(authority(), {.newest = newest, .says_goodbye = says_goodbye},
                                      [](auto& c) { c.write("half"); }));
      auto socket = OutgoingSocket::connect(at(server.port(), "127.0.0.1", options), kPatience);
      ASSERT_TRUE(socket.ok()) << socket.error().detail;
      const auto [bytes, in_order] = read_all(*socket);
      EXPECT_EQ(bytes, "half");
      EXPECT_EQ(in_order, says_goodbye);
      std::array<char, 1> more;
      const auto again = socket->receive(more, kPatience);
      EXPECT_EQ(again.ok(), says_goodbye);
      if (!again.ok()) {
        EXPECT_EQ(again.error().code, ErrorCode::kUnavailable);
      }
    }
  }
}

TEST(OutgoingTls, SaysGoodbyeItself) {
  std::atomic<int> ended_with = -1;
  {
    Reached reached([&](TlsConversation& conversation) {
      char byte;
      const int got = SSL_read(conversation.ssl(), &byte, 1);
      ended_with = SSL_get_error(conversation.ssl(), got);
    });
    ASSERT_TRUE(reached.socket.ok());
    const OutgoingSocket closed = *std::move(reached.socket);
  }
  EXPECT_EQ(ended_with, SSL_ERROR_ZERO_RETURN);
}

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  unsigned state = 1;
  for (char& byte : bytes) {
    state = state * 1'103'515'245U + 12'345U;
    byte = static_cast<char>(state >> 16);
  }
  return bytes;
}

TEST(OutgoingTls, AReaderThatIsSlowGetsEveryByteOnce) {
  const std::string sent = pattern(16 << 20);  // more than the sockets hold
  std::string received;
  std::size_t waits = 0;
  std::atomic<bool> is_full = false;  // or there is nothing to wait for
  {
    Reached reached([&](TlsConversation& conversation) {
      while (!is_full) std::this_thread::sleep_for(milliseconds(1));
      received = conversation.read(sent.size());
    });
    ASSERT_TRUE(reached.socket.ok());
    // The buffer that is offered grows and moves between attempts, as an outbox does.
    std::size_t done = 0;
    std::size_t offered = 1'000;
    std::string copy;
    while (done < sent.size()) {
      const std::string last = std::move(copy);  // still there, so that the next one is elsewhere
      copy = sent.substr(done, offered);
      const auto written = reached.socket->write_some(copy);
      is_full = is_full || !written.ok() || done + written->bytes == sent.size();
      ASSERT_TRUE(written.ok()) << written.error().detail;
      done += written->bytes;
      offered = written->must_wait() ? std::max(offered, copy.size()) + 1'000 : 100'000;
      if (!written->must_wait()) continue;
      ++waits;
      is_full = true;
      Watch watch{&*reached.socket, false, true};
      ASSERT_TRUE(wait_for_any({&watch, 1}, nullptr, kPatience));
    }
  }
  EXPECT_GT(waits, 0U);
  EXPECT_EQ(received.size(), sent.size());
  EXPECT_TRUE(received == sent);
}

TEST(OutgoingTls, PiecesOfAnySizeAreReadInOrder) {
  const std::string sent = pattern(500'500);
  Reached reached([&](TlsConversation& conversation) { conversation.write(sent); });
  ASSERT_TRUE(reached.socket.ok());
  std::string received;
  std::array<char, 1'000> chunk;
  std::size_t reads = 0;
  for (bool ended = false; !ended;) {
    Watch watch{&*reached.socket, true, false};
    ASSERT_TRUE(wait_for_any({&watch, 1}, nullptr, kPatience)) << received.size();
    const auto got = reached.socket->read_some({chunk.data(), reads % chunk.size() + 1});
    ASSERT_TRUE(got.ok()) << got.error().detail;
    received.append(chunk.data(), got->bytes);
    ended = got->has_ended();
    ++reads;
  }
  EXPECT_GE(reads, 1'000U);
  EXPECT_TRUE(received == sent);
}

TEST(OutgoingTls, BytesThatAreHeldAlreadyAreNotSleptOn) {
  Reached reached([](TlsConversation& conversation) {
    conversation.write("one record");
    conversation.read(1);
  });
  ASSERT_TRUE(reached.socket.ok());
  std::array<char, 1> first;
  ASSERT_TRUE(reached.socket->receive(first, kPatience).ok());
  Watch watch{&*reached.socket, true, true};
  ASSERT_TRUE(wait_for_any({&watch, 1}, nullptr, milliseconds(0)));
  EXPECT_TRUE(watch.can_read);
  EXPECT_TRUE(watch.can_write);
  std::array<char, 9> rest;
  ASSERT_TRUE(reached.socket->receive(rest, kPatience).ok());
  watch.write = false;
  EXPECT_FALSE(wait_for_any({&watch, 1}, nullptr, milliseconds(0)));
}

TEST(OutgoingTls, RecordsWithoutDataHoldNoReaderUp) {
  std::atomic<bool> is_written = false;
  Reached reached([&](TlsConversation& conversation) {
    conversation.write("x");  // behind the session tickets of the handshake
    is_written = true;
    conversation.read(1);
  });
  ASSERT_TRUE(reached.socket.ok());
  while (!is_written) std::this_thread::sleep_for(milliseconds(1));
  std::array<char, 1> got{};
  const auto first = reached.socket->read_some(got);
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE(first->must_wait());
  ASSERT_EQ(*reached.socket->receive(got, kPatience), 1U);
  EXPECT_EQ(got[0], 'x');
}

TEST(OutgoingTls, NewKeysInTheMiddleChangeNothing) {
  std::string received;
  {
    Reached reached([&](TlsConversation& conversation) {
      for (const char* part : {"a", "b", "c"}) {
        SSL_key_update(conversation.ssl(), SSL_KEY_UPDATE_REQUESTED);
        conversation.write(part);
        received += conversation.read(1);
      }
    });
    ASSERT_TRUE(reached.socket.ok());
    for (const char expected : {'a', 'b', 'c'}) {
      std::array<char, 1> got{};
      ASSERT_TRUE(reached.socket->receive(got, kPatience).ok());
      EXPECT_EQ(got[0], expected);
      ASSERT_TRUE(reached.socket->send_all({got.data(), 1}, kPatience).ok());
    }
  }
  EXPECT_EQ(received, "abc");
}

TEST(OutgoingTls, APeerThatIsGoneEndsNoProcess) {
  Reached reached({.says_goodbye = false}, [](auto&) {});
  ASSERT_TRUE(reached.socket.ok());
  const std::string bytes(100'000, 'x');
  Status sent = Done{};
  for (int i = 0; i < 1'000 && sent.ok(); ++i) {
    sent = reached.socket->send_all(bytes, milliseconds(1'000));
  }
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().code, ErrorCode::kUnavailable);
}

TEST(OutgoingTls, AWakerEndsAHandshake) {
  Waker waker;
  ASSERT_TRUE(waker.opened().ok());
  OneShotServer server([&](int descriptor) {
    char byte;
    (void)recv(descriptor, &byte, 1, 0);
    waker.wake();
    while (recv(descriptor, &byte, 1, 0) > 0) continue;
  });
  const auto socket =
      OutgoingSocket::connect(at(server.port()), std::chrono::hours(24 * 365), &waker);
  ASSERT_FALSE(socket.ok());
  EXPECT_EQ(socket.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(socket.error().detail.find("interrupted"), std::string::npos);
  EXPECT_TRUE(waker.clear());
}

}  // namespace
}  // namespace signet::net
