// Loopback is a network on 127.0.0.1 with an owner that records what it is told, and Peer a client
// made of a plain blocking socket and nothing of this module. For tests.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <future>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "net/shard.h"

namespace signet::net {

using std::chrono::milliseconds;

// Owner answers requests with what they were, accepts handshakes and sends messages back, unless a
// test says otherwise. One per shard; used on its thread, but for the counters.
class Owner final : public ConnectionEvents {
 public:
  using OnRequest = std::function<void(Connection&, const HttpRequest&)>;
  using OnMessage = std::function<void(Connection&, wire::MessageKind, std::string_view)>;
  using OnAny = std::function<void(Connection&)>;

  OnRequest request = [this](Connection& connection, const HttpRequest& r) {
    if (r.upgrade) {
      const auto& offered = r.subprotocols;
      return connection.accept_websocket(offered.empty() ? "" : offered.front(), limits);
    }
    const std::string what = std::string(r.head.method) + " " + std::string(r.head.target);
    connection.respond({200, "text/plain", {}, what + " " + std::string(r.body)});
  };
  OnMessage message = [](Connection& connection, wire::MessageKind kind, std::string_view text) {
    const bool is_text = kind == wire::MessageKind::kText;
    connection.send(is_text ? wire::Opcode::kText : wire::Opcode::kBinary, text);
  };
  OnMessage pong = [](Connection&, wire::MessageKind, std::string_view) {};
  OnAny drained = [](Connection&) {};
  OnAny deadline = [](Connection&) {};
  OnAny closed = [](Connection&) {};
  std::function<std::size_t(const wire::RequestHead&)> max_body = [](const auto&) { return 0; };
  wire::FrameLimits limits;

  std::atomic<int> requests{0}, messages{0}, closes{0}, turns{0}, bad_certificates{0};

 private:
  void on_request(Connection& connection, const HttpRequest& r) override {
    ++requests;
    request(connection, r);
  }
  std::size_t max_body_bytes(const wire::RequestHead& head) const override {
    return max_body(head);
  }
  void on_message(Connection& connection, wire::MessageKind kind, std::string_view text) override {
    ++messages;
    message(connection, kind, text);
  }
  void on_pong(Connection& connection, std::string_view payload) override {
    pong(connection, wire::MessageKind::kBinary, payload);
  }
  void on_drained(Connection& connection) override { drained(connection); }
  void on_deadline(Connection& connection) override { deadline(connection); }
  void on_closed(Connection& connection) override {
    ++closes;
    closed(connection);
  }
  void on_certificate_refused(const PeerAddress&, std::string_view) override { ++bad_certificates; }
  void on_turn_end() override { ++turns; }
};

struct Frame {
  int opcode = -1;  // -1: the connection ended
  std::string payload;

  std::uint16_t close_code() const {
    if (payload.size() < 2) return 1005;
    return static_cast<std::uint16_t>(static_cast<unsigned char>(payload[0]) << 8 |
                                      static_cast<unsigned char>(payload[1]));
  }
  std::string close_reason() const { return payload.size() < 2 ? "" : payload.substr(2); }
};

// Every read gives up after five seconds and answers as if the connection had ended.
class Peer {
 public:
  explicit Peer(int receive_buffer_bytes = 0) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval patience{5, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (receive_buffer_bytes > 0) {
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof(int));
    }
  }
  Peer(Peer&& other) noexcept
      : socket_(std::exchange(other.socket_, -1)), pending_(std::move(other.pending_)) {}
  ~Peer() { hang_up(); }

