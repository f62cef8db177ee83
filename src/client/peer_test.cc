// Stories of one peer with a broker that a test plays, well or badly.
#include "client/peer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/encoding.h"
#include "client/scripted_server_test.h"
#include "crypto/box.h"
#include "dialects/claudemesh_http.h"
#include "membership/fixture_for_test.h"
#include "wire/websocket_upgrade.h"

namespace signet::client {
namespace {

using std::chrono::milliseconds;
using Connection = ScriptedServer::Connection;

constexpr milliseconds kPatience{5'000};
constexpr milliseconds kImpatience{200};  // where nothing ever comes

const char kHelloAck[] = R"({"type":"hello_ack","presenceId":"p","memberDisplayName":"ann"})";

Identity ann_at(const ScriptedServer& server) {
  return {server.url("/ws"), "mesh-team", "member-ann", membership::key_of("ann")};
}

// Answers the handshake well; the request's head.
std::string shake_hands(Connection& connection) {
  const std::string head = connection.read_to("\r\n\r\n");
  const std::string_view name = "Sec-WebSocket-Key: ";
  const auto at = head.find(name);
  const std::string key = at == std::string::npos ? "" : head.substr(at + name.size(), 24);
  connection.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      wire::accept_key(key) + "\r\n\r\n");
  return head;
}
// And the hello; its text.
std::string admit(Connection& connection) {
  shake_hands(connection);
  const std::string hello = connection.read_frame();
  connection.write_frame(kHelloAck);
  return hello;
}

std::string text_in(const std::string& json, std::string_view name) {
  wire::JsonDocument document;
  if (!document.parse(json).ok()) return "no JSON";
  return std::string(document.root()[name].string().value_or("none"));
}

// A push to ann as a broker writes it.
std::string push_of(const std::string& id, const std::string& from, const std::string& text,
                    bool spoiled = false) {
  const auto box =
      crypto::DirectBox::between(membership::key_of(from), membership::key_of("ann").public_key());
  const crypto::BoxNonce nonce{1, 2, 3};
  std::string sealed = box.ok() ? to_base64(bytes_of(box->seal(text, nonce))) : "";
  if (spoiled) sealed.front() = sealed.front() == 'A' ? 'B' : 'A';
  wire::JsonWriter push;
  push.object().key("type").value("push").key("messageId").value(id).key("senderPubkey");
  push.value(crypto::to_hex(membership::key_of(from).public_key())).key("targetSpec").value("x");
  push.key("nonce").value(to_base64(nonce)).key("ciphertext").value(sealed);
  return push.end().take();
}

TEST(PeerConnect, SaysASignedHello) {
  std::string head, hello;
  {
    ScriptedServer server([&](Connection& connection) {
      head = shake_hands(connection);
      hello = connection.read_frame();
      connection.write_frame(kHelloAck);
      (void)connection.read(1);
    });
    const Identity ann = ann_at(server);
    const auto peer = Peer::connect(ann, kPatience);
    ASSERT_TRUE(peer.ok()) << peer.error().detail;
  }
  EXPECT_TRUE(head.starts_with("GET /ws HTTP/1.1\r\nHost: 127.0.0.1:")) << head;
  EXPECT_EQ(text_in(hello, "type"), "hello");
  EXPECT_EQ(text_in(hello, "meshId"), "mesh-team");
  EXPECT_EQ(text_in(hello, "memberId"), "member-ann");
  const auto key = membership::key_of("ann").public_key();
  EXPECT_EQ(text_in(hello, "pubkey"), crypto::to_hex(key));
  wire::JsonDocument document;
  ASSERT_TRUE(document.parse(hello).ok());
  const std::string signed_text = "mesh-team|member-ann|" + crypto::to_hex(key) + "|" +
                                  std::string(document.root()["timestamp"].raw());
  crypto::Signature signature{};
  ASSERT_TRUE(from_hex(text_in(hello, "signature"), signature));
  EXPECT_TRUE(crypto::verify(key, bytes_of(signed_text), signature));
}

TEST(PeerConnect, EndsWithWhateverABrokerDoes) {
  const struct {
    const char* name;
    ScriptedServer::Script script;
    ErrorCode code;
    const char* detail;  // part of it
  } rows[] = {
      {"goes", [](Connection&) {}, ErrorCode::kUnavailable, ""},
      {"goes after the request", [](Connection& c) { c.read_to("\r\n\r\n"); },
       ErrorCode::kUnavailable, ""},
      {"has no such path",
       [](Connection& c) {
         c.read_to("\r\n\r\n");
         c.write("HTTP/1.1 404 Not Found\r\n\r\n");
       },
       ErrorCode::kUnavailable, "status"},
      {"speaks no HTTP",
       [](Connection& c) {
         c.read_to("\r\n\r\n");
         c.write("220 mail.example ESMTP\r\n\r\n");
       },
       ErrorCode::kUnavailable, "status line"},
      {"proves another key",
       [](Connection& c) {
         c.read_to("\r\n\r\n");
         c.write(
             "HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
       },
       ErrorCode::kUnavailable, "sec-websocket-accept"},
      {"never ends its head",
       [](Connection& c) {
         c.read_to("\r\n\r\n");
         c.write("HTTP/1.1 101 X\r\n");
         while (c.write("A: " + std::string(1'000, 'a') + "\r\n")) {
         }
       },
       ErrorCode::kUnavailable, "no WebSocket"},
      {"refuses the hello",
       [](Connection& c) {
         shake_hands(c);
         c.read_frame();
         c.write_frame(R"({"type":"error","code":"unauthorized","message":"x"})");
       },
       ErrorCode::kUnauthorized, "unauthorized"},
      {"closes with a reason",
       [](Connection& c) {
         shake_hands(c);
         c.read_frame();
         c.write_frame("\x03\xf0the reason", 0x88);
       },
       ErrorCode::kUnavailable, "the reason"},
      {"closes without one",
       [](Connection& c) {
         shake_hands(c);
         c.read_frame();
         c.write_frame("", 0x88);
       },
       ErrorCode::kUnavailable, "closed"},
      {"breaks off in a frame",
       [](Connection& c) {
         shake_hands(c);
         c.read_frame();
         c.write("\x81\x7e");
       },
       ErrorCode::kUnavailable, "no reason given"},
      {"sends a masked frame",
       [](Connection& c) {
         shake_hands(c);
         c.read_frame();
         c.write(std::string("\x81\x80\0\0\0\0", 6));
       },
       ErrorCode::kUnavailable, "broke the protocol"},
      {"breaks the protocol with the handshake",
       [](Connection& c) {
         shake_hands(c);
         c.write("\xff\xff");
         c.read_frame();
         (void)c.read(1);
       },
       ErrorCode::kUnavailable, "broke the protocol"},
      {"announces an endless message",
       [](Connection& c) {
         shake_hands(c);
         c.read_frame();
         c.write(std::string("\x81\x7f\x7f\xff\xff\xff\xff\xff\xff\xff", 10));
       },
       ErrorCode::kUnavailable, "broke the protocol"},
      {"sends no JSON",
       [](Connection& c) {
         shake_hands(c);
         c.read_frame();
         c.write_frame("hello yourself");
       },
       ErrorCode::kMalformed, ""},
      {"falls silent",
       [](Connection& c) {
         shake_hands(c);
         c.read_frame();
         (void)c.read(1);
       },
       ErrorCode::kOverloaded, ""},
      {"talks of other things for ever",
       [](Connection& c) {
         shake_hands(c);
         c.read_frame();
         while (c.write_frame(R"({"type":"weather"})")) {
         }
       },
       ErrorCode::kOverloaded, ""},
      {"pushes for ever",
       [](Connection& c) {
         shake_hands(c);
         c.read_frame();
         while (c.write_frame(R"({"type":"push"})")) {
         }
       },
       ErrorCode::kUnavailable, "too many pushes"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    ScriptedServer server(row.script);
    const Identity ann = ann_at(server);
    const bool waits = row.code == ErrorCode::kOverloaded;
    const auto peer = Peer::connect(ann, waits ? kImpatience : kPatience);
    ASSERT_FALSE(peer.ok());
    EXPECT_EQ(peer.error().code, row.code) << peer.error().detail;
    EXPECT_NE(peer.error().detail.find(row.detail), std::string::npos) << peer.error().detail;
  }
}

TEST(PeerSend, SealsForOneAndWaitsForItsOwnAck) {
  std::string frame;
  Result<std::string> sent = Error{ErrorCode::kBug, ""};
  {
    ScriptedServer server([&](Connection& connection) {
      admit(connection);
      frame = connection.read_frame();
      connection.write_frame(R"({"type":"ack","id":"an earlier one","messageId":"late"})");
      connection.write_frame(R"({"type":"ack","id":"mine","messageId":"m-1"})");
      (void)connection.read(1);
    });
    const Identity ann = ann_at(server);
    auto peer = Peer::connect(ann, kPatience);
    ASSERT_TRUE(peer.ok());
    sent = (*peer)->send(membership::key_of("bob").public_key(), "hello bob", "mine");
  }
  ASSERT_TRUE(sent.ok()) << sent.error().detail;
  EXPECT_EQ(*sent, "m-1");
  EXPECT_EQ(text_in(frame, "targetSpec"), crypto::to_hex(membership::key_of("bob").public_key()));
  EXPECT_EQ(frame.find("hello bob"), std::string::npos) << "sealed";
  const auto box =
      crypto::DirectBox::between(membership::key_of("bob"), membership::key_of("ann").public_key());
  ASSERT_TRUE(box.ok());
  crypto::BoxNonce nonce{};
  const auto nonce_bytes = from_base64(text_in(frame, "nonce"));
  const auto sealed = from_base64(text_in(frame, "ciphertext"));
  ASSERT_TRUE(nonce_bytes && sealed && nonce_bytes->size() == nonce.size());
  std::copy(nonce_bytes->begin(), nonce_bytes->end(), nonce.begin());
  EXPECT_EQ(box->open(*sealed, nonce), "hello bob");
}

TEST(PeerSend, SaysWhyItWasRefused) {
  ScriptedServer server([&](Connection& connection) {
    admit(connection);
    connection.read_frame();
    connection.write_frame(R"({"type":"error","id":"m","code":"quota_exceeded"})");
    connection.read_frame();
  });
  const Identity ann = ann_at(server);
  auto peer = Peer::connect(ann, kPatience);
  ASSERT_TRUE(peer.ok());
  const auto sent = (*peer)->send(membership::key_of("bob").public_key(), "x", "m");
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().code, ErrorCode::kForbidden);
  EXPECT_EQ(sent.error().detail, "quota_exceeded");
  const auto again = (*peer)->send(membership::key_of("bob").public_key(), "x", "m2");
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, ErrorCode::kUnavailable) << "the broker went";
}

TEST(PeerReceive, OpensWhatOpensAndConfirmsEverything) {
  const std::string me = crypto::to_hex(membership::key_of("ann").public_key());
  const struct {
    const char* name;
    std::string push;
    std::optional<std::string> text;
  } rows[] = {
      {"sealed by bob", push_of("m1", "bob", "hello ann"), "hello ann"},
      {"sealed and empty", push_of("m2", "bob", ""), ""},
      {"spoiled on the way", push_of("m3", "bob", "hello", true), std::nullopt},
      {"its own, sent back", push_of("m4", "ann", "echo"), std::nullopt},
      {"in plain text",
       R"({"type":"push","messageId":"m5","senderPubkey":")" + me +
           R"(","nonce":"AAAA","ciphertext":"aGVsbG8="})",
       std::nullopt},
      {"without a sender", R"({"type":"push","messageId":"m6","nonce":"","ciphertext":""})",
       std::nullopt},
      {"of wrong types",
       R"({"type":"push","messageId":"m7","senderPubkey":1,"nonce":{},"ciphertext":[]})",
       std::nullopt},
  };
  std::vector<std::string> receipts;
  {
    ScriptedServer server([&](Connection& connection) {
      admit(connection);
      for (const auto& row : rows) connection.write_frame(row.push);
      for (std::size_t i = 0; i < std::size(rows); ++i) {
        receipts.push_back(connection.read_frame());
      }
    });
    const Identity ann = ann_at(server);
    auto peer = Peer::connect(ann, kPatience);
    ASSERT_TRUE(peer.ok());
    for (const auto& row : rows) {
      const auto incoming = (*peer)->receive(kPatience);
      ASSERT_TRUE(incoming.ok()) << row.name;
      EXPECT_EQ(incoming->text, row.text) << row.name;
    }
  }
  ASSERT_EQ(receipts.size(), std::size(rows));
  for (std::size_t i = 0; i < receipts.size(); ++i) {
    EXPECT_EQ(receipts[i], R"({"type":"receipt","messageId":"m)" + std::to_string(i + 1) +
                               R"(","state":"received"})");
  }
}

