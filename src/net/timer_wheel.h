// TimerWheel keeps any number of timers and fires those that are due. Arming, moving and cancelling
// cost a few instructions whatever the number of timers, and so does finding the next one.
//
// Seven levels of 64 slots. Level 0 holds the ticks of the current block of 64, level 1 the blocks
// of the current block of 64², and so on: a timer sits on the level of the highest digit (in base
// 64) in which its tick differs from the current tick. When the current tick enters a slot of a
// higher level, the slot's timers move down. 64⁷ ticks are centuries, so nothing lies beyond.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>

#include "base/time.h"

namespace signet::net {

// TimerWheel is owned by one thread. It owns no timers; it must outlive those that are armed.
class TimerWheel {
 public:
  // Coarse, so that ten thousand idle connections wake their thread a few times a second together
  // and not once each.
  static constexpr std::chrono::milliseconds kTick{4};

 private:
  struct Link {
    Link* previous = this;
    Link* next = this;
    Link() = default;
    Link(const Link&) = delete;
    Link& operator=(const Link&) = delete;
    bool alone() const { return next == this; }
    void unlink();
    void append(Link& link);  // REQUIRES: link.alone()
    void take(Link& list);    // moves all of `list` here; REQUIRES: alone()
  };

 public:
  // Timer is the base of whatever wants to be woken. Destroying it cancels it.
  class Timer : private Link {
   public:
    bool armed() const { return !alone(); }
    void cancel() { unlink(); }

   protected:
    Timer() = default;
    ~Timer() { cancel(); }

   private:
    friend class TimerWheel;
    virtual void on_timer() = 0;
    std::uint64_t tick_ = 0;
  };

  explicit TimerWheel(Elapsed now);

  // Fires `timer` in the first advance() at or after `due`, at the earliest in the next tick.
  void arm(Timer& timer, Elapsed due);
  // The same, but leaves a timer alone that is armed for an earlier time: who is woken too early
  // looks and arms again, which costs less than moving the timer on every byte received.
  void arm_no_later(Timer& timer, Elapsed due);

  // Fires all that is due, in the order of their ticks; answers how many. Timers may be armed,
  // cancelled and destroyed meanwhile.
  std::size_t advance(Elapsed now);

  // When advance() has something to do again; never later than the first timer that is due.
  std::optional<Elapsed> next_due() const;

 private:
  static constexpr unsigned kLevels = 7;
  static constexpr unsigned kBits = 6;
  static constexpr std::uint64_t kSlots = 1u << kBits;
  static constexpr std::uint64_t kLastTick = (std::uint64_t{1} << (kBits * kLevels)) - 1;

  struct Slot {
    unsigned level;
    unsigned index;
    std::uint64_t first_tick;
  };

  std::uint64_t tick_for(Elapsed due) const;
  void place(Timer& timer);  // REQUIRES: timer.tick_ > current_
  std::optional<Slot> next_slot() const;
  void settle(Slot slot, Link& due);

  std::uint64_t current_;  // every timer up to and including this tick has fired
  std::array<std::array<Link, kSlots>, kLevels> slots_;
  // A set bit says that a slot may hold timers: cancelling leaves the bit to the next advance().
  std::array<std::uint64_t, kLevels> occupied_{};
};

}  // namespace signet::net
