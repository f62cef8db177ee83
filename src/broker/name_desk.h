// NameDesk is what a shard does about names that one connection holds: the nodes of PulseMesh and
// the keys of the relay. A name has a home shard by its hash; that one knows where its holder is.
// A frame for a name goes: sender's shard → home of the name → holder's shard; nothing is kept on
// the way. What crosses between shards goes once a turn. Lives on its shard's thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "broker/directory.h"
#include "broker/shard_core.h"

namespace signet::broker {

// A frame for whoever holds a name.
struct Parcel {
  std::string name;
  std::string frame;
  ConnectionId origin;
  bool wants_answer = false;  // by the pong of who got it
};

class NameDesk {
 public:
  explicit NameDesk(ShardCore& core) : core_(core) {}

  // What a name is called among all meshes and formats.
  static std::string node_name(MeshNumber mesh, std::string_view node);
  static std::string relay_name(MeshNumber mesh, const crypto::RelayKey& key);

  // The session has proven the name and takes it over; Broker::on_claimed() follows on this shard.
  void claim(const Session& session, const std::string& name);
  void release(const Session& session, const std::string& name);

  // To who holds the name, or Broker::on_undeliverable() follows on this shard.
  void forward(const Session& from, const std::string& name, std::string_view frame,
               bool wants_answer);

  // Pings and pongs that tell which envelopes were heard.
  void on_pong(RelaySession& session, std::string_view payload);
  void on_closed(RelaySession& session);  // nobody will say that it heard what waits
  void on_turn_end();

  std::size_t names() const { return directory_.size(); }  // whose home is here

 private:
  struct Sent {  // a parcel on its last way
    ConnectionId holder;
    Parcel parcel;
  };
  struct Outgoing {
    std::vector<Parcel> parcels;
    std::vector<Sent> sent;
  };

  std::uint32_t home_of(std::string_view name) const;
  Outgoing& outgoing_to(std::uint32_t shard);
  void claim_here(const std::string& name, ConnectionId holder);
  void pass(const std::string& name, std::string_view frame, ConnectionId origin,
            bool wants_answer);
  void hand(ConnectionId holder, std::string_view frame, ConnectionId origin, bool wants_answer);
  void await_pong(RelaySession& session, std::string_view frame, ConnectionId origin);
  void ping(RelaySession& session);
  void undeliverable(ConnectionId origin, std::string_view frame);

  ShardCore& core_;
  Directory directory_;
  std::vector<Outgoing> outgoing_;
  std::vector<std::uint32_t> waiting_;  // shards with something in outgoing_
};

}  // namespace signet::broker
