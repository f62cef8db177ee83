// Tally makes few entries of many facts about traffic: the first of its kind is written, what
// repeats itself within a window is one entry with a count, and what is beyond a rate is counted by
// its code alone. So an attack does not fill the disk, and nothing goes uncounted. Whoever proved
// nothing has a small share of all bounds: strangers hide nothing that members do. Pure; one per
// shard, on its thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "audit/entry.h"
#include "trust/rate_limit.h"

namespace signet::audit {

struct TallyOptions {
  double entries_per_second = 50;            // on average; as many at once as within ten seconds
  std::chrono::milliseconds window{60'000};  // within it, the same is one entry
  std::size_t max_open = 4'096;              // different facts within a window; beyond, codes alone
};
// Of the rate, what facts without a member may take: with 50 entries a second, an attack from
// ever new addresses writes 5 MB in an hour.
inline constexpr double kShareOfStrangers = 0.2;

// One fact. Whom it is about: a member, or else an address that nobody proved to be anybody from.
struct Fact {
  Event event{};
  MeshNumber mesh;
  MemberNumber member;
  std::string_view address;  // only where there is no member
  std::string_view code;     // one of ours
};

class Tally {
 public:
  Tally(const TallyOptions& options, Elapsed now);

  void note(const Fact& fact, Elapsed now);

  // What is to be written now, the oldest first; then it is forgotten here.
  std::vector<Draft> take(Elapsed now, const Pseudonyms& pseudonyms);
  // The same, and all that is only counted so far: nothing comes after it.
  std::vector<Draft> take_all(Elapsed now, const Pseudonyms& pseudonyms);

 private:
  using Key = std::tuple<Event, MeshNumber, MemberNumber, std::string, std::string>;
  struct Open {
    Elapsed due;
    std::int64_t repeats = 0;
  };
  struct Ready {
    Key key;
    std::int64_t count;
  };
  static bool is_stranger(const Key& key) { return std::get<MemberNumber>(key).value == 0; }
  bool has_room(const Key& key) const;
  void write(const Key& key, std::int64_t count, Elapsed now);
  void suppress(Event event, std::string_view code, std::int64_t count);
  void close_windows(Elapsed now, bool all);

  const TallyOptions options_;
  trust::TokenBucket budget_;
  trust::TokenBucket strangers_;
  std::map<Key, Open> open_;
  std::size_t open_strangers_ = 0;
  std::vector<Ready> ready_;
  std::map<std::pair<Event, std::string>, std::int64_t> suppressed_;
  Elapsed suppressed_due_;
};

}  // namespace signet::audit
