#include "crypto/merkle.h"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace signet::crypto {
namespace {

using Hashes = std::vector<MerkleHash>;

Hashes with(Hashes hashes, const MerkleHash& last) {
  hashes.push_back(last);
  return hashes;
}

// RFC 6962, section 2.1, word by word: slow and obvious. D[from:to] is what its functions take;
// what was hashed once is remembered.
class SlowTree {
 public:
  explicit SlowTree(Hashes leaves) : leaves_(std::move(leaves)) {}

  MerkleHash root(std::size_t from, std::size_t to) {
    if (from == to) return merkle_empty();
    if (to - from == 1) return leaves_[from];
    const auto known = roots_.find({from, to});
    if (known != roots_.end()) return known->second;
    const std::size_t k = std::bit_floor(to - from - 1);
    const MerkleHash hash = merkle_node(root(from, from + k), root(from + k, to));
    roots_.emplace(std::pair(from, to), hash);
    return hash;
  }
  Hashes path(std::size_t m, std::size_t from, std::size_t to) {
    if (to - from == 1) return {};
    const std::size_t k = std::bit_floor(to - from - 1);
    return m < k ? with(path(m, from, from + k), root(from + k, to))
                 : with(path(m - k, from + k, to), root(from, from + k));
  }
  Hashes subproof(std::size_t m, std::size_t from, std::size_t to, bool is_start) {
    if (m == to - from) return is_start ? Hashes{} : Hashes{root(from, to)};
    const std::size_t k = std::bit_floor(to - from - 1);
    return m <= k ? with(subproof(m, from, from + k, is_start), root(from + k, to))
                  : with(subproof(m - k, from + k, to, false), root(from, from + k));
  }

 private:
  Hashes leaves_;
  std::map<std::pair<std::size_t, std::size_t>, MerkleHash> roots_;
};

Hashes some_leaves(std::size_t count) {
  Hashes leaves;
  for (std::size_t i = 0; i < count; ++i) {
    leaves.push_back(merkle_leaf(bytes_of("entry " + std::to_string(i))));
  }
  return leaves;
}

// A log as the store keeps it: one list of hashes, appended to only.
class Log {
 public:
  explicit Log(const Hashes& leaves) {
    for (const MerkleHash& leaf : leaves) append(leaf);
  }
  void append(const MerkleHash& leaf) {
    for (const MerkleHash& hash : merkle_append(leaves_++, leaf, reader())) {
      hashes_.push_back(hash);
    }
  }
  MerkleReader reader() const {
    return [this](MerklePlace place) { return hashes_.at(merkle_position(place)); };
  }
  std::size_t hashes() const { return hashes_.size(); }

