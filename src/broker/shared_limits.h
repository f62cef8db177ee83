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

// RateCost is a rate as the generic cell rate algorithm (ITU-T I.371) counts: what one costs in
// time, and how much of it may be owed. Interval 0: nothing is limited.
struct RateCost {
  std::int64_t interval_ns = 0;
  std::int64_t tolerance_ns = 0;
  static RateCost of(const trust::Rate& rate);
};

// MemberRates lets a member do `per_second` things a second, `burst` at once, on all of its
// connections together, in one word a member. Member numbers are handed out in sequence, so cells
// are not shared below kCells members; above, two members may share a limit, never exceed it.
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
  std::atomic<std::int64_t>& cell(MemberNumber member) const {
    return (*arrivals_)[static_cast<std::size_t>(member.value) % kCells];
  }

  const RateCost usual_;
  std::unique_ptr<std::array<std::atomic<std::int64_t>, kCells>> arrivals_;  // theoretical, ns
};

// HolderRates does the same for those who have no number, by a keyed hash of what they are known
// by. Each has a word in every row, and the one that owes least counts: nobody exceeds its rate
// (two shards at the same moment may each take the last one), and nobody waits for others unless in
// all rows somebody who is over its own has the same word. As much memory however many names are
// made up.
class HolderRates {
 public:
  HolderRates(double per_second, double burst);

  // As of MemberRates.
  std::optional<std::chrono::nanoseconds> take(std::uint64_t holder, Elapsed now,
                                               const std::optional<trust::Rate>& its_own);
  void charge(std::uint64_t holder, Elapsed now, std::int64_t tokens);
  std::optional<std::chrono::nanoseconds> must_wait(std::uint64_t holder, Elapsed now) const;

 private:
  static constexpr std::size_t kRows = 4;
  static constexpr std::size_t kCells = 4'096;  // of a row
  using Row = std::array<std::atomic<std::int64_t>, kCells>;
  std::atomic<std::int64_t>& cell(std::uint64_t holder, std::size_t row) const {
    return (*rows_)[row][(holder >> (row * 16)) % kCells];
  }
  std::int64_t arrival(std::uint64_t holder) const;  // of the word that owes least
  void add(std::uint64_t holder, Elapsed now, std::int64_t cost_ns);

  const RateCost usual_;
  std::unique_ptr<std::array<Row, kRows>> rows_;  // theoretical arrivals, ns
};

// Whose rate it is: a member's, or of the many whom one secret makes one member, that of who comes
// from this address under this name.
struct Payer {
  MemberNumber member;
  std::uint64_t holder = 0;  // a keyed hash of mesh, address and name; 0: the member itself
  std::uint64_t crowd = 0;   // of mesh and address: names cost nothing
};

// PayerRates is both. What is charged afterwards has a ceiling for all names of one address, too:
// as much as several honest programs behind it may cause, so that more names bring nothing.
class PayerRates {
 public:
  static constexpr double kNamesOfAnAddress = 8;

  PayerRates(double per_second, double burst)
      : members_(per_second, burst),
        holders_(per_second, burst),
        crowds_(per_second * kNamesOfAnAddress, burst * kNamesOfAnAddress) {}

  std::optional<std::chrono::nanoseconds> take(
      const Payer& payer, Elapsed now, const std::optional<trust::Rate>& its_own = std::nullopt) {
    return payer.holder == 0 ? members_.take(payer.member, now, its_own)
                             : holders_.take(payer.holder, now, its_own);
  }
  void charge(const Payer& payer, Elapsed now, std::int64_t tokens) {
    if (payer.holder == 0) return members_.charge(payer.member, now, tokens);
    holders_.charge(payer.holder, now, tokens);
    crowds_.charge(payer.crowd, now, tokens);
  }
  std::optional<std::chrono::nanoseconds> must_wait(const Payer& payer, Elapsed now) const {
    if (payer.holder == 0) return members_.must_wait(payer.member, now);
    if (const auto wait = crowds_.must_wait(payer.crowd, now)) return wait;
    return holders_.must_wait(payer.holder, now);
  }

 private:
  MemberRates members_;
  HolderRates holders_;
  HolderRates crowds_;
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
