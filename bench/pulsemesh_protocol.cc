#include "pulsemesh_protocol.h"

#include "base/encoding.h"
#include "crypto/mac.h"
#include "websocket_protocol.h"

namespace signet::bench {
namespace {

class PulsemeshProtocol final : public WebSocketProtocol {
 public:
  PulsemeshProtocol(std::string host, const std::string& topic, std::string handshake, Hears hears)
      : WebSocketProtocol(std::move(host), "/ws/mesh/" + topic, std::move(handshake)),
        hears_(hears) {}

  void send(std::string& out, std::string_view, MessageIndex index,
            std::string_view filler) override {
    frame_.clear();
    append_pulse(frame_, index, filler);
    append_text(out, frame_);
  }

 private:
  void on_text(std::string_view frame, ProtocolEvents& events) override {
    if (frame.starts_with(kPulsePrefix)) {
      if (hears_ == Hears::kTheirNumber) return events.on_counted(1);
      return events.on_push(text_after(frame, R"("payload":")"));
    }
    const std::string_view type = text_after(frame, R"("type":")");
    if (type != "handshake_ok") return events.on_refused(text_after(frame, R"("code":")"));
    if (hears_ == Hears::kTheirNumber) count_texts(kPulsePrefix);
    events.on_ready();
  }

  const Hears hears_;
  std::string frame_;  // reused
};

}  // namespace

std::string signed_handshake(const std::string& source, const std::string& secret, WallTime now) {
  const std::string message = R"({"source": ")" + source +
                              R"(", "target": "pulsemesh", "timestamp": ")" + iso8601(now) +
                              R"("})";
  return R"({"message":)" + message + R"(,"signature":")" +
         to_hex(crypto::sha256({message, secret})) + R"("})";
}

void append_pulse(std::string& out, MessageIndex index, std::string_view filler) {
  out.append(kPulsePrefix).append(R"("update","payload":")");
  append_index(out, index);
  out.append(filler).append(R"("})");
}

std::unique_ptr<Protocol> pulsemesh_protocol(std::string host, const std::string& topic,
                                             std::string handshake, Hears hears) {
  return std::make_unique<PulsemeshProtocol>(std::move(host), topic, std::move(handshake), hears);
}

}  // namespace signet::bench
