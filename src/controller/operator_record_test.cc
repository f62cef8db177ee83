#include "controller/operator_record.h"

#include <gtest/gtest.h>

#include <random>

namespace signet::controller {
namespace {

using membership::OperatorAction;

crypto::SecretKey operator_of(int seed) {
  std::array<unsigned char, 32> bytes{};
  bytes.fill(static_cast<unsigned char>(seed));
  return crypto::SecretKey::from_seed(bytes);
}

QuorumState full_quorum() {
  QuorumState state;
  for (const int seed : {1, 2, 3}) {
    state.operators.push_back(operator_of(seed).public_key());
  }
  state.needed = 2;
  state.last_serial = std::numeric_limits<std::uint64_t>::max();
  state.policy_version = 3;
  state.threshold = overlay::Score{750'000};
  state.owner = operator_of(9).public_key();
  state.may_deny = {"node-a", "node-b"};
  return state;
}

KeptStatement full_statement() {
  KeptStatement kept;
  kept.statement = {"mesh-team", OperatorAction::kRevoke, "member-eve", 8, 3, WallTime{5'000}};
  const std::string text = kept.statement.text();
  for (const int seed : {1, 2}) {
    const auto key = operator_of(seed);
    kept.signatures.push_back({key.public_key(), key.sign(bytes_of(text))});
  }
  kept.wireguard.emplace();
  kept.wireguard->fill(7);
  kept.at = WallTime{4'000};
  kept.emergency = true;
  return kept;
}

TEST(OperatorRecord, AQuorumIsReadBack) {
  QuorumState least;
  least.operators = {operator_of(1).public_key()};
  for (const QuorumState& state : {full_quorum(), least}) {
    const auto back = decode_quorum(encode(state));
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(*back, state);
  }
}

TEST(OperatorRecord, AQuorumThatCannotBeIsNone) {
  const auto is_read = [](const auto& change) {
    QuorumState state = full_quorum();
    change(state);
    return decode_quorum(encode(state)).has_value();
  };
  EXPECT_TRUE(is_read([](QuorumState&) {}));
  EXPECT_FALSE(is_read([](QuorumState& state) { state.needed = 0; }));
  EXPECT_FALSE(is_read([](QuorumState& state) { state.needed = 4; }));
  EXPECT_FALSE(is_read([](QuorumState& state) { state.operators[1] = state.operators[0]; }));
  EXPECT_FALSE(is_read([](QuorumState& state) { state.policy_version = 0; }));
  EXPECT_FALSE(is_read([](QuorumState& state) { state.threshold->millionths = 1'000'001; }));
  EXPECT_FALSE(is_read([](QuorumState& state) { state.threshold->millionths = -1; }));
  EXPECT_FALSE(is_read([](QuorumState& state) { state.may_deny.insert("a\nb"); }));
}

TEST(OperatorRecord, AStatementIsReadBackWithItsEvidence) {
  const KeptStatement kept = full_statement();
  const auto back = decode_statement(encode(kept));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->statement, kept.statement);
  EXPECT_EQ(back->wireguard, kept.wireguard);
  EXPECT_EQ(back->at, kept.at);
  EXPECT_TRUE(back->emergency);
  ASSERT_EQ(back->signatures.size(), 2U);
  EXPECT_TRUE(crypto::verify(back->signatures[1].signer, bytes_of(back->statement.text()),
                             back->signatures[1].signature));
}

TEST(OperatorRecord, HalfOfOneIsNoneAndNoDamageIsGuessedAt) {
  std::minstd_rand random(20'261'122);
  for (const std::string& whole : {encode(full_quorum()), encode(full_statement())}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      ASSERT_FALSE(decode_quorum(whole.substr(0, size)));
      ASSERT_FALSE(decode_statement(whole.substr(0, size)));
    }
    EXPECT_FALSE(decode_quorum(whole + "\n"));
    EXPECT_FALSE(decode_statement(whole + "\n"));
    for (int i = 0; i < 5'000; ++i) {
      std::string damaged = whole;
      damaged[random() % damaged.size()] = static_cast<char>(random() % 256);
      if (const auto quorum = decode_quorum(damaged)) {
        ASSERT_EQ(encode(*quorum), damaged);
      }
      if (const auto kept = decode_statement(damaged)) {
        ASSERT_EQ(encode(*kept), damaged);
      }
    }
  }
}

}  // namespace
}  // namespace signet::controller
