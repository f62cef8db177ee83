#include "signet/node/suite.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>
#include <variant>

#include "base/characters.h"
#include "dialects/overlay.h"
#include "overlay/node.h"
#include "wire/json.h"

namespace signet::node {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

// ---- what it printed

// As deep and wide as a submission may be, whose scores these become.
constexpr wire::JsonLimits kReportLimits{8, 1'024};
constexpr std::string_view kReportMembers[] = {"suite_version", "scores", "notes"};

Error no_report(std::string_view why) {
  return {ErrorCode::kMalformed, "the benchmark's report: " + std::string(why)};
}

// The submission that this report would be part of: whatever its reader takes can be sent.
std::string as_submission(wire::JsonValue report) {
  wire::JsonWriter json;
  json.object().key("node_id").value("node");
  json.key("timestamp").value(iso8601(WallTime{}));
  for (const std::string_view name : kReportMembers) {
    if (report[name]) json.key(name).raw(report[name].raw());
  }
  json.end();
  return json.take();
}

// ---- the program

// Between two looks at a program that prints nothing and has not ended.
constexpr milliseconds kSuiteTick{10};
// Of standard error, from its end: the last line is in there.
constexpr std::size_t kStderrKept = 4'096;
constexpr milliseconds kLongestRun = std::chrono::hours(24);  // and no clock overflows
constexpr std::size_t kLineShown = 200;                       // characters of it in an error
constexpr int kStartFailed = 127;  // as shells have it; nobody reads it, the pipe says more
constexpr int kFirstOther = 3;     // descriptors from here on are ours

class SuiteDescriptor {
 public:
  SuiteDescriptor() = default;
  explicit SuiteDescriptor(int number) : number_(number) {}
  SuiteDescriptor(SuiteDescriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  SuiteDescriptor& operator=(SuiteDescriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~SuiteDescriptor() { close(); }

  int number() const { return number_; }
  bool is_open() const { return number_ >= 0; }
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }

 private:
  int number_ = -1;
};

struct SuitePipe {
  SuiteDescriptor reading;
  SuiteDescriptor writing;
};

Error suite_system_said(const char* what) {
  return {ErrorCode::kUnavailable,
          "the benchmark can't be run: " + std::string(what) + ": " + std::strerror(errno)};
}

Result<SuitePipe> make_suite_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return suite_system_said("no pipe");
  return SuitePipe{SuiteDescriptor(ends[0]), SuiteDescriptor(ends[1])};
}

// Where `name` lies: itself if it has a slash, else the first that can be run in the absolute
// folders of $PATH: what lies where somebody stands may be anybody's. Empty: none.
std::string find_suite_program(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = std::getenv("PATH");
  std::string_view rest = path == nullptr ? "/usr/bin:/bin" : path;
  while (!name.empty() && !rest.empty()) {
    const std::size_t end = std::min(rest.find(':'), rest.size());
    std::string candidate = std::string(rest.substr(0, end)) + "/" + name;
    if (candidate.front() == '/' && end > 0 && ::access(candidate.c_str(), X_OK) == 0)
      return candidate;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return {};
}

// All that the child needs, made before the fork: behind it nothing may be allocated, because
// another thread may have held the heap's lock.
struct SuiteStart {
  std::string program;
  std::vector<char*> arguments;  // ends with a null
  int input = -1;
  int output = -1;
  int error = -1;
  int failure = -1;  // errno is written here; it closes when the program has begun
  pid_t parent = 0;
};

void close_the_rest() {
  if (::close_range(kFirstOther, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return;
  constexpr int kMostTried = 65'536;  // a kernel before 5.11 has no better way
  for (int each = kFirstOther; each < kMostTried; ++each) ::fcntl(each, F_SETFD, FD_CLOEXEC);
}

// A program expects signals as they are by default; what is ignored here would be ignored there.
void reset_signals() {
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  for (int each = 1; each < NSIG; ++each) ::sigaction(each, &by_default, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// A copy that lies above the three streams: where ours were closed, a pipe may be one of them.
int above_streams(int descriptor) { return ::fcntl(descriptor, F_DUPFD_CLOEXEC, kFirstOther); }

// In the child, on what is safe between fork and exec.
[[noreturn]] void become_suite(const SuiteStart& start) {
  const int input = above_streams(start.input);
  const int output = above_streams(start.output);
  const int error = above_streams(start.error);
  const int failure = above_streams(start.failure);
  reset_signals();
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // To measure takes none of the rights that the agent has over the network. A kernel that knows
  // neither word leaves things as they were.
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  const bool has_parent = ::getppid() == start.parent;  // or it went before that was set
  const bool has_streams = ::dup2(input, STDIN_FILENO) >= 0 && ::dup2(output, STDOUT_FILENO) >= 0 &&
                           ::dup2(error, STDERR_FILENO) >= 0;
  if (has_parent && has_streams) {
    close_the_rest();
    ::execve(start.program.c_str(), start.arguments.data(), environ);
  }
  const int why = errno;
  [[maybe_unused]] const ssize_t told = ::write(failure, &why, sizeof why);
  ::_exit(kStartFailed);
}

// Our handlers never run in the child: it has all signals blocked until they are reset.
pid_t fork_suite(const SuiteStart& start) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  if (pid == 0) become_suite(start);
  const int why = errno;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = why;
  return pid;
}

// Keeps what it is told, up to a bound from the front, or the last of it.
struct KeptOutput {
  std::string text;
  std::size_t most;
  bool keeps_the_end;
  bool is_over = false;  // more came than is kept, from the front

  void add(std::string_view bytes) {
    text.append(bytes);
    if (text.size() <= most) return;
    is_over = !keeps_the_end;
    text.erase(keeps_the_end ? 0 : most, text.size() - most);
  }
};

// A program that never stops to complain must not keep us from looking at the time.
constexpr int kReadsAtOnce = 32;

// Reads what is there without waiting. Closes it at its end.
void drain_output(SuiteDescriptor& from, KeptOutput& into) {
  std::array<char, 4'096> buffer;
  for (int i = 0; i < kReadsAtOnce && from.is_open() && !into.is_over; ++i) {
    const ssize_t got = ::read(from.number(), buffer.data(), buffer.size());
    if (got > 0) {
      into.add({buffer.data(), static_cast<std::size_t>(got)});
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      from.close();
    } else if (errno == EAGAIN) {
      return;
    }
  }
}

enum class SuiteEnd : std::uint8_t { kOver, kTooLong, kTooMuch, kLost, kStopped };

// A running program: its group dies with this object at the latest.
class SuiteChild {
 public:
  SuiteChild(pid_t pid, SuiteDescriptor output, SuiteDescriptor error)
      : output_(std::move(output)), error_(std::move(error)), pid_(pid) {}
  SuiteChild(const SuiteChild&) = delete;
  SuiteChild& operator=(const SuiteChild&) = delete;
  ~SuiteChild() { end(); }

  SuiteEnd wait_until(SteadyClock::time_point deadline, const std::atomic<bool>* stop) {
    while (true) {
      const bool is_over = has_ended();
      drain_output(output_, printed_);
      drain_output(error_, complained_);
      if (is_lost_) return SuiteEnd::kLost;
      if (printed_.is_over) return SuiteEnd::kTooMuch;
      if (is_over) return SuiteEnd::kOver;
      if (stop != nullptr && stop->load()) return SuiteEnd::kStopped;
      if (SteadyClock::now() >= deadline) return SuiteEnd::kTooLong;
      wait_a_tick();
    }
  }

  // Kills the group and buries its leader, whose id is nobody else's until then. The status is as
  // waitpid has it; nullopt: somebody else waited for it.
  std::optional<int> end() {
    if (pid_ <= 0) return std::nullopt;
    if (!is_lost_) ::kill(-pid_, SIGKILL);  // lost: its id may be somebody else's by now
    int status = 0;
    pid_t waited = -1;
    do {
      waited = ::waitpid(pid_, &status, 0);
    } while (waited < 0 && errno == EINTR);
    const bool is_ours = waited == std::exchange(pid_, 0);
    return is_ours ? std::optional(status) : std::nullopt;
  }

  const std::string& printed() const { return printed_.text; }
  const std::string& complained() const { return complained_.text; }

 private:
  // Without burying it: until then its id stays taken, and so does that of its group.
  bool has_ended() {
    siginfo_t info{};
    const int said = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
    is_lost_ = said != 0 && errno != EINTR;
    return said == 0 && info.si_pid == pid_;
  }

  void wait_a_tick() {
    std::array<pollfd, 2> open{pollfd{output_.number(), POLLIN, 0},
                               pollfd{error_.number(), POLLIN, 0}};
    // A closed one is negative, and so not looked at.
    ::poll(open.data(), open.size(), static_cast<int>(kSuiteTick.count()));
  }

  SuiteDescriptor output_;
  SuiteDescriptor error_;
  KeptOutput printed_{{}, kMaxSuiteOutput, false};
  KeptOutput complained_{{}, kStderrKept, true};
  pid_t pid_;
  bool is_lost_ = false;
};

// The last line that says something, with nothing in it that a terminal obeys.
std::string last_complaint(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  if (last == std::string_view::npos) return {};
  text = text.substr(0, last + 1);
  const std::size_t before = text.find_last_of("\r\n");
  if (before != std::string_view::npos) text.remove_prefix(before + 1);
  std::string line;
  for (std::size_t i = 0; !text.empty() && i < kLineShown; ++i) {
    const Character next = first_character(text);
    if (!next.broken && is_printable(next.code)) {
      line.append(text.substr(0, next.size));
    } else {
      append_escaped(line, next.code);
    }
    text.remove_prefix(next.size);
  }
  return line;
}

// Waits until the program has begun, or the child has said why it could not: 0 or an errno.
int failure_to_start(const SuiteDescriptor& reading) {
  int why = 0;
  ssize_t got = -1;
  do {
    got = ::read(reading.number(), &why, sizeof why);
  } while (got < 0 && errno == EINTR);
  return got == static_cast<ssize_t>(sizeof why) ? why : 0;
}

Error not_started(const std::string& program, int why) {
  return {ErrorCode::kNotFound,
          "the benchmark command " + program + " can't be started: " + std::strerror(why)};
}

// What is read from it is read without waiting; the program's own ends stay as they are.
bool never_waits(const SuiteDescriptor& reading) {
  return ::fcntl(reading.number(), F_SETFL, O_NONBLOCK) == 0;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& each : texts) pointers.push_back(each.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::string how_suite_failed(std::optional<int> status) {
  if (!status) return "its end was not seen";
  if (WIFEXITED(*status)) return "it exited with " + std::to_string(WEXITSTATUS(*status));
  return "it was ended by signal " + std::to_string(WTERMSIG(*status));
}

Error command_failed(ErrorCode code, const std::string& what, const std::string& complained) {
  const std::string line = last_complaint(complained);
  return {code, "the benchmark command failed: " + what + (line.empty() ? "" : ": " + line)};
}

Result<SuiteReport> judge(SuiteChild& child, SuiteEnd end, milliseconds timeout) {
  const std::optional<int> status = child.end();
  if (end == SuiteEnd::kTooLong) {
    return command_failed(ErrorCode::kOverloaded,
                          "it was ended after " + std::to_string(timeout.count()) + " ms",
                          child.complained());
  }
  if (end == SuiteEnd::kStopped) {
    return Error{ErrorCode::kUnavailable, "the benchmark command was stopped"};
  }
  if (end == SuiteEnd::kTooMuch) {
    return no_report("longer than " + std::to_string(kMaxSuiteOutput) + " bytes");
  }
  if (end == SuiteEnd::kLost || !status || *status != 0) {
    return command_failed(ErrorCode::kUnavailable, how_suite_failed(status), child.complained());
  }
  return read_suite_report(child.printed());
}

}  // namespace

Result<SuiteReport> read_suite_report(std::string_view json) {
  wire::JsonDocument document;
  if (const Status parsed = document.parse(json, kReportLimits); !parsed) {
    return no_report("no strict JSON (" + parsed.error().detail + "); NaN and Infinity are none");
  }
  if (!document.root().is(wire::JsonKind::kObject)) return no_report("it must be an object");
  auto read = dialects::read_submission(as_submission(document.root()), {});
  if (const auto* refused = std::get_if<dialects::SubmissionRefused>(&read)) {
    return no_report(refused->detail);
  }
  auto& submission = std::get<overlay::Submission>(read);
  return SuiteReport{std::move(submission.suite), std::move(submission.scores),
                     std::move(submission.notes)};
}

Result<SuiteReport> run_suite_command(const std::vector<std::string>& command, milliseconds timeout,
                                      const std::atomic<bool>* stop) {
  if (command.empty() || command.front().empty()) {
    return Error{ErrorCode::kMalformed, "the benchmark command is empty"};
  }
  const auto deadline = SteadyClock::now() + std::min(timeout, kLongestRun);
  std::vector<std::string> texts = command;
  SuiteStart start;
  start.program = find_suite_program(command.front());
  if (start.program.empty()) return not_started(command.front(), ENOENT);
  start.arguments = pointers_to(texts);
  const SuiteDescriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  if (!nothing.is_open()) return suite_system_said("/dev/null");
  SIGNET_TRY(SuitePipe output, make_suite_pipe());
  SIGNET_TRY(SuitePipe error, make_suite_pipe());
  SIGNET_TRY(SuitePipe failure, make_suite_pipe());
  if (!never_waits(output.reading) || !never_waits(error.reading))
    return suite_system_said("a pipe");
  start.input = nothing.number();
  start.output = output.writing.number();
  start.error = error.writing.number();
  start.failure = failure.writing.number();
  start.parent = ::getpid();

  const pid_t pid = fork_suite(start);
  if (pid < 0) return suite_system_said("no process");
  output.writing.close();
  error.writing.close();
  failure.writing.close();
  SuiteChild child(pid, std::move(output.reading), std::move(error.reading));
  if (const int why = failure_to_start(failure.reading); why != 0) {
    return not_started(start.program, why);
  }
  const SuiteEnd end = child.wait_until(deadline, stop);
  return judge(child, end, timeout);
}

}  // namespace signet::node
