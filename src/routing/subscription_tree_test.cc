#include "routing/subscription_tree.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "routing/slow_subscriptions_for_test.h"

namespace signet::routing {
namespace {

using Subscriber = SubscriptionTree::Subscriber;
using Found = std::vector<Subscriber>;

Pattern pattern(const std::string& text) {
  auto parsed = Pattern::parse(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return *std::move(parsed);
}

std::string joined(const std::vector<std::string>& segments) {
  std::string text;
  for (const std::string& segment : segments) text += (text.empty() ? "" : ".") + segment;
  return text;
}

TEST(SubscriptionTree, VisitsEverybodyWhosePatternMatches) {
  SubscriptionTree tree;
  EXPECT_TRUE(tree.add(pattern("a.b"), 1));
  EXPECT_TRUE(tree.add(pattern("a.b"), 2));
  EXPECT_TRUE(tree.add(pattern("a.*"), 3));
  EXPECT_TRUE(tree.add(pattern("a.>"), 4));
  EXPECT_TRUE(tree.add(pattern(">"), 5));
  EXPECT_TRUE(tree.add(pattern("*"), 6));
  EXPECT_TRUE(tree.add(pattern("*.b"), 7));
  EXPECT_TRUE(tree.add(pattern("a.b.*"), 8));
  EXPECT_EQ(matched(tree, "a.b"), (Found{1, 2, 3, 4, 5, 7}));
  EXPECT_EQ(matched(tree, "a"), (Found{5, 6}));
  EXPECT_EQ(matched(tree, "a.c"), (Found{3, 4, 5}));
  EXPECT_EQ(matched(tree, "a.b.c"), (Found{4, 5, 8}));
  EXPECT_EQ(matched(tree, "b.b"), (Found{5, 7}));
}

TEST(SubscriptionTree, VisitsOnceForEachPatternOfASubscriber) {
  SubscriptionTree tree;
  for (const char* text : {"a.b", "a.*", ">"}) EXPECT_TRUE(tree.add(pattern(text), 7));
  EXPECT_EQ(matched(tree, "a.b"), (Found{7, 7, 7}));
}

TEST(SubscriptionTree, SaysWhatItHasAlready) {
  SubscriptionTree tree;
  for (const char* text : {"a.b", "a.*", "a.>"}) {
    EXPECT_TRUE(tree.add(pattern(text), 1));
    EXPECT_FALSE(tree.add(pattern(text), 1));
    EXPECT_FALSE(tree.remove(pattern(text), 2));
  }
  EXPECT_EQ(tree.size(), 3u);
  EXPECT_EQ(tree.nodes(), 3u);  // the topic, `a` and `a.*`
  for (const char* text : {"a.b", "a.*", "a.>"}) {
    EXPECT_TRUE(tree.remove(pattern(text), 1));
    EXPECT_FALSE(tree.remove(pattern(text), 1));
  }
  EXPECT_EQ(tree.size(), 0u);
  EXPECT_EQ(tree.nodes(), 0u);
}

TEST(SubscriptionTree, RefusesToRemoveWhatOnlyLiesOnTheWay) {
  SubscriptionTree tree;
  EXPECT_TRUE(tree.add(pattern("a.*.c"), 1));
  for (const char* text : {"*", "a.*", "a.>", "a.*.>", "a.*.*", "a.*.c.*", "b.*", ">", "a.b.c"}) {
    EXPECT_FALSE(tree.remove(pattern(text), 1)) << text;
  }
  EXPECT_EQ(tree.nodes(), 3u);
  EXPECT_EQ(matched(tree, "a.b.c"), Found{1});
}

TEST(SubscriptionTree, VisitsNobodyForWhatIsNoTopic) {
  SubscriptionTree tree;
  for (const char* text : {">", "*", "*.>", "*.*", "a.*"}) EXPECT_TRUE(tree.add(pattern(text), 1));
  std::string deep = "a";
  for (int i = 0; i < 16; ++i) deep += ".a";
  for (const std::string& text :
       {std::string(), std::string("."), std::string("a."), std::string(".a"), std::string("a..b"),
        std::string("*"), std::string("a.*"), std::string(">"), std::string("a b"), deep,
        std::string(129, 'a'), std::string(1 << 20, '.')}) {
    EXPECT_EQ(matched(tree, text), Found{}) << text.substr(0, 40);
  }
}

// What a test chooses topics and patterns from. Few letters make beginnings collide, and wildcards
// weigh as much as letters.
struct Alphabet {
  const char* name;
  std::vector<std::string> segments;
  std::size_t max_depth;
};

class Story {
 public:
  Story(const Alphabet& alphabet, unsigned seed) : alphabet_(alphabet), random_(seed) {}

  std::size_t below(std::size_t n) {
    return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_);
  }
  Subscriber subscriber() { return static_cast<Subscriber>(below(20)); }
  std::string topic() {
    std::vector<std::string> segments(1 + below(alphabet_.max_depth));
    for (auto& segment : segments) segment = alphabet_.segments[below(alphabet_.segments.size())];
    return joined(segments);
  }
  Pattern some_pattern() {
    std::vector<std::string> segments(1 + below(alphabet_.max_depth));
    for (auto& segment : segments) {
      segment = below(3) == 0 ? "*" : alphabet_.segments[below(alphabet_.segments.size())];
    }
    if (below(4) == 0) segments.back() = ">";
    return pattern(joined(segments));
  }

 private:
  const Alphabet& alphabet_;
  std::mt19937 random_;
};

TEST(SubscriptionTree, AnswersWhatAskingEveryPatternAnswers) {
  const Alphabet alphabets[] = {
      {"one letter, deep", {"a"}, 16},
      {"two letters", {"a", "b"}, 5},
      {"beginnings of each other", {"a", "aa", "aaa", "a-"}, 4},
      {"many letters, shallow", {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}, 2},
  };
  constexpr int kOperations = 15'000;  // 120,000 over all
  for (const Alphabet& alphabet : alphabets) {
    for (const unsigned seed : {1u, 2u}) {
      SCOPED_TRACE(alphabet.name + (", seed " + std::to_string(seed)));
      Story story(alphabet, seed);
      SubscriptionTree tree;
      SlowSubscriptions slow;
      for (int i = 0; i < kOperations; ++i) {
        // Grows and shrinks in turns, so that both many and no subscriptions are met.
        const bool grows = (i / 500) % 2 == 0;
        const std::size_t turn = story.below(10);
        const Subscriber subscriber = story.subscriber();
        if (turn < (grows ? 5u : 1u)) {
          const Pattern added = story.some_pattern();
          ASSERT_EQ(tree.add(added, subscriber), slow.add(added, subscriber)) << added.text();
        } else if (turn < 6) {
          const Pattern aimed = story.some_pattern();
          ASSERT_EQ(tree.remove(aimed, subscriber), slow.remove(aimed, subscriber));
          if (slow.size() == 0) continue;
          const auto behind = slow.pairs().lower_bound({aimed, subscriber});
          const auto there = behind == slow.pairs().end() ? *slow.pairs().begin() : *behind;
          ASSERT_TRUE(slow.remove(there.first, there.second));
          ASSERT_TRUE(tree.remove(there.first, there.second)) << there.first.text();
        } else {
          const std::string topic = story.topic();
          ASSERT_EQ(matched(tree, topic), slow.match(topic)) << topic;
        }
        ASSERT_EQ(tree.size(), slow.size());
        if (i % 250 == 0) {
          ASSERT_EQ(tree.nodes(), slow.nodes());
        }
      }
    }
  }
}

// Threat row F9: a million nodes that go with their last subscriber, without a call per level or
// anything left behind.
TEST(SubscriptionTree, GivesBackAMillionNodes) {
  constexpr std::size_t kChains = 66'667;
  std::vector<Pattern> patterns;
  patterns.reserve(kChains);
  for (std::size_t i = 0; i < kChains; ++i) {
    patterns.push_back(pattern("n" + std::to_string(i) + ".*.a.b.c.d.e.f.g.h.i.j.k.l.m.>"));
  }
  SubscriptionTree tree;
  for (const Pattern& each : patterns) ASSERT_TRUE(tree.add(each, 1));
  EXPECT_EQ(tree.nodes(), kChains * 15);
  EXPECT_GE(tree.nodes(), 1'000'000u);
  EXPECT_EQ(matched(tree, "n5.x.a.b.c.d.e.f.g.h.i.j.k.l.m.n"), Found{1});
  EXPECT_LE(tree.match("n5.x.a.b.c.d.e.f.g.h.i.j.k.l.m.n", [](Subscriber) {}), 17u);
  for (const Pattern& each : patterns) ASSERT_TRUE(tree.remove(each, 1));
  EXPECT_EQ(tree.nodes(), 0u);
  EXPECT_EQ(tree.size(), 0u);
}

TEST(SubscriptionTree, FreesWhatItHasWhenItGoes) {  // seen by the leak check of the dev build
  SubscriptionTree tree;
  std::string text = "*";
  for (int i = 0; i < 15; ++i) {
    EXPECT_TRUE(tree.add(pattern(text), 1));
    text += i % 2 == 0 ? ".a" : ".*";
  }
}

// Threat row F9: what 256 subscriptions, all that one connection may hold, make a publication cost.
// No time is measured: the nodes that are looked at are counted.
TEST(SubscriptionTree, BoundsWhatWildcardsOfOneConnectionCost) {
  struct Case {
    const char* name;
    std::vector<std::string> patterns;
    std::size_t most;
  };
  std::vector<Case> cases{
      {"every choice of star and letter in the first eight", {}, 2 * 256 + 256 * 8},
      {"every choice in the last eight", {}, 8 + 2 * 256 + 2},
      {"every choice in every second", {}, 2 * 2 * 256 + 2},
      {"rests at every depth", {}, 40},
  };
  for (unsigned bits = 0; bits < 256; ++bits) {
    std::vector<std::string> first(16, "a");
    std::vector<std::string> last(16, "*");
    std::vector<std::string> second(16, "*");
    for (unsigned at = 0; at < 8; ++at) {
      const std::string segment = (bits >> at & 1u) != 0 ? "*" : "a";
      first[at] = last[at + 8] = second[2 * at] = segment;
    }
    first[15] = "*";  // all of them have a wildcard
    cases[0].patterns.push_back(joined(first));
    cases[1].patterns.push_back(joined(last));
    cases[2].patterns.push_back(joined(second));
  }
  for (std::size_t depth = 1; depth < 16; ++depth) {
    std::vector<std::string> stars(depth, "*");
    stars.push_back(">");
    cases[3].patterns.push_back(joined(stars));
  }
  const std::string topic = joined(std::vector<std::string>(16, "a"));
  for (const Case& row : cases) {
    SCOPED_TRACE(row.name);
    SubscriptionTree tree;
    for (const std::string& text : row.patterns) ASSERT_TRUE(tree.add(pattern(text), 1));
    std::size_t visits = 0;
    const std::size_t cost = tree.match(topic, [&](Subscriber) { ++visits; });
    EXPECT_EQ(visits, row.patterns.size());
    EXPECT_LE(cost, row.most);
    EXPECT_LE(cost, tree.nodes() + 2);
  }
}

// However many connections work together: each segment of a topic has two ways at most.
TEST(SubscriptionTree, BoundsWhatAllWildcardsTogetherCost) {
  SubscriptionTree tree;
  for (unsigned bits = 0; bits < 1u << 16; ++bits) {
    std::vector<std::string> segments(16);
    for (unsigned at = 0; at < 16; ++at) segments[at] = (bits >> at & 1u) != 0 ? "*" : "a";
    ASSERT_TRUE(tree.add(pattern(joined(segments)), bits));
  }
  std::size_t visits = 0;
  const std::string topic = joined(std::vector<std::string>(16, "a"));
  EXPECT_LE(tree.match(topic, [&](Subscriber) { ++visits; }), 1u << 17);
  EXPECT_EQ(visits, 1u << 16);
  EXPECT_EQ(tree.match("b", [](Subscriber) {}),
            3u);  // and a topic that none of them means is cheap
}

TEST(SubscriptionTree, FindsATopicByNameWithoutTheTree) {
  SubscriptionTree tree;
  for (Subscriber subscriber = 0; subscriber < 1000; ++subscriber) {
    ASSERT_TRUE(tree.add(pattern("mirror.intent"), subscriber));
  }
  std::size_t visits = 0;
  EXPECT_EQ(tree.match("mirror.intent", [&](Subscriber) { ++visits; }), 1u);
  EXPECT_EQ(visits, 1000u);
}

TEST(SubscriptionTree, OutlivesAChurnOfTenThousandOnOneTopic) {
  for (const char* text : {"mirror.intent", "mirror.*"}) {
    SubscriptionTree tree;
    const Pattern crowded = pattern(text);
    std::mt19937 random(7);
    Found order(10'000);
    for (Subscriber i = 0; i < order.size(); ++i) order[i] = i;
    for (int round = 0; round < 3; ++round) {
      std::shuffle(order.begin(), order.end(), random);
      for (const Subscriber subscriber : order) ASSERT_TRUE(tree.add(crowded, subscriber));
      EXPECT_EQ(matched(tree, "mirror.intent").size(), order.size());
      std::shuffle(order.begin(), order.end(), random);
      for (const Subscriber subscriber : order) ASSERT_TRUE(tree.remove(crowded, subscriber));
      EXPECT_EQ(tree.nodes(), 0u);
    }
  }
}

}  // namespace
}  // namespace signet::routing
