#include "routing/topic_history.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace signet::routing {
namespace {

// The shared block, its slot in the ring and what the allocator adds to each of four pieces.
constexpr std::size_t kOverheadBytes = 128;

std::size_t bytes_of(const Pulse& pulse) {
  return sizeof(Pulse) + kOverheadBytes + pulse.topic.size() + pulse.from.size() +
         pulse.text.size();
}

}  // namespace

TopicHistory::TopicHistory(std::uint64_t first_number, TopicHistoryOptions options)
    : options_(options), first_(std::max<std::uint64_t>(first_number, 1)), newest_(first_ - 1) {
  options_.max_topics = std::max<std::size_t>(options_.max_topics, 1);
}

std::shared_ptr<const Pulse> TopicHistory::append(Pulse pulse) {
  pulse.number = ++newest_;
  pulse.topic_number = next_of_topic(pulse.topic);
  bytes_ += bytes_of(pulse);
  auto shared = std::make_shared<const Pulse>(std::move(pulse));
  kept_.push_back(shared);
  while (kept_.size() > options_.max_pulses || bytes_ > options_.max_bytes) drop_oldest();
  return shared;
}

std::uint64_t TopicHistory::next_of_topic(std::string_view topic) {
  if (const auto found = counters_.find(topic); found != counters_.end()) {
    by_silence_.splice(by_silence_.end(), by_silence_, found->second);
    return ++found->second->last;
  }
  if (counters_.size() >= options_.max_topics) forget_most_silent();
  by_silence_.push_back(Counter{std::string(topic), has_forgotten_ ? newest_ : first_});
  const auto counter = std::prev(by_silence_.end());
  counters_.emplace(counter->topic, counter);
  return counter->last;
}

void TopicHistory::forget_most_silent() {
  counters_.erase(by_silence_.front().topic);
  by_silence_.pop_front();
  has_forgotten_ = true;
}

void TopicHistory::drop_oldest() {
  bytes_ -= bytes_of(*kept_.front());
  kept_.pop_front();
}

TopicHistory::Page TopicHistory::after(std::uint64_t number, std::size_t limit,
                                       const Filter& may_read) const {
  const std::uint64_t before_oldest = newest_ - kept_.size();
  const bool is_from_here = gave(number);
  Page page;
  page.gap = is_from_here || number == 0 ? number < before_oldest && before_oldest >= first_ : true;
  page.next = is_from_here ? std::max(number, before_oldest) : before_oldest;
  for (auto at = static_cast<std::size_t>(page.next - before_oldest); at < kept_.size(); ++at) {
    if (!may_read(*kept_[at])) continue;
    if (page.pulses.size() == limit) {
      page.more = true;
      return page;
    }
    page.pulses.push_back(kept_[at]);
    page.next = kept_[at]->number;
  }
  page.next = newest_;
  return page;
}

TopicHistory::Page TopicHistory::last(std::size_t limit, const Filter& may_read) const {
  Page page;
  page.next = newest_;
  for (auto at = kept_.rbegin(); at != kept_.rend() && page.pulses.size() < limit; ++at) {
    if (may_read(**at)) page.pulses.push_back(*at);
  }
  std::reverse(page.pulses.begin(), page.pulses.end());
  return page;
}

}  // namespace signet::routing