  bool connect(const PeerAddress& to) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(to.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  // By a Unix socket.
  bool connect(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) return false;
    path.copy(address.sun_path, path.size());
    hang_up();
    socket_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
    const timeval patience{5, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  void hang_up() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  void end_writing() { ::shutdown(socket_, SHUT_WR); }
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    hang_up();
  }

  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  bool receive_some() {
    char buffer[65'536];
    const ssize_t got = ::recv(socket_, buffer, sizeof buffer, 0);
    if (got <= 0) return false;
    pending_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }
  // What is there or comes next; empty at the end.
  std::string take_some() {
    if (pending_.empty()) receive_some();
    return std::exchange(pending_, {});
  }
  std::string take(std::size_t bytes) {
    while (pending_.size() < bytes && receive_some()) {
    }
    std::string taken = pending_.substr(0, bytes);
    pending_.erase(0, taken.size());
    return taken;
  }
  std::string take_until(std::string_view end) {
    std::size_t at;
    while ((at = pending_.find(end)) == std::string::npos && receive_some()) {
    }
    return take(at == std::string::npos ? pending_.size() : at + end.size());
  }
  std::string take_all() {
    while (receive_some()) {
    }
    return std::exchange(pending_, {});
  }
  bool ended() { return take_all().empty(); }

  // A whole answer: head and body.
  std::string answer() {
    std::string head = take_until("\r\n\r\n");
    const auto at = head.find("Content-Length: ");
    if (at == std::string::npos) return head;
    return head + take(std::stoul(head.substr(at + 16)));
  }

  static std::string handshake(std::string_view extra = {}, const std::string& target = "/ws") {
    return "GET " + target +
           " HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
           std::string(extra) + "\r\n";
  }
  bool open_websocket(const PeerAddress& to) {
    if (!connect(to) || !send(handshake())) return false;
    return answer().find("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") != std::string::npos;
  }

  static std::string frame(wire::Opcode opcode, std::string_view payload, bool fin = true) {
    std::string bytes;
    wire::append_masked_frame(bytes, opcode, payload, {1, 2, 3, 4});
    if (!fin) bytes[0] = static_cast<char>(bytes[0] & 0x7f);
    return bytes;
  }
  bool send_frame(wire::Opcode opcode, std::string_view payload, bool fin = true) {
    return send(frame(opcode, payload, fin));
  }
  bool say(std::string_view text) { return send_frame(wire::Opcode::kText, text); }
  bool send_close(std::uint16_t code) {
    const char bytes[] = {static_cast<char>(code >> 8), static_cast<char>(code & 0xff)};
    return send_frame(wire::Opcode::kClose, {bytes, 2});
  }

  Frame next_frame() {
    const std::string start = take(2);
    if (start.size() < 2) return {};
    std::size_t length = static_cast<unsigned char>(start[1]);
    const std::string more = take(length == 126 ? 2 : length == 127 ? 8 : 0);
    if (!more.empty()) length = 0;
    for (const char byte : more) length = length << 8 | static_cast<unsigned char>(byte);
    return {start[0] & 0x0f, take(length)};
  }

 private:
  int socket_;
  std::string pending_;
};

class Loopback : public ::testing::Test {
 protected:
  Loopback() { set_log_level(LogLevel::kError); }
  ~Loopback() override { set_log_level(LogLevel::kInfo); }

  void start(std::size_t shards = 1) {
    auto made = Network::create(shards, options, metrics, system_clock(), [this](Shard&) {
      owners.push_back(std::make_unique<Owner>());
      if (prepare) prepare(*owners.back());
      return owners.back().get();
    });
    ASSERT_TRUE(made.ok());
    network = std::move(*made);
    const auto listening = network->listen(*parse_address("127.0.0.1:0"));
    ASSERT_TRUE(listening.ok());
    address = *listening;
    network->start();
  }
  Owner& owner(std::size_t shard = 0) { return *owners[shard]; }

  Peer connected() {
    Peer peer;
    EXPECT_TRUE(peer.connect(address));
    return peer;
  }
  Peer websocket(int receive_buffer_bytes = 0) {
    Peer peer(receive_buffer_bytes);
    EXPECT_TRUE(peer.open_websocket(address));
    return peer;
  }

  // Runs `task` on a shard and waits for it.
  void on_shard(std::size_t shard, const std::function<void(Shard&)>& task) {
    std::promise<void> done;
    Shard* const one = network->shards()[shard];
    one->mailbox().post([&] {
      task(*one);
      done.set_value();
    });
    done.get_future().wait();
  }
  // The only connection of a shard.
  void on_connection(const std::function<void(Shard&, Connection&)>& task) {
    on_shard(0, [&](Shard& shard) {
      std::vector<ConnectionId> ids;
      shard.each_connection([&](Connection& connection) { ids.push_back(connection.id()); });
      ASSERT_EQ(ids.size(), 1u);
      task(shard, *shard.find(ids[0]));
    });
  }

  static bool eventually(const std::function<bool()>& true_yet) {
    for (int i = 0; i < 1'000; ++i) {
      if (true_yet()) return true;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return false;
  }
  // A figure of the page that operators read; -1 when it is not there.
  std::int64_t metric(const std::string& name, const std::string& labels = {}) {
    const std::string start = "\n" + name + (labels.empty() ? "" : "{" + labels + "}") + " ";
    const std::string page = metrics.prometheus();
    const auto at = page.find(start);
    return at == std::string::npos ? -1 : std::stoll(page.substr(at + start.size()));
  }
  std::int64_t closed(const std::string& reason) {
    return metric("signet_net_closed_total", "reason=\"" + reason + "\"");
  }
  std::int64_t refused(const std::string& reason) {
    return metric("signet_net_refused_total", "reason=\"" + reason + "\"");
  }

  NetOptions options;
  MetricRegistry metrics;
  PeerAddress address;
  std::function<void(Owner&)> prepare;
  std::vector<std::unique_ptr<Owner>> owners;
  std::unique_ptr<Network> network;  // ends before the owners
};

}  // namespace signet::net
