// Built without sanitizers in every preset (apps/CMakeLists.txt): their runtimes call what is
// refused here. Each case is a process of its own, which ends with its answer.
#include "signetd/sandbox.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netdb.h>
#include <openssl/ssl.h>
#include <sqlite3.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

namespace signet {
namespace {

constexpr int kNoSandbox = 77;

// Runs `inside` in a child behind the filter; answers how the child ended (waitpid).
int ended(const std::function<bool()>& inside) {
  const pid_t child = fork();
  if (child == 0) {
    if (enter_sandbox().outcome != Sandbox::kClosed) _exit(kNoSandbox);
    _exit(inside() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return status;
}

bool is_available() {
  return WEXITSTATUS(ended([] { return true; })) != kNoSandbox;
}

#define REQUIRE_FILTERS() \
  if (!is_available()) GTEST_SKIP() << "this kernel has no filters"

bool refused(long answer) { return answer == -1 && errno == EPERM; }

struct Row {
  const char* name;
  std::function<bool()> inside;
};

TEST(Sandbox, EndsWhoDoesWhatOnlyAnIntruderDoes) {
  REQUIRE_FILTERS();
  static std::array<char, 8> bytes{};
  const iovec local{bytes.data(), bytes.size()};
  const Row rows[] = {
      {"another program", [] { return execl("/bin/true", "true", nullptr) == 0; }},
      {"another program by descriptor",
       [] { return syscall(SYS_execveat, AT_FDCWD, "/bin/true", nullptr, nullptr, 0) == 0; }},
      {"tracing", [] { return ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) == 0; }},
      {"another's memory, read",
       [&] { return process_vm_readv(getppid(), &local, 1, &local, 1, 0) >= 0; }},
      {"another's memory, written",
       [&] { return process_vm_writev(getppid(), &local, 1, &local, 1, 0) >= 0; }},
      {"a mount", [] { return syscall(SYS_mount, "none", "/tmp", "tmpfs", 0, nullptr) == 0; }},
      {"a world of its own", [] { return syscall(SYS_unshare, 0x10000000) == 0; }},
      {"a module", [] { return syscall(SYS_init_module, nullptr, 0, "") == 0; }},
      {"code for the kernel", [] { return syscall(SYS_bpf, 0, nullptr, 0) == 0; }},
      {"keys of the kernel", [] { return syscall(SYS_keyctl, 0, 0, 0, 0, 0) == 0; }},
      {"a way round the list", [] { return syscall(SYS_io_uring_setup, 1, nullptr) == 0; }},
  };
  for (const Row& row : rows) {
    const int status = ended(row.inside);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) << row.name << " " << status;
  }
}

TEST(Sandbox, RefusesWhatTheDaemonNeverDoes) {
  REQUIRE_FILTERS();
  const auto no_socket = [](int family, int kind, int protocol) {
    return refused(socket(family, kind, protocol));
  };
  const Row rows[] = {
      {"packets", [&] { return no_socket(AF_PACKET, SOCK_RAW, 0); }},
      {"raw IP", [&] { return no_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP); }},
      {"raw IPv6", [&] { return no_socket(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6); }},
      {"virtual machines", [&] { return no_socket(AF_VSOCK, SOCK_STREAM, 0); }},
      {"the kernel's audit", [&] { return no_socket(AF_NETLINK, SOCK_RAW, 9); }},
      {"its ciphers", [&] { return no_socket(AF_ALG, SOCK_SEQPACKET, 0); }},
      {"another process", [] { return refused(fork()); }},
      {"a signal to another", [] { return refused(kill(getppid(), SIGTERM)); }},
      {"another owner", [] { return refused(chown("/", 0, 0)); }},
      {"another user", [] { return refused(syscall(SYS_setuid, 0)); }},
      {"capabilities", [] { return refused(syscall(SYS_capset, nullptr, nullptr)); }},
      {"being dumpable again", [] { return refused(prctl(PR_SET_DUMPABLE, 1)); }},
      {"other limits",
       [] {
         const rlimit limit{RLIM_INFINITY, RLIM_INFINITY};
         return refused(setrlimit(RLIMIT_CORE, &limit));
       }},
      {"a link", [] { return refused(link("/etc/passwd", "/tmp/none")); }},
      {"a device", [] { return refused(mknod("/tmp/none", S_IFCHR, 0)); }},
      {"typing into a terminal", [] { return refused(ioctl(0, 0x5412, "x")); }},  // TIOCSTI
      {"memory to write and run",
       [] {
         constexpr int kBoth = PROT_READ | PROT_WRITE | PROT_EXEC;
         return mmap(nullptr, 4'096, kBoth, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
                errno == EPERM;
       }},
      {"running what was written",
       [] {
         void* const at =
             mmap(nullptr, 4'096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
         return at != MAP_FAILED && refused(mprotect(at, 4'096, PROT_READ | PROT_EXEC));
       }},
      {"a thread in another world",
       [] { return syscall(SYS_clone3, nullptr, 0) == -1 && errno == ENOSYS; }},
  };
  for (const Row& row : rows) {
    const int status = ended(row.inside);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << row.name << " " << status;
  }
}

bool writes_a_file() {
  const std::string path = testing::TempDir() + "sandbox-" + std::to_string(getpid());
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool good = file >= 0 && write(file, "x", 1) == 1 && fsync(file) == 0 &&
                    rename(path.c_str(), (path + ".new").c_str()) == 0;
  return unlink((path + ".new").c_str()) == 0 && close(file) == 0 && good;
}

bool uses_a_database() {
  const std::string path = testing::TempDir() + "sandbox-" + std::to_string(getpid()) + ".db";
  sqlite3* database = nullptr;
  const bool good =
      sqlite3_open(path.c_str(), &database) == SQLITE_OK &&
      sqlite3_exec(database,
                   "pragma journal_mode=wal; pragma synchronous=full; create table t(x);"
                   "begin; insert into t values(1); commit; pragma wal_checkpoint(truncate);",
                   nullptr, nullptr, nullptr) == SQLITE_OK;
  const bool closed = sqlite3_close(database) == SQLITE_OK;
  return unlink(path.c_str()) == 0 && good && closed;
}

bool loops_over_sockets() {
  const int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int loop = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{EPOLLIN, {}};
  return listening >= 0 && loop >= 0 && epoll_ctl(loop, EPOLL_CTL_ADD, listening, &event) == 0 &&
         epoll_wait(loop, &event, 1, 0) >= 0;
}

bool looks_up_a_name() {
  addrinfo* found = nullptr;
  const bool good = getaddrinfo("localhost", "80", nullptr, &found) == 0;
  if (found != nullptr) freeaddrinfo(found);
  return good;
}

bool runs_threads() {
  std::atomic<int> ran = 0;
  std::thread first([&] { ++ran; }), second([&] { ++ran; });
  first.join();
  second.join();
  return ran == 2;
}

bool makes_tls() {
  SSL_CTX* const context = SSL_CTX_new(TLS_method());
  SSL* const connection = SSL_new(context);
  BIO* const in = BIO_new(BIO_s_mem());
  BIO* const out = BIO_new(BIO_s_mem());
  SSL_set_bio(connection, in, out);
  SSL_set_connect_state(connection);
  const bool spoke = SSL_do_handshake(connection) == -1 && BIO_ctrl_pending(out) > 100;
  SSL_free(connection);
  SSL_CTX_free(context);
  return spoke;
}

TEST(Sandbox, LeavesTheDaemonItsWork) {
  REQUIRE_FILTERS();
  const Row rows[] = {
      {"files", writes_a_file},   {"a database", uses_a_database}, {"a loop", loops_over_sockets},
      {"names", looks_up_a_name}, {"threads", runs_threads},       {"TLS", makes_tls},
  };
  for (const Row& row : rows) {
    const int status = ended(row.inside);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << row.name << " " << status;
  }
}

TEST(Sandbox, HoldsForThreadsThatWereThereBefore) {
  REQUIRE_FILTERS();
  const pid_t child = fork();
  if (child == 0) {
    std::atomic<bool> closed = false;
    std::atomic<bool> was_refused = false;
    std::thread other([&] {
      while (!closed) std::this_thread::yield();
      was_refused = refused(socket(AF_PACKET, SOCK_RAW, 0));
    });
    closed = enter_sandbox().outcome == Sandbox::kClosed;
    other.join();
    _exit(was_refused ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST(Sandbox, LetsAnAssertionEndTheProcessByItsOwnSignal) {
  REQUIRE_FILTERS();
  const int status = ended([]() -> bool { abort(); });
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT) << status;
}

}  // namespace
}  // namespace signet
