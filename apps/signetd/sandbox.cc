// The list is by name, so that a kernel or an architecture without one of them does without it. It
// was made from what a daemon in all its tests calls (strace), from what its libraries do when a
// name is looked up, a thread starts or an assertion fails, and from nothing else.
#include "signetd/sandbox.h"

#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SIGNET_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SIGNET_SANITIZED 1
#endif
#endif
#ifndef SIGNET_SANITIZED
#define SIGNET_SANITIZED 0
#endif

namespace signet {
namespace {

// clang-format off
constexpr const char* kAllowed[] = {
    // Descriptors, and files below server.data and of the configuration.
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "lseek", "close",
    "open", "openat", "stat", "lstat", "fstat", "newfstatat", "statx", "statfs", "fstatfs", "access",
    "faccessat", "faccessat2", "readlink", "readlinkat", "getcwd", "getdents64", "mkdir", "mkdirat",
    "rename", "renameat", "renameat2", "unlink", "unlinkat", "ftruncate", "fallocate", "fsync",
    "fdatasync", "fchmod", "fchown", "umask", "flock", "fcntl", "fadvise64",
    // Sockets and loops.
    "connect", "bind", "accept", "accept4", "getsockname", "getpeername", "setsockopt", "getsockopt",
    "sendto", "recvfrom", "sendmsg", "recvmsg", "sendmmsg", "recvmmsg", "shutdown", "poll", "ppoll",
    "select", "pselect6", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2",
    "eventfd2", "timerfd_create", "timerfd_settime", "pipe2", "dup", "dup3",
    // Memory and threads.
    "brk", "munmap", "mremap", "madvise", "mlock", "munlock", "futex", "set_robust_list", "rseq",
    "sched_yield", "sched_getaffinity", "membarrier", "sigaltstack", "exit", "exit_group",
    "restart_syscall",
    // Time, signals, chance, and what is asked about oneself.
    "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "getrandom", "getpid",
    "gettid", "getuid", "geteuid", "getgid", "getegid", "uname", "sysinfo", "getrusage", "getrlimit",
};

// What no part of the daemon and no library below it does by accident.
constexpr const char* kFatal[] = {
    "execve", "execveat", "process_vm_readv", "process_vm_writev", "process_madvise",
    "pidfd_getfd", "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load",
    "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "keyctl", "add_key", "request_key",
    "mount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen", "fsconfig",
    "fsmount", "mount_setattr", "setns", "unshare", "reboot", "swapon", "swapoff", "iopl", "ioperm",
    "settimeofday", "clock_settime", "acct", "open_by_handle_at", "name_to_handle_at", "personality",
#if !SIGNET_SANITIZED
    "ptrace",
#endif
};

// The search for leaks at the end of a sanitized build is another process that traces this one.
constexpr const char* kSanitized[] = {
    "ptrace", "clone", "wait4", "getdents", "tgkill", "prctl", "getppid", "mprotect", "mmap", "ioctl",
    "prlimit64", "pipe", "dup2", "set_tid_address", "sched_getparam", "sched_getscheduler", "kill",
    "arch_prctl", "mincore", "tkill",
};
// clang-format on

using Filter = std::unique_ptr<void, decltype(&seccomp_release)>;
using Comparison = scmp_arg_cmp;

Comparison equals(unsigned argument, std::uint64_t value) {
  return {argument, SCMP_CMP_EQ, value, 0};
}
Comparison masked(unsigned argument, std::uint64_t mask, std::uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

// Rules collects the filter; the first failure of the library is kept and ends the rest.
class Rules {
 public:
  explicit Rules(scmp_filter_ctx filter) : filter_(filter) {}

  void add(std::uint32_t action, const char* name, std::initializer_list<Comparison> when = {}) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || failed_ != 0) return;
    failed_ = seccomp_rule_add_array(filter_, action, number, static_cast<unsigned>(when.size()),
                                     when.begin());
  }
  void allow(const char* name, std::initializer_list<Comparison> when = {}) {
    add(SCMP_ACT_ALLOW, name, when);
  }
  int failed() const { return failed_; }

