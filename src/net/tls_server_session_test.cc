// What goes through TLS once the handshake is done, and its ends.
#include "net/tls_server_session.h"

#include "net/tls_peer_test.h"

namespace signet::net {
namespace {

class TlsStream : public TlsServer {};

TEST_F(TlsStream, ServesHttpAndWebSockets) {
  start(2);
  TlsPeer http(address);
  ASSERT_TRUE(http.shake_hands());
  EXPECT_EQ(http.get("/a").substr(0, 15), "HTTP/1.1 200 OK");
  EXPECT_NE(http.get("/b"), "");
  EXPECT_STREQ(SSL_get_version(http.ssl()), "TLSv1.3");

  TlsPeer socket(address);
  ASSERT_TRUE(socket.shake_hands());
  ASSERT_TRUE(socket.open_websocket());
  socket.write(Peer::frame(wire::Opcode::kText, "hello"));
  EXPECT_EQ(socket.read(7), "\x81\x05hello");
  EXPECT_EQ(metric("signet_tls_handshakes_total"), 2);
}

// ---- bytes as they come

TEST_F(TlsStream, TakesEachByteOnItsOwn) {
  start();
  TlsPeer peer(address);
  const auto trickle = [&] {
    for (const char byte : peer.flight()) {
      ASSERT_TRUE(peer.wire.send({&byte, 1}));
      if (byte % 4 == 0) std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  };
  while (SSL_do_handshake(peer.ssl()) != 1) {
    trickle();
    ASSERT_TRUE(peer.pull());
  }
  trickle();
  peer.seal("GET /slow HTTP/1.1\r\n");
  peer.seal("Host: x\r\n\r\n");
  trickle();
  EXPECT_NE(peer.read_until("GET /slow").find(" 200 "), std::string::npos);
}

TEST_F(TlsStream, OpensMoreRecordsAtOnceThanARequestHasRoomFor) {
  options.http.max_head_bytes = 1'024;
  options.max_body_bytes = 64;
  start();
  TlsPeer peer(address);
  ASSERT_TRUE(peer.shake_hands());
  constexpr int kRequests = 2'000;
  std::string requests;
  for (int i = 0; i < kRequests; ++i) {
    requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  for (std::size_t at = 0; at < requests.size(); at += 9'000) {
    peer.seal(requests.substr(at, 9'000));
  }
  std::thread sender([&, records = peer.flight()] { peer.wire.send(records); });
  for (int i = 0; i < kRequests; ++i) {
    const std::string wanted = "GET /" + std::to_string(i);
    ASSERT_NE(peer.read_until(wanted).find(wanted), std::string::npos) << i;
  }
  sender.join();
}

TEST_F(TlsStream, SendsAndTakesMoreThanTheKernelHolds) {
  options.max_queued_bytes = 64 << 20;
  prepare = [](Owner& owner) { owner.limits.max_message_bytes = 16 << 20; };
  start();
  TlsPeer peer(address);
  ASSERT_TRUE(peer.shake_hands());
  ASSERT_TRUE(peer.open_websocket());
  std::string message(6 << 20, '\0');
  for (std::size_t i = 0; i < message.size(); ++i) message[i] = static_cast<char>(i % 251);
  ASSERT_TRUE(peer.write(Peer::frame(wire::Opcode::kBinary, message)));
  std::this_thread::sleep_for(milliseconds(100));  // until nothing more fits into the socket
  EXPECT_EQ(peer.read(10).substr(0, 2), std::string("\x82\x7f", 2));
  EXPECT_TRUE(peer.read(message.size()) == message);
}

TEST_F(TlsStream, GoesOnAfterAPauseWithWhatCameMeanwhile) {
  prepare = [](Owner& owner) {
    owner.message = [](Connection& connection, wire::MessageKind, std::string_view text) {
      if (text == "pause") return connection.pause_input(true);
      connection.send(wire::Opcode::kText, text);
    };
  };
  start();
  TlsPeer peer(address);
  ASSERT_TRUE(peer.shake_hands());
  ASSERT_TRUE(peer.open_websocket());
  peer.write(Peer::frame(wire::Opcode::kText, "pause"));
  ASSERT_TRUE(eventually([&] { return owner().messages == 1; }));
  const auto text = [](int i) { return std::string(10'000, static_cast<char>('a' + i)); };
  for (int i = 0; i < 20; ++i) peer.write(Peer::frame(wire::Opcode::kText, text(i)));
  std::this_thread::sleep_for(milliseconds(30));
  EXPECT_EQ(owner().messages, 1);
  on_connection([](Shard&, Connection& connection) { connection.pause_input(false); });
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(peer.read(10'004).substr(4) == text(i)) << i;
}

// ---- ends

TEST_F(TlsStream, SaysGoodbyeWhenItCloses) {
  start();
  TlsPeer http(address);
  ASSERT_TRUE(http.shake_hands());
  http.write("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(http.ended_orderly());

  TlsPeer socket(address);
  ASSERT_TRUE(socket.shake_hands());
  ASSERT_TRUE(socket.open_websocket());
  socket.write(Peer::frame(wire::Opcode::kClose, std::string("\x03\xe8", 2)));
  EXPECT_TRUE(socket.ended_orderly());
}

TEST_F(TlsStream, SeesTheEndOfWhoSaysGoodbyeAndOfWhoIsCutOff) {
  start();
  TlsPeer goodbye(address);
  ASSERT_TRUE(goodbye.shake_hands());
  ASSERT_TRUE(goodbye.open_websocket());
  SSL_shutdown(goodbye.ssl());
  goodbye.push();  // and no FIN after it
  EXPECT_TRUE(goodbye.ended_orderly());

  TlsPeer cut(address);
  ASSERT_TRUE(cut.shake_hands());
  ASSERT_TRUE(cut.open_websocket());
  cut.wire.hang_up();
  EXPECT_TRUE(eventually([&] { return closed("lost") == 2; }));
  EXPECT_EQ(failures("record"), 0);
}

TEST_F(TlsStream, ReportsWhatCameBeforeTheGoodbye) {
  start();
  TlsPeer peer(address);
  ASSERT_TRUE(peer.shake_hands());
  peer.seal("GET /last HTTP/1.1\r\nHost: x\r\n\r\n");
  SSL_shutdown(peer.ssl());
  peer.push();
  EXPECT_NE(peer.read_until("GET /last").find(" 200 "), std::string::npos);
  EXPECT_TRUE(peer.ended_orderly());
}

TEST_F(TlsStream, EndsWhoSendsWhatDoesNotOpen) {
  start();
  TlsPeer peer(address);
  ASSERT_TRUE(peer.shake_hands());
  ASSERT_TRUE(peer.open_websocket());
  peer.seal(Peer::frame(wire::Opcode::kText, "hello"));
  std::string record = peer.flight();
  record.back() = static_cast<char>(record.back() ^ 1);
  peer.wire.send(record);
  EXPECT_FALSE(peer.ended_orderly());
  EXPECT_TRUE(counts("record"));
  EXPECT_EQ(owner().messages, 0);
}

TEST_F(TlsStream, EndsWhoDoesNothingButRenewKeys) {
  start();
  TlsPeer peer(address);
  ASSERT_TRUE(peer.shake_hands());
  ASSERT_TRUE(peer.open_websocket());
  const auto renew = [&] {
    SSL_key_update(peer.ssl(), SSL_KEY_UPDATE_NOT_REQUESTED);
    return SSL_do_handshake(peer.ssl()) == 1 && peer.push();
  };
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(renew());
  peer.write(Peer::frame(wire::Opcode::kText, "hello"));
  EXPECT_EQ(peer.read(7), "\x81\x05hello");
  for (int i = 0; i < 100 && renew(); ++i) {
  }
  EXPECT_TRUE(counts("record"));
}

}  // namespace
}  // namespace signet::net
