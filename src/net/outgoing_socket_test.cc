#include "net/outgoing_socket.h"

#include <gtest/gtest.h>
#include <sys/un.h>

#include <array>
#include <atomic>

#include "net/tls_server_test.h"

namespace signet::net {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kPatience{5'000};

Endpoint at(const OneShotServer& server, const std::string& host = "127.0.0.1") {
  return TcpEndpoint{host, server.port()};
}

void write_to(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string read_from(int descriptor, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t filled = 0;
  while (filled < size) {
    const ssize_t got = recv(descriptor, bytes.data() + filled, size - filled, 0);
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

TEST(OutgoingSocket, SaysWhereItGoes) {
  const struct {
    Endpoint endpoint;
    const char* text;
  } rows[] = {
      {TcpEndpoint{"a.example", 80}, "tcp://a.example:80"},
      {TcpEndpoint{"::1", 443, TlsOptions()}, "tls://[::1]:443"},
      {UnixEndpoint{"/run/signet.sock"}, "unix:/run/signet.sock"},
  };
  for (const auto& row : rows) EXPECT_EQ(text_of(row.endpoint), row.text);
}

TEST(OutgoingSocket, AsksAndIsAnswered) {
  // A name has several addresses here, and only one of them is listened on.
  for (const char* host : {"127.0.0.1", "localhost"}) {
    OneShotServer server([](int peer) { write_to(peer, "you said " + read_from(peer, 5)); });
    auto socket = OutgoingSocket::connect(at(server, host), kPatience);
    ASSERT_TRUE(socket.ok()) << socket.error().detail;
    EXPECT_FALSE(socket->tls_facts());
    ASSERT_TRUE(socket->send_all("hello", kPatience).ok());
    std::string answer;
    std::array<char, 4> chunk;
    for (;;) {
      const auto got = socket->receive(chunk, kPatience);
      ASSERT_TRUE(got.ok()) << got.error().detail;
      if (*got == 0) break;
      answer.append(chunk.data(), *got);
    }
    EXPECT_EQ(answer, "you said hello");
  }
}

TEST(OutgoingSocket, TellsNotYetFromNeverAgain) {
  std::atomic<bool> may_write = false;
  OneShotServer server([&](int peer) {
    while (!may_write) std::this_thread::sleep_for(milliseconds(1));
    write_to(peer, "x");
  });
  auto socket = OutgoingSocket::connect(at(server), kPatience);
  ASSERT_TRUE(socket.ok());
  std::array<char, 8> chunk;
  EXPECT_TRUE(socket->read_some(chunk)->must_wait());
  const auto late = socket->receive(chunk, milliseconds(1));
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, ErrorCode::kOverloaded);
  may_write = true;
  EXPECT_EQ(*socket->receive(chunk, kPatience), 1U);
  EXPECT_EQ(*socket->receive(chunk, kPatience), 0U);
  EXPECT_TRUE(socket->read_some(chunk)->has_ended());
}

TEST(OutgoingSocket, APeerThatDoesNotReadEndsASend) {
  std::atomic<bool> is_over = false;
  OneShotServer server([&](int) {
    while (!is_over) std::this_thread::sleep_for(milliseconds(1));
  });
  auto socket = OutgoingSocket::connect(at(server), kPatience);
  ASSERT_TRUE(socket.ok());
  const auto sent = socket->send_all(std::string(64 << 20, 'x'), milliseconds(100));
  is_over = true;
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().code, ErrorCode::kUnavailable);
}

TEST(OutgoingSocket, APeerThatIsGoneEndsNoProcess) {
  OneShotServer server([](int) {});
  auto socket = OutgoingSocket::connect(at(server), kPatience);
  ASSERT_TRUE(socket.ok());
  Status sent = Done{};
  for (int i = 0; i < 1'000 && sent.ok(); ++i) {
    sent = socket->send_all(std::string(100'000, 'x'), milliseconds(1'000));
  }
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().code, ErrorCode::kUnavailable);
  EXPECT_FALSE(socket->send_all("x", milliseconds(1'000)).ok());  // here SIGPIPE would come
}

TEST(OutgoingSocket, NobodyThereIsUnavailableAndSaysWhere) {
  std::uint16_t port = 0;
  {
    const OneShotServer server([](int) {});
    port = server.port();
  }
  const struct {
    const char* name;
    Endpoint endpoint;
    ErrorCode code;
    const char* detail;
  } rows[] = {
      {"nobody listens", TcpEndpoint{"127.0.0.1", port}, ErrorCode::kUnavailable, "127.0.0.1"},
      {"no such name", TcpEndpoint{"no-such-host.invalid", 1}, ErrorCode::kUnavailable, "invalid"},
      {"no host", TcpEndpoint{"", 1}, ErrorCode::kMalformed, "no host"},
      {"no such path", UnixEndpoint{"/nonexistent/socket"}, ErrorCode::kUnavailable, "No such"},
      {"no path", UnixEndpoint{""}, ErrorCode::kMalformed, "no path"},
      {"a path too long", UnixEndpoint{std::string(200, 'a')}, ErrorCode::kMalformed, "no path"},
      {"NUL in a path", UnixEndpoint{std::string("\0a", 2)}, ErrorCode::kMalformed, "no path"},
  };
  for (const auto& row : rows) {
    const auto socket = OutgoingSocket::connect(row.endpoint, kPatience);
    ASSERT_FALSE(socket.ok()) << row.name;
    EXPECT_EQ(socket.error().code, row.code) << row.name;
    EXPECT_NE(socket.error().detail.find(row.detail), std::string::npos) << socket.error().detail;
  }
}

// A Unix listener that nobody serves; its queue takes one connection.
class UnixListener {
 public:
  UnixListener() : descriptor_(socket(AF_UNIX, SOCK_STREAM, 0)) {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(bind(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(descriptor_, 0), 0);
  }
  UnixListener(const UnixListener&) = delete;
  UnixListener& operator=(const UnixListener&) = delete;
  ~UnixListener() {
    close(descriptor_);
    unlink(path().c_str());
    rmdir(folder_.c_str());
  }
  std::string path() const { return folder_ + "/s"; }
  int descriptor() const { return descriptor_; }

 private:
  std::string folder_ = "/tmp/signet-unix-XXXXXX";
  const int descriptor_;
};

TEST(OutgoingSocket, ReachesAUnixSocket) {
  const UnixListener listener;
  auto socket = OutgoingSocket::connect(UnixEndpoint{listener.path()}, kPatience);
  ASSERT_TRUE(socket.ok()) << socket.error().detail;
  const int peer = accept(listener.descriptor(), nullptr, nullptr);
  ASSERT_GE(peer, 0);
  ASSERT_TRUE(socket->send_all("hello", kPatience).ok());
  EXPECT_EQ(read_from(peer, 5), "hello");
  close(peer);
  std::array<char, 1> chunk;
  EXPECT_EQ(*socket->receive(chunk, kPatience), 0U);
}

TEST(OutgoingSocket, AFullQueueOfAUnixSocketIsWaitedForOnlySoLong) {
  const UnixListener listener;
  const UnixEndpoint endpoint{listener.path()};
  auto first = OutgoingSocket::connect(endpoint, kPatience);
  ASSERT_TRUE(first.ok());
  const auto second = OutgoingSocket::connect(endpoint, milliseconds(50));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  Waker waker;
  waker.wake();
  const auto third = OutgoingSocket::connect(endpoint, kPatience, &waker);
  ASSERT_FALSE(third.ok());
  EXPECT_NE(third.error().detail.find("interrupted"), std::string::npos);
  close(accept(listener.descriptor(), nullptr, nullptr));
  EXPECT_TRUE(OutgoingSocket::connect(endpoint, kPatience).ok());
}

TEST(WaitForAny, AnotherThreadEndsIt) {
  Waker waker;
  ASSERT_TRUE(waker.opened().ok());
  EXPECT_FALSE(waker.clear());
  std::thread other([&] {
    std::this_thread::sleep_for(milliseconds(20));
    waker.wake();
    waker.wake();
  });
  EXPECT_TRUE(wait_for_any({}, &waker, milliseconds(-1)));
  other.join();
  EXPECT_TRUE(wait_for_any({}, &waker, milliseconds(-1)));  // it stays set
  EXPECT_TRUE(waker.clear());
  EXPECT_FALSE(waker.clear());
  EXPECT_FALSE(wait_for_any({}, &waker, milliseconds(1)));
}

TEST(WaitForAny, SaysWhichSocketCanDoWhat) {
  OneShotServer loud([](int peer) {
    write_to(peer, "x");
    read_from(peer, 1);
  });
  OneShotServer silent([](int peer) { read_from(peer, 1); });
  auto first = OutgoingSocket::connect(at(loud), kPatience);
  auto second = OutgoingSocket::connect(at(silent), kPatience);
  ASSERT_TRUE(first.ok() && second.ok());
  std::array<Watch, 3> watches{Watch{&*first, true, false}, Watch{&*second, true, false},
                               Watch{&*second, false, false}};
  EXPECT_TRUE(wait_for_any(watches, nullptr, kPatience));
  EXPECT_TRUE(watches[0].can_read);
  EXPECT_FALSE(watches[0].can_write);
  EXPECT_FALSE(watches[1].can_read);
  watches[2].write = true;
  EXPECT_TRUE(wait_for_any(watches, nullptr, kPatience));
  EXPECT_TRUE(watches[2].can_write);
}

}  // namespace
}  // namespace signet::net
