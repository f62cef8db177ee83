#include "claudemesh_protocol.h"

#include "base/encoding.h"
#include "client/identity_access.h"
#include "websocket_protocol.h"
#include "wire/json.h"

namespace signet::bench {
namespace {

constexpr std::string_view kNonce = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

class ClaudemeshProtocol final : public WebSocketProtocol {
 public:
  ClaudemeshProtocol(std::string host, std::string hello)
      : WebSocketProtocol(std::move(host), "/ws", std::move(hello)) {}

  void send(std::string& out, std::string_view to, MessageIndex index,
            std::string_view filler) override {
    frame_.assign(R"({"type":"send","id":")");
    append_index(frame_, index);
    frame_.append(R"(","targetSpec":")").append(to);
    frame_.append(R"(","priority":"next","nonce":")").append(kNonce);
    frame_.append(R"(","ciphertext":")");
    append_index(frame_, index);
    frame_.append(filler).append(R"("})");
    append_text(out, frame_);
  }

 private:
  void on_text(std::string_view frame, ProtocolEvents& events) override {
    const std::string_view type = text_after(frame, R"("type":")");
    if (type == "push") {
      events.on_push(text_after(frame, R"("ciphertext":")"));
    } else if (type == "ack") {
      events.on_ack(read_index(text_after(frame, R"("id":")")));
    } else if (type == "hello_ack") {
      events.on_ready();
    } else {
      events.on_refused(text_after(frame, R"("code":")"));
    }
  }

  std::string frame_;  // reused
};

}  // namespace

// As clients of v0.1 say it: without receipts, so pongs confirm.
std::string signed_hello(const Membership& member, std::int64_t timestamp_ms) {
  const crypto::SecretKey& secret = IdentityAccess::key(member.identity);
  const std::string& key = member.identity.public_key();
  const std::string time = std::to_string(timestamp_ms);
  const std::string text = member.mesh_id + "|" + member.member_id + "|" + key + "|" + time;
  wire::JsonWriter hello;
  hello.object().key("type").value("hello").key("meshId").value(member.mesh_id);
  hello.key("memberId").value(member.member_id).key("pubkey").value(key);
  hello.key("sessionId").value("bench").key("pid").value(1).key("cwd").value("/bench");
  hello.key("timestamp").raw(time);
  hello.key("signature").value(to_hex(secret.sign(bytes_of(text)))).end();
  return hello.take();
}

std::unique_ptr<Protocol> claudemesh_protocol(std::string host, std::string hello) {
  return std::make_unique<ClaudemeshProtocol>(std::move(host), std::move(hello));
}

}  // namespace signet::bench
