#include "audit/tally.h"

#include <utility>

namespace signet::audit {
namespace {

// As many at once as the rate gives in this time: a restart of all clients is told of one by one.
constexpr double kBurstSeconds = 10;

trust::Rate rate_of(double per_second) { return {per_second, per_second * kBurstSeconds}; }

}  // namespace

Tally::Tally(const TallyOptions& options, Elapsed now)
    : options_(options),
      budget_(rate_of(options.entries_per_second)),
      strangers_(rate_of(options.entries_per_second * kShareOfStrangers)),
      suppressed_due_(now + options.window) {}

void Tally::note(const Fact& fact, Elapsed now) {
  const bool known = fact.member.value != 0;
  Key key{fact.event, fact.mesh, fact.member, std::string(known ? "" : fact.address),
          std::string(fact.code)};
  if (const auto found = open_.find(key); found != open_.end()) {
    ++found->second.repeats;
    return;
  }
  if (!has_room(key)) return suppress(fact.event, fact.code, 1);
  open_.emplace(key, Open{now + options_.window});
  open_strangers_ += is_stranger(key) ? 1 : 0;
  write(key, 1, now);
}

// Half of the room is members' alone.
bool Tally::has_room(const Key& key) const {
  if (open_.size() >= options_.max_open) return false;
  return !is_stranger(key) || open_strangers_ < options_.max_open / 2;
}

void Tally::write(const Key& key, std::int64_t count, Elapsed now) {
  const bool within_share = !is_stranger(key) || strangers_.take(now);
  if (within_share && budget_.take(now)) {
    ready_.push_back({key, count});
  } else {
    suppress(std::get<Event>(key), std::get<4>(key), count);
  }
}

void Tally::suppress(Event event, std::string_view code, std::int64_t count) {
  suppressed_[{event, std::string(code)}] += count;
}

// A window in which something repeated itself is followed by another; else its fact is forgotten.
void Tally::close_windows(Elapsed now, bool all) {
  for (auto each = open_.begin(); each != open_.end();) {
    Open& open = each->second;
    if (!all && now < open.due) {
      ++each;
      continue;
    }
    const std::int64_t repeats = std::exchange(open.repeats, 0);
    if (repeats > 0) write(each->first, repeats, now);
    open.due = now + options_.window;
    if (repeats > 0 && !all) {
      ++each;
      continue;
    }
    open_strangers_ -= is_stranger(each->first) ? 1 : 0;
    each = open_.erase(each);
  }
}

std::vector<Draft> Tally::take(Elapsed now, const Pseudonyms& pseudonyms) {
  close_windows(now, false);
  std::vector<Draft> drafts;
  for (const Ready& ready : std::exchange(ready_, {})) {
    const auto& [event, mesh, member, address, code] = ready.key;
    Draft draft;
    draft.event = event;
    draft.mesh = mesh;
    draft.code = code;
    draft.count = ready.count;
    if (member.value != 0) {
      draft.subject = pseudonyms.of_member(member);
    } else if (!address.empty()) {
      draft.subject = pseudonyms.of_name("address", address);
    }
    drafts.push_back(std::move(draft));
  }
  if (now < suppressed_due_) return drafts;
  suppressed_due_ = now + options_.window;
  for (const auto& [what, count] : std::exchange(suppressed_, {})) {
    Draft draft;
    draft.event = Event::kSuppressed;
    draft.code = std::string(name_of(what.first)) + "." + what.second;
    draft.count = count;
    drafts.push_back(std::move(draft));
  }
  return drafts;
}

std::vector<Draft> Tally::take_all(Elapsed now, const Pseudonyms& pseudonyms) {
  close_windows(now, true);
  suppressed_due_ = now;
  return take(now, pseudonyms);
}

}  // namespace signet::audit
