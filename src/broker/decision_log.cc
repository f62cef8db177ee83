#include "broker/decision_log.h"

#include <algorithm>
#include <utility>

namespace signet::broker {

void DecisionLog::add(RefusedDecision decision) {
  if (kept_.size() == kKept) kept_.pop_front();
  kept_.push_back(std::move(decision));
}

const RefusedDecision* DecisionLog::find(std::string_view id) const {
  const auto found = std::find_if(kept_.rbegin(), kept_.rend(),
                                  [&](const RefusedDecision& each) { return each.id == id; });
  return found == kept_.rend() ? nullptr : &*found;
}

std::vector<const RefusedDecision*> DecisionLog::latest(std::size_t limit) const {
  std::vector<const RefusedDecision*> latest;
  for (auto each = kept_.rbegin(); each != kept_.rend() && latest.size() < limit; ++each) {
    latest.push_back(&*each);
  }
  return latest;
}

}  // namespace signet::broker
