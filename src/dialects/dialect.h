// Dialect translates between one wire format and the core's verbs and replies. It holds no state
// that another dialect would need, and touches no socket, clock or database. One per shard, used on
// that shard's thread; what read() answers borrows from the frame and from the dialect until its
// next call.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dialects/reply.h"
#include "dialects/verb.h"

namespace signet::dialects {

// What a WebSocket at some path is for: which conversation the broker holds there.
struct OpensMail {};  // the client says hello, naming its mesh
struct OpensTopic {   // the client proves a secret, then publishes to, and hears, this topic
  std::string topic;
};
struct OpensNode {  // likewise, then frames go from node to node
  std::string node;
};
struct OpensRelay {  // the server challenges, then envelopes go from key to key
  bool receipts = false;
};
struct BadPath {  // this format's path, if a wrong one
  std::string_view rule;
};
using Opening = std::variant<OpensMail, OpensTopic, OpensNode, OpensRelay, BadPath>;

// How far a conversation has come: before a proof, the same bytes mean something else.
enum class Stage : std::uint8_t { kUnproven, kAdmitted };

class Dialect {
 public:
  virtual ~Dialect() = default;

  virtual std::string_view name() const = 0;

  // nullopt: not a WebSocket path of this format. Path and query as they were sent.
  virtual std::optional<Opening> opens(std::string_view path, std::string_view query) const = 0;

  // Never fails: what can't be understood is a Misspoken, a BadHandshake or a BadRegistration.
  virtual Verb read(std::string_view frame, Stage stage) = 0;

  // One text frame's payload. REQUIRES: a reply that this format has (dialects/README.md).
  virtual std::string write(const Reply& reply) const = 0;
};

// The table of dialects: the one place that names them all.
std::vector<std::unique_ptr<Dialect>> all_dialects();

}  // namespace signet::dialects
