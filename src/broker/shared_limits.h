// Limits that hold for a member or a mesh whatever shard its connections are on. Beside the metrics
// these are the only things that several shards write: plain atomics, each bounded in number.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/ids.h"
#include "base/time.h"
#include "trust/rate_limit.h"

namespace signet::broker {

// MemberRates lets a member do `per_second` things a second, `burst` at once, on all of its
// connections together: the generic cell rate algorithm (ITU-T I.371), one word a member. Member
// numbers are handed out in sequence, so cells are not shared below kCells members; above, two
// members may share a limit, never exceed it.
class MemberRates {
 public:
  // `per_second` 0: no limit.
  MemberRates(double per_second, double burst);

  // nullopt: taken. Otherwise how long to wait before the next try. `its_own` is the rate of
  // members that have another one.
  std::optional<std::chrono::nanoseconds> take(
      MemberNumber member, Elapsed now, const std::optional<trust::Rate>& its_own = std::nullopt);

  // For what is known only afterwards: `tokens` are taken whether they are there or not, and
  // must_wait() says how long the member has nothing left.
  void charge(MemberNumber member, Elapsed now, std::int64_t tokens);
  std::optional<std::chrono::nanoseconds> must_wait(MemberNumber member, Elapsed now) const;

 private:
  static constexpr std::size_t kCells = 65'536;
  struct Cost {
    std::int64_t interval_ns = 0;  // 0: nothing is limited
    std::int64_t tolerance_ns = 0;
  };
  static Cost cost_of(double per_second, double burst);
  std::atomic<std::int64_t>& cell(MemberNumber member) const {
    return (*arrivals_)[static_cast<std::size_t>(member.value) % kCells];
  }

  const Cost usual_;
  std::unique_ptr<std::array<std::atomic<std::int64_t>, kCells>> arrivals_;  // theoretical, ns
};

// MemberLoads counts something that members have, on all shards together: connections, say.
class MemberLoads {
 public:
  MemberLoads();
  // False, and nothing taken, when `limit` are there; 0: no limit.
  bool enter(MemberNumber member, std::int64_t limit);
  void leave(MemberNumber member);

 private:
  static constexpr std::size_t kCells = 65'536;
  std::atomic<std::int32_t>& cell(MemberNumber member) {
    return (*cells_)[static_cast<std::size_t>(member.value) % kCells];
  }
  std::unique_ptr<std::array<std::atomic<std::int32_t>, kCells>> cells_;
};

// MeshLoads counts the admitted connections of each mesh.
class MeshLoads {
 public:
  // A process serves fewer meshes than this; more would share a count and fill early.
  static constexpr std::size_t kCells = 4'096;

  // False, and nothing taken, when `limit` connections are there.
  bool enter(MeshNumber mesh, std::int64_t limit);
  void leave(MeshNumber mesh);
  std::int64_t count(MeshNumber mesh) const;

 private:
  std::atomic<std::int64_t>& cell(MeshNumber mesh) {
    return cells_[static_cast<std::size_t>(mesh.value) % kCells];
  }
  std::array<std::atomic<std::int64_t>, kCells> cells_{};
};

}  // namespace signet::broker
