#include "routing/topic_history.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

namespace signet::routing {
namespace {

using Numbers = std::vector<std::uint64_t>;

bool everything(const Pulse&) { return true; }
bool nothing(const Pulse&) { return false; }

Pulse pulse(const std::string& topic, std::size_t text_bytes = 10) {
  Pulse made;
  made.topic = topic;
  made.from = "mirror";
  made.text = std::string(text_bytes, 'x');
  return made;
}

TopicHistory::Filter only(const std::string& topic) {
  return [topic](const Pulse& each) { return each.topic == topic; };
}

// A page in one line: its numbers, then what it says.
std::string shown(const TopicHistory::Page& page) {
  std::string text;
  for (const auto& each : page.pulses) text += std::to_string(each->number) + " ";
  if (page.gap) text += "gap ";
  if (page.more) text += "more ";
  return text + "next " + std::to_string(page.next);
}

TEST(TopicHistory, NumbersPulsesOverTheMeshAndWithinTheTopic) {
  TopicHistory history(100);
  struct Case {
    const char* topic;
    std::uint64_t number;
    std::uint64_t topic_number;
  };
  const Case cases[] = {{"a", 100, 100}, {"a", 101, 101}, {"b", 102, 100},
                        {"a", 103, 102}, {"b", 104, 101}, {"c", 105, 100}};
  for (const Case& row : cases) {
    const auto appended = history.append(pulse(row.topic));
    EXPECT_EQ(appended->number, row.number);
    EXPECT_EQ(appended->topic_number, row.topic_number);
    EXPECT_EQ(appended->topic, row.topic);
    EXPECT_EQ(appended->from, "mirror");
  }
  EXPECT_EQ(history.total(), 6u);
  EXPECT_EQ(history.size(), 6u);
  EXPECT_EQ(history.topics(), 3u);
}

TEST(TopicHistory, BeginsWithOneAtLeast) {
  TopicHistory history(0);
  EXPECT_EQ(history.append(pulse("a"))->number, 1u);
}

TEST(TopicHistory, AnswersPagesOldestFirst) {
  TopicHistory history(10);
  EXPECT_EQ(shown(history.after(0, 5, everything)), "next 9");
  EXPECT_EQ(shown(history.after(9, 5, everything)), "next 9");
  EXPECT_EQ(shown(history.last(5, everything)), "next 9");
  for (const char* topic : {"a", "b", "a", "b", "a"}) history.append(pulse(topic));
  struct Case {
    const char* name;
    TopicHistory::Page page;
    const char* shown;
  };
  const Case cases[] = {
      {"all", history.after(0, 10, everything), "10 11 12 13 14 next 14"},
      {"as many as there are", history.after(0, 5, everything), "10 11 12 13 14 next 14"},
      {"the first two", history.after(0, 2, everything), "10 11 more next 11"},
      {"the next two", history.after(11, 2, everything), "12 13 more next 13"},
      {"the last one", history.after(13, 2, everything), "14 next 14"},
      {"what is new", history.after(14, 2, everything), "next 14"},
      {"from before the first", history.after(9, 1, everything), "10 more next 10"},
      {"none at all", history.after(0, 0, everything), "more next 9"},
      {"none behind 12", history.after(12, 0, everything), "more next 12"},
      {"none where none is left", history.after(14, 0, everything), "next 14"},
      {"one topic", history.after(0, 10, only("b")), "11 13 next 14"},
      {"one of a topic", history.after(0, 1, only("b")), "11 more next 11"},
      {"the rest of a topic", history.after(11, 1, only("b")), "13 next 14"},
      {"what may not be read", history.after(0, 1, nothing), "next 14"},
      {"none of what may not be read", history.after(0, 0, nothing), "next 14"},
      {"from an earlier start", history.after(8, 10, everything), "10 11 12 13 14 gap next 14"},
      {"from elsewhere", history.after(15, 10, everything), "10 11 12 13 14 gap next 14"},
      {"from the end of numbers", history.after(~std::uint64_t{0}, 1, everything),
       "10 gap more next 10"},
      {"the newest two", history.last(2, everything), "13 14 next 14"},
      {"the newest of a topic", history.last(1, only("b")), "13 next 14"},
      {"the newest ten", history.last(10, everything), "10 11 12 13 14 next 14"},
      {"the newest none", history.last(0, everything), "next 14"},
      {"the newest of what may not be read", history.last(5, nothing), "next 14"},
  };
  for (const Case& row : cases) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(shown(row.page), row.shown);
  }
}

TEST(TopicHistory, TellsWhatIsGone) {
  TopicHistoryOptions options;
  options.max_pulses = 3;
  TopicHistory history(10, options);
  for (int i = 0; i < 5; ++i) history.append(pulse("a"));  // 10 and 11 are gone
  EXPECT_EQ(shown(history.after(0, 9, everything)), "12 13 14 gap next 14");
  EXPECT_EQ(shown(history.after(9, 9, everything)), "12 13 14 gap next 14");
  EXPECT_EQ(shown(history.after(10, 9, everything)), "12 13 14 gap next 14");
  EXPECT_EQ(shown(history.after(11, 9, everything)), "12 13 14 next 14");
  EXPECT_EQ(shown(history.after(0, 1, everything)), "12 gap more next 12");
  EXPECT_EQ(shown(history.after(12, 1, everything)), "13 more next 13");
  EXPECT_EQ(shown(history.after(10, 9, nothing)), "gap next 14");  // whatever its topic
  EXPECT_EQ(shown(history.after(0, 0, everything)), "gap more next 11");
  EXPECT_EQ(shown(history.last(9, everything)), "12 13 14 next 14");
  EXPECT_EQ(history.total(), 5u);
  EXPECT_EQ(history.size(), 3u);
}

TEST(TopicHistory, KeepsNoMoreBytesThanItMay) {
  TopicHistory probe(1);
  probe.append(pulse("a", 100));
  TopicHistoryOptions options;
  options.max_bytes = 3 * probe.bytes();
  TopicHistory history(1, options);
  for (int i = 0; i < 3; ++i) history.append(pulse("a", 100));
  EXPECT_EQ(shown(history.last(9, everything)), "1 2 3 next 3");
  EXPECT_EQ(history.bytes(), options.max_bytes);
  history.append(pulse("a", 101));
  EXPECT_EQ(shown(history.last(9, everything)), "3 4 next 4");
  const auto giant = history.append(pulse("a", options.max_bytes));
  EXPECT_EQ(giant->number, 5u);  // numbered and delivered, though not kept
  EXPECT_EQ(history.size(), 0u);
  EXPECT_EQ(history.bytes(), 0u);
  EXPECT_EQ(shown(history.after(4, 9, everything)), "gap next 5");
  history.append(pulse("a", 100));
  EXPECT_EQ(shown(history.after(5, 9, everything)), "6 next 6");
}

TEST(TopicHistory, KeepsNoneWhereNoneMayBeKept) {
  TopicHistoryOptions options;
  options.max_pulses = 0;
  TopicHistory history(1, options);
  EXPECT_EQ(history.append(pulse("a"))->number, 1u);
  EXPECT_EQ(history.append(pulse("a"))->topic_number, 2u);
  EXPECT_EQ(history.size(), 0u);
  EXPECT_EQ(shown(history.after(1, 9, everything)), "gap next 2");
  EXPECT_EQ(shown(history.after(2, 9, everything)), "next 2");
}

TEST(TopicHistory, ForgetsTheTopicThatWasSilentLongestAndNeverGoesBack) {
  TopicHistoryOptions options;
  options.max_topics = 2;
  TopicHistory history(100, options);
  struct Case {
    const char* topic;
    std::uint64_t number;
    std::uint64_t topic_number;
  };
  const Case cases[] = {
      {"a", 100, 100}, {"b", 101, 100}, {"a", 102, 101}, {"c", 103, 103},  // b is forgotten
      {"a", 104, 102},                                    // a spoke after b, so it is not
      {"b", 105, 105},                                    // and c is
      {"b", 106, 106}, {"c", 107, 107}, {"a", 108, 108},  // in turns
  };
  for (const Case& row : cases) {
    const auto appended = history.append(pulse(row.topic));
    EXPECT_EQ(appended->number, row.number) << row.topic;
    EXPECT_EQ(appended->topic_number, row.topic_number) << row.topic << " " << row.number;
    EXPECT_LE(history.topics(), 2u);
  }
}

TEST(TopicHistory, SharesAPulseThatOutlivesIt) {
  std::shared_ptr<const Pulse> kept;
  {
    TopicHistory history(1);
    kept = history.append(pulse("a"));
    const TopicHistory moved = std::move(history);
    EXPECT_EQ(moved.last(1, everything).pulses.at(0), kept);
  }
  EXPECT_EQ(kept->topic, "a");
  EXPECT_EQ(kept.use_count(), 1);
}

// The same promises, kept slowly: every pulse ever, and who is silent by looking at all of them.
class SlowHistory {
 public:
  SlowHistory(std::uint64_t first, TopicHistoryOptions options)
      : first_(first), options_(options) {}

