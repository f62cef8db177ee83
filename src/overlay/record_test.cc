#include "overlay/record.h"

#include <gtest/gtest.h>

#include <random>

namespace signet::overlay {
namespace {

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::uint64_t number() { return engine_(); }
  template <class T>
  T whole() {
    return static_cast<T>(engine_());
  }
  bool coin() { return engine_() % 2 == 0; }
  std::string text(std::size_t longest = 20) {
    std::string made(engine_() % (longest + 1), '\0');
    for (char& c : made) c = static_cast<char>(engine_());
    return made;
  }
  Score score() { return {static_cast<std::int32_t>(engine_() % (Score::kOne + 1))}; }
  template <std::size_t N>
  std::array<unsigned char, N> bytes() {
    std::array<unsigned char, N> made{};
    for (unsigned char& c : made) c = static_cast<unsigned char>(engine_());
    return made;
  }
  WallTime time() { return {whole<std::int64_t>()}; }

 private:
  std::mt19937_64 engine_;
};

Node random_node(Random& random) {
  Node node;
  node.name = "node-" + std::to_string(random.number() % 1'000);
  node.member = {random.whole<std::int64_t>()};
  if (random.coin()) node.key = crypto::PublicKey{random.bytes<32>()};
  if (random.coin()) node.wireguard = random.bytes<32>();
  node.endpoint = random.text();
  node.address = random.whole<std::uint32_t>();
  node.sequence = random.number();
  node.newest = random.time();
  if (random.coin()) node.fresh_key = random.bytes<32>();
  for (std::size_t i = random.number() % (kMaxSuites + 1); i > 0; --i) {
    const std::string suite = random.text();
    node.reports[suite] = {suite, random.score(), random.time()};
  }
  node.trend = {random.whole<std::uint32_t>(),
                random.time(),
                random.score(),
                random.score(),
                random.whole<std::uint32_t>(),
                random.whole<std::int64_t>(),
                random.whole<std::int64_t>(),
                random.whole<std::uint32_t>()};
  node.signals = {random.whole<std::uint32_t>(), random.whole<std::uint32_t>(),
                  random.whole<std::uint32_t>()};
  node.verdict = static_cast<Verdict>(random.number() % 3);
  node.reason = random.text(60);
  node.verdict_since = random.number();
  node.first_epoch = random.number();
  node.denied_by_rule = random.coin();
  node.claimed = random.time();
  node.brought_by = random.text();
  for (std::size_t i = random.number() % 4; i > 0; --i) {
    node.former.push_back({random.whole<std::int64_t>()});
  }
  if (random.coin()) node.namesake_was = static_cast<membership::Standing>(random.number() % 5);
  return node;
}

TEST(Record, NodesAreReadAsTheyWereWritten) {
  Random random(7);
  for (int i = 0; i < 2'000; ++i) {
    const Node node = random_node(random);
    const auto read = decode_node(encode(node));
    ASSERT_TRUE(read.has_value()) << i;
    ASSERT_TRUE(*read == node) << i;
  }
}

// What daemons of before wrote: the same without the fields behind it, under layouts 3, 2 and 1.
TEST(Record, NodesOfTheLayoutsBeforeAreRead) {
  Random random(9);
  for (int i = 0; i < 200; ++i) {
    Node node = random_node(random);
    node.namesake_was.reset();
    std::string bytes = encode(node);
    constexpr std::size_t kNamesake = 8;  // that there is none
    bytes.resize(bytes.size() - kNamesake);
    EXPECT_FALSE(decode_node(bytes).has_value()) << "layout 4 has it";
    bytes[0] = 3;
    const auto third = decode_node(bytes);
    ASSERT_TRUE(third.has_value()) << i;
    ASSERT_TRUE(*third == node) << i;

    node.former.clear();
    bytes = encode(node);
    constexpr std::size_t kSuccession = 8;  // the number of none
    bytes.resize(bytes.size() - kNamesake - kSuccession);
    bytes[0] = 3;
    EXPECT_FALSE(decode_node(bytes).has_value()) << "layout 3 has it";
    bytes[0] = 2;
    const auto second = decode_node(bytes);
    ASSERT_TRUE(second.has_value()) << i;
    ASSERT_TRUE(*second == node) << i;

    node.claimed = {};
    node.brought_by.clear();
    bytes = encode(node);
    constexpr std::size_t kClaim = 16;  // a time, and the length of an empty text
    bytes.resize(bytes.size() - kNamesake - kSuccession - kClaim);
    bytes[0] = 2;
    EXPECT_FALSE(decode_node(bytes).has_value()) << "layout 2 has both";
    bytes[0] = 1;
    const auto first = decode_node(bytes);
    ASSERT_TRUE(first.has_value()) << i;
    ASSERT_TRUE(*first == node) << i;
    for (const char layout : {'\x00', '\x05'}) {
      bytes[0] = layout;
      EXPECT_FALSE(decode_node(bytes).has_value()) << "nobody wrote such a layout";
    }
  }
}

TEST(Record, JudgementsOfTheLayoutsBeforeAreRead) {
  Random random(10);
  for (int i = 0; i < 200; ++i) {
    Judgement judged;
    judged.node = random_node(random);
    judged.epoch = random.number();
    judged.reason = random.text();
    const auto same = decode_judgement(encode(judged));
    ASSERT_TRUE(same.has_value()) << i;
    ASSERT_TRUE(*same == judged) << i;
    judged.node.namesake_was.reset();
    std::string bytes = encode(judged);
    constexpr std::size_t kNamesake = 8;  // that there is none
    bytes.resize(bytes.size() - kNamesake);
    EXPECT_FALSE(decode_judgement(bytes).has_value()) << "layout 3 has it";
    bytes[0] = 2;
    const auto second = decode_judgement(bytes);
    ASSERT_TRUE(second.has_value()) << i;
    ASSERT_TRUE(*second == judged) << i;
    judged.node.former.clear();
    bytes = encode(judged);
    constexpr std::size_t kSuccession = 8;  // the number of none
    bytes.resize(bytes.size() - kNamesake - kSuccession);
    bytes[0] = 2;
    EXPECT_FALSE(decode_judgement(bytes).has_value()) << "layout 2 has it";
    bytes[0] = 1;
    const auto read = decode_judgement(bytes);
    ASSERT_TRUE(read.has_value()) << i;
    ASSERT_TRUE(*read == judged) << i;
    bytes[0] = 4;
    EXPECT_FALSE(decode_judgement(bytes).has_value()) << "nobody wrote such a layout";
  }
}

TEST(Record, EpochsAndRulesAreReadAsTheyWereWritten) {
  Random random(8);
  for (int i = 0; i < 2'000; ++i) {
    EpochState state;
    state.decided = 3 + random.number() % 1'000'000;
    state.decided_at = random.time();
    state.skipped = random.number();
    state.boundary = random.time();
    state.phase = static_cast<KeyPhase>(random.number() % 4);
    state.current = state.decided - 1;
    if (state.phase != KeyPhase::kSteady) {
      state.other = state.phase == KeyPhase::kGrace ? state.decided - 2 : state.decided;
    }
    state.moment = random.time();
    state.waited = random.whole<std::uint32_t>();
    const auto read = decode_epoch_state(encode(state));
    ASSERT_TRUE(read.has_value());
    ASSERT_TRUE(*read == state);

    RuleParameters rule;
    rule.version = random.whole<std::uint32_t>();
    rule.threshold = random.score();
    rule.max_age = std::chrono::milliseconds(random.whole<std::int32_t>());
    rule.smoothing_permille = random.whole<std::int32_t>();
    rule.return_threshold = random.score();
    rule.dwell_epochs = random.whole<std::uint32_t>();
    rule.probation_epochs = random.whole<std::uint32_t>();
    rule.decay_permille = random.whole<std::int32_t>();
    for (std::size_t n = random.number() % 4; n > 0; --n) {
      rule.weights[random.text()] = random.whole<std::uint32_t>();
      rule.listed.insert(random.text());
    }
    rule.only_listed = random.coin();
    rule.drift_samples = random.whole<std::uint32_t>();
    rule.drift_slack = random.score();
    rule.drift_limit = random.score();
    rule.per_failed_proof = random.score();
    rule.per_replay = random.score();
    rule.per_lost_lease = random.score();
    const auto same = decode_rule(encode(rule));
    ASSERT_TRUE(same.has_value());
    ASSERT_TRUE(*same == rule);
  }
}

// Of damaged bytes nothing is believed that would not be written so.
TEST(Record, DamagedBytesAreRefusedOrAreAnotherRecord) {
  Random random(9);
  for (int i = 0; i < 300; ++i) {
    const std::string bytes = encode(random_node(random));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      ASSERT_FALSE(decode_node(std::string_view(bytes).substr(0, size))) << "cut at " << size;
    }
    EXPECT_FALSE(decode_node(bytes + '\0'));
    for (int n = 0; n < 200; ++n) {
      std::string damaged = bytes;
      damaged[random.number() % damaged.size()] = static_cast<char>(random.number());
      const auto read = decode_node(damaged);
      if (read) {
        ASSERT_EQ(encode(*read), damaged);
      }
    }
  }
}

TEST(Record, AnotherLayoutIsNotGuessedAt) {
  Node node;
  node.name = "a";
  for (std::string bytes : {encode(node), encode(EpochState{}), encode(RuleParameters{})}) {
    bytes[0] = 5;
    EXPECT_FALSE(decode_node(bytes));
    EXPECT_FALSE(decode_epoch_state(bytes));
    EXPECT_FALSE(decode_rule(bytes));
  }
}

}  // namespace
}  // namespace signet::overlay