TEST(PeerReceive, KeepsWhatComesWhileItWaitsForSomethingElse) {
  std::vector<std::string> pongs;
  ScriptedServer server([&](Connection& connection) {
    shake_hands(connection);
    connection.read_frame();
    connection.write_frame(push_of("m1", "bob", "before the ack of the hello"));
    connection.write_frame("are you there", 0x89);
    connection.write_frame(kHelloAck);
    pongs.push_back(connection.read_frame());
    connection.read_frame();  // the send
    connection.write_frame(push_of("m2", "bob", "before the ack of the send"));
    connection.write_frame(R"({"type":"ack","id":"s","messageId":"m9"})");
    (void)connection.read_frame();
    (void)connection.read_frame();
    (void)connection.read(1);
  });
  const Identity ann = ann_at(server);
  auto peer = Peer::connect(ann, kPatience);
  ASSERT_TRUE(peer.ok());
  ASSERT_TRUE((*peer)->send(membership::key_of("bob").public_key(), "x", "s").ok());
  for (const char* text : {"before the ack of the hello", "before the ack of the send"}) {
    const auto incoming = (*peer)->receive(kPatience);
    ASSERT_TRUE(incoming.ok());
    EXPECT_EQ(incoming->text, text);
  }
  const auto nothing = (*peer)->receive(kImpatience);
  ASSERT_FALSE(nothing.ok());
  EXPECT_EQ(nothing.error().code, ErrorCode::kOverloaded);
  EXPECT_EQ(pongs, std::vector<std::string>{"are you there"});
}

