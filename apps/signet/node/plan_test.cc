#include "signet/node/plan.h"

#include <gtest/gtest.h>

#include "overlay/epoch_keys.h"
#include "signet/node/fake_controller_for_test.h"

namespace signet::node {
namespace {

using overlay::KeyOffer;

constexpr WallTime kNow{1'700'000'000'000};

KeptState state_of(KeyOffer offer, std::uint64_t in_use,
                   const std::vector<unsigned char>& peers = {7, 8}) {
  KeptState state = test_state();
  state.allowed = true;
  state.epoch = 5;
  state.offer = offer;
  state.in_use = in_use;
  state.address = kTestNetwork + 2;
  state.bits = 24;
  state.texts.push_back({offer.current, text_of_epoch(offer.current, peers)});
  for (const auto& epoch : {offer.next, offer.previous}) {
    if (epoch) state.texts.push_back({*epoch, text_of_epoch(*epoch, peers)});
  }
  return state;
}

OpenedAnswer answer_of(KeyOffer offer, const std::vector<unsigned char>& peers = {7, 8}) {
  OpenedAnswer answer;
  answer.config.node = "node-a";
  answer.config.epoch = 6;
  answer.config.allowed = true;
  answer.config.reason = "fine";
  answer.config.keys.emplace();
  answer.config.keys->offer = offer;
  answer.texts.push_back({offer.current, text_of_epoch(offer.current, peers)});
  for (const auto& epoch : {offer.next, offer.previous}) {
    if (epoch) answer.texts.push_back({*epoch, text_of_epoch(*epoch, peers)});
  }
  answer.fresh_key = 0;
  return answer;
}

Plan planned(const KeptState& kept, const OpenedAnswer* answer = nullptr, WallTime now = kNow,
             const std::set<overlay::WireGuardKey>& failing = {}) {
  return plan(kept, {answer, now, failing});
}

std::string text_of_state(const KeptState& state) { return std::string(write_kept(state).text()); }

TEST(Plan, EachFaultOfAnAnswerLeavesTheLastGood) {
  const KeptState kept = [] {
    KeptState state = state_of({7, 8, {}, {}}, 8);
    state.revocations.serial = 3;
    return state;
  }();
  const auto changed = [](const std::function<void(OpenedAnswer&)>& change) {
    OpenedAnswer answer = answer_of({8, {}, {}, {}});
    answer.config.revocations = 3;
    change(answer);
    return answer;
  };
  // clang-format off
  const struct { AnswerFault fault; std::function<void(OpenedAnswer&)> change; } rows[] = {
      {AnswerFault::kOtherNode, [](OpenedAnswer& a) { a.config.node = "node-b"; }},
      {AnswerFault::kOlderRevocations, [](OpenedAnswer& a) { a.config.revocations = 2; }},
      {AnswerFault::kOlderRevocations, [](OpenedAnswer& a) { a.config.revocations = 2; a.config.allowed = false; }},
      {AnswerFault::kOlderEpoch, [](OpenedAnswer& a) { a.config.epoch = 4; }},
      {AnswerFault::kOlderKeys, [](OpenedAnswer& a) { a = answer_of({7, {}, {}, {}}); a.config.revocations = 3; }},
  };
  // clang-format on
  for (const auto& row : rows) {
    const OpenedAnswer answer = changed(row.change);
    const Plan made = planned(kept, &answer);
    SCOPED_TRACE(name_of(row.fault));
    EXPECT_EQ(made.fault, row.fault);
    EXPECT_FALSE(made.changed);
    EXPECT_EQ(text_of_state(made.kept), text_of_state(kept));
    EXPECT_EQ(made.wanted, Wanted::kPeers);
    EXPECT_EQ(epoch_of_keys(made.config), 8U);
  }
}

// The verdict is taken; the keys that can't be are not.
TEST(Plan, KeysThatAreNotWholeAreNotTaken) {
  const KeptState kept = state_of({7, {}, {}, {}}, 7);
  const auto with = [](const std::function<void(OpenedAnswer&)>& change) {
    OpenedAnswer answer = answer_of({8, 9, {}, {}});
    change(answer);
    return answer;
  };
  // clang-format off
  const struct { AnswerFault fault; std::function<void(OpenedAnswer&)> change; } rows[] = {
      {AnswerFault::kNotOpened, [](OpenedAnswer& a) { a.texts.clear(); a.unopened = 2; }},
      {AnswerFault::kNotOpened, [](OpenedAnswer& a) { a.texts.pop_back(); a.unopened = 1; }},
      {AnswerFault::kIncomplete, [](OpenedAnswer& a) { a.texts.pop_back(); }},
      {AnswerFault::kIncomplete, [](OpenedAnswer& a) { a.texts.clear(); }},
      {AnswerFault::kIncomplete, [](OpenedAnswer& a) { a.texts.back().epoch = 10; }},
      {AnswerFault::kIncomplete, [](OpenedAnswer& a) { a.texts.back().epoch = 8; }},
      {AnswerFault::kIncomplete, [](OpenedAnswer& a) { a.config.keys->offer.next = 8; a.texts.back().epoch = 8; }},
      {AnswerFault::kBroken, [](OpenedAnswer& a) { a.broken = true; }},
  };
  // clang-format on
  for (const auto& row : rows) {
    const OpenedAnswer answer = with(row.change);
    const Plan made = planned(kept, &answer);
    SCOPED_TRACE(name_of(row.fault));
    EXPECT_EQ(made.fault, row.fault);
    EXPECT_EQ(made.kept.offer, kept.offer);
    EXPECT_EQ(made.kept.texts.size(), 1U);
    EXPECT_EQ(epoch_of_keys(made.config), 7U);
    EXPECT_EQ(keys_said(made.kept, 7).ready, std::nullopt);
  }
}

TEST(Plan, WhoIsDeniedHasNoPeersAndNoKeys) {
  const KeptState kept = state_of({7, 8, {}, {}}, 7);
  OpenedAnswer answer = answer_of({8, {}, {}, {}});
  answer.config.allowed = false;
  answer.config.keys.reset();
  answer.texts.clear();
  const Plan made = planned(kept, &answer);
  EXPECT_EQ(made.fault, AnswerFault::kNone);
  EXPECT_EQ(made.wanted, Wanted::kNoPeers);
  EXPECT_TRUE(made.config.peers.empty());
  EXPECT_FALSE(made.config.private_key.empty());
  EXPECT_TRUE(made.kept.texts.empty());
  EXPECT_EQ(made.kept.in_use, 7U) << "and goes back behind nothing";
  EXPECT_EQ(keys_said(made.kept, 7), dialects::NodeKeysSaid{});
  // So it is after a restart, too.
  EXPECT_EQ(planned(made.kept).wanted, Wanted::kNoPeers);
  const OpenedAnswer old = answer_of({6, {}, {}, {}});
  EXPECT_EQ(planned(made.kept, &old).fault, AnswerFault::kOlderKeys);
}

TEST(Plan, NoDecisionTakesNothingBack) {
  OpenedAnswer answer = answer_of({8, {}, {}, {}});
  answer.config.allowed.reset();
  answer.config.keys.reset();
  const KeptState kept = state_of({7, {}, {}, {}}, 7);
  const Plan made = planned(kept, &answer);
  EXPECT_EQ(made.wanted, Wanted::kPeers);
  EXPECT_EQ(made.config.peers.size(), 2U);
  const Plan fresh = planned(test_state(), &answer);
  EXPECT_EQ(fresh.wanted, Wanted::kNothing);
  KeptState denied = test_state();
  denied.allowed = false;
  EXPECT_EQ(planned(denied, &answer).wanted, Wanted::kNoPeers);
}

// What nobody decided must not be what all that is decided later is older than.
TEST(Plan, AnEpochWithoutAVerdictBindsNobody) {
  const KeptState kept = state_of({7, {}, {}, {}}, 7);
  OpenedAnswer bad = answer_of({7, {}, {}, {}});
  bad.config.epoch = 1ULL << 60U;
  bad.config.allowed.reset();
  bad.config.keys.reset();
  const Plan made = planned(kept, &bad);
  EXPECT_EQ(made.fault, AnswerFault::kNone);
  EXPECT_FALSE(made.changed);
  EXPECT_EQ(made.kept.epoch, 5U);
  const OpenedAnswer good = answer_of({8, {}, {}, {}});
  const Plan later = planned(made.kept, &good);
  EXPECT_EQ(later.fault, AnswerFault::kNone);
  EXPECT_EQ(later.kept.epoch, 6U);
  EXPECT_EQ(epoch_of_keys(later.config), 8U);
}

TEST(Plan, ADenialIsObeyedHoweverOldItsEpochIs) {
  KeptState kept = state_of({7, 8, {}, {}}, 7);
  kept.revocations.serial = 3;
  OpenedAnswer answer = answer_of({7, {}, {}, {}});
  answer.config.epoch = 2;
  answer.config.revocations = 3;
  answer.config.allowed = false;
  answer.config.keys.reset();
  answer.texts.clear();
  const Plan made = planned(kept, &answer);
  EXPECT_EQ(made.fault, AnswerFault::kNone);
  EXPECT_TRUE(made.is_older_denial);
  EXPECT_EQ(made.wanted, Wanted::kNoPeers);
  EXPECT_TRUE(made.kept.texts.empty());
  EXPECT_EQ(made.kept.epoch, 5U) << "and nothing of before is taken for new";
  EXPECT_EQ(made.kept.in_use, 7U);
  // It lets nobody back in: an older yes stays an older answer.
  OpenedAnswer back = answer_of({8, {}, {}, {}});
  back.config.epoch = 3;
  back.config.revocations = 3;
  EXPECT_EQ(planned(made.kept, &back).fault, AnswerFault::kOlderEpoch);
  EXPECT_EQ(planned(made.kept, &back).wanted, Wanted::kNoPeers);
  back.config.epoch = 6;
  EXPECT_EQ(planned(made.kept, &back).wanted, Wanted::kPeers);
  // One in its order is none of these.
  answer.config.epoch = 5;
  EXPECT_FALSE(planned(kept, &answer).is_older_denial);
}

TEST(Plan, FollowsAChangeOfKeysThroughAllItsPhases) {
  KeptState kept = test_state();
  const auto step = [&](const KeyOffer& offer, WallTime now) {
    const OpenedAnswer answer = answer_of(offer);
    Plan made = planned(kept, &answer, now);
    EXPECT_EQ(made.fault, AnswerFault::kNone);
    kept = copy_of(made.kept);
    return made;
  };
  EXPECT_EQ(epoch_of_keys(step({7, {}, {}, {}}, kNow).config), 7U);
  EXPECT_EQ(epoch_of_keys(step({7, 8, {}, {}}, kNow).config), 7U);
  EXPECT_EQ(keys_said(kept, 7), (dialects::NodeKeysSaid{8, 7}));
  const WallTime moment{kNow.ms + 3'000};
  const Plan named = step({7, 8, moment, {}}, kNow);
  EXPECT_EQ(named.again, moment);
  EXPECT_EQ(epoch_of_keys(named.config), 7U);
  // The moment comes without an answer.
  const Plan switched = planned(kept, nullptr, moment);
  EXPECT_TRUE(switched.changed);
  EXPECT_EQ(epoch_of_keys(switched.config), 8U);
  EXPECT_EQ(switched.again, std::nullopt);
  kept = copy_of(switched.kept);
  EXPECT_EQ(kept.in_use, 8U);
  // A clock that is set back changes nothing.
  EXPECT_EQ(epoch_of_keys(planned(kept, nullptr, kNow).config), 8U);
  EXPECT_EQ(keys_said(kept, 8), (dialects::NodeKeysSaid{8, 8}));
  EXPECT_EQ(epoch_of_keys(step({8, {}, {}, 7}, moment).config), 8U);
  step({8, {}, {}, {}}, moment);
  EXPECT_EQ(kept.texts.size(), 1U) << "keys that no offer names are gone";
  EXPECT_EQ(keys_said(kept, 8), (dialects::NodeKeysSaid{{}, 8}));
}

TEST(Plan, OnlyWhatWasAppliedIsSaidToBeUsed) {
  const KeptState kept = state_of({7, 8, {}, {}}, 8);
  EXPECT_EQ(keys_said(kept, 0).uses, std::nullopt);
  EXPECT_EQ(keys_said(kept, 7).uses, 7U);
  EXPECT_EQ(keys_said(kept, 6).uses, std::nullopt) << "of keys that are gone nothing is said";
}

TEST(Plan, ARevokedPeerIsNeverConfiguredAgain) {
  KeptState kept = state_of({7, {}, {}, {}}, 7);
  kept.revocations = {3, test_key(9).public_key(), {test_wireguard(8)}};
  OpenedAnswer answer = answer_of({7, {}, {}, {}});
  answer.config.revocations = 4;
  const Plan made = planned(kept, &answer);
  ASSERT_EQ(made.config.peers.size(), 1U);
  EXPECT_EQ(made.config.peers.front().key, test_wireguard(7));
}

TEST(Plan, ItselfIsNoPeer) {
  KeptState kept = test_state();
  OpenedAnswer answer = answer_of({7, {}, {}, {}});
  overlay::WireGuardConfig config;
  config.address = kTestNetwork + 2;
  overlay::WireGuardPeer peer;
  peer.key = wireguard_key_of(kept.wireguard);
  peer.allowed_ip = kTestNetwork + 3;
  config.peers.push_back(std::move(peer));
  answer.texts.front().text = *overlay::write(config, overlay::WireGuardForm::kQuick);
  EXPECT_TRUE(planned(kept, &answer).config.peers.empty());
}

// In the second trial of four who has yet to switch tries the next key; in the fourth who has.
TEST(Plan, APeerThatFailsIsTriedUnderTheOtherKey) {
  const KeptState waits = state_of({7, 8, {}, {}}, 7);
  const KeptState switched = state_of({8, {}, {}, 7}, 8);
  const auto epochs = [](const KeptState& kept) {
    std::string all;
    for (std::int64_t trial = 0; trial < 4; ++trial) {
      const WallTime now{(kNow.ms / 40'000) * 40'000 + trial * overlay::kTrial.count()};
      const Plan made = planned(kept, nullptr, now, {test_wireguard(8)});
      EXPECT_EQ(made.config.peers[0].preshared.data()[0], kept.in_use) << "the other one is fine";
      EXPECT_EQ(made.again, WallTime{now.ms + overlay::kTrial.count()});
      all += std::to_string(made.config.peers[1].preshared.data()[0]);
    }
    return all;
  };
  EXPECT_EQ(epochs(waits), "7877");
  EXPECT_EQ(epochs(switched), "8887");
}

TEST(Plan, APeerThatOneTextHasIsConfiguredByThatOne) {
  KeptState kept = state_of({7, 8, {}, {}}, 7);
  kept.texts[0].text = text_of_epoch(7, {7});
  kept.texts[1].text = text_of_epoch(8, {7, 9});
  const Plan made = planned(kept);
  ASSERT_EQ(made.config.peers.size(), 2U);
  EXPECT_EQ(made.config.peers[0].preshared.data()[0], 7);
  EXPECT_EQ(made.config.peers[1].key, test_wireguard(9));
  EXPECT_EQ(made.config.peers[1].preshared.data()[0], 8);
}

TEST(Plan, PutsInWhatIsTheNodesOwn) {
  const KeptState kept = state_of({7, {}, {}, {}}, 7);
  const Plan made = planned(kept);
  EXPECT_EQ(made.config.private_key.text(), kept.wireguard.text());
  EXPECT_EQ(made.config.listen_port, 51'999);
  EXPECT_EQ(made.config.address, kTestNetwork + 2);
  EXPECT_EQ(made.config.bits, 24);
}

// ---- boxes

dialects::OverlayConfig sealed_to(const crypto::FreshKeyPair& to, std::uint64_t epoch,
                                  std::string_view text) {
  dialects::OverlayConfig config;
  config.node = "node-a";
  config.keys.emplace();
  config.keys->offer.current = epoch;
  auto box = crypto::seal_to_fresh(to.public_key(),
                                   overlay::delivery_context(kTestMesh, "node-a", epoch), text);
  config.keys->sealed.push_back({epoch, *std::move(box)});
  return config;
}

TEST(OpenAnswer, OpensUnderTheOlderKeyAsWell) {
  std::deque<crypto::FreshKeyPair> fresh;
  fresh.push_back(crypto::FreshKeyPair::generate());
  fresh.push_back(crypto::FreshKeyPair::generate());
  const auto text = text_of_epoch(7, {7});
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    const auto opened = open_answer(sealed_to(fresh[i], 7, text.text()), kTestMesh, fresh);
    ASSERT_EQ(opened.texts.size(), 1U);
    EXPECT_EQ(opened.fresh_key, i);
    EXPECT_EQ(opened.texts.front().text.text(), text.text());
  }
  const auto other = crypto::FreshKeyPair::generate();
  const auto closed = open_answer(sealed_to(other, 7, text.text()), kTestMesh, fresh);
  EXPECT_EQ(closed.unopened, 1U);
  EXPECT_TRUE(closed.texts.empty());
  EXPECT_EQ(closed.fresh_key, std::nullopt);
  EXPECT_EQ(open_answer(sealed_to(fresh[0], 7, text.text()), "mesh-2", fresh).unopened, 1U);
}

TEST(OpenAnswer, WhatIsNoConfigurationIsNotHandedOn) {
  std::deque<crypto::FreshKeyPair> fresh;
  fresh.push_back(crypto::FreshKeyPair::generate());
  for (const char* text :
       {"", "[Interface]\nAddress = 10.10.0.2/24\nPostUp = rm -rf /\n", "hello", "[Peer]\n"}) {
    const auto opened = open_answer(sealed_to(fresh[0], 7, text), kTestMesh, fresh);
    EXPECT_TRUE(opened.broken) << text;
    EXPECT_TRUE(opened.texts.empty()) << text;
  }
}

TEST(OpenAnswer, APrivateKeyOfOthersIsLeftOut) {
  std::deque<crypto::FreshKeyPair> fresh;
  fresh.push_back(crypto::FreshKeyPair::generate());
  overlay::WireGuardConfig config;
  config.address = kTestNetwork + 2;
  config.private_key = new_wireguard_secret();
  const auto text = overlay::write(config, overlay::WireGuardForm::kQuick);
  const auto opened = open_answer(sealed_to(fresh[0], 7, text->text()), kTestMesh, fresh);
  ASSERT_EQ(opened.texts.size(), 1U);
  EXPECT_EQ(opened.texts.front().text.text().find("PrivateKey"), std::string_view::npos);
}

// ---- revocations

dialects::RevocationList list_of(std::uint64_t serial, unsigned char signer,
                                 const std::vector<unsigned char>& keys) {
  dialects::RevocationList list;
  list.mesh = kTestMesh;
  list.serial = serial;
  for (const unsigned char fill : keys) {
    dialects::Revocation each;
    each.statement = "statement";
    each.wireguard = test_wireguard(fill);
    list.entries.push_back(std::move(each));
  }
  const crypto::SecretKey key = test_key(signer);
  list.signer = key.public_key();
  list.signature = key.sign(bytes_of(dialects::text_to_sign(list)));
  return list;
}

TEST(TakeList, PinsItsSignerAndNeverGoesBack) {
  const ListTaken first = take_list({}, kTestMesh, list_of(3, 9, {5}));
  ASSERT_EQ(first.fault, ListFault::kNone);
  EXPECT_EQ(first.kept.serial, 3U);
  EXPECT_EQ(first.kept.signer, test_key(9).public_key());
  const auto fault = [&](const dialects::RevocationList& list) {
    const ListTaken taken = take_list(first.kept, kTestMesh, list);
    if (taken.fault != ListFault::kNone) {
      EXPECT_EQ(taken.kept, first.kept);
    }
    return taken.fault;
  };
  EXPECT_EQ(fault(list_of(2, 9, {5})), ListFault::kOlder);
  EXPECT_EQ(fault(list_of(4, 8, {5})), ListFault::kOtherSigner);
  EXPECT_EQ(fault(list_of(3, 9, {5})), ListFault::kNone);
  auto touched = list_of(4, 9, {5});
  touched.serial = 5;
  EXPECT_EQ(fault(touched), ListFault::kBadSignature);
  auto elsewhere = list_of(4, 9, {5});
  elsewhere.mesh = "mesh-2";
  EXPECT_EQ(fault(elsewhere), ListFault::kOtherMesh);
}

TEST(TakeList, ASerialWithoutAnybodyIsNoList) {
  for (const std::uint64_t serial : {std::uint64_t{1}, std::uint64_t{1} << 60U}) {
    const ListTaken taken = take_list({}, kTestMesh, list_of(serial, 9, {}));
    EXPECT_EQ(taken.fault, ListFault::kNoEntries);
    EXPECT_EQ(taken.kept, KeptRevocations{}) << "nor is its signer pinned";
  }
  EXPECT_EQ(name_of(ListFault::kNoEntries), "no_entries");
  // Serials of other statements count too, so a list may be ahead of its entries.
  EXPECT_EQ(take_list({}, kTestMesh, list_of(900, 9, {5})).kept.serial, 900U);
}

TEST(TakeList, AKeyThatWasEverInOneStays) {
  const ListTaken first = take_list({}, kTestMesh, list_of(3, 9, {5}));
  const ListTaken second = take_list(first.kept, kTestMesh, list_of(4, 9, {6}));
  EXPECT_EQ(second.kept.keys,
            (std::set<overlay::WireGuardKey>{test_wireguard(5), test_wireguard(6)}));
}

// ---- handshakes

TEST(HandshakeWatch, SaysWhenAHandshakeWasTriedInVain) {
  using std::chrono::seconds;
  constexpr auto kKey = 7;
  const auto at = [](std::int64_t s) { return Elapsed{seconds(1'000 + s)}; };
  const auto wall = [](std::int64_t s) { return WallTime{kNow.ms + s * 1'000}; };
  struct Look {
    std::int64_t at_s;
    std::int64_t handshake_s;  // -1: none
    std::uint64_t sent;
  };
  // clang-format off
  const struct { const char* name; std::vector<Look> looks; bool failing; } rows[] = {
      {"nothing was sent", {{0, -1, 0}, {60, -1, 0}}, false},
      {"the first one is under way", {{0, -1, 0}, {2, -1, 148}}, false},
      {"the first one fails", {{0, -1, 0}, {2, -1, 148}, {6, -1, 296}}, true},
      {"it succeeded at last", {{0, -1, 0}, {6, -1, 296}, {8, 8, 400}}, false},
      {"a session in use", {{0, 0, 100}, {60, 0, 900}, {120, 0, 1'800}}, false},
      {"a session that is idle", {{0, 0, 100}, {300, 0, 100}, {400, 0, 100}}, false},
      {"it is not renewed", {{0, 0, 100}, {120, 0, 900}, {128, 0, 1'000}}, true},
      {"it was renewed", {{0, 0, 100}, {120, 0, 900}, {128, 121, 1'000}}, false},
      {"it goes on", {{0, 0, 100}, {128, 0, 900}, {140, 0, 900}}, true},
      {"seen late, and idle", {{200, 0, 900}, {202, 0, 900}}, false},
      {"seen late, and sending", {{200, 0, 900}, {202, 0, 1'048}}, true},
  };
  // clang-format on
  for (const auto& row : rows) {
    HandshakeWatch watch;
    for (const Look& look : row.looks) {
      PeerSeen seen;
      seen.key = test_wireguard(kKey);
      if (look.handshake_s >= 0) seen.handshake = wall(look.handshake_s);
      seen.sent_bytes = look.sent;
      watch.look({seen}, wall(look.at_s), at(look.at_s));
    }
    EXPECT_EQ(watch.failing().contains(test_wireguard(kKey)), row.failing) << row.name;
  }
}

TEST(HandshakeWatch, ForgetsPeersThatAreGone) {
  HandshakeWatch watch;
  const PeerSeen sends{test_wireguard(7), {}, 148};
  watch.look({sends}, kNow, Elapsed{std::chrono::seconds(1)});
  watch.look({sends}, kNow, Elapsed{std::chrono::seconds(10)});
  EXPECT_EQ(watch.failing().size(), 1U);
  watch.look({}, kNow, Elapsed{std::chrono::seconds(11)});
  EXPECT_TRUE(watch.failing().empty());
  watch.look({sends}, kNow, Elapsed{std::chrono::seconds(12)});
  EXPECT_TRUE(watch.failing().empty());
}

TEST(SequenceBeyond, RisesAndStaysANumberOfTheFormat) {
  EXPECT_EQ(sequence_beyond(4, kNow), static_cast<std::uint64_t>(kNow.ms));
  const std::uint64_t far = 1ULL << 45U;
  EXPECT_GT(sequence_beyond(far, kNow), far);
  EXPECT_LT(sequence_beyond(dialects::kMaxSequence, kNow), dialects::kMaxSequence);
  EXPECT_EQ(sequence_beyond(0, WallTime{-5}), 1U << 20U);
}

}  // namespace
}  // namespace signet::node
