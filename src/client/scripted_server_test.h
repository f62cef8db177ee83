// ScriptedServer is one end of one connection on 127.0.0.1: a test says what it reads and writes,
// on a thread of its own. It shares no code with the client. For tests.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace signet::client {

class ScriptedServer {
 public:
  // What the script sees. A read ends after five seconds or with the connection, with what came.
  class Connection {
   public:
    explicit Connection(int descriptor) : descriptor_(descriptor) {
      const timeval patience{5, 0};
      setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() { close(descriptor_); }

    // False when the client is gone.
    bool write(std::string_view bytes) {
      while (!bytes.empty()) {
        const ssize_t sent = send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(sent));
      }
      return true;
    }
    // Everything up to and with `mark`; what follows stays for the next read.
    std::string read_to(std::string_view mark) {
      while (pending_.find(mark) == std::string::npos) {
        if (!more()) return std::exchange(pending_, {});
      }
      return take(pending_.find(mark) + mark.size());
    }
    // Exactly `size` bytes, or what came before the end.
    std::string read(std::size_t size) {
      while (pending_.size() < size) {
        if (!more()) return std::exchange(pending_, {});
      }
      return take(size);
    }

    // One masked frame of the client: its payload; empty at the end.
    std::string read_frame() {
      const std::string head = read(2);
      if (head.size() < 2) return {};
      std::size_t size = static_cast<unsigned char>(head[1]) & 0x7FU;
      if (size == 126) {
        const std::string wide = read(2);
        size = static_cast<std::size_t>(static_cast<unsigned char>(wide.at(0))) << 8 |
               static_cast<unsigned char>(wide.at(1));
      }
      const std::string mask = read(4);
      std::string payload = read(size);
      for (std::size_t i = 0; i < payload.size(); ++i) {
        payload[i] = static_cast<char>(payload[i] ^ mask.at(i % 4));
      }
      return payload;
    }
    // An unmasked frame; `first` is its first byte: 0x81 text, 0x88 close, 0x89 ping.
    bool write_frame(std::string_view payload, unsigned char first = 0x81) {
      std::string frame(1, static_cast<char>(first));
      if (payload.size() < 126) {
        frame += static_cast<char>(payload.size());
      } else {
        frame += static_cast<char>(126);
        frame += static_cast<char>(payload.size() >> 8);
        frame += static_cast<char>(payload.size() & 0xFF);
      }
      return write(frame.append(payload));
    }

   private:
    bool more() {
      std::array<char, 4'096> chunk;
      const ssize_t got = recv(descriptor_, chunk.data(), chunk.size(), 0);
      if (got <= 0) return false;
      pending_.append(chunk.data(), static_cast<std::size_t>(got));
      return true;
    }
    std::string take(std::size_t size) {
      std::string taken = pending_.substr(0, size);
      pending_.erase(0, size);
      return taken;
    }

    int descriptor_;
    std::string pending_;
  };
  using Script = std::function<void(Connection&)>;

  explicit ScriptedServer(Script script) : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(listener_, 1), 0);
    EXPECT_EQ(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this, script = std::move(script)] {
      const int peer = accept(listener_, nullptr, nullptr);
      if (peer < 0) return;
      Connection connection(peer);
      script(connection);
    });
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer() {
    shutdown(listener_, SHUT_RDWR);  // nobody came: accept() ends
    thread_.join();
    close(listener_);
  }

  std::uint16_t port() const { return port_; }
  std::string url(std::string_view path) const {
    return "ws://127.0.0.1:" + std::to_string(port_) + std::string(path);
  }

 private:
  const int listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace signet::client