std::string link_to(const std::string& broker_url) {
  membership::InviteClaim claim;
  claim.mesh_id = "mesh-team";
  claim.mesh_slug = "team";
  claim.broker_url = broker_url;
  claim.expires_at = 1'800'000'000;
  claim.root_key = "cm9vdA";
  claim.role = "member";
  claim.owner_key = std::string(64, 'a');
  claim.signature = std::string(128, 'b');
  return "ic://join/" + dialects::write_invite_token(claim);
}

TEST(Join, PostsTheLinkAndAFreshKey) {
  std::string request, link, url;
  Result<Identity> identity = Error{ErrorCode::kBug, ""};
  {
    ScriptedServer server([&](Connection& connection) {
      request = connection.read_to("\r\n\r\n");
      request += connection.read_to("\"display_name\":\"me\"}");
      connection.write(
          "HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n"
          R"({"ok":true,"memberId":"mem-1"})");
      (void)connection.read(1);
    });
    url = server.url("/ws");
    link = link_to(url);
    identity = join(link, "me", kPatience);
  }
  ASSERT_TRUE(identity.ok()) << identity.error().detail;
  EXPECT_EQ(identity->broker_url, url);
  EXPECT_EQ(identity->mesh_id, "mesh-team");
  EXPECT_EQ(identity->member_id, "mem-1");
  EXPECT_TRUE(request.starts_with("POST /join HTTP/1.1\r\n")) << request;
  const std::string body = request.substr(request.find("\r\n\r\n") + 4);
  EXPECT_EQ(text_in(body, "invite_token"), dialects::token_of_link(link));
  EXPECT_EQ(text_in(body, "peer_pubkey"), crypto::to_hex(identity->key.public_key()));
  EXPECT_NE(body.find(R"("invite_payload":{"v":1,"mesh_id":"mesh-team")"), std::string::npos);
}

