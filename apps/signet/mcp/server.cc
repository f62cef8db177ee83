#include "signet/mcp/server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "base/log.h"

namespace signet::mcp {

using Clock = std::chrono::steady_clock;

namespace {

constexpr std::size_t kReadBytes = 65'536;
// A pipe that polls as writable takes this much without blocking (POSIX: PIPE_BUF), so that the
// descriptor, which others may share, need not be made non-blocking.
constexpr std::size_t kWriteBytes = 4'096;
constexpr int kForever = -1;

void append(std::vector<Lease>& to, std::vector<Lease> from) {
  std::move(from.begin(), from.end(), std::back_inserter(to));
}

}  // namespace

Server::Server(int in, int out, Protocol& protocol, Tools& tools, ServerOptions options)
    : in_(in),
      out_(out),
      protocol_(protocol),
      tools_(tools),
      options_(options),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      mailbox_([this] {
        const std::uint64_t one = 1;
        static_cast<void>(!::write(wake_, &one, sizeof one));  // a full counter wakes as well
      }),
      lines_(options.max_line_bytes),
      uptake_(out) {
  std::signal(SIGPIPE, SIG_IGN);
}

Server::~Server() {
  if (running_.empty()) ::close(wake_);
}

bool Server::run() {
  while (is_input_open_ && is_output_open_) {
    if (!turn(kForever)) break;
  }
  say_farewell();
  return running_.empty();
}

// One wait for whatever comes first; false when waiting itself fails.
bool Server::turn(int timeout_ms) {
  const bool has_room = output_.size() < options_.max_output_bytes;
  std::array<pollfd, 3> watched{{
      {.fd = is_input_open_ && has_room ? in_ : -1, .events = POLLIN, .revents = 0},
      {.fd = is_output_open_ ? out_ : -1,
       .events = static_cast<short>(output_.empty() ? 0 : POLLOUT),
       .revents = 0},
      {.fd = wake_, .events = POLLIN, .revents = 0},
  }};
  if (::poll(watched.data(), watched.size(), timeout_ms) < 0) return errno == EINTR;
  if (watched[2].revents != 0) {
    std::uint64_t count = 0;
    static_cast<void>(!::read(wake_, &count, sizeof count));
    mailbox_.drain();
  }
  if ((watched[1].revents & POLLOUT) != 0) is_output_open_ = write_output();
  // A pipe that nobody reads has an error, a socket has hung up.
  if ((watched[1].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) is_output_open_ = false;
  if (watched[0].revents != 0 && !read_input()) {
    take_lines([this](const Lines::Use& use) { lines_.finish(use); });
    is_input_open_ = false;
  }
  return true;
}

bool Server::read_input() {
  std::array<char, kReadBytes> bytes;
  const ssize_t got = ::read(in_, bytes.data(), bytes.size());
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  if (got == 0) return false;
  // What was taken is known to be wanted when every line of that moment is here, and whole.
  const std::uint64_t taken = uptake_.taken_of(written_);
  const bool has_all = bytes[static_cast<std::size_t>(got) - 1] == '\n' && !has_unread(in_);
  if (has_all) seen_bytes_ = taken;
  take_lines([&](const Lines::Use& use) {
    lines_.take({bytes.data(), static_cast<std::size_t>(got)}, use);
  });
  return true;
}

bool Server::write_output() {
  uptake_.taken_of(written_);
  const std::size_t left = std::min(output_.size() - output_taken_, kWriteBytes);
  const ssize_t put = ::write(out_, output_.data() + output_taken_, left);
  if (put < 0) return errno == EINTR || errno == EAGAIN;
  output_taken_ += static_cast<std::size_t>(put);
  written_ += static_cast<std::uint64_t>(put);
  // Moving what is left costs as much as it is long: only when as much is gone.
  if (output_taken_ * 2 >= output_.size()) {
    output_.erase(0, output_taken_);
    output_taken_ = 0;
  }
  return true;
}

void Server::write_line(std::string_view line) {
  output_.append(line);
  output_.push_back('\n');
}

// Cancellations among the lines count before the calls do: a call may confirm what they give back.
template <class Feed>
void Server::take_lines(Feed feed) {
  std::vector<Step> steps;
  feed([&](std::optional<std::string_view> line) {
    steps.push_back(line ? protocol_.take(*line) : protocol_.take_too_long());
  });
  for (const Step& step : steps) {
    if (step.cancelled) take_back(*step.cancelled);
  }
  for (const Step& step : steps) act(step);
}

void Server::act(const Step& step) {
  if (!step.answer.empty()) write_line(step.answer);
  if (step.cancelled) cancel(*step.cancelled);
  if (step.call) start(*step.call);
}

// The agent that calls again has had every answer that its program took before.
std::vector<Lease> Server::seen_by_agent() {
  std::vector<Lease> seen = std::move(unconfirmed_);
  unconfirmed_.clear();
  while (!shown_.empty() && shown_.front().end_of_answer <= seen_bytes_) {
    append(seen, std::move(shown_.front().leases));
    shown_.pop_front();
  }
  return seen;
}

void Server::start(const ToolCall& call) {
  const std::uint64_t number = ++last_call_;
  auto running = std::make_unique<RunningCall>();
  running->control.is_ending = &is_ending_;
  running->control.turn = tools_.begin(call);
  RunningCall& own = *running;
  running_.emplace(number, std::move(running));
  number_of_[call.id] = number;
  try {
    own.thread = std::thread([this, &own, call, number, seen = seen_by_agent()]() mutable {
      auto unconfirmed = Tools::confirm(std::move(seen));
      auto outcome = tools_.run(call, own.control);
      mailbox_.post([this, number, id = call.id, outcome = std::move(outcome),
                     unconfirmed = std::move(unconfirmed)]() mutable {
        ended(number, id, std::move(outcome), std::move(unconfirmed));
      });
    });
  } catch (const std::system_error&) {  // no thread to be had; what was seen is shown again
    tools_.end(own.control.turn);
    const ToolAnswer answer{.is_error = true,
                            .text = "too_many_calls: the system gives no thread. Try later."};
    ended(number, call.id, {.answer = answer, .leases = {}}, {});
  }
}

void Server::ended(std::uint64_t number, const std::string& id, ToolOutcome outcome,
                   std::vector<Lease> unconfirmed) {
  const auto call = running_.find(number);
  if (call->second->thread.joinable()) call->second->thread.join();
  running_.erase(call);
  number_of_.erase(id);
  append(unconfirmed_, std::move(unconfirmed));
  const auto line = protocol_.answer(id, outcome.answer);
  if (!line) {
    Tools::give_back(outcome.leases);
    return;
  }
  write_line(*line);
  if (outcome.leases.empty()) return;
  shown_.push_back({id, written_ + output_.size() - output_taken_, std::move(outcome.leases)});
}

void Server::cancel(const std::string& id) {
  if (const auto running = number_of_.find(id); running != number_of_.end()) {
    running_.at(running->second)->control.is_cancelled = true;
  }
  take_back(id);
}

// What a cancelled call shows nobody reads, even when the answer is out already.
void Server::take_back(const std::string& id) {
  const auto shown =
      std::find_if(shown_.begin(), shown_.end(), [&](const Shown& each) { return each.id == id; });
  if (shown == shown_.end()) return;
  Tools::give_back(shown->leases);
  shown_.erase(shown);
}

// Serves what runs and writes what is written, until all is done or `patience` is over.
void Server::finish_calls(std::chrono::milliseconds patience) {
  const auto end = Clock::now() + patience;
  while (!running_.empty() || (!output_.empty() && is_output_open_)) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    if (left.count() <= 0 || !turn(static_cast<int>(left.count()))) return;
  }
}

// Somebody who wrote a few lines and closed the pipe gets the answers that come soon. Calls that
// wait are told to end, and do so within a slice.
void Server::say_farewell() {
  is_input_open_ = false;
  for (const std::string& line : protocol_.finish()) write_line(line);
  if (is_output_open_) finish_calls(options_.last_answers);
  is_ending_ = true;
  finish_calls(options_.last_calls);
  for (const Shown& shown : shown_) Tools::give_back(shown.leases);
  Tools::give_back(unconfirmed_);
  if (!running_.empty()) log(LogLevel::kInfo, "mcp.ended_early", {{"calls", running_.size()}});
}

}  // namespace signet::mcp
