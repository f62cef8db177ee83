#include "claudemesh_protocol.h"

#include <array>

#include "base/encoding.h"
#include "client/identity_access.h"
#include "crypto/random.h"
#include "wire/json.h"
#include "wire/websocket_frame.h"
#include "wire/websocket_upgrade.h"

namespace signet::bench {
namespace {

constexpr std::string_view kKey = "c2lnbmV0IGJlbmNobWFyaw==";  // any 16 bytes do
constexpr std::string_view kNonce = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

// The text of the string member `name`, which must stand without escapes; empty when it is absent.
std::string_view text_after(std::string_view frame, std::string_view name) {
  const auto at = frame.find(name);
  if (at == std::string_view::npos) return {};
  const auto from = at + name.size();
  return frame.substr(from, frame.find('"', from) - from);
}

class ClaudemeshProtocol final : public Protocol, private wire::FrameEvents {
 public:
  ClaudemeshProtocol(std::string host, std::string hello)
      : host_(std::move(host)), hello_(std::move(hello)) {
    crypto::random_bytes(mask_);
  }

  void start(std::string& out) override { wire::append_upgrade_request(out, host_, "/ws", kKey); }

  void receive(std::span<char> bytes, std::string& out, ProtocolEvents& events) override {
    out_ = &out;
    events_ = &events;
    if (!upgraded_) {
      head_.append(bytes.data(), bytes.size());
      const auto read = wire::read_upgrade_response(head_, kKey);
      if (std::get_if<wire::BadRequest>(&read) != nullptr) return events.on_refused("upgrade");
      const auto* taken = std::get_if<std::size_t>(&read);
      if (taken == nullptr) return;
      upgraded_ = true;
      wire::append_masked_frame(out, wire::Opcode::kText, hello_, mask_);
      std::string rest = head_.substr(*taken);
      head_ = {};
      feed(rest);
      return;
    }
    feed(bytes);
  }

  void send(std::string& out, std::string_view to, MessageIndex index,
            std::string_view filler) override {
    frame_.assign(R"({"type":"send","id":")");
    append_index(frame_, index);
    frame_.append(R"(","targetSpec":")").append(to);
    frame_.append(R"(","priority":"next","nonce":")").append(kNonce);
    frame_.append(R"(","ciphertext":")");
    append_index(frame_, index);
    frame_.append(filler).append(R"("})");
    wire::append_masked_frame(out, wire::Opcode::kText, frame_, mask_);
  }

 private:
  void feed(std::span<char> bytes) {
    if (reader_.feed(bytes, limits_, *this)) events_->on_refused("broken frame");
  }

  bool on_message(wire::MessageKind, std::string_view frame) override {
    const std::string_view type = text_after(frame, R"("type":")");
    if (type == "push") {
      events_->on_push(text_after(frame, R"("ciphertext":")"));
    } else if (type == "ack") {
      events_->on_ack(read_index(text_after(frame, R"("id":")")));
    } else if (type == "hello_ack") {
      events_->on_ready();
    } else {
      events_->on_refused(text_after(frame, R"("code":")"));
    }
    return true;
  }
  bool on_ping(std::string_view payload) override {
    wire::append_masked_frame(*out_, wire::Opcode::kPong, payload, mask_);
    return true;
  }
  bool on_pong(std::string_view) override { return true; }
  void on_close(std::uint16_t, std::string_view) override { events_->on_refused("closed"); }

  const std::string host_;
  const std::string hello_;
  std::array<unsigned char, 4> mask_{};
  wire::FrameReader reader_{wire::Role::kClient};
  wire::FrameLimits limits_{.max_message_bytes = 1 << 20, .max_fragments = 1};
  std::string head_;   // of the upgrade's answer, until it is complete
  std::string frame_;  // reused
  bool upgraded_ = false;
  std::string* out_ = nullptr;        // of the call that runs
  ProtocolEvents* events_ = nullptr;  // likewise
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
