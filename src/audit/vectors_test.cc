// The vectors that protocol/vectors/make_audit_vectors.py makes with nothing of ours.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "audit/checkpoint.h"
#include "crypto/merkle.h"
#include "wire/vectors_for_test.h"

namespace signet::audit {
namespace {

using crypto::MerkleHash;

MerkleHash hash_from(std::optional<std::string_view> hex) {
  MerkleHash hash{};
  EXPECT_TRUE(hex && from_hex(*hex, hash));
  return hash;
}

std::vector<MerkleHash> hashes_from(const wire::JsonValue& list) {
  std::vector<MerkleHash> hashes;
  for (std::size_t i = 0; i < list.size(); ++i) hashes.push_back(hash_from(list[i].string()));
  return hashes;
}

class MerkleVectors : public testing::Test {
 protected:
  void SetUp() override {
    vectors_ = wire::load_vectors(document_, "merkle.json");
    ASSERT_TRUE(vectors_);
    for (std::size_t i = 0; i < vectors_["entries"].size(); ++i) {
      const std::string entry = wire::bytes_from_hex(*vectors_["entries"][i].string());
      leaves_.push_back(crypto::merkle_leaf(bytes_of(entry)));
      for (const MerkleHash& hash : crypto::merkle_append(i, leaves_[i], read_)) {
        hashes_.push_back(hash);
      }
    }
    roots_ = hashes_from(vectors_["roots"]);
    ASSERT_EQ(roots_.size(), leaves_.size() + 1);
  }

  std::uint64_t number(const wire::JsonValue& row, const char* key) const {
    return static_cast<std::uint64_t>(row[key].integer().value_or(-1));
  }

  wire::JsonDocument document_;
  wire::JsonValue vectors_;
  std::vector<MerkleHash> leaves_;
  std::vector<MerkleHash> roots_;
  std::vector<MerkleHash> hashes_;
  crypto::MerkleReader read_ = [this](crypto::MerklePlace place) {
    return hashes_.at(crypto::merkle_position(place));
  };
};

TEST_F(MerkleVectors, Roots) {
  for (std::size_t size = 0; size < roots_.size(); ++size) {
    EXPECT_EQ(crypto::merkle_root(size, read_), roots_[size]) << size;
  }
}

TEST_F(MerkleVectors, Inclusion) {
  const wire::JsonValue rows = vectors_["inclusion"];
  ASSERT_EQ(rows.size(), 36U);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::uint64_t leaf = number(rows[i], "leaf");
    const std::uint64_t leaves = number(rows[i], "leaves");
    const std::vector<MerkleHash> proof = hashes_from(rows[i]["proof"]);
    EXPECT_EQ(crypto::merkle_inclusion(leaf, leaves, read_), proof) << i;
    EXPECT_TRUE(crypto::verify_inclusion(leaves_.at(leaf), leaf, leaves, proof, roots_.at(leaves)));
  }
}

TEST_F(MerkleVectors, Consistency) {
  const wire::JsonValue rows = vectors_["consistency"];
  ASSERT_EQ(rows.size(), 36U);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::uint64_t from = number(rows[i], "from");
    const std::uint64_t to = number(rows[i], "to");
    const std::vector<MerkleHash> proof = hashes_from(rows[i]["proof"]);
    EXPECT_EQ(crypto::merkle_consistency(from, to, read_), proof) << i;
    EXPECT_TRUE(crypto::verify_consistency(from, roots_.at(from), to, roots_.at(to), proof));
  }
}

class CheckpointVectors : public testing::Test {
 protected:
  void SetUp() override {
    vectors_ = wire::load_vectors(document_, "checkpoint.json");
    ASSERT_TRUE(vectors_);
    key_ = crypto::public_key_from_hex(*vectors_["public"].string());
    ASSERT_TRUE(key_);
  }
  wire::JsonDocument document_;
  wire::JsonValue vectors_;
  std::optional<crypto::PublicKey> key_;
};

TEST_F(CheckpointVectors, VerifierKey) {
  EXPECT_EQ(verifier_key(*vectors_["origin"].string(), *key_), *vectors_["verifier"].string());
}

TEST_F(CheckpointVectors, Notes) {
  std::array<unsigned char, 32> seed{};
  ASSERT_TRUE(from_hex(*vectors_["seed"].string(), seed));
  const crypto::SecretKey secret = crypto::SecretKey::from_seed(seed);
  const wire::JsonValue rows = vectors_["notes"];
  ASSERT_GT(rows.size(), 40U);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const wire::JsonValue row = rows[i];
    const std::string name(*row["name"].string());
    const std::string_view note = *row["note"].string();
    const std::string_view verdict = *row["verdict"].string();
    const Result<Checkpoint> opened = open_checkpoint(note, *key_);
    ASSERT_EQ(opened.ok(), verdict == "taken") << name;
    if (!opened.ok()) {
      EXPECT_EQ(opened.error().code == ErrorCode::kUnauthorized, verdict == "unauthorized") << name;
      continue;
    }
    EXPECT_EQ(opened->origin, *row["origin"].string()) << name;
    EXPECT_EQ(std::to_string(opened->entries), *row["entries"].string()) << name;
    EXPECT_EQ(opened->root, hash_from(row["root"].string())) << name;
    EXPECT_EQ(sign_checkpoint(*opened, secret) == note, *row["written"].boolean()) << name;
  }
}

}  // namespace
}  // namespace signet::audit
