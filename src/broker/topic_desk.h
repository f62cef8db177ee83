// TopicDesk is what a shard does about topics: takes pulses from its sessions, numbers those of the
// meshes whose home it is, and brings every pulse to those who may hear it. A pulse goes
//   session's shard (parse, guard, policy) → home of the mesh (number, stamp, history) → all shards
// so that everybody hears a mesh's pulses in one order, and a reader can tell what it missed.
// What crosses between shards goes once a turn. Lives on its shard's thread.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "broker/shard_core.h"
#include "broker/topic_hub.h"
#include "routing/topic_history.h"

namespace signet::broker {

// A pulse on its way to be numbered.
struct PulseDraft {
  MeshNumber mesh;
  Payer payer;  // of what it causes
  std::string topic;
  std::string open;  // the object, without stamps and closing brace
  std::string from;
  ConnectionId origin;    // gets no echo
  std::string client_id;  // empty: no answer is wanted
};

// A numbered pulse on its way to those who hear it.
struct NumberedPulse {
  std::shared_ptr<const routing::Pulse> pulse;
  Payer payer;
  ConnectionId origin;
  bool routed = true;  // false: only to who asked for this very topic
};

struct HistoryQuery {
  std::string pattern;                 // empty: every topic
  std::optional<std::uint64_t> after;  // else the newest
  std::size_t limit = 0;
};

class TopicDesk {
 public:
  explicit TopicDesk(ShardCore& core);

  // False: refused for its rate.
  bool on_publish(Session& session, const dialects::Publish& publish);
  void on_subscribe(Session& session, const dialects::Subscribe& subscribe);
  void on_unsubscribe(Session& session, const dialects::Unsubscribe& unsubscribe);
  void on_history(Session& session, const dialects::ReadHistory& read);
  void on_list(Session& session);
  // A connection that is itself a subscription, of the topic it was opened on.
  void listen(Session& session, const std::string& topic);
  void forget(Session& session) { hub_.forget(session); }
  void drop_late(Session& session);  // what a slow reader has not got yet
  // Its queue has room again.
  void on_drained(Session& session);

  // Signet's own word, on the governance topics: not routed, not kept, in nobody's name.
  void announce(MeshNumber mesh, const std::string& topic, const std::string& payload);

  void on_turn_end();  // sends what goes to other shards

  // From here on: posted by other shards.
  void number(std::vector<PulseDraft> drafts);  // this shard is their home
  void deliver(const std::vector<NumberedPulse>& pulses);
  // Of a mesh whose home this is: what a reader may read of it. Answers on this shard.
  using HistoryAnswer = std::function<void(const routing::TopicHistory::Page& page)>;
  void read_history(const Principal& who, const HistoryQuery& query, const HistoryAnswer& answer);
  std::vector<TopicCount> topics(MeshNumber mesh) const { return hub_.topics(mesh); }
  // Of such a mesh: may `who` have pulses of some topic by one of these actions? If not, the
  // reference of the refusal, by which the operator finds why.
  std::optional<std::string> deny_reader(const Principal& who, const net::PeerAddress& peer,
                                         std::initializer_list<trust::Action> by_any);
  bool sees_presence(const Principal& who);
  // All shards' counts together, of those topics that `who` may hear or read; answers on this
  // shard. Any thread may post it.
  void gather_topics(const Principal& who,
                     std::function<void(const std::vector<dialects::TopicEntry>&)> answer);
  std::uint64_t total(MeshNumber mesh) const;  // pulses ever numbered here

 private:
  struct Outgoing {  // to one other shard, this turn
    std::vector<PulseDraft> drafts;
    std::vector<NumberedPulse> pulses;
  };
  struct Round;

  std::optional<std::chrono::nanoseconds> must_wait(Session& session, std::string_view topic);
  void number_one(PulseDraft draft);
  void answer(const PulseDraft& draft, const routing::Pulse& pulse);
  Outgoing& outgoing_to(std::uint32_t shard);
  void spread(const NumberedPulse& pulse);
  void deliver_one(const NumberedPulse& pulse);
  bool hears(Session& session, std::string_view heard_on, const NumberedPulse& pulse, Round& round);
  void hand_over(Session& session, const std::shared_ptr<const std::string>& frame);
  void keep_for_later(Session& session, const std::shared_ptr<const std::string>& frame);
  routing::TopicHistory& history_of(MeshNumber mesh);

  ShardCore& core_;
  TopicHub hub_;
  std::unordered_map<MeshNumber, routing::TopicHistory> histories_;  // of meshes at home here
  std::vector<Outgoing> outgoing_;                                   // by shard
  std::vector<std::uint32_t> waiting_;                               // shards with something in it
  trust::RateLimiter<std::string, crypto::KeyedHash> topic_rates_;
  trust::RateLimiter<std::array<unsigned char, 16>, crypto::KeyedHash> address_rates_;
  LogLimiter<int> slow_log_{1};
  LogLimiter<int> caught_up_log_{1};
};

}  // namespace signet::broker
