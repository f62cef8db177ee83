// The tools of `signet mcp`, over any McpMesh: what each takes, does and answers. Every tool
// answers within its patience whether or not a broker is there; what an agent can do about a
// failure is part of the answer.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "signet/mcp/mesh.h"
#include "signet/mcp/protocol.h"
#include "signet/mcp/turns.h"

namespace signet::mcp {

struct ToolOptions {
  using Milliseconds = std::chrono::milliseconds;
  std::size_t messages_per_answer = 20;    // what an agent can look through at once
  std::size_t bytes_per_answer = 131'072;  // of rendered messages; one always fits
  std::size_t peers_per_answer = 200;
  Milliseconds first_connection{3'000};  // after the start: a broker that is there is not missed
  Milliseconds peers{3'000};             // for the answer to list_peers
  Milliseconds lookup{3'000};            // for a name that is not known here
  Milliseconds turn{6'000};              // for sends before it: a connection and a lookup
  Milliseconds send_connected{12'000};   // in all: the ack timeout of the client, and a little
  Milliseconds send_away{3'000};         // without a broker: then it is queued
  Milliseconds settle{250};              // what is on its way while a check looks
  Milliseconds slice{200};               // how soon a waiting call sees that it is cancelled
  int default_wait_seconds = 30;         // clients of agents give up at 60 s
  int max_wait_seconds = 600;
};

// Messages that an agent was shown, of one mesh.
struct Lease {
  McpMesh* mesh = nullptr;
  std::vector<std::string> ids;
};

// What a call is told from outside while it runs.
struct CallControl {
  std::atomic<bool> is_cancelled{false};         // the agent no longer waits for it
  const std::atomic<bool>* is_ending = nullptr;  // the process is to end
  std::uint64_t turn = 0;                        // of begin(); 0: the order does not matter
  bool must_stop() const { return is_cancelled || (is_ending != nullptr && *is_ending); }
};

struct ToolOutcome {
  ToolAnswer answer;
  std::vector<Lease> leases;  // to be confirmed once the agent has the answer, or given back
};

// Tools are shared by the threads of all calls.
class Tools {
 public:
  // Borrows the meshes.
  explicit Tools(std::vector<McpMesh*> meshes, ToolOptions options = {});

  // Definitions for the protocol: a JSON array, and the names in it.
  static std::string definitions();
  static std::vector<std::string> names();
  static std::string_view instructions();

  // Keeps the place of a call whose order matters; to be called in the order of the lines, and
  // followed by run(), or by end() where that is not to be. Answers the `turn` of its control.
  std::uint64_t begin(const ToolCall& call);
  void end(std::uint64_t turn);

  // Blocks for the tool's patience at most, and ends within a slice after `control` says so.
  ToolOutcome run(const ToolCall& call, const CallControl& control);

  // Confirms what the agent has seen; what could not be confirmed comes back.
  static std::vector<Lease> confirm(std::vector<Lease> leases);
  static void give_back(const std::vector<Lease>& leases);

 private:
  struct Tool;
  struct Call;
  struct Batch;
  struct Addressed;
  using Milliseconds = ToolOptions::Milliseconds;
  using Clock = std::chrono::steady_clock;
  static const std::vector<Tool>& table();

  ToolOutcome run_tool(const ToolCall& call, const CallControl& control);
  ToolOutcome send_message(const Call& call);
  ToolOutcome check_messages(const Call& call);
  ToolOutcome wait_for_messages(const Call& call);
  ToolOutcome list_peers(const Call& call);
  ToolOutcome set_status(const Call& call);
  ToolOutcome set_summary(const Call& call);

  Result<Addressed> address(std::string_view to) const;
  Result<McpMesh*> mesh_called(std::string_view slug) const;
  std::string slugs() const;
  ToolOutcome follow(McpMesh& mesh, const Outgoing& message, const std::string& ticket,
                     Clock::time_point began, const Call& call) const;
  void await_connections(const std::vector<McpMesh*>& meshes, const Call& call) const;
  void take_messages(Batch& batch, Milliseconds wait) const;
  ToolOutcome show(Batch&& batch) const;
  ToolOutcome tell_all(std::string_view what, std::string_view value,
                       const std::function<Status(McpMesh&)>& say) const;

  std::vector<McpMesh*> meshes_;
  ToolOptions options_;
  Turns turns_;
  mutable std::atomic<std::size_t> first_mesh_{0};  // so that no mesh is always read last
};

}  // namespace signet::mcp
