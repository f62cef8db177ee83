#include "relay_protocol.h"

#include <algorithm>

#include "base/encoding.h"
#include "websocket_protocol.h"

namespace signet::bench {
namespace {

using crypto::RelayBox;
using crypto::RelaySecretKey;

constexpr std::string_view kNonce = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

// The answer to a challenge; empty where it can't be answered.
std::string answer(std::string_view challenge, const RelaySecretKey& keys) {
  const std::string_view server = text_after(challenge, R"("from":")");
  const std::string_view nonce_text = text_after(challenge, R"("nonce":")");
  const auto key = crypto::relay_key_from(server);
  const auto bytes = from_any_base64(nonce_text);
  crypto::BoxNonce nonce{};
  if (!key || !bytes || bytes->size() != nonce.size()) return {};
  std::copy(bytes->begin(), bytes->end(), nonce.begin());
  const auto box = RelayBox::between(keys, *key);
  if (!box.ok()) return {};
  const std::string sealed = box->seal(text_after(challenge, R"("challengeText":")"), nonce);
  std::string frame = R"({"type":"CHALLENGE_RESPONSE","from":")";
  frame.append(crypto::relay_key_text(keys.public_key())).append(R"(","to":")").append(server);
  frame.append(R"(","nonce":")").append(nonce_text).append(R"(","message":")");
  return frame.append(to_base64url(bytes_of(sealed))).append(R"("})");
}

class RelayProtocol final : public WebSocketProtocol {
 public:
  RelayProtocol(std::string host, RelaySecretKey keys)
      : WebSocketProtocol(std::move(host), "/" + crypto::relay_key_text(keys.public_key()), ""),
        keys_(std::move(keys)),
        key_(crypto::relay_key_text(keys_.public_key())) {}

  void send(std::string& out, std::string_view to, MessageIndex index,
            std::string_view filler) override {
    frame_.clear();
    append_envelope(frame_, key_, to, index, filler);
    append_text(out, frame_);
  }

 private:
  void on_open(ProtocolEvents&) override {}  // the server speaks first

  void on_text(std::string_view frame, ProtocolEvents& events) override {
    const std::string_view type = text_after(frame, R"("type":")");
    if (type == "MESSAGE") {
      events.on_push(text_after(frame, R"("message":")"));
    } else if (type == "CHALLENGE") {
      const std::string response = answer(frame, keys_);
      if (response.empty()) return events.on_refused("bad challenge");
      say(response);
    } else if (type == "REGISTER_SUCCESS") {
      events.on_ready();
    } else {
      events.on_refused(text_after(frame, R"("reason":")"));
    }
  }

  const RelaySecretKey keys_;
  const std::string key_;
  std::string frame_;  // reused
};

}  // namespace

void append_envelope(std::string& out, std::string_view from, std::string_view to,
                     MessageIndex index, std::string_view filler) {
  out.append(R"({"type":"MESSAGE","from":")").append(from).append(R"(","to":")").append(to);
  out.append(R"(","nonce":")").append(kNonce).append(R"(","message":")");
  append_index(out, index);
  out.append(filler).append(R"("})");
}

std::unique_ptr<Protocol> relay_protocol(std::string host, RelaySecretKey keys) {
  return std::make_unique<RelayProtocol>(std::move(host), std::move(keys));
}

}  // namespace signet::bench
