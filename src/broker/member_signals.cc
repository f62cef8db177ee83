#include "broker/member_signals.h"

#include <limits>
#include <utility>

namespace signet::broker {
namespace {

void count_one(std::uint32_t& count) {
  if (count < std::numeric_limits<std::uint32_t>::max()) ++count;
}

}  // namespace

void MemberSignals::note(MeshNumber mesh, MemberNumber member, bool as_engine, Signal signal) {
  const Key key{mesh, member, as_engine};
  const auto found = seen_.find(key);
  if (found == seen_.end() && seen_.size() >= kMostMembers) return;
  SeenOfMember& seen =
      found == seen_.end()
          ? seen_.emplace(key, SeenOfMember{mesh, member, as_engine, 0, 0, 0}).first->second
          : found->second;
  switch (signal) {
    case Signal::kFailedProof:
      return count_one(seen.failed_proofs);
    case Signal::kReplay:
      return count_one(seen.replays);
    case Signal::kLostLease:
      return count_one(seen.lost_leases);
  }
}

void MemberSignals::flush() {
  if (seen_.empty()) return;
  SeenOfMembers all;
  all.reserve(seen_.size());
  for (const auto& [key, seen] : std::exchange(seen_, {})) all.push_back(seen);
  tell_(std::move(all));
}

}  // namespace signet::broker
