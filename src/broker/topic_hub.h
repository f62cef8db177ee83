// TopicHub is who listens to what on one shard: the subscriptions of its sessions, mesh by mesh,
// and each listener's place while a pulse goes round, so that none gets it twice. No sockets here.
// Owned by the shard's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "routing/pattern.h"
#include "routing/routing_table.h"
#include "routing/subscription_tree.h"

namespace signet::broker {

struct Session;

// What a session has to do with topics; a part of it. Costs a pointer until it subscribes.
struct Listener {
  // What a slow reader is to get once it reads again: the latest pulses, ready encoded.
  struct Late {
    std::deque<std::shared_ptr<const std::string>> frames;
    std::size_t bytes = 0;
    std::uint64_t dropped = 0;  // since it became slow; the oldest go first
  };
  struct Subscriptions {
    std::vector<routing::Pattern> patterns;  // in the order they came
    routing::SubscriptionTree::Subscriber slot = 0;
    std::unique_ptr<Late> late;  // while it is slow
  };
  std::unique_ptr<Subscriptions> subscriptions;
};

// A name that pulses are heard under, and how many sessions of this shard listen to exactly it.
struct TopicCount {
  std::string name;
  std::size_t subscribers = 0;
};

class TopicHub {
 public:
  // False: it has that subscription. The session stays where it is until forget().
  bool subscribe(Session& session, const routing::Pattern& pattern);
  bool unsubscribe(Session& session, const routing::Pattern& pattern);
  void forget(Session& session);  // all its subscriptions

  // Calls visit(Session&, std::string_view heard_on) for each session that hears `topic` or one of
  // the topics it is routed to. A session may come several times, until visit answers true: taken.
  // `visit` must not subscribe nor unsubscribe. Answers how many steps it took.
  template <class Visit>
  std::size_t each_hearer(MeshNumber mesh, std::string_view topic,
                          const routing::RoutingTable& routes, Visit&& visit);

  // Subscriptions without wildcards, by rising name; each topic once.
  std::vector<TopicCount> topics(MeshNumber mesh) const;
  std::size_t subscriptions() const { return subscriptions_; }

 private:
  using Slot = routing::SubscriptionTree::Subscriber;
  struct Place {
    Session* session = nullptr;
    std::uint64_t taken = 0;  // the round in which it took a pulse
  };
  struct MeshTopics {
    routing::SubscriptionTree tree;
    std::map<std::string, std::size_t, std::less<>> exact;  // subscribers by topic
  };

  Slot take_slot(Session& session);
  void unhook(Session& session, const routing::Pattern& pattern);

  std::unordered_map<MeshNumber, MeshTopics> meshes_;
  std::vector<Place> places_;  // by slot
  std::vector<Slot> free_;
  std::uint64_t round_ = 0;
  std::size_t subscriptions_ = 0;
};

template <class Visit>
std::size_t TopicHub::each_hearer(MeshNumber mesh, std::string_view topic,
                                  const routing::RoutingTable& routes, Visit&& visit) {
  const auto found = meshes_.find(mesh);
  if (found == meshes_.end()) return 0;
  ++round_;
  std::size_t steps = 0;
  const auto on = [&](std::string_view heard_on) {
    steps += found->second.tree.match(heard_on, [&](Slot slot) {
      ++steps;
      Place& place = places_[slot];
      if (place.taken != round_ && visit(*place.session, heard_on)) place.taken = round_;
    });
  };
  on(topic);
  for (const std::string& also : routes.also_to(topic)) on(also);
  return steps;
}

}  // namespace signet::broker
