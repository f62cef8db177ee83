#include "nats_protocol.h"

#include <charconv>

namespace signet::bench {
namespace {

constexpr std::string_view kStream =
    R"({"name":"BENCH","subjects":["bench.>"],"storage":"file","retention":"limits"})";

class NatsProtocol final : public Protocol {
 public:
  // Without a subject it hears nothing.
  NatsProtocol(std::size_t peer, std::string hears, bool stored)
      : peer_(peer),
        hears_(std::move(hears)),
        stored_(stored),
        inbox_("_INBOX." + std::to_string(peer) + ".") {}

  void start(std::string& out) override {
    out.append("CONNECT {\"verbose\":false,\"pedantic\":false}\r\n");
    if (!hears_.empty()) out.append("SUB ").append(hears_).append(" 1\r\n");
    if (stored_) out.append("SUB ").append(inbox_).append("* 2\r\n");
    if (stored_ && peer_ == 0) {
      publish(out, "$JS.API.STREAM.CREATE.BENCH", inbox_ + "setup", kStream);
      return;  // ready when the stream is
    }
    out.append("PING\r\n");
  }

  void receive(std::span<char> bytes, std::string& out, ProtocolEvents& events) override {
    held_.append(bytes.data(), bytes.size());
    std::string_view rest = held_;
    while (take_one(rest, out, events)) {
    }
    held_.erase(0, held_.size() - rest.size());
  }

  void send(std::string& out, std::string_view to, MessageIndex index,
            std::string_view filler) override {
    std::string body;
    append_index(body, index);
    std::string reply;
    if (stored_) reply.append(inbox_).append(body);
    body.append(filler);
    publish(out, to, reply, body);
  }

 private:
  static void publish(std::string& out, std::string_view subject, std::string_view reply,
                      std::string_view body) {
    out.append("PUB ").append(subject).append(" ");
    if (!reply.empty()) out.append(reply).append(" ");
    out.append(std::to_string(body.size())).append("\r\n").append(body).append("\r\n");
  }

  // False when `rest` holds no whole operation.
  bool take_one(std::string_view& rest, std::string& out, ProtocolEvents& events) {
    const auto end = rest.find("\r\n");
    if (end == std::string_view::npos) return false;
    const std::string_view line = rest.substr(0, end);
    if (!line.starts_with("MSG ")) {
      if (line == "PING") out.append("PONG\r\n");
      if (line == "PONG") events.on_ready();
      if (line.starts_with("-ERR")) events.on_refused(line);
      rest.remove_prefix(end + 2);
      return true;
    }
    // MSG <subject> <sid> [reply] <bytes>
    std::size_t size = 0;
    const std::string_view digits = line.substr(line.rfind(' ') + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), size);
    if (rest.size() < end + 2 + size + 2) return false;
    const std::string_view subject = line.substr(4, line.find(' ', 4) - 4);
    on_message(subject, rest.substr(end + 2, size), events);
    rest.remove_prefix(end + 2 + size + 2);
    return true;
  }

  void on_message(std::string_view subject, std::string_view body, ProtocolEvents& events) {
    if (!subject.starts_with("_INBOX.")) return events.on_push(body);
    if (body.find("\"error\"") != std::string_view::npos) return events.on_refused(body);
    const std::string_view name = subject.substr(inbox_.size());
    if (name == "setup") return events.on_ready();
    events.on_ack(read_index(name));
  }

  const std::size_t peer_;
  const std::string hears_;
  const bool stored_;
  const std::string inbox_;
  std::string held_;  // an operation that has not come whole
};

}  // namespace

std::string nats_subject(std::size_t peer) { return "bench." + std::to_string(peer); }

std::unique_ptr<Protocol> nats_protocol(std::size_t peer, bool stored) {
  return std::make_unique<NatsProtocol>(peer, nats_subject(peer), stored);
}

std::unique_ptr<Protocol> nats_topic_protocol(std::size_t peer) {
  return std::make_unique<NatsProtocol>(peer, peer == 0 ? "" : std::string(kNatsTopic), false);
}

}  // namespace signet::bench
