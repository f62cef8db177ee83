#include "broker/shared_limits.h"

#include <algorithm>

namespace signet::broker {

RateCost RateCost::of(const trust::Rate& rate) {
  constexpr double kSecond = 1e9;
  if (rate.per_second <= 0) return {};
  const auto interval = static_cast<std::int64_t>(std::max(1.0, kSecond / rate.per_second));
  return {interval, interval * (static_cast<std::int64_t>(std::max(rate.burst, 1.0)) - 1)};
}

MemberRates::MemberRates(double per_second, double burst)
    : usual_(RateCost::of({per_second, burst})),
      arrivals_(std::make_unique<std::array<std::atomic<std::int64_t>, kCells>>()) {}

std::optional<std::chrono::nanoseconds> MemberRates::take(
    MemberNumber member, Elapsed now, const std::optional<trust::Rate>& its_own) {
  const RateCost cost = its_own ? RateCost::of(*its_own) : usual_;
  if (cost.interval_ns == 0) return std::nullopt;
  auto& arrival = cell(member);
  const std::int64_t at = now.since_boot.count();
  std::int64_t expected = arrival.load(std::memory_order_relaxed);
  for (;;) {
    const std::int64_t early = expected - cost.tolerance_ns - at;
    if (early > 0) return std::chrono::nanoseconds(early);
    const std::int64_t next = std::max(expected, at) + cost.interval_ns;
    if (arrival.compare_exchange_weak(expected, next, std::memory_order_relaxed)) {
      return std::nullopt;
    }
  }
}

void MemberRates::charge(MemberNumber member, Elapsed now, std::int64_t tokens) {
  if (usual_.interval_ns == 0) return;
  auto& arrival = cell(member);
  const std::int64_t at = now.since_boot.count();
  std::int64_t expected = arrival.load(std::memory_order_relaxed);
  while (!arrival.compare_exchange_weak(
      expected, std::max(expected, at) + tokens * usual_.interval_ns, std::memory_order_relaxed)) {
  }
}

std::optional<std::chrono::nanoseconds> MemberRates::must_wait(MemberNumber member,
                                                               Elapsed now) const {
  if (usual_.interval_ns == 0) return std::nullopt;
  const std::int64_t early =
      cell(member).load(std::memory_order_relaxed) - usual_.tolerance_ns - now.since_boot.count();
  return early > 0 ? std::optional(std::chrono::nanoseconds(early)) : std::nullopt;
}

HolderRates::HolderRates(double per_second, double burst)
    : usual_(RateCost::of({per_second, burst})),
      rows_(std::make_unique<std::array<Row, kRows>>()) {}

std::int64_t HolderRates::arrival(std::uint64_t holder) const {
  std::int64_t least = cell(holder, 0).load(std::memory_order_relaxed);
  for (std::size_t row = 1; row < kRows; ++row) {
    least = std::min(least, cell(holder, row).load(std::memory_order_relaxed));
  }
  return least;
}

void HolderRates::add(std::uint64_t holder, Elapsed now, std::int64_t cost_ns) {
  const std::int64_t at = now.since_boot.count();
  for (std::size_t row = 0; row < kRows; ++row) {
    auto& word = cell(holder, row);
    std::int64_t expected = word.load(std::memory_order_relaxed);
    while (!word.compare_exchange_weak(expected, std::max(expected, at) + cost_ns,
                                       std::memory_order_relaxed)) {
    }
  }
}

std::optional<std::chrono::nanoseconds> HolderRates::take(
    std::uint64_t holder, Elapsed now, const std::optional<trust::Rate>& its_own) {
  const RateCost cost = its_own ? RateCost::of(*its_own) : usual_;
  if (cost.interval_ns == 0) return std::nullopt;
  const std::int64_t early = arrival(holder) - cost.tolerance_ns - now.since_boot.count();
  if (early > 0) return std::chrono::nanoseconds(early);
  add(holder, now, cost.interval_ns);
  return std::nullopt;
}

void HolderRates::charge(std::uint64_t holder, Elapsed now, std::int64_t tokens) {
  if (usual_.interval_ns != 0) add(holder, now, tokens * usual_.interval_ns);
}

std::optional<std::chrono::nanoseconds> HolderRates::must_wait(std::uint64_t holder,
                                                               Elapsed now) const {
  if (usual_.interval_ns == 0) return std::nullopt;
  const std::int64_t early = arrival(holder) - usual_.tolerance_ns - now.since_boot.count();
  return early > 0 ? std::optional(std::chrono::nanoseconds(early)) : std::nullopt;
}

MemberLoads::MemberLoads()
    : cells_(std::make_unique<std::array<std::atomic<std::int32_t>, kCells>>()) {}

bool MemberLoads::enter(MemberNumber member, std::int64_t limit) {
  const bool fits = cell(member).fetch_add(1, std::memory_order_relaxed) < limit || limit == 0;
  if (!fits) leave(member);
  return fits;
}

void MemberLoads::leave(MemberNumber member) {
  cell(member).fetch_sub(1, std::memory_order_relaxed);
}

bool MeshLoads::enter(MeshNumber mesh, std::int64_t limit) {
  if (cell(mesh).fetch_add(1, std::memory_order_relaxed) < limit) return true;
  leave(mesh);
  return false;
}

void MeshLoads::leave(MeshNumber mesh) { cell(mesh).fetch_sub(1, std::memory_order_relaxed); }

std::int64_t MeshLoads::count(MeshNumber mesh) const {
  return cells_[static_cast<std::size_t>(mesh.value) % kCells].load(std::memory_order_relaxed);
}

}  // namespace signet::broker
