#include "controller/overlay_entries.h"

#include <gtest/gtest.h>

namespace signet::controller {
namespace {

using audit::Draft;
using audit::Event;
using overlay::Judgement;
using overlay::Verdict;

const audit::Pseudonyms& names_of_entries() {
  static const audit::Pseudonyms known(std::string(32, 'k'));
  return known;
}

Judgement judged_node(std::int64_t member, Verdict before, Verdict after,
                      const std::string& reason) {
  Judgement judged;
  judged.node.name = "node-" + std::to_string(member);
  judged.node.member = {member};
  judged.node.verdict = before;
  judged.epoch = 9;
  judged.rule = 3;
  judged.verdict = after;
  judged.because = after == Verdict::kAllowed ? overlay::Because::kGood : overlay::Because::kTooOld;
  judged.reason = reason;
  return judged;
}

std::map<std::string, Judgement> three_nodes() {
  std::map<std::string, Judgement> all;
  for (const Judgement& each :
       {judged_node(1, Verdict::kUnknown, Verdict::kAllowed, "score 0.92 >= 0.70, fresh"),
        judged_node(2, Verdict::kAllowed, Verdict::kAllowed, "score 0.80 >= 0.70, fresh"),
        judged_node(3, Verdict::kAllowed, Verdict::kDenied, "benchmark too old (130s > 120s)")}) {
    all.emplace(each.node.name, each);
  }
  return all;
}

TEST(EntriesOfEpoch, AreOneOfTheEpochAndOneOfEachVerdictThatChanged) {
  const std::vector<Draft> drafts = entries_of_epoch({4}, names_of_entries(), three_nodes());
  ASSERT_EQ(drafts.size(), 3U);
  EXPECT_EQ(drafts[0].event, Event::kEpochDecided);
  EXPECT_EQ(drafts[0].code, "epoch:9.rule:3.allowed:2.denied:1");
  EXPECT_TRUE(drafts[0].hash);
  EXPECT_EQ(drafts[1].event, Event::kVerdictChanged);
  EXPECT_EQ(drafts[1].code, "allowed.good");
  EXPECT_EQ(drafts[1].subject, names_of_entries().of_member({1}));
  EXPECT_EQ(drafts[2].code, "denied.too_old");
  EXPECT_EQ(drafts[2].subject, names_of_entries().of_member({3}));
  for (const Draft& draft : drafts) {
    EXPECT_EQ(draft.mesh, MeshNumber{4});
    EXPECT_EQ(draft.by, "rule");
    const std::string line = audit::encode({1, {0}, draft});
    EXPECT_TRUE(audit::parse_entry(line).ok()) << line;
    EXPECT_EQ(line.find("invalid"), std::string::npos) << line;
    EXPECT_EQ(line.find("node-"), std::string::npos) << line;
    EXPECT_EQ(line.find("0.92"), std::string::npos) << line;
  }
}

TEST(EntriesOfEpoch, NoNodesAreNoEntry) {
  EXPECT_TRUE(entries_of_epoch({4}, names_of_entries(), {}).empty());
}

TEST(EntriesOfEpoch, TheHashIsOfEachDecisionAndKeyed) {
  const auto hash = [](const std::map<std::string, Judgement>& all,
                       const audit::Pseudonyms& pseudonyms) {
    return *entries_of_epoch({4}, pseudonyms, all).front().hash;
  };
  const auto first = hash(three_nodes(), names_of_entries());
  EXPECT_EQ(first, hash(three_nodes(), names_of_entries()));
  auto other = three_nodes();
  other.begin()->second.reason = "score 0.93 >= 0.70, fresh";
  EXPECT_NE(first, hash(other, names_of_entries())) << "a score";
  other = three_nodes();
  other.begin()->second.verdict = Verdict::kDenied;
  EXPECT_NE(first, hash(other, names_of_entries())) << "a verdict";
  other = three_nodes();
  other.erase("node-2");
  EXPECT_NE(first, hash(other, names_of_entries())) << "a node";
  EXPECT_NE(first, hash(three_nodes(), audit::Pseudonyms(std::string(32, 'o'))))
      << "nobody without the key guesses scores until it fits";
}

TEST(EntriesOfEpoch, WhatWasHeldBackSaysSo) {
  auto all = three_nodes();
  Judgement& kept = all.find("node-1")->second;
  kept.because = overlay::Because::kBelow;
  kept.kept_because = "denial held for operators";
  EXPECT_EQ(entries_of_epoch({4}, names_of_entries(), all)[1].code, "allowed.below.kept");
}

TEST(EntryOfANode, NamesItsMemberByPseudonymAndItsKeyByHash) {
  overlay::Node node;
  node.name = "node-a";
  node.member = {7};
  const Draft plain = entry_of_registration({4}, names_of_entries(), node);
  EXPECT_EQ(plain.event, Event::kNodeRegistered);
  EXPECT_EQ(plain.code, "unsigned");
  EXPECT_FALSE(plain.hash);
  node.key = crypto::SecretKey::from_seed({1}).public_key();
  node.wireguard = overlay::WireGuardKey{9};
  const Draft ours = entry_of_registration({4}, names_of_entries(), node);
  EXPECT_EQ(ours.code, "");
  EXPECT_EQ(ours.by, "node");
  EXPECT_TRUE(ours.hash);
  const Draft gone = entry_of_forgetting({4}, names_of_entries(), node);
  EXPECT_EQ(gone.event, Event::kNodeForgotten);
  EXPECT_EQ(gone.by, "operator");
  for (const Draft& draft : {plain, ours, gone}) {
    EXPECT_EQ(draft.subject, names_of_entries().of_member({7}));
    EXPECT_EQ(audit::encode({1, {0}, draft}).find("node-a"), std::string::npos);
  }
}

}  // namespace
}  // namespace signet::controller
