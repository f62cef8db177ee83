#include "broker/status.h"

namespace signet::broker {

using dialects::Status;

bool StatusState::set(Status status, StatusSource source, Elapsed now) {
  const bool sticky = status_ == Status::kDnd && source != StatusSource::kManual;
  const bool outranked = source == StatusSource::kInferred && source_ != StatusSource::kInferred &&
                         status_ != Status::kIdle;
  if (sticky || outranked) return false;
  status_ = status;
  source_ = source;
  refreshed_ = now;
  return true;
}

bool StatusState::expire(Elapsed now, std::chrono::milliseconds working_ttl) {
  if (status_ != Status::kWorking || now - refreshed_ < working_ttl) return false;
  status_ = Status::kIdle;
  source_ = StatusSource::kInferred;
  return true;
}

}  // namespace signet::broker
