// Feed is what a Subscription and the client's thread share: what is heard, and whether anybody
// still listens. Its lock is held while the handler runs, so that no handler runs any more once the
// Subscription is gone.
#pragma once

#include <mutex>
#include <utility>

#include "routing/pattern.h"
#include "signet/client.h"

namespace signet::client {

class Feed {
 public:
  Feed(routing::Pattern pattern, PulseHandler handler)
      : pattern_(std::move(pattern)), handler_(std::move(handler)) {}

  const routing::Pattern& pattern() const { return pattern_; }

  void hand(const Pulse& pulse) {
    const std::lock_guard lock(running_);
    if (ended_ || !handler_) return;
    handing_ = true;
    handler_(pulse);
    handing_ = false;
    if (ended_) handler_ = nullptr;  // it ended its own subscription
  }

  // From the handler, too.
  void end() {
    const std::lock_guard lock(running_);
    ended_ = true;
    if (!handing_) handler_ = nullptr;
  }

  bool has_ended() const {
    const std::lock_guard lock(running_);
    return ended_;
  }

 private:
  const routing::Pattern pattern_;
  mutable std::recursive_mutex running_;
  PulseHandler handler_;
  bool handing_ = false;
  bool ended_ = false;
};

}  // namespace signet::client
