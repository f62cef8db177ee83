#include "send_ceiling.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include "pulsemesh_protocol.h"

namespace signet::bench {
namespace {

constexpr int kBacklog = 4'096;
constexpr std::size_t kEvents = 256;
constexpr std::size_t kBufferBytes = 512 * 1024;  // as of a shard
constexpr std::chrono::microseconds kSpin{50};    // likewise
constexpr char kGreeting = '!';                   // tells a peer that it is served
// What Signet adds to a pulse: its frame's head and its two stamps.
constexpr std::size_t kAddedBytes = 4 + 79;

class SendCeiling {
 public:
  Status listen() {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, generic, size) != 0 || ::listen(listener_, kBacklog) != 0 ||
        getsockname(listener_, generic, &size) != 0) {
      return Error{ErrorCode::kUnavailable, "can't listen"};
    }
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    watch(listener_);
    std::cout << R"({"listen":"127.0.0.1:)" << ntohs(address.sin_port) << R"("})" << std::endl;
    return Done{};
  }

  [[noreturn]] void serve() {
    using std::chrono::steady_clock;
    std::array<epoll_event, kEvents> ready{};
    auto busy_at = steady_clock::now();
    for (;;) {
      const bool spins = steady_clock::now() < busy_at + kSpin;
      const int count = epoll_wait(epoll_, ready.data(), kEvents, spins ? 0 : -1);
      if (count > 0) busy_at = steady_clock::now();
      for (int i = 0; i < count; ++i) {
        const int descriptor = ready[static_cast<std::size_t>(i)].data.fd;
        descriptor == listener_ ? accept_one() : pass_on(descriptor);
      }
    }
  }

 private:
  void watch(int descriptor) const {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = descriptor;
    (void)epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
  }
  void accept_one() {
    const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (descriptor < 0) return;
    const int on = 1;
    (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(descriptor);
    (void)::send(descriptor, &kGreeting, 1, MSG_NOSIGNAL);
    sockets_.push_back(descriptor);
  }
  void pass_on(int from) {
    const ssize_t got = recv(from, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN)) {
      std::erase(sockets_, from);
      ::close(from);
    }
    if (got <= 0) return;
    for (const int to : sockets_) {  // blocking: a slow reader would be its generator's fault
      if (to != from) (void)::send(to, buffer_.data(), static_cast<std::size_t>(got), MSG_NOSIGNAL);
    }
  }

  int listener_ = -1;
  int epoll_ = -1;
  std::vector<int> sockets_;
  std::vector<char> buffer_ = std::vector<char>(kBufferBytes);
};

std::string message(MessageIndex index, std::string_view filler) {
  std::string text;
  append_pulse(text, index, filler);
  return text.append(kAddedBytes, ' ');
}

class CeilingProtocol final : public Protocol {
 public:
  explicit CeilingProtocol(std::size_t filler_bytes)
      : message_bytes_(message(0, std::string(filler_bytes, 'x')).size()) {}

  void start(std::string&) override {}
  void receive(std::span<char> bytes, std::string&, ProtocolEvents& events) override {
    if (!greeted_) {
      greeted_ = true;
      bytes = bytes.subspan(1);
      events.on_ready();
    }
    held_bytes_ += bytes.size();
    if (held_bytes_ >= message_bytes_) events.on_counted(held_bytes_ / message_bytes_);
    held_bytes_ %= message_bytes_;
  }
  void send(std::string& out, std::string_view, MessageIndex index,
            std::string_view filler) override {
    out.append(message(index, filler));
  }

 private:
  const std::size_t message_bytes_;
  bool greeted_ = false;
  std::size_t held_bytes_ = 0;
};

}  // namespace

Status serve_ceiling() {
  SendCeiling server;
  SIGNET_TRY([[maybe_unused]] const Done listening, server.listen());
  server.serve();
}

std::unique_ptr<Protocol> ceiling_protocol(std::size_t filler_bytes) {
  return std::make_unique<CeilingProtocol>(filler_bytes);
}

}  // namespace signet::bench
