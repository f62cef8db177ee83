#include "crypto/merkle.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <optional>
#include <string_view>

#include "crypto/mac.h"

namespace signet::crypto {
namespace {

constexpr std::string_view kLeafPrefix{"\0", 1};
constexpr std::string_view kNodePrefix{"\1", 1};

// The leaves from `begin` up to `end`: a node of the recursion of RFC 6962, 2.1.
struct Range {
  std::uint64_t begin;
  std::uint64_t end;
  std::uint64_t size() const { return end - begin; }
  // Where it is split: as many leaves to the left as the largest power of two below its size.
  std::uint64_t middle() const { return begin + std::bit_floor(size() - 1); }
  Range left() const { return {begin, middle()}; }
  Range right() const { return {middle(), end}; }
};

// The root over a range that the recursion meets: it is whole subtrees from the left, each smaller
// than the one before.
MerkleHash root_of(Range range, const MerkleReader& read) {
  if (range.size() == 0) return merkle_empty();
  std::uint64_t end = range.end;
  std::optional<MerkleHash> root;
  while (end != range.begin) {
    const auto level = static_cast<std::uint32_t>(std::countr_zero(end - range.begin));
    end -= std::uint64_t{1} << level;
    const MerkleHash whole = read({level, end >> level});
    root = root ? merkle_node(whole, *root) : whole;
  }
  return *root;
}

}  // namespace

MerkleHash merkle_leaf(ByteView entry) { return sha256({kLeafPrefix, text_of(entry)}); }

MerkleHash merkle_node(const MerkleHash& left, const MerkleHash& right) {
  return sha256({kNodePrefix, text_of(left), text_of(right)});
}

MerkleHash merkle_empty() { return sha256({}); }

std::uint64_t merkle_positions(std::uint64_t leaves) {
  // leaves + leaves / 2 + leaves / 4 + …, in closed form.
  return 2 * leaves - static_cast<std::uint64_t>(std::popcount(leaves));
}

std::uint64_t merkle_position(MerklePlace place) {
  const std::uint64_t last_leaf = ((place.index + 1) << place.level) - 1;
  return merkle_positions(last_leaf) + place.level;
}

std::vector<MerkleHash> merkle_append(std::uint64_t leaves, const MerkleHash& leaf,
                                      const MerkleReader& read) {
  std::vector<MerkleHash> whole{leaf};
  // A set bit is a whole subtree that waits for its right sibling.
  for (std::uint32_t level = 0; ((leaves >> level) & 1U) != 0; ++level) {
    whole.push_back(merkle_node(read({level, (leaves >> level) - 1}), whole.back()));
  }
  return whole;
}

MerkleHash merkle_root(std::uint64_t leaves, const MerkleReader& read) {
  return root_of({0, leaves}, read);
}

std::vector<MerkleHash> merkle_inclusion(std::uint64_t leaf, std::uint64_t leaves,
                                         const MerkleReader& read) {
  assert(leaf < leaves);
  std::vector<MerkleHash> path;  // from the root; it is shown from the leaf
  for (Range range{0, leaves}; range.size() > 1;) {
    const bool is_left = leaf < range.middle();
    path.push_back(root_of(is_left ? range.right() : range.left(), read));
    range = is_left ? range.left() : range.right();
  }
  std::reverse(path.begin(), path.end());
  return path;
}

std::vector<MerkleHash> merkle_consistency(std::uint64_t from, std::uint64_t to,
                                           const MerkleReader& read) {
  assert(from <= to);
  if (from == 0) return {};
  std::vector<MerkleHash> proof;
  Range range{0, to};
  while (range.end != from) {
    const bool is_left = from <= range.middle();
    proof.push_back(root_of(is_left ? range.right() : range.left(), read));
    range = is_left ? range.left() : range.right();
  }
  // Who checks has the old root already, where the old tree is a subtree of the new one.
  if (range.begin != 0) proof.push_back(root_of(range, read));
  std::reverse(proof.begin(), proof.end());
  return proof;
}

// Both checks after RFC 9162, 2.1.3.2 and 2.1.4.2, whose proofs are those of RFC 6962.
bool verify_inclusion(const MerkleHash& leaf_hash, std::uint64_t leaf, std::uint64_t leaves,
                      const std::vector<MerkleHash>& proof, const MerkleHash& root) {
  if (leaf >= leaves) return false;
  std::uint64_t node = leaf;
  std::uint64_t last = leaves - 1;  // of the same level
  MerkleHash hash = leaf_hash;
  for (const MerkleHash& sibling : proof) {
    if (last == 0) return false;
    if ((node & 1U) == 1 || node == last) {
      hash = merkle_node(sibling, hash);
      // The last node of a level may have no sibling: it then is its own parent.
      const int up = node == 0 ? 0 : std::countr_zero(node);
      node >>= up;
      last >>= up;
    } else {
      hash = merkle_node(hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && hash == root;
}

bool verify_consistency(std::uint64_t from, const MerkleHash& from_root, std::uint64_t to,
                        const MerkleHash& to_root, const std::vector<MerkleHash>& proof) {
  if (from > to) return false;
  if (from == 0) {
    return proof.empty() && from_root == merkle_empty() && (to != 0 || to_root == from_root);
  }
  if (from == to) return proof.empty() && from_root == to_root;
  std::uint64_t node = from - 1;
  std::uint64_t last = to - 1;
  const int whole = std::countr_one(node);
  node >>= whole;
  last >>= whole;
  // An old tree that is one whole subtree is where the proof begins, and is not repeated in it.
  const bool starts_at_root = node == 0;
  auto next = proof.begin();
  if (!starts_at_root && next == proof.end()) return false;
  MerkleHash old_hash = starts_at_root ? from_root : *next++;
  MerkleHash new_hash = old_hash;
  for (; next != proof.end(); ++next) {
    if (last == 0) return false;
    if ((node & 1U) == 1 || node == last) {
      old_hash = merkle_node(*next, old_hash);
      new_hash = merkle_node(*next, new_hash);
      const int up = node == 0 ? 0 : std::countr_zero(node);
      node >>= up;
      last >>= up;
    } else {
      new_hash = merkle_node(new_hash, *next);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && old_hash == from_root && new_hash == to_root;
}

void MerkleFrontier::append(const MerkleHash& leaf) {
  MerkleHash whole = leaf;
  for (std::uint64_t bits = leaves_; (bits & 1U) == 1; bits >>= 1) {
    whole = merkle_node(whole_.front(), whole);
    whole_.erase(whole_.begin());
  }
  whole_.insert(whole_.begin(), whole);
  ++leaves_;
}

MerkleHash MerkleFrontier::root() const {
  if (whole_.empty()) return merkle_empty();
  MerkleHash root = whole_.front();
  for (std::size_t i = 1; i < whole_.size(); ++i) root = merkle_node(whole_[i], root);
  return root;
}

}  // namespace signet::crypto
