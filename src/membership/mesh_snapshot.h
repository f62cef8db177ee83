// MeshSnapshot is one mesh at one moment: who is in it, and who hears what. Immutable once
// published; copies share what did not change. MembershipSnapshot is all meshes; every shard reads
// its own pointer to one.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "membership/bucket_map.h"
#include "membership/model.h"
#include "membership/source_secret.h"
#include "routing/address.h"
#include "signet/result.h"

namespace signet::membership {

// Keyed, since peers choose their keys: a bucket that many of them fill makes every join slow.
struct KeySpread {
  std::size_t operator()(const crypto::PublicKey& key) const {
    return crypto::KeyedHash{}(text_of(key.bytes));
  }
};
struct RelayKeySpread {
  std::size_t operator()(const std::array<unsigned char, 32>& key) const {
    return crypto::KeyedHash{}(text_of(key));
  }
};
struct TextSpread {
  std::size_t operator()(const std::string& text) const { return crypto::KeyedHash{}(text); }
};

class MeshSnapshot {
 public:
  explicit MeshSnapshot(Mesh mesh) : mesh_(std::move(mesh)) {}

  const Mesh& mesh() const { return mesh_; }

  std::size_t keyless_members() const { return keyless_count_; }

  // Borrowed from this snapshot; nullptr where there is none. Revoked members are found: ask
  // may_connect(standing).
  const Member* member(MemberNumber number) const;
  const Member* member(const crypto::PublicKey& key) const;
  const Member* member_with_id(const std::string& id) const;
  bool has_member_id(const std::string& id) const { return by_id_.find(id) != nullptr; }
  // The member whose Ed25519 key converts to this X25519 key. Two keys may convert to one (a point
  // and its negative): then the member that came first has it, or a copy of a key could displace
  // it.
  const Member* relay_key(const std::array<unsigned char, 32>& x25519) const;

  // The secret of exactly this source; nullptr where there is none. Revoked ones are found: ask
  // holds(). The shared secret is no source's.
  const SourceSecret* source(std::string_view name) const;
  const SourceSecret* shared_secret() const;
  // What a client has to show that says it is this source: the secret of the source, else the
  // shared one; nullptr where the name is that of a member who is proven otherwise.
  const SourceSecret* secret_for(std::string_view name) const;
  std::size_t source_count() const { return source_count_; }  // revoked ones and the shared one too
  // By rising name within a bucket: in no order that means anything.
  void each_source(const std::function<void(const SourceSecret&)>& visit) const;

  // Was the token taken back: by its id (jti; empty: it has none), or with all of its subject from
  // before a moment? A token that does not say when it was issued may be from before any.
  bool is_token_revoked(const std::string& id, const std::string& subject,
                        std::optional<WallTime> issued) const;
  // How many there were so far that meant a token more than those before.
  std::size_t token_revocations() const { return token_revocations_; }

  // Who a message of `sender` to `to` is for: members that may connect, in rising numbers. A member
  // may write to itself; everyone, a channel and a tag never include the sender, nor members
  // without a key.
  // Fails kNotFound when a member is addressed that is none or may not connect.
  Result<std::vector<MemberNumber>> recipients(const routing::Address& to,
                                               MemberNumber sender) const;

  const std::map<std::string, std::vector<MemberNumber>, std::less<>>& channels() const {
    return channels_;
  }
  bool in_channel(std::string_view channel, MemberNumber member) const;
  std::size_t channels_of(MemberNumber member) const;

  // All of them: revoked ones, and those without a key.
  void each_member(const std::function<void(const Member&)>& visit) const;

 private:
  friend class MembershipTable;
  void put(std::shared_ptr<const Member> member);
  void put_key(const Member& member, const Member* before);
  void put(std::shared_ptr<const SourceSecret> source);
  void put(const TokenRevocation& revocation);
  void join(const std::string& channel, MemberNumber member);
  void leave(const std::string& channel, MemberNumber member);

  Mesh mesh_;
  BucketMap<MemberNumber, std::shared_ptr<const Member>, std::hash<MemberNumber>> members_;
  BucketMap<crypto::PublicKey, MemberNumber, KeySpread> by_key_;
  BucketMap<std::array<unsigned char, 32>, MemberNumber, RelayKeySpread> by_relay_key_;
  BucketMap<std::string, MemberNumber, TextSpread> by_id_;
  BucketMap<std::string, std::shared_ptr<const SourceSecret>, TextSpread> sources_;
  std::size_t keyless_count_ = 0;
  std::size_t source_count_ = 0;
  BucketMap<std::string, TokenRevocation, TextSpread> revoked_tokens_;    // by id
  BucketMap<std::string, TokenRevocation, TextSpread> revoked_subjects_;  // by subject
  std::size_t token_revocations_ = 0;
  std::vector<MemberNumber> present_;  // who `*` reaches: may connect, has a key; sorted
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