TEST(Join, SaysWhyNot) {
  const auto answering = [](const std::string& status, const std::string& body) {
    return [=](Connection& connection) {
      connection.read_to("\"display_name\":\"me\"}");
      connection.write("HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) +
                       "\r\n\r\n" + body);
    };
  };
  const struct {
    const char* name;
    ScriptedServer::Script script;
    ErrorCode code;
    const char* detail;
  } rows[] = {
      {"refused", answering("400 Bad Request", R"({"ok":false,"error":"invite_expired"})"),
       ErrorCode::kForbidden, "invite_expired"},
      {"a page", answering("200 OK", "<html>"), ErrorCode::kMalformed, ""},
      {"nothing", answering("200 OK", ""), ErrorCode::kMalformed, ""},
      {"an empty object", answering("200 OK", "{}"), ErrorCode::kForbidden, ""},
      {"an id that is no text", answering("200 OK", R"({"ok":true,"memberId":5})"),
       ErrorCode::kForbidden, ""},
      {"broken off", [](Connection& c) { c.read_to("}"); }, ErrorCode::kUnavailable, ""},
  };
  for (const auto& row : rows) {
    ScriptedServer server(row.script);
    const auto identity = join(link_to(server.url("/ws")), "me", kPatience);
    ASSERT_FALSE(identity.ok()) << row.name;
    EXPECT_EQ(identity.error().code, row.code) << row.name << ": " << identity.error().detail;
    EXPECT_NE(identity.error().detail.find(row.detail), std::string::npos) << row.name;
  }
}

TEST(Join, ALinkThatIsNoneAsksNobody) {
  for (const std::string& link :
       {std::string(), std::string("ic://join/"), std::string("ic://join/%%%"),
        std::string("ic://join/e30"), std::string("http://example.test/"),
        link_to("ws://127.0.0.1:1/ws HTTP/1.1\r\nX: y"), link_to("nowhere"),
        link_to("ws://user@127.0.0.1:1/ws")}) {
    const auto identity = join(link, "me", kPatience);
    ASSERT_FALSE(identity.ok()) << link;
    EXPECT_EQ(identity.error().code, ErrorCode::kMalformed) << link;
  }
}

}  // namespace
}  // namespace signet::client
