// FairQueue says which of the jobs that wait goes next: one of the highest priority, of the user
// with the fewest jobs under way, among equals of the one who was served longest ago, and of that
// user the oldest. So who asks for a thousand holds nobody up who asks for one.
//
// Every call costs the logarithm of what waits. Pure; part of a JobBoard, on its thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace signet::jobs {

class FairQueue {
 public:
  // `order` names a job and is unlike every other's.
  void add(const std::string& user, std::int32_t priority, std::uint64_t order);
  // It is no longer to go: it goes now, or nobody wants it. Nothing happens where it does not wait.
  void remove(const std::string& user, std::int32_t priority, std::uint64_t order);
  std::optional<std::uint64_t> first() const;

  // A job of the user is under way, which is to be served; and it no longer is.
  void began(const std::string& user);
  void ended(const std::string& user);
  // The user was served, in an earlier process.
  void was_served(const std::string& user);

  // REQUIRES: nothing of the user waits or is under way. When it was served is forgotten.
  void forget(const std::string& user);

 private:
  // The highest priority is the smallest number here.
  using Place = std::pair<std::int64_t, std::uint64_t>;  // priority, order
  struct User {
    std::set<Place> waiting;
    std::size_t under_way = 0;
    std::uint64_t served = 0;  // the how-manieth service of all; 0: never
  };
  // Of each user with waiting jobs, its first one: priority, under way, served, order.
  using Rank = std::tuple<std::int64_t, std::size_t, std::uint64_t, std::uint64_t>;
  static Rank rank_of(const User& user);

  // Does something to a user, whose rank then is another.
  template <class Do>
  void with(const std::string& user, Do change);

  std::map<std::string, User, std::less<>> users_;
  std::set<Rank> ranks_;
  std::uint64_t services_ = 0;
};

}  // namespace signet::jobs
