// LoopbackPort is what a server that a test plays listens on. For tests.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>

namespace signet::net {

// A port of 127.0.0.1 that the kernel chose.
class LoopbackPort {
 public:
  LoopbackPort() : listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(listener_, 16), 0);
    EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    number_ = ntohs(address.sin_port);
  }
  LoopbackPort(const LoopbackPort&) = delete;
  LoopbackPort& operator=(const LoopbackPort&) = delete;
  ~LoopbackPort() { ::close(listener_); }

  std::uint16_t number() const { return number_; }
  int accept() const { return ::accept(listener_, nullptr, nullptr); }  // below 0 after end()
  void end() const { ::shutdown(listener_, SHUT_RDWR); }                // any thread

 private:
  const int listener_;
  std::uint16_t number_ = 0;
};

}  // namespace signet::net
