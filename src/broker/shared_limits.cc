#include "broker/shared_limits.h"

#include <algorithm>

namespace signet::broker {

MemberRates::MemberRates(std::int64_t per_second, std::int64_t burst)
    : interval_ns_(per_second > 0 ? 1'000'000'000 / per_second : 0),
      tolerance_ns_(interval_ns_ * (std::max<std::int64_t>(burst, 1) - 1)) {
  if (interval_ns_ > 0)
    arrivals_ = std::make_unique<std::array<std::atomic<std::int64_t>, kCells>>();
}

std::optional<std::chrono::nanoseconds> MemberRates::take(MemberNumber member, Elapsed now) {
  if (!arrivals_) return std::nullopt;
  auto& cell = (*arrivals_)[static_cast<std::size_t>(member.value) % kCells];
  const std::int64_t at = now.since_boot.count();
  std::int64_t expected = cell.load(std::memory_order_relaxed);
  for (;;) {
    const std::int64_t early = expected - tolerance_ns_ - at;
    if (early > 0) return std::chrono::nanoseconds(early);
    const std::int64_t next = std::max(expected, at) + interval_ns_;
    if (cell.compare_exchange_weak(expected, next, std::memory_order_relaxed)) return std::nullopt;
  }
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