 private:
  Hashes hashes_;
  std::uint64_t leaves_ = 0;
};

// More than two whole levels to either side of 64 and of 128.
constexpr std::size_t kMost = 130;

TEST(Merkle, HashesLeavesAndNodesApart) {
  EXPECT_EQ(to_hex(merkle_empty()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(merkle_leaf({})),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  const MerkleHash a = merkle_leaf(bytes_of("a"));
  const MerkleHash b = merkle_leaf(bytes_of("b"));
  const std::string both = std::string(text_of(a)) + std::string(text_of(b));
  EXPECT_NE(merkle_node(a, b), merkle_leaf(bytes_of(both)));
  EXPECT_NE(merkle_node(a, b), merkle_node(b, a));
}

TEST(Merkle, PositionsAreDenseInTheOrderInWhichSubtreesBecomeWhole) {
  std::uint64_t next = 0;
  for (std::uint64_t leaf = 0; leaf < 1'000; ++leaf) {
    EXPECT_EQ(merkle_positions(leaf), next) << leaf;
    for (std::uint32_t level = 0; (leaf + 1) % (std::uint64_t{1} << level) == 0; ++level) {
      EXPECT_EQ(merkle_position({level, leaf >> level}), next++) << leaf << " " << level;
    }
  }
}

TEST(Merkle, HoldsAsManyHashesAsItSays) {
  Log log({});
  for (std::size_t i = 0; i < kMost; ++i) {
    EXPECT_EQ(log.hashes(), merkle_positions(i));
    log.append(some_leaves(1)[0]);
  }
}

TEST(Merkle, AsksForOlderSubtreesOnly) {
  const Hashes leaves = some_leaves(kMost);
  Hashes hashes;
  for (std::size_t i = 0; i < kMost; ++i) {
    const std::size_t had = hashes.size();
    const MerkleReader read = [&hashes, had](MerklePlace place) {
      EXPECT_LT(merkle_position(place), had);
      return hashes.at(merkle_position(place));
    };
    const Hashes whole = merkle_append(i, leaves[i], read);
    hashes.insert(hashes.end(), whole.begin(), whole.end());
  }
}

TEST(Merkle, RootsAreThoseOfTheDefinition) {
  const Hashes leaves = some_leaves(kMost);
  const Log log(leaves);
  SlowTree slow(leaves);
  MerkleFrontier frontier;
  for (std::size_t size = 0; size <= kMost; ++size) {
    const MerkleHash root = slow.root(0, size);
    EXPECT_EQ(merkle_root(size, log.reader()), root) << size;
    EXPECT_EQ(frontier.root(), root) << size;
    EXPECT_EQ(frontier.leaves(), size);
    if (size < kMost) frontier.append(leaves[size]);
  }
}

TEST(Merkle, InclusionIsThatOfTheDefinitionAndHolds) {
  const Hashes leaves = some_leaves(kMost);
  const Log log(leaves);
  SlowTree slow(leaves);
  for (std::size_t size = 1; size <= kMost; ++size) {
    const MerkleHash root = merkle_root(size, log.reader());
    for (std::size_t leaf = 0; leaf < size; ++leaf) {
      const Hashes proof = merkle_inclusion(leaf, size, log.reader());
      ASSERT_EQ(proof, slow.path(leaf, 0, size)) << leaf << " of " << size;
      ASSERT_TRUE(verify_inclusion(leaves[leaf], leaf, size, proof, root)) << leaf << " " << size;
    }
  }
}

TEST(Merkle, ConsistencyIsThatOfTheDefinitionAndHolds) {
  const Hashes leaves = some_leaves(kMost);
  const Log log(leaves);
  SlowTree slow(leaves);
  for (std::size_t to = 0; to <= kMost; ++to) {
    const MerkleHash to_root = merkle_root(to, log.reader());
    for (std::size_t from = 0; from <= to; ++from) {
      const Hashes proof = merkle_consistency(from, to, log.reader());
      const MerkleHash from_root = merkle_root(from, log.reader());
      if (from > 0) {
        ASSERT_EQ(proof, slow.subproof(from, 0, to, true)) << from << " of " << to;
      }
      ASSERT_TRUE(verify_consistency(from, from_root, to, to_root, proof)) << from << " " << to;
    }
  }
}

// What holds for few leaves must not hold for what was changed; sizes on both sides of a power.
template <class Check>
void expect_every_change_refused(const Hashes& proof, const MerkleHash& other, const Check& check) {
  ASSERT_TRUE(check(proof));
  for (std::size_t i = 0; i < proof.size(); ++i) {
    for (unsigned bit = 0; bit < 256; ++bit) {
      Hashes changed = proof;
      changed[i][bit / 8] = static_cast<unsigned char>(changed[i][bit / 8] ^ (1U << bit % 8));
      EXPECT_FALSE(check(changed)) << i << " " << bit;
    }
    Hashes shortened = proof;
    shortened.erase(shortened.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_FALSE(check(shortened)) << i;
  }
  for (std::size_t i = 0; i <= proof.size(); ++i) {
    for (const MerkleHash& more : {other, MerkleHash{}, merkle_empty()}) {
      Hashes lengthened = proof;
      lengthened.insert(lengthened.begin() + static_cast<std::ptrdiff_t>(i), more);
      EXPECT_FALSE(check(lengthened)) << i;
    }
  }
}

TEST(Merkle, RefusesEveryChangeOfAnInclusion) {
  const Hashes leaves = some_leaves(17);
  const Log log(leaves);
  for (const std::size_t size : {1, 2, 3, 7, 8, 9, 17}) {
    const MerkleHash root = merkle_root(size, log.reader());
    for (std::size_t leaf = 0; leaf < size; ++leaf) {
      const Hashes proof = merkle_inclusion(leaf, size, log.reader());
      expect_every_change_refused(proof, leaves[leaf], [&](const Hashes& shown) {
        return verify_inclusion(leaves[leaf], leaf, size, shown, root);
      });
      // Another leaf's number, another leaf, another root.
      for (std::size_t other = 0; other < size; ++other) {
        if (other == leaf) continue;
        EXPECT_FALSE(verify_inclusion(leaves[leaf], other, size, proof, root));
        EXPECT_FALSE(verify_inclusion(leaves[other], leaf, size, proof, root));
      }
      EXPECT_FALSE(verify_inclusion(leaves[leaf], leaf, size, proof, merkle_empty()));
    }
  }
}

TEST(Merkle, RefusesEveryChangeOfAConsistency) {
  const Hashes leaves = some_leaves(17);
  const Log log(leaves);
  for (const std::size_t to : {1, 2, 3, 7, 8, 9, 17}) {
    const MerkleHash to_root = merkle_root(to, log.reader());
    for (std::size_t from = 0; from <= to; ++from) {
      const MerkleHash from_root = merkle_root(from, log.reader());
      const Hashes proof = merkle_consistency(from, to, log.reader());
      expect_every_change_refused(proof, leaves[0], [&](const Hashes& shown) {
        return verify_consistency(from, from_root, to, to_root, shown);
      });
      EXPECT_FALSE(verify_consistency(from, leaves[16], to, to_root, proof));
      if (from > 0) {
        EXPECT_FALSE(verify_consistency(from, from_root, to, leaves[16], proof));
      }
      if (from < to) {
        EXPECT_FALSE(verify_consistency(to, to_root, from, from_root, proof));
      }
    }
  }
}

// A log that was cut and continued, or changed in the past, has no proof at all: also not one that
// its keeper computes over the new history.
TEST(Merkle, NoProofHidesARewrittenEntry) {
  const Hashes leaves = some_leaves(40);
  const Log log(leaves);
  for (std::size_t changed = 0; changed < 23; ++changed) {
    Hashes rewritten = leaves;
    rewritten[changed] = merkle_leaf(bytes_of("something else"));
    const Log other(rewritten);
    EXPECT_FALSE(verify_consistency(23, merkle_root(23, log.reader()), 40,
                                    merkle_root(40, other.reader()),
                                    merkle_consistency(23, 40, other.reader())));
    EXPECT_FALSE(verify_consistency(23, merkle_root(23, log.reader()), 40,
                                    merkle_root(40, other.reader()),
                                    merkle_consistency(23, 40, log.reader())));
  }
}

TEST(Merkle, EndsForAnySizes) {
  constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();
  const MerkleHash hash = merkle_leaf({});
  for (const std::size_t hashes : {0, 1, 63, 64, 65, 200}) {
    const Hashes proof(hashes, hash);
    for (const std::uint64_t a :
         {std::uint64_t{0}, std::uint64_t{1}, kHuge / 2, kHuge / 2 + 1, kHuge - 1, kHuge}) {
      for (const std::uint64_t b :
           {std::uint64_t{0}, std::uint64_t{1}, kHuge / 2, kHuge / 2 + 1, kHuge - 1, kHuge}) {
        EXPECT_FALSE(verify_inclusion(hash, a, b, proof, merkle_empty()));
        const bool same = a == b && hashes == 0 && a != 0;
        EXPECT_EQ(verify_consistency(a, hash, b, hash, proof), same) << a << " " << b;
      }
    }
  }
}

}  // namespace
}  // namespace signet::crypto