  Pulse append(Pulse made) {
    made.number = first_ + all_.size();
    if (!last_of_.contains(made.topic) && last_of_.size() == options_.max_topics) {
      forget_most_silent();
    }
    const auto last = last_of_.find(made.topic);
    made.topic_number = last != last_of_.end() ? last->second.topic_number + 1
                        : has_forgotten_       ? made.number
                                               : first_;
    last_of_[made.topic] = made;
    all_.push_back(made);
    return made;
  }

  TopicHistory::Page after(std::uint64_t number, std::size_t limit,
                           const TopicHistory::Filter& may_read) const {
    TopicHistory::Page page;
    const std::uint64_t newest = first_ + all_.size() - 1;
    const bool is_known = number == 0 || (number + 1 >= first_ && number <= newest);
    const std::uint64_t from = is_known ? number : 0;
    const std::size_t kept = kept_from();
    page.gap = !is_known;
    for (std::size_t i = 0; i < kept; ++i) page.gap = page.gap || all_[i].number > from;
    std::vector<Pulse> passing;
    for (std::size_t i = kept; i < all_.size(); ++i) {
      if (all_[i].number > from && may_read(all_[i])) passing.push_back(all_[i]);
    }
    page.more = passing.size() > limit;
    if (page.more) passing.resize(limit);
    for (const Pulse& each : passing) page.pulses.push_back(std::make_shared<const Pulse>(each));
    page.next = !page.more  ? newest
                : limit > 0 ? passing.back().number
                            : std::max(from, first_ + kept - 1);
    return page;
  }

