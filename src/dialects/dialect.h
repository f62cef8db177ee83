// Dialect translates between one wire format and the core's verbs and replies. It holds no state
// that another dialect would need, and touches no socket, clock or database. One per shard, used on
// that shard's thread; what read() answers borrows from the frame and from the dialect until its
// next call.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dialects/reply.h"
#include "dialects/verb.h"

namespace signet::dialects {

class Dialect {
 public:
  virtual ~Dialect() = default;

  virtual std::string_view name() const = 0;

  // Does this format live at that WebSocket path?
  virtual bool serves(std::string_view path) const = 0;

  // Never fails: what can't be understood is a Misspoken.
  virtual Verb read(std::string_view frame) = 0;

  // One text frame's payload.
  virtual std::string write(const Reply& reply) const = 0;
};

// The table of dialects: the one place that names them all.
std::vector<std::unique_ptr<Dialect>> all_dialects();

}  // namespace signet::dialects
