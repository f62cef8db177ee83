#include "hub_protocol.h"

#include "base/encoding.h"
#include "crypto/mac.h"
#include "crypto/random.h"
#include "trust/signed_action.h"
#include "trust/signing_key.h"
#include "trust/token.h"
#include "websocket_protocol.h"
#include "wire/json.h"

namespace signet::bench {
namespace {

constexpr std::string_view kType = "click";
constexpr std::size_t kNonceBytesOfSession = 8;  // the others are the message's number

// What each packet of Engine.IO, and of Socket.IO in it, begins with.
constexpr std::string_view kOpened = "0{";
constexpr std::string_view kPing = "2";
constexpr std::string_view kPong = "3";
constexpr std::string_view kConnect = "40";
constexpr std::string_view kEvent = "42";
constexpr std::string_view kUpdate = R"(42["action_update",)";
constexpr std::string_view kPresence = R"(42["presence_update",)";
constexpr std::string_view kContext = R"(42["auth_context",)";
constexpr std::string_view kBeforeReady[] = {R"(42["engine_status",)", R"(42["agent_nonce",)"};

class HubProtocol final : public WebSocketProtocol {
 public:
  HubProtocol(std::string host, std::string token, const Clock& clock)
      : WebSocketProtocol(std::move(host), std::string(kHubPath), ""),
        token_(std::move(token)),
        clock_(clock),
        nonces_(crypto::random_hex(kNonceBytesOfSession)) {}

  void send(std::string& out, std::string_view, MessageIndex index,
            std::string_view filler) override {
    nonce_.assign(nonces_);
    append_index(nonce_, index);
    frame_.assign(kEvent).append(R"(["action",)");
    append_action(frame_, key_, nonce_, clock_.wall(), index, filler);
    append_text(out, frame_.append("]"));
  }

 private:
  void on_open(ProtocolEvents&) override {}  // the server speaks first

  void on_text(std::string_view text, ProtocolEvents& events) override {
    if (text.starts_with(kUpdate)) return events.on_push(text_after(text, R"("body":")"));
    if (text.starts_with(kPresence)) return on_presence(events);
    if (text == kPing) return say(kPong);
    if (!is_ready_ && greet(text)) return;
    const std::string_view code = text_after(text, R"("error":")");
    events.on_refused(code.empty() ? text : code);
  }

  // It comes behind the key, and before each update.
  void on_presence(ProtocolEvents& events) {
    if (std::exchange(is_ready_, true)) return;
    if (key_.empty()) return events.on_refused("no key");
    events.on_ready();
  }

  bool greet(std::string_view text) {
    if (text.starts_with(kOpened)) {
      wire::JsonWriter auth;
      auth.object().key("token").value(token_);
      say(std::string(kConnect).append(auth.end().text()));
      return true;
    }
    if (text.starts_with(kContext)) key_ = text_after(text, R"("actionKey":")");
    if (text.starts_with(kContext) || text.starts_with(kConnect)) return true;
    for (const std::string_view event : kBeforeReady) {
      if (text.starts_with(event)) return true;
    }
    return false;
  }

  const std::string token_;
  const Clock& clock_;
  const std::string nonces_;  // what those of this session begin with
  std::string key_;
  bool is_ready_ = false;
  std::string nonce_;  // reused
  std::string frame_;  // reused
};

}  // namespace

Result<std::string> hub_token(const HubSubject& of, std::string_view secret, WallTime now) {
  wire::JsonWriter jwk;
  jwk.object().key("kty").value("oct").key("alg").value("HS256");
  jwk.key("k").value(to_base64url(bytes_of(secret)));
  SIGNET_TRY(const auto key, trust::SigningKey::parse(jwk.end().text()));
  trust::TokenFacts facts;
  facts.issuer = kHubIssuer;
  facts.subject = of.name;
  facts.roles = of.roles;
  facts.role = of.role;
  facts.issued = now;
  facts.expires = now + std::chrono::hours(1);
  return trust::sign_token(facts, key);
}

Result<std::string> hub_user_token(std::string_view user, std::string_view secret, WallTime now) {
  return hub_token({std::string(user), {"user"}, {}}, secret, now);
}

void append_action(std::string& out, std::string_view key, std::string_view nonce, WallTime now,
                   MessageIndex index, std::string_view filler) {
  std::string payload = R"({"target":"save","x":512,"y":384.5,"body":")";
  append_index(payload, index);
  payload.append(filler).append(R"("})");
  trust::ActionClaim claim;
  claim.type = kType;
  claim.payload = payload;
  claim.timestamp_ms = now.ms;
  claim.nonce = nonce;
  const auto signature = crypto::hmac_sha256(key, trust::signed_text(claim));
  out.append(R"({"type":")").append(kType).append(R"(","payload":)").append(payload);
  out.append(R"(,"ts":)").append(std::to_string(now.ms)).append(R"(,"nonce":")").append(nonce);
  out.append(R"(","sig":")").append(to_hex(signature)).append(R"("})");
}

std::unique_ptr<Protocol> hub_protocol(std::string host, std::string token, const Clock& clock) {
  return std::make_unique<HubProtocol>(std::move(host), std::move(token), clock);
}

}  // namespace signet::bench
