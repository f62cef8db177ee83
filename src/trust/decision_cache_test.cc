// The cache answers as the policy does, whatever it was asked before.
#include "trust/decision_cache.h"

#include <gtest/gtest.h>

#include <random>

#include "trust/policy_for_test.h"

namespace signet::trust {
namespace {

constexpr const char* kSegments[] = {"a", "b", "plant", "7"};
constexpr const char* kTags[] = {"red", "green", "blue"};

class Chance {
 public:
  explicit Chance(std::uint32_t seed) : random_(seed) {}
  std::size_t below(std::size_t end) { return random_() % end; }
  bool one_in(std::size_t n) { return below(n) == 0; }

  std::string topic() {
    std::string text = kSegments[below(4)];
    while (one_in(2) && text.size() < 20) text += std::string(".") + kSegments[below(4)];
    return text;
  }
  std::string pattern() {
    std::string text = topic();
    if (one_in(4)) text = "*." + text;
    if (one_in(3)) text += one_in(2) ? ".>" : ".*";
    return one_in(10) ? ">" : text;
  }
  std::string address() {
    switch (below(4)) {
      case 0:
        return "*";
      case 1:
        return "#" + topic();
      case 2:
        return std::string("tag:") + kTags[below(3)];
      default:
        return std::string(64, static_cast<char>('a' + below(3)));
    }
  }

 private:
  std::mt19937 random_;
};

PolicyRule random_rule(Chance& chance, std::size_t number) {
  const auto id = "r" + std::to_string(number);
  PolicyRule made = rule(id, !chance.one_in(3), {}, {});
  const std::size_t kind = chance.below(3);
  if (kind == 0) {
    made.actions = {Action::kPublish};
    if (chance.one_in(2)) made.actions.push_back(Action::kSubscribe);
    for (std::size_t i = chance.below(3); i > 0; --i) made.topics.emplace_back(chance.pattern());
  } else if (kind == 1) {
    made.actions = {Action::kSend};
    if (chance.one_in(2)) made.to = {AddressKind::kTag, AddressKind::kEveryone};
    if (chance.one_in(2)) made.channels.emplace_back(chance.pattern());
  } else {
    made.actions = {static_cast<Action>(chance.below(kActions))};
  }
  constexpr const char* kRoles[] = {"member", "admin", "shared", "guest", "own"};
  for (std::size_t i = chance.below(3); i > 0; --i)
    made.roles.emplace_back(kRoles[chance.below(5)]);
  if (chance.one_in(4)) made.except.emplace_back(kRoles[chance.below(5)]);
  for (std::size_t i = chance.below(2); i > 0; --i) made.tags.emplace_back(kTags[chance.below(3)]);
  if (made.allows && chance.one_in(3)) made.proof = chance.one_in(2) ? Proof::kKey : Proof::kSecret;
  return made;
}

PolicyDocument random_document(Chance& chance) {
  PolicyDocument document;
  document.roles = {role("own")};
  document.roles[0].tags = {"green"};
  for (std::size_t i = 0, end = 1 + chance.below(12); i < end; ++i) {
    document.rules.push_back(random_rule(chance, i));
  }
  return document;
}

struct Asked {
  Roles roles;
  Proof proof;
  Action action;
  std::string resource;
};

Asked random_question(Chance& chance, const Policy& policy) {
  std::vector<std::string> tags;
  for (const char* const tag : kTags) {
    if (chance.one_in(3)) tags.emplace_back(tag);
  }
  const auto proof = static_cast<Proof>(chance.below(kProofs));
  Asked asked{policy.roles_of({chance.one_in(2), chance.one_in(4), "m", "s", &tags, proof}), proof,
              static_cast<Action>(chance.below(kActions)), chance.topic()};
  if (asked.action == Action::kSend) asked.resource = chance.address();
  return asked;
}

TEST(DecisionCache, AnswersAsThePolicy) {
  const std::uint32_t seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  Chance chance(seed);
  std::size_t allowed = 0;
  std::size_t denied_by_rule = 0;
  constexpr int kPolicies = 100;
  constexpr int kQuestions = 1'200;
  for (int i = 0; i < kPolicies; ++i) {
    const auto policy = compiled(random_document(chance));
    // Small ones are emptied all the time, the others hit most of the time.
    const std::size_t entries = i % 3 == 0 ? chance.below(4) : 100'000;
    DecisionCache cache(policy, {entries, chance.one_in(2) ? 256U : 5U});
    for (int j = 0; j < kQuestions; ++j) {
      const Asked asked = random_question(chance, *policy);
      const Decision want = policy->decide(asked.roles, asked.proof, asked.action, asked.resource);
      const Decision& got = cache.decide(asked.roles, asked.proof, asked.action, asked.resource);
      ASSERT_EQ(got, want) << name_of(asked.action) << " on " << asked.resource;
      ASSERT_LE(cache.size(), entries);
      allowed += want.allowed ? 1U : 0U;
      denied_by_rule += want.by_deny_rule ? 1U : 0U;
    }
  }
  EXPECT_GT(allowed, 1'000U);  // else the test looks at nothing
  EXPECT_GT(denied_by_rule, 1'000U);
}

TEST(DecisionCache, KeepsEveryPartOfTheQuestionApart) {
  PolicyDocument document;
  document.rules = {allow("member", {Action::kPublish}, {"member"}),
                    allow("strong", {Action::kSubscribe}, {"member"})};
  document.rules[0].topics = {"a"};
  document.rules[1].proof = Proof::kKey;
  DecisionCache cache(compiled(std::move(document)));
  EXPECT_TRUE(cache.decide(kMemberRole, Proof::kKey, Action::kPublish, "a").allowed);
  EXPECT_FALSE(cache.decide(kMemberRole, Proof::kKey, Action::kPublish, "b").allowed);
  EXPECT_FALSE(cache.decide(kGuestRole, Proof::kKey, Action::kPublish, "a").allowed);
  EXPECT_FALSE(cache.decide(kMemberRole, Proof::kKey, Action::kSend, "a").allowed);
  EXPECT_TRUE(cache.decide(kMemberRole, Proof::kKey, Action::kSubscribe, "a").allowed);
  EXPECT_FALSE(cache.decide(kMemberRole, Proof::kSecret, Action::kSubscribe, "a").allowed);
  EXPECT_EQ(cache.size(), 6U);
}

TEST(DecisionCache, IsEmptiedWhenItIsFull) {
  PolicyDocument document;
  document.rules = {allow("all", {Action::kPublish}, {})};
  DecisionCache cache(compiled(std::move(document)), {3, 256});
  for (const char* const topic : {"a", "b", "c", "a"}) {
    EXPECT_TRUE(cache.decide(0, Proof::kNone, Action::kPublish, topic).allowed);
  }
  EXPECT_EQ(cache.size(), 3U);
  EXPECT_TRUE(cache.decide(0, Proof::kNone, Action::kPublish, "d").allowed);
  EXPECT_EQ(cache.size(), 1U);
}

TEST(DecisionCache, KeepsNoLongNames) {
  PolicyDocument document;
  document.rules = {allow("all", {Action::kPublish}, {})};
  DecisionCache cache(compiled(std::move(document)), {3, 4});
  EXPECT_TRUE(cache.decide(0, Proof::kNone, Action::kPublish, "abcde").allowed);
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_TRUE(cache.decide(0, Proof::kNone, Action::kPublish, "abcd").allowed);
  EXPECT_EQ(cache.size(), 1U);
}

}  // namespace
}  // namespace signet::trust
