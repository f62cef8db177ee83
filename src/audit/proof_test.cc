#include "audit/proof.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace signet::audit {
namespace {

using crypto::MerkleHash;

constexpr const char* kOrigin = "signet.example/log";

crypto::SecretKey key_of(unsigned char seed) {
  return crypto::SecretKey::from_seed(std::array<unsigned char, 32>{seed});
}
Verifier verifier_of(unsigned char seed) { return {kOrigin, key_of(seed).public_key()}; }

// A log whose entry `changed` is another one than in the others.
class Log {
 public:
  explicit Log(std::size_t entries, std::size_t changed = 1'000) {
    for (std::size_t i = 0; i < entries; ++i) {
      Draft draft;
      draft.event = i == changed ? Event::kRefused : Event::kAdmitted;
      lines_.push_back(encode({i, {1'795'314'600'000}, draft}));
      const MerkleHash leaf = crypto::merkle_leaf(bytes_of(lines_.back()));
      for (const MerkleHash& hash : crypto::merkle_append(i, leaf, read_)) hashes_.push_back(hash);
    }
  }
  std::string note(std::size_t entries, unsigned char seed = 1) const {
    return sign_checkpoint({kOrigin, entries, crypto::merkle_root(entries, read_)}, key_of(seed));
  }
  std::string proof(std::size_t entry, std::size_t entries) const {
    return encode(EntryProof{verifier_of(1), lines_[entry],
                             crypto::merkle_inclusion(entry, entries, read_), note(entries)});
  }
  std::vector<MerkleHash> growth(std::size_t from, std::size_t to) const {
    return crypto::merkle_consistency(from, to, read_);
  }
  const std::string& line(std::size_t entry) const { return lines_[entry]; }

 private:
  std::vector<std::string> lines_;
  std::vector<MerkleHash> hashes_;
  crypto::MerkleReader read_ = [this](crypto::MerklePlace place) {
    return hashes_.at(crypto::merkle_position(place));
  };
};

TEST(EntryProof, HoldsForEveryEntry) {
  const Log log(20);
  for (std::size_t entries = 1; entries <= 20; ++entries) {
    for (std::size_t entry = 0; entry < entries; ++entry) {
      const Result<ProvenEntry> proven = check_proof(log.proof(entry, entries), verifier_of(1));
      ASSERT_TRUE(proven.ok()) << proven.error().detail;
      EXPECT_EQ(proven->line, log.line(entry));
      EXPECT_EQ(proven->checkpoint.entries, entries);
      EXPECT_EQ(proven->key, verifier_of(1));
    }
  }
}

TEST(EntryProof, OfAnotherKeyIsRefused) {
  const Log log(5);
  EXPECT_TRUE(check_proof(log.proof(2, 5), std::nullopt).ok());
  const Result<ProvenEntry> proven = check_proof(log.proof(2, 5), verifier_of(2));
  ASSERT_FALSE(proven.ok());
  EXPECT_EQ(proven.error().code, ErrorCode::kUnauthorized);
}

TEST(EntryProof, OfWhatIsNotThereIsRefused) {
  const Log log(8);
  const Log other(8, 3);
  const EntryProof good{verifier_of(1), log.line(3), {}, log.note(8)};
  EntryProof forged = good;
  forged.entry = other.line(3);
  const Result<ProvenEntry> proven = check_proof(encode(forged), verifier_of(1));
  ASSERT_FALSE(proven.ok());
  EXPECT_EQ(proven.error().code, ErrorCode::kConflict);
}

TEST(EntryProof, EveryChangedByteIsRefused) {
  const std::string proof = Log(8).proof(3, 7);
  for (std::size_t at = 0; at < proof.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string changed = proof;
      changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ (1U << bit));
      EXPECT_FALSE(check_proof(changed, verifier_of(1)).ok()) << changed;
    }
    EXPECT_FALSE(check_proof(proof.substr(0, at), verifier_of(1)).ok());
  }
  EXPECT_FALSE(check_proof(proof + "\n", verifier_of(1)).ok());
}

TEST(KeptCheckpoint, ReadsBackAndNothingFalseDoes) {
  const Log log(9);
  const std::string text = encode(KeptCheckpoint{verifier_of(1), log.note(9)});
  const Result<KeptCheckpoint> kept = parse_kept(text);
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ(kept->key, verifier_of(1));
  EXPECT_EQ(kept->note, log.note(9));
  EXPECT_FALSE(parse_kept("").ok());
  EXPECT_FALSE(parse_kept(log.note(9)).ok());
  EXPECT_FALSE(parse_kept(verifier_key(kOrigin, key_of(1).public_key())).ok());
  EXPECT_FALSE(parse_kept(encode(KeptCheckpoint{verifier_of(2), log.note(9)})).ok());
  EXPECT_FALSE(
      parse_kept(encode(KeptCheckpoint{{"other", key_of(1).public_key()}, log.note(9)})).ok());
}

TEST(CheckGrowth, TakesEveryContinuation) {
  const Log log(20);
  for (std::size_t from = 0; from <= 20; ++from) {
    for (std::size_t to = from; to <= 20; ++to) {
      const Result<Checkpoint> grown =
          check_growth({verifier_of(1), log.note(from)}, log.note(to), log.growth(from, to));
      ASSERT_TRUE(grown.ok()) << grown.error().detail;
      EXPECT_EQ(grown->entries, to);
    }
  }
}

TEST(CheckGrowth, RefusesARewrittenHistoryWhateverIsShown) {
  const Log log(20);
  const Log rewritten(20, 4);
  const KeptCheckpoint kept{verifier_of(1), log.note(10)};
  for (const std::size_t to : {10, 11, 20}) {
    for (const auto& proof :
         {log.growth(10, to), rewritten.growth(10, to), std::vector<MerkleHash>{}}) {
      const Result<Checkpoint> grown = check_growth(kept, rewritten.note(to), proof);
      ASSERT_FALSE(grown.ok());
      EXPECT_EQ(grown.error().code, ErrorCode::kConflict);
    }
  }
  // What was changed after the kept checkpoint, no witness can know.
  const Log later(20, 15);
  EXPECT_TRUE(check_growth(kept, later.note(20), later.growth(10, 20)).ok());
}

TEST(CheckGrowth, RefusesWhatWasCutOff) {
  const Log log(20);
  const Result<Checkpoint> grown = check_growth({verifier_of(1), log.note(10)}, log.note(9), {});
  ASSERT_FALSE(grown.ok());
  EXPECT_NE(grown.error().detail.find("once had 10 entries and now has 9"), std::string::npos);
}

TEST(CheckGrowth, RefusesAnotherKeysNote) {
  const Log log(20);
  const KeptCheckpoint kept{verifier_of(1), log.note(10)};
  const Result<Checkpoint> grown = check_growth(kept, log.note(20, 2), log.growth(10, 20));
  ASSERT_FALSE(grown.ok());
  EXPECT_EQ(grown.error().code, ErrorCode::kUnauthorized);
}

}  // namespace
}  // namespace signet::audit
