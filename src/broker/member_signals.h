// MemberSignals gathers what a shard sees of members that is no good sign, and tells the control
// thread once a second: the overlay's rule may lower a score for it. Only what happened in a
// session whose proof was good is noted; what merely names a member, as a handshake that fails,
// could be anybody's. One per shard, on its thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <tuple>
#include <vector>

#include "base/ids.h"

namespace signet::broker {

enum class Signal : std::uint8_t {
  kFailedProof,  // what it signed is not signed with its key
  kReplay,       // it said the same signed text again
  kLostLease,    // a job that it had ran out of time, or it left it
};

// What was seen of one member since it was last told.
struct SeenOfMember {
  MeshNumber mesh;
  MemberNumber member;
  bool as_engine = false;  // of Hub: an operator's token gave it its name
  std::uint32_t failed_proofs = 0;
  std::uint32_t replays = 0;
  std::uint32_t lost_leases = 0;
};
using SeenOfMembers = std::vector<SeenOfMember>;

class MemberSignals {
 public:
  // Members that are remembered within a second; of more nothing is noted, since what is told is a
  // sign and no record. As many as a shard has sessions that anybody can flood from.
  static constexpr std::size_t kMostMembers = 4'096;

  // `tell` is called on this thread, never with none.
  explicit MemberSignals(std::function<void(SeenOfMembers)> tell) : tell_(std::move(tell)) {}

  void note(MeshNumber mesh, MemberNumber member, bool as_engine, Signal signal);
  void flush();  // call it every second

 private:
  using Key = std::tuple<MeshNumber, MemberNumber, bool>;

  std::function<void(SeenOfMembers)> tell_;
  std::map<Key, SeenOfMember> seen_;
};

}  // namespace signet::broker