 private:
  scmp_filter_ctx filter_;
  int failed_ = 0;
};

// IP and Unix sockets of the two common kinds, and what getaddrinfo asks the kernel by.
void allow_sockets(Rules& rules) {
  constexpr std::uint64_t kKind = 0xf;  // SOCK_TYPE_MASK of the kernel; the rest is flags
  for (const int family : {AF_UNIX, AF_INET, AF_INET6}) {
    for (const int kind : {SOCK_STREAM, SOCK_DGRAM}) {
      rules.allow("socket", {equals(0, static_cast<std::uint64_t>(family)),
                             masked(1, kKind, static_cast<std::uint64_t>(kind))});
    }
  }
  rules.allow("socket", {equals(0, AF_NETLINK), equals(2, 0)});  // NETLINK_ROUTE
}

// Memory is written or run, never both; a library may still be loaded, to look up a name.
void allow_memory(Rules& rules) {
  rules.allow("mmap", {masked(2, PROT_WRITE, 0)});
  rules.allow("mmap", {masked(2, PROT_EXEC, 0)});
  rules.allow("mprotect", {masked(2, PROT_EXEC, 0)});
}

// Threads of this process, and no process.
void allow_threads(Rules& rules) {
  constexpr std::uint64_t kNewWorlds = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                       CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
  rules.allow("clone", {masked(0, CLONE_THREAD | kNewWorlds, CLONE_THREAD)});
  rules.allow("prctl", {equals(0, PR_SET_NAME)});
  rules.allow("prlimit64", {equals(2, 0)});  // to ask, not to change
  rules.allow("tgkill", {equals(0, static_cast<std::uint64_t>(getpid()))});  // abort()
}

void allow_requests(Rules& rules) {
  constexpr std::uint64_t kWord = 0xffff'ffff;  // the kernel reads 32 bits of it
  for (const std::uint64_t request : {std::uint64_t{FIONBIO}, std::uint64_t{FIONREAD},
                                      std::uint64_t{TIOCOUTQ}, std::uint64_t{TCGETS}}) {
    rules.allow("ioctl", {masked(1, kWord, request)});
  }
}

int fill(scmp_filter_ctx filter) {
  Rules rules(filter);
  for (const char* const name : kAllowed) rules.allow(name);
  for (const char* const name : kFatal) rules.add(SCMP_ACT_KILL_PROCESS, name);
  if (SIGNET_SANITIZED != 0) {
    for (const char* const name : kSanitized) rules.allow(name);
  } else {
    allow_memory(rules);
    allow_requests(rules);
  }
  // It hides its flags behind a pointer: the library takes ENOSYS for an older kernel, and says
  // them to clone.
  rules.add(SCMP_ACT_ERRNO(ENOSYS), "clone3");
  allow_sockets(rules);
  if (SIGNET_SANITIZED == 0) allow_threads(rules);
  return rules.failed();
}

SandboxAnswer unavailable(const char* what, int error) {
  return {Sandbox::kUnavailable, std::string(what) + ": " + std::strerror(-error)};
}

}  // namespace

SandboxAnswer enter_sandbox() {
  const Filter filter(seccomp_init(SCMP_ACT_ERRNO(EPERM)), &seccomp_release);
  if (filter == nullptr) return unavailable("the filter can't be made", -ENOMEM);
  // Calls of another architecture's numbering are no way round it.
  seccomp_attr_set(filter.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_NNP, 1);
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE,
                   2);  // a tree: a call costs its logarithm
  const int synced = seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_TSYNC, 1);
  if (synced != 0) return unavailable("the kernel can't filter all threads", synced);
  if (const int failed = fill(filter.get()); failed != 0) return unavailable("a rule", failed);
  if (const int failed = seccomp_load(filter.get()); failed != 0) {
    return unavailable("the kernel refuses the filter", failed);
  }
  return {Sandbox::kClosed, {}};
}

}  // namespace signet
