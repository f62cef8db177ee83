// Receiver is an HTTP server of a webhook on 127.0.0.1: a test says what it answers to each call
// and sees what came. It shares no code with the client. One connection at a time.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "net/loopback_port_test.h"

namespace signet::alerts {

class Receiver {
 public:
  struct Call {
    std::string head;
    std::string body;

    std::string header(std::string_view name) const {
      const std::string line = "\r\n" + std::string(name) + ": ";
      const auto at = head.find(line);
      if (at == std::string::npos) return {};
      const auto begin = at + line.size();
      return head.substr(begin, head.find("\r\n", begin) - begin);
    }
  };
  // What to answer to the nth call, as it goes over the wire; empty: nothing, until the caller
  // goes.
  using Answer = std::function<std::string(std::size_t)>;

  static std::string status(std::string_view line) {
    return "HTTP/1.1 " + std::string(line) + "\r\nContent-Length: 0\r\n\r\n";
  }

  explicit Receiver(Answer answer)
      : thread_([this, answer = std::move(answer)] { serve(answer); }) {}
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;
  ~Receiver() {
    ending_ = true;
    port_.end();
    thread_.join();
  }

  std::string url() const {
    return "http://127.0.0.1:" + std::to_string(port_.number()) + "/hook?k=v";
  }

  std::vector<Call> calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }

  // False when fewer come within ten seconds.
  bool wait_for(std::size_t count) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (calls().size() < count) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
  }

 private:
  void serve(const Answer& answer) {
    for (;;) {
      const int peer = port_.accept();
      if (peer < 0) return;
      Call call = read_call(peer);
      std::size_t index = 0;
      {
        const std::lock_guard lock(mutex_);
        index = calls_.size();
        calls_.push_back(std::move(call));
      }
      const std::string text = answer(index);
      (void)send(peer, text.data(), text.size(), MSG_NOSIGNAL);
      if (text.empty()) wait_for_end(peer);
      close(peer);
    }
  }

  static Call read_call(int peer) {
    std::string bytes;
    std::array<char, 4'096> chunk;
    Call call;
    for (;;) {
      const auto end = bytes.find("\r\n\r\n");
      if (end != std::string::npos) {
        call.head = bytes.substr(0, end + 2);
        const auto length = std::strtoul(call.header("Content-Length").c_str(), nullptr, 10);
        if (bytes.size() - end - 4 >= length) {
          call.body = bytes.substr(end + 4);
          return call;
        }
      }
      const ssize_t got = recv(peer, chunk.data(), chunk.size(), 0);
      if (got <= 0) return call;
      bytes.append(chunk.data(), static_cast<std::size_t>(got));
    }
  }

  void wait_for_end(int peer) const {
    pollfd watched{peer, POLLIN, 0};
    while (!ending_ && poll(&watched, 1, 10) == 0) {
    }
  }

  const net::LoopbackPort port_;
  std::atomic<bool> ending_{false};
  mutable std::mutex mutex_;
  std::vector<Call> calls_;  // guarded by mutex_
  std::thread thread_;       // begins when all else is there
};

}  // namespace signet::alerts
