// StatusState is what one session says it is doing, and who said so. Sources rank hook > manual >
// inferred, except that what a person sets takes effect at once; dnd is sticky: only the person who
// may set it can lift it; `working` that no hook refreshes for a while falls back to idle.
// Pure; table-tested. Rules: protocol/claudemesh.md, Delivery.
#pragma once

#include <chrono>

#include "base/time.h"
#include "dialects/verb.h"

namespace signet::broker {

enum class StatusSource : std::uint8_t { kInferred, kManual, kHook };

class StatusState {
 public:
  dialects::Status current() const { return status_; }

  // True when it was taken: `current` may have changed.
  bool set(dialects::Status status, StatusSource source, Elapsed now);

  // True when `working` was not refreshed for `working_ttl` and fell back to idle.
  bool expire(Elapsed now, std::chrono::milliseconds working_ttl);

 private:
  dialects::Status status_ = dialects::Status::kIdle;
  StatusSource source_ = StatusSource::kInferred;
  Elapsed refreshed_;
};

}  // namespace signet::broker
