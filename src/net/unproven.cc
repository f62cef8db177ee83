#include "net/unproven.h"

#include <algorithm>

namespace signet::net {
namespace {

constexpr std::size_t kLooks = 4;   // the header says why
constexpr std::size_t kDraws = 64;  // to find them in a list of which half is stale

}  // namespace

void Unproven::add(ConnectionId id) {
  ++count_;
  arrivals_.push_back(id);
  sweep();
}

// Those that are proven or gone are swept out when they are most of the list.
void Unproven::sweep() {
  constexpr std::size_t kWorthSweeping = 64;
  if (arrivals_.size() < 2 * count_ + kWorthSweeping) return;
  std::erase_if(arrivals_, [this](ConnectionId id) { return !is_unproven_(id); });
}

std::optional<ConnectionId> Unproven::oldest() const {
  const auto found = std::find_if(arrivals_.begin(), arrivals_.end(), is_unproven_);
  return found == arrivals_.end() ? std::nullopt : std::optional(*found);
}

std::optional<ConnectionId> Unproven::pick() {
  sweep();
  if (count_ <= kLooks) return oldest();
  std::optional<std::size_t> best;
  std::size_t looks = 0;
  std::uniform_int_distribution<std::size_t> place(0, arrivals_.size() - 1);
  for (std::size_t draws = 0; draws < kDraws && looks < kLooks; ++draws) {
    const std::size_t at = place(random_);
    if (!is_unproven_(arrivals_[at])) continue;
    ++looks;
    best = std::min(best.value_or(at), at);
  }
  return best ? std::optional(arrivals_[*best]) : oldest();
}

}  // namespace signet::net
