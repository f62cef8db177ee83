// Unconfirmed is what one session was pushed and has not confirmed: in push order, found by the
// pong that covers it or by the receipt that names it. Pure.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <vector>

#include "routing/envelope.h"

namespace signet::broker {

struct PushedMessage {
  MessageNumber number;
  routing::MessageId id;
  MemberNumber sender;
  std::uint32_t bytes = 0;
  bool receipts = false;    // the sender wants to be told
  std::uint64_t index = 0;  // which push of this session it was, from 1
};

class Unconfirmed {
 public:
  void push(PushedMessage message);  // sets its index

  std::uint64_t last_index() const { return pushes_; }
  std::size_t count() const { return waiting_.size(); }
  std::size_t bytes() const { return bytes_; }

  // Takes out everything pushed up to `index`.
  std::vector<PushedMessage> confirm_up_to(std::uint64_t index);
  // Takes out one; nullopt when it does not wait.
  std::optional<PushedMessage> confirm(const routing::MessageId& id);

 private:
  std::list<PushedMessage> waiting_;  // not a deque: an empty one of those has 600 bytes
  std::uint64_t pushes_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace signet::broker
