#include "net/timer_wheel.h"

#include <algorithm>
#include <bit>
#include <cassert>

namespace signet::net {
namespace {

constexpr std::chrono::nanoseconds kTickLength = TimerWheel::kTick;

std::uint64_t ticks_before(Elapsed time) {
  return static_cast<std::uint64_t>(time.since_boot / kTickLength);
}

}  // namespace

void TimerWheel::Link::unlink() {
  previous->next = next;
  next->previous = previous;
  previous = next = this;
}

void TimerWheel::Link::append(Link& link) {
  link.previous = previous;
  link.next = this;
  previous->next = &link;
  previous = &link;
}

void TimerWheel::Link::take(Link& list) {
  if (list.alone()) return;
  next = list.next;
  previous = list.previous;
  next->previous = this;
  previous->next = this;
  list.next = list.previous = &list;
}

TimerWheel::TimerWheel(Elapsed now) : current_(ticks_before(now)) {}

// Rounded up, so that no timer fires early.
std::uint64_t TimerWheel::tick_for(Elapsed due) const {
  const auto before = ticks_before(due + (kTickLength - std::chrono::nanoseconds(1)));
  return std::min(std::max(before, current_ + 1), kLastTick);
}

void TimerWheel::place(Timer& timer) {
  assert(timer.tick_ > current_);
  const std::uint64_t differing = (timer.tick_ ^ current_) | 1;  // the lowest bit decides nothing
  const unsigned level = (static_cast<unsigned>(std::bit_width(differing)) - 1) / kBits;
  const std::uint64_t index = (timer.tick_ >> (level * kBits)) % kSlots;
  occupied_[level] |= std::uint64_t{1} << index;
  slots_[level][index].append(timer);
}

void TimerWheel::arm(Timer& timer, Elapsed due) {
  timer.cancel();
  timer.tick_ = tick_for(due);
  place(timer);
}

void TimerWheel::arm_no_later(Timer& timer, Elapsed due) {
  if (!timer.armed() || tick_for(due) < timer.tick_) arm(timer, due);
}

// Everything on a level comes before everything on the levels above it, and no level holds a slot
// at or before the current one, so the first bit found is the next slot.
std::optional<TimerWheel::Slot> TimerWheel::next_slot() const {
  for (unsigned level = 0; level < kLevels; ++level) {
    const std::uint64_t here = (current_ >> (level * kBits)) % kSlots;
    const std::uint64_t up_to_here = (std::uint64_t{2} << here) - 1;
    const std::uint64_t later = occupied_[level] & ~up_to_here;
    if (later == 0) continue;
    const auto index = static_cast<unsigned>(std::countr_zero(later));
    const unsigned above = (level + 1) * kBits;
    const std::uint64_t block = (current_ >> above) << above;
    return Slot{level, index, block | (std::uint64_t{index} << (level * kBits))};
  }
  return std::nullopt;
}

std::optional<Elapsed> TimerWheel::next_due() const {
  const auto slot = next_slot();
  if (!slot) return std::nullopt;
  return Elapsed{kTickLength * static_cast<std::int64_t>(slot->first_tick)};
}

// Moves the timers of a slot that the current tick has reached: down, or to `due`.
void TimerWheel::settle(Slot slot, Link& due) {
  occupied_[slot.level] &= ~(std::uint64_t{1} << slot.index);
  Link reached;
  reached.take(slots_[slot.level][slot.index]);
  while (!reached.alone()) {
    auto& timer = static_cast<Timer&>(*reached.next);
    timer.unlink();
    if (timer.tick_ <= current_) {
      due.append(timer);
    } else {
      place(timer);
    }
  }
}

std::size_t TimerWheel::advance(Elapsed now) {
  const std::uint64_t target = ticks_before(now);
  std::size_t fired = 0;
  for (auto slot = next_slot(); slot && slot->first_tick <= target; slot = next_slot()) {
    current_ = slot->first_tick;
    Link due;
    settle(*slot, due);
    for (; !due.alone(); ++fired) {
      auto& timer = static_cast<Timer&>(*due.next);
      timer.unlink();
      timer.on_timer();
    }
  }
  current_ = std::max(current_, target);
  return fired;
}

}  // namespace signet::net
