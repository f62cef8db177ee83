// The Merkle tree of RFC 6962, section 2: SHA-256 with 0x00 before a leaf and 0x01 before a node,
// so that neither is ever taken for the other. Pure; positions count from 0.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "base/encoding.h"
#include "crypto/hash.h"

namespace signet::crypto {

using MerkleHash = Digest32;

MerkleHash merkle_leaf(ByteView entry);
MerkleHash merkle_node(const MerkleHash& left, const MerkleHash& right);
MerkleHash merkle_empty();  // the root of no entries

// A whole subtree of 2^level leaves: the `index`-th of its level, from the left.
struct MerklePlace {
  std::uint32_t level;
  std::uint64_t index;
  bool operator==(const MerklePlace&) const = default;
};
// The place of a whole subtree in one file of all of them, in the order in which they become whole
// (level 0 of leaf 0, of leaf 1, level 1 of both, …). Dense: appending only ever adds at the end.
std::uint64_t merkle_position(MerklePlace place);
// How many whole subtrees the first `leaves` leaves have.
std::uint64_t merkle_positions(std::uint64_t leaves);

// Where the hashes of whole subtrees are kept.
using MerkleReader = std::function<MerkleHash(MerklePlace)>;

// The whole subtrees that become whole when leaf number `leaves` (from 0) is appended: the leaf
// first, then upwards. `read` is asked for older ones only.
std::vector<MerkleHash> merkle_append(std::uint64_t leaves, const MerkleHash& leaf,
                                      const MerkleReader& read);

// The root over the first `leaves` leaves (RFC 6962, 2.1).
MerkleHash merkle_root(std::uint64_t leaves, const MerkleReader& read);

// The audit path of `leaf` in the tree of `leaves` leaves (2.1.1). REQUIRES: leaf < leaves.
std::vector<MerkleHash> merkle_inclusion(std::uint64_t leaf, std::uint64_t leaves,
                                         const MerkleReader& read);
// That the tree of `from` leaves is the beginning of that of `to` (2.1.2). REQUIRES: from <= to.
std::vector<MerkleHash> merkle_consistency(std::uint64_t from, std::uint64_t to,
                                           const MerkleReader& read);

// Do the hashes show it? Take exactly as many as are due. For any input; constant time is not
// needed, since nothing here is secret.
bool verify_inclusion(const MerkleHash& leaf_hash, std::uint64_t leaf, std::uint64_t leaves,
                      const std::vector<MerkleHash>& proof, const MerkleHash& root);
bool verify_consistency(std::uint64_t from, const MerkleHash& from_root, std::uint64_t to,
                        const MerkleHash& to_root, const std::vector<MerkleHash>& proof);

// The root of a log that is only appended to: keeps one hash a level and no more.
class MerkleFrontier {
 public:
  void append(const MerkleHash& leaf);
  std::uint64_t leaves() const { return leaves_; }
  MerkleHash root() const;

 private:
  std::vector<MerkleHash> whole_;  // by rising size, one for each set bit of leaves_
  std::uint64_t leaves_ = 0;
};

}  // namespace signet::crypto
