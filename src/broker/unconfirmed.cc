#include "broker/unconfirmed.h"

#include <algorithm>

namespace signet::broker {

void Unconfirmed::push(PushedMessage message) {
  message.index = ++pushes_;
  bytes_ += message.bytes;
  waiting_.push_back(message);
}

std::vector<PushedMessage> Unconfirmed::confirm_up_to(std::uint64_t index) {
  std::vector<PushedMessage> confirmed;
  while (!waiting_.empty() && waiting_.front().index <= index) {
    bytes_ -= waiting_.front().bytes;
    confirmed.push_back(waiting_.front());
    waiting_.pop_front();
  }
  return confirmed;
}

std::optional<PushedMessage> Unconfirmed::confirm(const routing::MessageId& id) {
  const auto found = std::find_if(waiting_.begin(), waiting_.end(),
                                  [&](const PushedMessage& m) { return m.id == id; });
  if (found == waiting_.end()) return std::nullopt;
  const PushedMessage message = *found;
  bytes_ -= message.bytes;
  waiting_.erase(found);
  return message;
}

}  // namespace signet::broker
