#include "redis_protocol.h"

#include <deque>

namespace signet::bench {
namespace {

void append_bulk(std::string& out, std::string_view text) {
  out.append("$").append(std::to_string(text.size())).append("\r\n").append(text).append("\r\n");
}

class RedisProtocol final : public Protocol {
 public:
  void start(std::string& out) override { out.append("*1\r\n$4\r\nPING\r\n"); }

  // Every reply is two lines (an id as a bulk string) or one (+PONG, -ERR).
  void receive(std::span<char> bytes, std::string&, ProtocolEvents& events) override {
    held_.append(bytes.data(), bytes.size());
    std::string_view rest = held_;
    for (auto end = rest.find("\r\n"); end != std::string_view::npos; end = rest.find("\r\n")) {
      const char kind = rest.front();
      if (kind == '$') {
        const auto second = rest.find("\r\n", end + 2);
        if (second == std::string_view::npos) break;
        end = second;
        events.on_ack(outstanding_.front());
        outstanding_.pop_front();
      } else if (kind == '+') {
        events.on_ready();
      } else {
        events.on_refused(rest.substr(0, end));
      }
      rest.remove_prefix(end + 2);
    }
    held_.erase(0, held_.size() - rest.size());
  }

  void send(std::string& out, std::string_view to, MessageIndex index,
            std::string_view filler) override {
    std::string body;
    append_index(body, index);
    body.append(filler);
    out.append("*5\r\n");
    for (const std::string_view part : {std::string_view("XADD"), to, std::string_view("*"),
                                        std::string_view("body"), std::string_view(body)}) {
      append_bulk(out, part);
    }
    outstanding_.push_back(index);
  }

 private:
  std::string held_;
  std::deque<MessageIndex> outstanding_;  // replies come in the order of the commands
};

}  // namespace

std::string redis_stream(std::size_t peer) { return "bench:" + std::to_string(peer); }

std::unique_ptr<Protocol> redis_protocol() { return std::make_unique<RedisProtocol>(); }

}  // namespace signet::bench
