#include "peer_protocol.h"

#include "pulsemesh_protocol.h"
#include "relay_protocol.h"
#include "websocket_protocol.h"

namespace signet::bench {
namespace {

// As long as the keys of an envelope are, so that its bytes are as many.
constexpr std::string_view kKey = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
constexpr std::string_view kEvent = R"(42["m",)";  // of socket.io: message, event, its name
constexpr std::string_view kEventPulse = R"(42["m",{"intent":)";

std::string_view name_of(PeerTask task) {
  switch (task) {
    case PeerTask::kEcho:
      return "echo";
    case PeerTask::kPair:
      return "pair";
    case PeerTask::kUser:
      return "user";
    case PeerTask::kTopic:
      break;
  }
  return "topic";
}

std::string path_of(PeerTask task, PeerFraming framing, std::size_t number) {
  const std::string name(name_of(task));
  const std::string text = std::to_string(number);
  if (framing == PeerFraming::kWebSocket) return "/" + name + "/" + text;
  return "/socket.io/?EIO=4&transport=websocket&task=" + name + "&number=" + text;
}

class PeerProtocol : public WebSocketProtocol {
 public:
  PeerProtocol(std::string host, PeerTask task, PeerFraming framing, std::size_t number)
      : WebSocketProtocol(std::move(host), path_of(task, framing, number), ""), task_(task) {}

  void send(std::string& out, std::string_view, MessageIndex index,
            std::string_view filler) override {
    frame_.clear();
    append_message(frame_, index, filler);
    append_text(out, frame_);
  }

 protected:
  void append_message(std::string& out, MessageIndex index, std::string_view filler) const {
    if (task_ == PeerTask::kTopic) return append_pulse(out, index, filler);
    append_envelope(out, kKey, kKey, index, filler);
  }
  void on_message_text(std::string_view text, ProtocolEvents& events) {
    if (task_ == PeerTask::kTopic) return events.on_counted(1);
    events.on_push(text_after(text, R"("message":")"));
  }
  bool counts() const { return task_ == PeerTask::kTopic; }

  std::string frame_;  // reused

 private:
  void on_open(ProtocolEvents& events) override {
    if (counts()) count_texts(kPulsePrefix);
    events.on_ready();
  }
  void on_text(std::string_view text, ProtocolEvents& events) override {
    on_message_text(text, events);
  }

  const PeerTask task_;
};

// Packets of Engine.IO 4 and Socket.IO 5, which begin with their types as digits.
class SocketIoProtocol final : public PeerProtocol {
 public:
  SocketIoProtocol(std::string host, PeerTask task, std::size_t number)
      : PeerProtocol(std::move(host), task, PeerFraming::kSocketIo, number) {}

  void send(std::string& out, std::string_view, MessageIndex index,
            std::string_view filler) override {
    frame_.assign(kEvent);
    append_message(frame_, index, filler);
    append_text(out, frame_.append("]"));
  }

 private:
  void on_open(ProtocolEvents&) override {}  // the server speaks first

  void on_text(std::string_view text, ProtocolEvents& events) override {
    if (text.starts_with(kEvent)) return on_message_text(text, events);
    if (text.starts_with("40")) {  // connected to the namespace
      if (counts()) count_texts(kEventPulse);
      events.on_ready();
    } else if (text.starts_with('0')) {  // opened
      say("40");
    } else if (text == "2") {  // ping
      say("3");
    } else {
      events.on_refused(text);
    }
  }
};

}  // namespace

std::unique_ptr<Protocol> peer_protocol(std::string host, PeerTask task, PeerFraming framing,
                                        std::size_t number) {
  if (framing == PeerFraming::kSocketIo) {
    return std::make_unique<SocketIoProtocol>(std::move(host), task, number);
  }
  return std::make_unique<PeerProtocol>(std::move(host), task, framing, number);
}

}  // namespace signet::bench
