// McpMesh is what the tools need of one joined mesh: the library's client (mcp_client_mesh.h), a
// mesh whose state could not be opened, or a test's.
// Every method may be called from any thread, several at once; those with a timeout wait for it.
// What they mean and how they fail is said in signet/client.h.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "signet/client.h"
#include "signet/result.h"

namespace signet::mcp {

class McpMesh {
 public:
  using Milliseconds = std::chrono::milliseconds;
  virtual ~McpMesh() = default;

  virtual const std::string& slug() const = 0;
  virtual ConnectionReport connection() const = 0;

  virtual Result<std::string> find(std::string_view who, Milliseconds timeout) = 0;
  virtual Result<std::string> send(const Outgoing& message) = 0;
  virtual Result<SendReport> wait_sent(std::string_view ticket, SendState state,
                                       Milliseconds timeout) = 0;
  virtual Status cancel(std::string_view ticket) = 0;

  virtual Result<std::vector<Message>> read(std::size_t most, Milliseconds timeout) = 0;
  virtual Status confirm(const std::vector<std::string>& message_ids) = 0;
  virtual Status give_back(const std::vector<std::string>& message_ids) = 0;

  virtual Result<std::vector<Peer>> peers(Milliseconds timeout) = 0;
  virtual Status set_activity(Activity activity) = 0;
  virtual Status set_summary(std::string_view summary) = 0;

  // Keys that changed since this was asked last, the oldest first.
  virtual std::vector<KeyChange> take_key_changes() = 0;
};

}  // namespace signet::mcp