  TopicHistory::Page last(std::size_t limit, const TopicHistory::Filter& may_read) const {
    TopicHistory::Page page = after(0, all_.size(), may_read);
    page.gap = false;
    const auto surplus = page.pulses.size() - std::min(limit, page.pulses.size());
    page.pulses.erase(page.pulses.begin(),
                      page.pulses.begin() + static_cast<std::ptrdiff_t>(surplus));
    return page;
  }

  std::size_t size() const { return all_.size() - kept_from(); }
  std::size_t total() const { return all_.size(); }

 private:
  std::size_t kept_from() const {
    std::size_t from = all_.size();
    std::size_t bytes = 0;
    while (from > 0 && all_.size() - from < options_.max_pulses) {
      TopicHistory probe(1);
      probe.append(all_[from - 1]);
      bytes += probe.bytes();
      if (bytes > options_.max_bytes) break;
      --from;
    }
    return from;
  }

  void forget_most_silent() {
    auto most_silent = last_of_.begin();
    for (auto at = last_of_.begin(); at != last_of_.end(); ++at) {
      if (at->second.number < most_silent->second.number) most_silent = at;
    }
    last_of_.erase(most_silent);
    has_forgotten_ = true;
  }

  std::uint64_t first_;
  TopicHistoryOptions options_;
  std::vector<Pulse> all_;
  std::map<std::string, Pulse> last_of_;
  bool has_forgotten_ = false;
};

TEST(TopicHistory, AnswersWhatASlowHistoryAnswers) {
  for (const unsigned seed : {1u, 2u, 3u, 4u}) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto below = [&](std::size_t n) {
      return std::uniform_int_distribution<std::size_t>(0, n - 1)(random);
    };
    TopicHistoryOptions options;
    options.max_pulses = below(12);
    options.max_bytes = 4000;
    options.max_topics = 1 + below(5);
    const std::uint64_t first = 1 + below(20);
    TopicHistory history(first, options);
    SlowHistory slow(first, options);
    std::map<std::string, std::uint64_t> last_of_topic;
    for (int i = 0; i < 400; ++i) {
      if (below(2) == 0) {
        const Pulse made = pulse(std::string(1, static_cast<char>('a' + below(6))), below(1000));
        const auto fast = history.append(made);
        const Pulse expected = slow.append(made);
        ASSERT_EQ(fast->number, expected.number);
        ASSERT_EQ(fast->topic_number, expected.topic_number);
        ASSERT_GT(fast->topic_number, last_of_topic[made.topic]);
        last_of_topic[made.topic] = fast->topic_number;
      }
      const std::uint64_t number = below(first + slow.total() + 5);
      const std::size_t limit = below(6);
      const unsigned readable = static_cast<unsigned>(below(64));
      const auto may_read = [readable](const Pulse& each) {
        return (readable >> (each.topic[0] - 'a') & 1u) != 0;
      };
      ASSERT_EQ(shown(history.after(number, limit, may_read)),
                shown(slow.after(number, limit, may_read)))
          << number << " " << limit;
      ASSERT_EQ(shown(history.last(limit, may_read)), shown(slow.last(limit, may_read)));
      ASSERT_EQ(history.size(), slow.size());
      ASSERT_EQ(history.total(), slow.total());
      ASSERT_LE(history.bytes(), options.max_bytes);
    }
  }
}

// Whoever follows page by page sees each pulse once, in order, however little they take.
TEST(TopicHistory, LosesAndRepeatsNothingForWhoFollows) {
  TopicHistory history(1000);
  std::mt19937 random(5);
  Numbers seen;
  std::uint64_t next = history.last(0, everything).next;
  for (int i = 0; i < 500; ++i) {
    for (unsigned n = random() % 4; n > 0; --n) history.append(pulse("a"));
    const auto page = history.after(next, random() % 3, everything);
    EXPECT_FALSE(page.gap);
    for (const auto& each : page.pulses) seen.push_back(each->number);
    next = page.next;
  }
  for (const auto& each : history.after(next, 1000, everything).pulses) {
    seen.push_back(each->number);
  }
  ASSERT_EQ(seen.size(), history.total());
  for (std::size_t i = 0; i < seen.size(); ++i) ASSERT_EQ(seen[i], 1000 + i);
}

}  // namespace
}  // namespace signet::routing
