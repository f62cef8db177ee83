#include "mqtt_protocol.h"

#include <optional>
#include <unordered_map>

namespace signet::bench {
namespace {

// Control packets, MQTT 3.1.1 section 2.2; the low half of the first byte holds flags.
enum Packet : unsigned char {
  kConnack = 0x20,
  kPublish = 0x30,
  kPuback = 0x40,
  kSuback = 0x90,
};
constexpr unsigned char kQosOne = 0x02;

void append_u16(std::string& out, std::size_t number) {
  out.push_back(static_cast<char>(number >> 8 & 0xff));
  out.push_back(static_cast<char>(number & 0xff));
}
void append_text(std::string& out, std::string_view text) {
  append_u16(out, text.size());
  out.append(text);
}
std::size_t read_u16(std::string_view bytes) {
  return static_cast<std::size_t>(static_cast<unsigned char>(bytes[0])) << 8 |
         static_cast<unsigned char>(bytes[1]);
}

void append_packet(std::string& out, int first_byte, std::string_view content) {
  out.push_back(static_cast<char>(first_byte));
  std::size_t left = content.size();
  do {
    const std::size_t seven = left & 0x7f;
    left >>= 7;
    out.push_back(static_cast<char>(left > 0 ? seven | 0x80 : seven));
  } while (left > 0);
  out.append(content);
}

class MqttProtocol final : public Protocol {
 public:
  // Without a topic it hears nothing.
  MqttProtocol(std::size_t peer, std::string hears, bool confirms)
      : peer_(peer), hears_(std::move(hears)), confirms_(confirms) {}

  void start(std::string& out) override {
    constexpr char kLevel = 4;  // MQTT 3.1.1
    std::string connect;
    append_text(connect, "MQTT");
    connect.push_back(kLevel);
    constexpr char kCleanSession = 2;
    connect.push_back(confirms_ ? 0 : kCleanSession);
    append_u16(connect, 0);  // no keep-alive
    append_text(connect, "bench-" + std::to_string(peer_));
    append_packet(out, 0x10, connect);
    if (hears_.empty()) return;  // ready once it is connected
    std::string subscribe;
    append_u16(subscribe, 1);
    append_text(subscribe, hears_);
    subscribe.push_back(confirms_ ? 1 : 0);  // QoS
    append_packet(out, 0x82, subscribe);
  }

  void receive(std::span<char> bytes, std::string& out, ProtocolEvents& events) override {
    held_.append(bytes.data(), bytes.size());
    std::string_view rest = held_;
    while (const auto packet = take_packet(rest))
      on_packet(packet->first, packet->second, out, events);
    held_.erase(0, held_.size() - rest.size());
  }

  void send(std::string& out, std::string_view to, MessageIndex index,
            std::string_view filler) override {
    std::string publish;
    append_text(publish, to);
    if (confirms_) {
      packet_id_ = packet_id_ % 0xffff + 1;
      outstanding_[packet_id_] = index;
      append_u16(publish, packet_id_);
    }
    append_index(publish, index);
    publish.append(filler);
    append_packet(out, confirms_ ? kPublish | kQosOne : kPublish, publish);
  }

 private:
  using TypeAndContent = std::pair<unsigned char, std::string_view>;

  static std::optional<TypeAndContent> take_packet(std::string_view& rest) {
    std::size_t size = 0;
    std::size_t at = 1;
    for (int shift = 0;; shift += 7) {
      if (at >= rest.size()) return std::nullopt;
      const auto byte = static_cast<unsigned char>(rest[at++]);
      size |= static_cast<std::size_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) break;
    }
    if (rest.size() < at + size) return std::nullopt;
    const TypeAndContent packet{static_cast<unsigned char>(rest[0]), rest.substr(at, size)};
    rest.remove_prefix(at + size);
    return packet;
  }

  void on_packet(unsigned char first_byte, std::string_view content, std::string& out,
                 ProtocolEvents& events) {
    switch (first_byte & 0xf0) {
      case kConnack:
        if (content[1] != 0) return events.on_refused("connect");
        if (hears_.empty()) events.on_ready();
        return;
      case kSuback:
        return events.on_ready();
      case kPuback: {
        const auto found = outstanding_.find(read_u16(content));
        if (found == outstanding_.end()) return events.on_refused("unknown PUBACK");
        events.on_ack(found->second);
        outstanding_.erase(found);
        return;
      }
      case kPublish:
        return on_publish((first_byte & kQosOne) != 0, content, out, events);
      default:
        return events.on_refused("unknown packet");
    }
  }

  static void on_publish(bool wants_ack, std::string_view content, std::string& out,
                         ProtocolEvents& events) {
    content.remove_prefix(2 + read_u16(content));
    if (wants_ack) {
      append_packet(out, kPuback, content.substr(0, 2));
      content.remove_prefix(2);
    }
    events.on_push(content);
  }

  const std::size_t peer_;
  const std::string hears_;
  const bool confirms_;
  std::size_t packet_id_ = 0;
  std::unordered_map<std::size_t, MessageIndex> outstanding_;  // by packet id
  std::string held_;
};

}  // namespace

std::string mqtt_topic(std::size_t peer) { return "bench/" + std::to_string(peer); }

std::unique_ptr<Protocol> mqtt_protocol(std::size_t peer) {
  return std::make_unique<MqttProtocol>(peer, mqtt_topic(peer), true);
}

std::unique_ptr<Protocol> mqtt_unconfirmed_protocol(std::size_t peer) {
  return std::make_unique<MqttProtocol>(peer, mqtt_topic(peer), false);
}

std::unique_ptr<Protocol> mqtt_topic_protocol(std::size_t peer) {
  return std::make_unique<MqttProtocol>(peer, peer == 0 ? "" : std::string(kMqttTopic), false);
}

}  // namespace signet::bench
