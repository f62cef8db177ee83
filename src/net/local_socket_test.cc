#include "net/local_socket.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdlib>

#include "net/loopback_test.h"

namespace signet::net {
namespace {

class LocalSocketTest : public Loopback {
 protected:
  LocalSocketTest() {
    char name[] = "/tmp/signet-local-XXXXXX";
    folder_ = mkdtemp(name);
    path_ = folder_ + "/signet.sock";
  }
  ~LocalSocketTest() override {
    network.reset();
    ::unlink(path_.c_str());
    ::rmdir(folder_.c_str());
  }

  bool is_there() const {
    struct stat file {};
    return ::lstat(path_.c_str(), &file) == 0;
  }
  sockaddr_un named() const {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    path_.copy(at.sun_path, path_.size());
    return at;
  }
  // As a process leaves it that was killed.
  void leave_behind() {
    const sockaddr_un at = named();
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
    ASSERT_EQ(::bind(descriptor, reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    ::close(descriptor);
  }
  static bool asks(Peer& peer, std::string& answer) {
    if (!peer.send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n")) return false;
    answer = peer.answer();
    return !answer.empty();
  }

  std::string folder_;
  std::string path_;
};

TEST_F(LocalSocketTest, IsForItsOwnerAloneWhateverTheUmask) {
  for (const mode_t mask : {0000U, 0022U, 0077U}) {
    const mode_t before = ::umask(mask);
    const auto made = LocalSocket::open(path_);
    ::umask(before);
    ASSERT_TRUE(made.ok()) << made.error().detail;
    struct stat file {};
    ASSERT_EQ(::lstat(path_.c_str(), &file), 0);
    EXPECT_TRUE(S_ISSOCK(file.st_mode));
    EXPECT_EQ(file.st_mode & 07777, 0600U) << mask;
  }
  EXPECT_FALSE(is_there());
}

TEST_F(LocalSocketTest, TakesThePlaceOfOneThatWasLeftBehind) {
  leave_behind();
  ASSERT_TRUE(is_there());
  const auto made = LocalSocket::open(path_);
  ASSERT_TRUE(made.ok()) << made.error().detail;
  Peer peer;
  EXPECT_TRUE(peer.connect(path_));
}

TEST_F(LocalSocketTest, TouchesNothingThatIsInUseOrNoSocket) {
  {
    const auto first = LocalSocket::open(path_);
    ASSERT_TRUE(first.ok());
    const auto second = LocalSocket::open(path_);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().code, ErrorCode::kConflict);
    Peer peer;
    EXPECT_TRUE(peer.connect(path_)) << "the first still answers";
  }
  const struct {
    const char* name;
    std::function<int()> make;
  } cases[] = {
      {"a file", [&] { return ::close(::open(path_.c_str(), O_CREAT | O_WRONLY, 0600)); }},
      {"a folder", [&] { return ::mkdir(path_.c_str(), 0700); }},
      {"a link to nothing", [&] { return ::symlink("/nowhere", path_.c_str()); }},
      {"a pipe", [&] { return ::mkfifo(path_.c_str(), 0600); }},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    ASSERT_EQ(c.make(), 0);
    const auto made = LocalSocket::open(path_);
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().code, ErrorCode::kConflict);
    EXPECT_TRUE(is_there());
    ASSERT_EQ(std::remove(path_.c_str()), 0);
  }
}

TEST_F(LocalSocketTest, SaysWhyAPathIsNone) {
  const struct {
    const char* name;
    std::string path;
    ErrorCode code;
  } cases[] = {
      {"empty", "", ErrorCode::kMalformed},
      {"one byte too long", std::string(108, 'a'), ErrorCode::kMalformed},
      {"cut by a zero", std::string("/tmp/a\0b", 8), ErrorCode::kMalformed},
      {"in no folder", folder_ + "/none/x.sock", ErrorCode::kUnavailable},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.name);
    const auto made = LocalSocket::open(c.path);
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().code, c.code);
  }
  const std::string longest = folder_ + "/" + std::string(107 - folder_.size() - 1, 'a');
  EXPECT_TRUE(LocalSocket::open(longest).ok());
}

TEST_F(LocalSocketTest, LeavesTheFileOfWhoTookItsPlace) {
  auto first = LocalSocket::open(path_);
  ASSERT_TRUE(first.ok());
  ASSERT_EQ(::unlink(path_.c_str()), 0);
  const auto second = LocalSocket::open(path_);
  ASSERT_TRUE(second.ok());
  { const LocalSocket gone = std::move(*first); }
  EXPECT_TRUE(is_there());
}

TEST(MayAdminister, ItsOwnUserAndRootMay) {
  EXPECT_TRUE(may_administer(::geteuid()));
  EXPECT_TRUE(may_administer(0));
  EXPECT_FALSE(may_administer(::geteuid() + 1));
  EXPECT_FALSE(may_administer(static_cast<uid_t>(-1)));
}

TEST_F(LocalSocketTest, MakesItsPeersLocalAndNobodyElse) {
  prepare = [](Owner& owner) {
    owner.request = [](Connection& connection, const HttpRequest&) {
      connection.respond({200, "text/plain", {}, connection.peer().text()});
    };
  };
  start(2);
  ASSERT_TRUE(network->listen_local(path_).ok());  // also while it runs
  const std::string me = "unix:" + std::to_string(::geteuid());
  for (int i = 0; i < 8; ++i) {  // the shards in turn
    Peer local;
    ASSERT_TRUE(eventually([&] { return local.connect(path_); }));
    std::string answer;
    ASSERT_TRUE(asks(local, answer));
    EXPECT_NE(answer.find(me), std::string::npos) << answer;

    Peer remote = connected();
    ASSERT_TRUE(asks(remote, answer));
    EXPECT_NE(answer.find("127.0.0.1:"), std::string::npos) << answer;
    EXPECT_EQ(answer.find("unix:"), std::string::npos) << answer;
  }
}

TEST_F(LocalSocketTest, IsOpenWhenTheProcessIsFullAndHasItsOwnLimit) {
  options.max_connections = 1;
  options.max_unproven = 1;
  options.unproven_share_percent = 0;
  options.max_local_connections = 2;
  start();
  ASSERT_TRUE(network->listen_local(path_).ok());
  std::string answer;
  Peer remote = connected();
  ASSERT_TRUE(asks(remote, answer));
  {
    Peer first, second, third;
    ASSERT_TRUE(eventually([&] { return first.connect(path_); }));
    ASSERT_TRUE(second.connect(path_));
    EXPECT_TRUE(asks(first, answer));
    EXPECT_TRUE(asks(second, answer));
    ASSERT_TRUE(third.connect(path_));  // by the kernel
    EXPECT_TRUE(third.ended());
    EXPECT_EQ(refused("capacity"), 1);
  }
  EXPECT_TRUE(eventually([&] {
    Peer later;
    return later.connect(path_) && asks(later, answer);
  }));
  EXPECT_TRUE(asks(remote, answer)) << "nobody displaced it";
}

TEST_F(LocalSocketTest, HoldsItsPeersToTheTimesOfARequest) {
  options.head_timeout = milliseconds(50);
  options.idle_http_timeout = milliseconds(50);
  start();
  ASSERT_TRUE(network->listen_local(path_).ok());
  Peer slow;
  ASSERT_TRUE(eventually([&] { return slow.connect(path_); }));
  ASSERT_TRUE(slow.send("GET /x HT"));
  EXPECT_NE(slow.take_all().find("408"), std::string::npos);
  Peer silent;
  ASSERT_TRUE(silent.connect(path_));
  EXPECT_TRUE(silent.ended());
}

TEST_F(LocalSocketTest, GoesWhenServingStops) {
  start();
  ASSERT_TRUE(network->listen_local(path_).ok());
  Peer peer;
  ASSERT_TRUE(eventually([&] { return peer.connect(path_); }));
  network->stop({}, milliseconds(500));
  EXPECT_FALSE(is_there());
  EXPECT_TRUE(peer.ended());
}

// The rights of the file are one fence; this shows the other.
TEST_F(LocalSocketTest, SendsOtherUsersAwayAlsoWhereTheFileLetsThemIn) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become somebody else";
  start();
  ASSERT_TRUE(network->listen_local(path_).ok());
  ASSERT_TRUE(eventually([&] { return Peer().connect(path_); }));
  ASSERT_EQ(::chmod(folder_.c_str(), 0777) + ::chmod(path_.c_str(), 0666), 0);
  const std::string request = "GET /x HTTP/1.1\r\nHost: x\r\n\r\n";
  const pid_t child = ::fork();
  if (child == 0) {  // nothing but system calls: the other threads are not here
    const sockaddr_un at = named();
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
    if (::setuid(65'534) != 0) ::_exit(3);
    if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0) {
      ::_exit(2);
    }
    char byte = 0;
    (void)::send(descriptor, request.data(), request.size(), MSG_NOSIGNAL);
    ::_exit(::recv(descriptor, &byte, 1, 0) > 0 ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0) << "1: it was answered, 2: it could not connect";
  EXPECT_EQ(refused("other_user"), 1);
  EXPECT_EQ(owner().requests, 0);
}

}  // namespace
}  // namespace signet::net
