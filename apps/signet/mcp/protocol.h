// The Model Context Protocol as lines in and lines out, without a socket, a clock or a mesh: what
// an agent's line asks for, and the line that answers it. Two revisions at once:
//   2025-11-25 (and 2025-06-18, the same for tools)  the agent begins with `initialize`
//   2026-07-28  no handshake: each request carries its revision and capabilities in `_meta`
// Both are JSON-RPC 2.0, one message a line, no batches. Truth: the specification's pages of these
// revisions (basic, versioning, transports/stdio, server/discover, server/tools, cancellation).
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "signet/result.h"

namespace signet::mcp {

inline constexpr std::string_view kStatelessRevision = "2026-07-28";
inline constexpr std::string_view kHandshakeRevision = "2025-11-25";

// JSON-RPC 2.0, section 5.1, and the one code of 2026-07-28 that a server of tools needs.
inline constexpr int kParseError = -32700;
inline constexpr int kInvalidRequest = -32600;
inline constexpr int kMethodNotFound = -32601;
inline constexpr int kInvalidParams = -32602;
inline constexpr int kUnsupportedVersion = -32022;

// Lines cuts a stream of bytes at newlines. A line over the bound is thrown away as it comes and
// reported once, so that no peer makes this side keep more than `max_line_bytes`.
class Lines {
 public:
  explicit Lines(std::size_t max_line_bytes) : max_line_bytes_(max_line_bytes) {}

  // `use` gets each whole line without its newline; nullopt for one that was too long.
  using Use = std::function<void(std::optional<std::string_view>)>;
  void take(std::string_view bytes, const Use& use);
  // The end of the stream: what came after the last newline counts as a line.
  void finish(const Use& use);

 private:
  void end_line(const Use& use);
  std::size_t max_line_bytes_;
  std::string line_;
  bool is_too_long_ = false;
};

// What a tool answered. `json` is an object and goes out as text and as structured content; of an
// error only the sentence.
struct ToolAnswer {
  bool is_error = false;
  std::string text;  // the JSON object, or the sentence of an error
};

struct ToolCall {
  std::string id;  // as sent, to be given back to answer()
  std::string tool;
  std::string arguments;  // a JSON object's text
};

// What one line asks for: at most one of each.
struct Step {
  std::string answer;                    // a line to write, without its newline; empty: none
  std::optional<ToolCall> call;          // to be run, then answer()
  std::optional<std::string> cancelled;  // an id that the agent no longer waits for
};

struct ProtocolOptions {
  std::string server_version;
  std::string instructions;  // for the agent: what this server is for
  std::string tools;         // JSON array of tool definitions
  std::vector<std::string> tool_names;
  std::size_t max_calls = 16;  // at once; each has a thread, and an agent has few
  std::size_t max_id_bytes = 256;
};

// Protocol is one conversation over one pair of pipes. Owned by one thread.
class Protocol {
 public:
  explicit Protocol(ProtocolOptions options) : options_(std::move(options)) {}

  Step take(std::string_view line);
  Step take_too_long();

  // The line for a call that ended; nullopt when the agent cancelled it or nobody asked.
  std::optional<std::string> answer(const std::string& id, const ToolAnswer& answer);

  // The stream ended: the last lines, which close open subscriptions.
  std::vector<std::string> finish();

  std::size_t calls() const { return calls_; }  // not answered yet, cancelled ones included

 private:
  enum class Era : std::uint8_t { kHandshake, kStateless };
  struct Request;
  struct Pending {
    Era era = Era::kHandshake;
    bool is_subscription = false;
    bool is_cancelled = false;
  };

  Step request(const Request& request);
  Step notification(const Request& notification);
  Step handshake_request(const Request& request);
  Step stateless_request(const Request& request);
  Step initialize(const Request& request);
  Step discover(const Request& request);
  Step list_tools(const Request& request, Era era);
  Step call_tool(const Request& request, Era era);
  Step listen(const Request& request);
  std::string tool_result(const std::string& id, Era era, const ToolAnswer& answer) const;

  ProtocolOptions options_;
  bool is_initialized_ = false;
  std::size_t calls_ = 0;
  std::map<std::string, Pending> pending_;  // by id as sent
};

}  // namespace signet::mcp
