#include "overlay_protocol.h"

#include <charconv>
#include <deque>
#include <optional>
#include <utility>

#include "base/time.h"
#include "websocket_protocol.h"

namespace signet::bench {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kStatusBegin = "HTTP/1.1 ";
constexpr std::string_view kGood = "200";

std::size_t number_after(std::string_view head, std::string_view name) {
  std::size_t number = 0;
  if (const auto at = head.find(name); at != std::string_view::npos) {
    const char* from = head.data() + at + name.size();
    std::from_chars(from, head.data() + head.size(), number);
  }
  return number;
}

// Both spellings that servers have; neither of them compresses or chunks what this asks.
std::size_t body_bytes(std::string_view head) {
  const std::size_t ours = number_after(head, "content-length: ");
  return ours > 0 ? ours : number_after(head, "Content-Length: ");
}

class OverlayProtocol final : public Protocol {
 public:
  OverlayProtocol(std::string at, std::shared_ptr<OverlayNode> node)
      : at_(std::move(at)), node_(std::move(node)) {}

  // Any answer says that the server serves this connection.
  void start(std::string& out) override {
    out.append("GET /v1/epoch HTTP/1.1\r\nHost: ").append(at_).append(kHeadEnd);
  }

  void receive(std::span<char> bytes, std::string&, ProtocolEvents& events) override {
    held_.append(bytes.data(), bytes.size());
    std::string_view rest = held_;
    for (auto end = rest.find(kHeadEnd); end != std::string_view::npos; end = rest.find(kHeadEnd)) {
      const std::string_view head = rest.substr(0, end + 2);
      const std::size_t whole = end + kHeadEnd.size() + body_bytes(head);
      if (rest.size() < whole) break;
      answered(head, rest.substr(end + kHeadEnd.size(), whole - end - kHeadEnd.size()), events);
      rest.remove_prefix(whole);
    }
    held_.erase(0, held_.size() - rest.size());
  }

  void send(std::string& out, std::string_view, MessageIndex index, std::string_view) override {
    const std::string body = node_->submission(system_clock().wall());
    out.append("POST /v1/benchmarks/").append(node_->name()).append(" HTTP/1.1\r\nHost: ");
    out.append(at_).append("\r\nContent-Type: application/json\r\nContent-Length: ");
    out.append(std::to_string(body.size())).append(kHeadEnd).append(body);
    outstanding_.push_back(index);
  }

 private:
  void answered(std::string_view head, std::string_view body, ProtocolEvents& events) {
    if (!is_ready_) {
      is_ready_ = true;
      return events.on_ready();
    }
    const bool good = head.starts_with(kStatusBegin) &&
                      head.substr(kStatusBegin.size()).starts_with(kGood) && !outstanding_.empty();
    if (!good) return events.on_refused(text_after(body, R"("code":")"));
    const MessageIndex index = outstanding_.front();
    outstanding_.pop_front();
    events.on_ack(index);
  }

  const std::string at_;
  const std::shared_ptr<OverlayNode> node_;
  std::string held_;
  std::deque<MessageIndex> outstanding_;  // answers come in the order of the requests
  bool is_ready_ = false;
};

}  // namespace

std::unique_ptr<Protocol> overlay_protocol(std::string at, std::shared_ptr<OverlayNode> node) {
  return std::make_unique<OverlayProtocol>(std::move(at), std::move(node));
}

}  // namespace signet::bench
