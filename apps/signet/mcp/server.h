// The process behind an agent's pipes: reads lines, runs calls on threads of their own, writes the
// answers, and keeps count of what the agent was shown and has not confirmed.
//
// The thread in run() owns the protocol, the output and the leases. Each call has a thread, because
// a call waits; it gives its outcome back through a mailbox.
//
// What an answer shows is confirmed by the first call that is read after the agent's program has
// taken the last byte of that answer out of the pipe. A program that gives a call up says so before
// it takes an answer that it will throw away; so every line that was there when the pipe was looked
// at is searched for cancellations before anything is confirmed.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/mailbox.h"
#include "signet/mcp/protocol.h"
#include "signet/mcp/tools.h"
#include "signet/mcp/uptake.h"

namespace signet::mcp {

struct ServerOptions {
  std::size_t max_line_bytes = 4 * 1024 * 1024;    // the longest message escaped, many times over
  std::size_t max_output_bytes = 8 * 1024 * 1024;  // then nothing is read until it is taken
  // After the end of the input; an agent's program sends a signal two seconds after closing it.
  std::chrono::milliseconds last_answers{600};  // for calls that are nearly done
  std::chrono::milliseconds last_calls{400};    // for the others to see that it is over
};

class Server {
 public:
  // Borrows all. `in` and `out` are descriptors that stay the caller's.
  Server(int in, int out, Protocol& protocol, Tools& tools, ServerOptions options = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Serves until a pipe is closed; then what is unconfirmed is given back. False when calls are
  // still running: their threads use the tools, so the process must end without destroying them.
  bool run();

 private:
  struct Shown {
    std::string id;               // of the request
    std::uint64_t end_of_answer;  // in bytes of the output
    std::vector<Lease> leases;
  };
  struct RunningCall {
    std::thread thread;
    CallControl control;
  };

  bool turn(int timeout_ms);
  bool read_input();
  bool write_output();
  template <class Feed>
  void take_lines(Feed feed);
  void act(const Step& step);
  void write_line(std::string_view line);
  void start(const ToolCall& call);
  void ended(std::uint64_t number, const std::string& id, ToolOutcome outcome,
             std::vector<Lease> unconfirmed);
  void cancel(const std::string& id);
  void take_back(const std::string& id);
  std::vector<Lease> seen_by_agent();
  void finish_calls(std::chrono::milliseconds patience);
  void say_farewell();

  int in_;
  int out_;
  Protocol& protocol_;
  Tools& tools_;
  ServerOptions options_;
  int wake_ = -1;  // eventfd
  Mailbox mailbox_;
  Lines lines_;
  std::string output_;
  std::size_t output_taken_ = 0;  // by the pipe
  std::uint64_t written_ = 0;     // bytes in all
  Uptake uptake_;
  std::uint64_t seen_bytes_ = 0;  // of the output: taken by the agent, who cancelled none of it
  bool is_input_open_ = true;
  bool is_output_open_ = true;
  std::atomic<bool> is_ending_{false};
  std::uint64_t last_call_ = 0;
  std::map<std::uint64_t, std::unique_ptr<RunningCall>> running_;
  std::map<std::string, std::uint64_t> number_of_;  // running calls by the id of their request
  std::deque<Shown> shown_;
  std::vector<Lease> unconfirmed_;  // a confirmation failed: tried again
};

}  // namespace signet::mcp
