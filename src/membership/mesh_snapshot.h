// MeshSnapshot is one mesh at one moment: who is in it, and who hears what. Immutable once
// published; copies share what did not change. MembershipSnapshot is all meshes; every shard reads
// its own pointer to one.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "membership/bucket_map.h"
#include "membership/model.h"
#include "routing/address.h"
#include "signet/result.h"

namespace signet::membership {

// Keyed, since peers choose their keys: a bucket that many of them fill makes every join slow.
struct KeySpread {
  std::size_t operator()(const crypto::PublicKey& key) const {
    return crypto::KeyedHash{}(text_of(key.bytes));
  }
};
struct TextSpread {
  std::size_t operator()(const std::string& text) const { return crypto::KeyedHash{}(text); }
};

class MeshSnapshot {
 public:
  explicit MeshSnapshot(Mesh mesh) : mesh_(std::move(mesh)) {}

  const Mesh& mesh() const { return mesh_; }

  // Borrowed from this snapshot; nullptr where there is none. Revoked members are found: ask
  // may_connect(standing).
  const Member* member(MemberNumber number) const;
  const Member* member(const crypto::PublicKey& key) const;
  bool has_member_id(const std::string& id) const { return by_id_.find(id) != nullptr; }

  // Who a message of `sender` to `to` is for: members that may connect, in rising numbers. A member
  // may write to itself; everyone, a channel and a tag never include the sender.
  // Fails kNotFound when a member is addressed that is none or may not connect.
  Result<std::vector<MemberNumber>> recipients(const routing::Address& to,
                                               MemberNumber sender) const;

  const std::map<std::string, std::vector<MemberNumber>, std::less<>>& channels() const {
    return channels_;
  }
  bool in_channel(std::string_view channel, MemberNumber member) const;
  std::size_t channels_of(MemberNumber member) const;

  void each_member(const std::function<void(const Member&)>& visit) const;

 private:
  friend class MembershipTable;
  void put(std::shared_ptr<const Member> member);
  void join(const std::string& channel, MemberNumber member);
  void leave(const std::string& channel, MemberNumber member);

  Mesh mesh_;
  BucketMap<MemberNumber, std::shared_ptr<const Member>, std::hash<MemberNumber>> members_;
  BucketMap<crypto::PublicKey, MemberNumber, KeySpread> by_key_;
  BucketMap<std::string, MemberNumber, TextSpread> by_id_;
  std::vector<MemberNumber> present_;  // all that may connect, sorted: who `*` reaches
  std::map<std::string, std::vector<MemberNumber>, std::less<>> channels_;  // members sorted
  std::map<std::string, std::vector<MemberNumber>, std::less<>> tags_;
};

class MembershipSnapshot {
 public:
  const MeshSnapshot* mesh(std::string_view id) const;
  const MeshSnapshot* mesh(MeshNumber number) const;
  const MeshSnapshot* mesh_by_slug(std::string_view slug) const;
  void each_mesh(const std::function<void(const MeshSnapshot&)>& visit) const;

 private:
  friend class MembershipTable;
  std::unordered_map<MeshNumber, std::shared_ptr<const MeshSnapshot>> meshes_;
  std::map<std::string, MeshNumber, std::less<>> by_id_;
};

}  // namespace signet::membership
