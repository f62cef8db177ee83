// Broker is the core on one shard: it admits, authorizes, routes and delivers for the connections
// of that shard. Every message takes the same way, whatever dialect its sender speaks:
//   bytes → dialect → prove → guard → authorize → route → store → deliver → confirmed
//
// Lives on its shard's thread. Other threads reach it through the shard's mailbox only, by the
// calls marked below. Split by subject: broker.cc (frames in), broker_admission.cc (who is it?),
// broker_sending.cc (a message in), broker_delivery.cc (a message out), broker_presence.cc.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/log_limiter.h"
#include "broker/broker_options.h"
#include "broker/http_call.h"
#include "broker/session.h"
#include "broker/shared_limits.h"
#include "controller/controller.h"
#include "net/shard.h"
#include "store/store.h"
#include "trust/rate_limit.h"

namespace signet::broker {

class Broker;

// What the brokers of all shards share. Filled before the threads start; from then on it is read,
// but for the atomics inside.
struct Shared {
  Shared(const BrokerOptions& its_options, store::Store& its_store, Mailbox& its_control,
         const Clock& its_clock, MetricRegistry& registry);

  const BrokerOptions& options;
  store::Store& store;
  Mailbox& control;                              // the control thread's
  controller::Controller* controller = nullptr;  // used by tasks posted to `control` only
  const Clock& clock;
  BrokerMetrics metrics;
  MemberRates send_rates;
  MemberRates hello_rates;
  MeshLoads loads;
  HttpHandler http;
  std::vector<Broker*> brokers;  // by shard
};

// Limits per address, each on its own shard: an address that spreads its connections over all
// shards gets at most that many times the rate.
class AddressRates {
 public:
  AddressRates(double per_second, double burst, std::size_t entries)
      : off_(per_second <= 0), rates_(per_second, burst, entries) {}

  // nullopt: taken. Otherwise how long to wait.
  std::optional<std::chrono::nanoseconds> take(const net::PeerAddress& address, Elapsed now);

 private:
  bool off_;
  trust::RateLimiter<std::array<unsigned char, 16>, crypto::KeyedHash> rates_;
};

// A status that a hook posted, by the process it names.
struct HookTarget {
  std::int64_t pid;
  std::string cwd;
  auto operator<=>(const HookTarget&) const = default;
};

class Broker final : public net::ConnectionEvents {
 public:
  // Both must outlive the broker; `shared` gets this broker into its list.
  Broker(Shared& shared, net::Shard& shard);

  Mailbox& mailbox() { return shard_.mailbox(); }  // any thread

  // From here on: this shard's thread only. Others post.

  // A new state of membership; sessions of `narrowed` members that may no longer connect are
  // closed.
  void show(std::shared_ptr<const membership::MembershipSnapshot> snapshot,
            const std::vector<MemberNumber>& narrowed);
  // A commit stored these.
  void on_stored(const store::DeliveryBatch& batch);
  // A receiver of another shard confirmed a message of `sender`.
  void tell_sender(MemberNumber sender, const dialects::ReceiptNotice& notice);
  // This shard's sessions of a mesh.
  void collect_peers(MeshNumber mesh, std::vector<dialects::PeerEntry>& into) const;
  // Applies a hook's status to the sessions of that process; the presence id of one of them, or
  // empty.
  std::string apply_hook(const HookTarget& target, dialects::Status status);
  // The same, and when there is none, the next one to say hello soon gets it, on whatever shard.
  std::string apply_or_remember_hook(const HookTarget& target, dialects::Status status);

  // net::ConnectionEvents
  void on_request(net::Connection& connection, const net::HttpRequest& request) override;
  void on_message(net::Connection& connection, wire::MessageKind kind,
                  std::string_view payload) override;
  void on_pong(net::Connection& connection, std::string_view payload) override;
  void on_drained(net::Connection& connection) override;
  void on_deadline(net::Connection& connection) override;
  void on_closed(net::Connection& connection) override;
  void on_turn_end() override;

 private:
  using Id = net::ConnectionId;

  // broker.cc
  dialects::Dialect* dialect_for(std::string_view path);
  void pass_on(net::Connection& connection, const net::HttpRequest& request);
  void on_frame(Session& session, std::string_view frame);
  void on_verb(Session& session, const dialects::Verb& verb);
  void say(Session& session, const dialects::Reply& reply);
  bool say_text(Session& session, std::string_view text);  // false: it is closed as slow
  void refuse(Session& session, Refusal code, std::string_view client_id,
              std::optional<std::chrono::nanoseconds> retry_after = std::nullopt,
              std::string_view detail = {});
  Session* session_at(Id id);  // nullptr when it is gone
  const membership::Member* member_of(const Session& session) const;

  // broker_admission.cc
  void on_hello(Session& session, const dialects::Hello& hello);
  void on_hello_remembered(Id id, store::HelloOutcome outcome, bool was_authorized);
  void admit(Session& session, const membership::Member& member);
  void reject(Session& session, HelloReject code);
  void leave(Session& session);

  // broker_sending.cc
  void on_send(Session& session, const dialects::Send& send);
  std::optional<std::chrono::nanoseconds> must_wait(Session& session);
  std::optional<std::chrono::nanoseconds> must_wait_to_send(Session& session);
  bool reaches(Session& session, const std::vector<MemberNumber>& recipients,
               const std::string& target, const membership::Audience& audience) const;
  void on_published(Id id, const std::string& client_id, const routing::Envelope& envelope,
                    const store::PublishAnswer& answer);
  void pause_while_too_much_is_unanswered(Session& session);

  // broker_delivery.cc
  void offer(Session& session, const store::Delivery& delivery, std::string& frame);
  std::string encode_push(const dialects::Dialect& dialect, const routing::Envelope& envelope);
  void push(Session& session, MessageNumber number, const routing::Envelope& envelope,
            std::string_view frame);
  void update_window(Session& session);
  void read_on(Session& session);
  void on_page(Id id, const Result<store::MailboxPage>& page);
  void ask_for_pong(Session& session);
  void confirm(Session& session, const std::vector<PushedMessage>& messages);
  void on_receipt(Session& session, const dialects::Receipt& receipt);
  void announce(const std::string& by, const PushedMessage& message, dialects::ReceiptState state);
  std::string key_of(const Session& session) const;  // hex

  // broker_presence.cc
  void set_status(Session& session, dialects::Status status, StatusSource source);
  void expire_statuses();
  void take_remembered_hook(Session& session);
  void on_list_peers(Session& session);
  void gather_peers(Session& session);
  void on_peers_gathered(Session& session, const std::vector<dialects::PeerEntry>& peers);
  void on_channel(Session& session, const std::string& name, bool join);
  void on_list_channels(Session& session);
  void on_list_members(Session& session, const dialects::ListMembers& list);

  Shared& shared_;
  net::Shard& shard_;
  std::vector<std::unique_ptr<dialects::Dialect>> dialects_;
  std::shared_ptr<const membership::MembershipSnapshot> snapshot_;
  std::uint64_t shown_ = 0;                                           // how many there were
  std::unordered_map<MemberNumber, std::vector<Session*>> sessions_;  // admitted ones
  std::set<Session*> working_;                                        // whose status may fall back
  std::vector<Id> pushed_;                                            // got a push this turn
  std::map<HookTarget, std::pair<dialects::Status, Elapsed>> hooks_;  // until when
  AddressRates send_rates_;
  AddressRates hello_rates_;
  AddressRates request_rates_;
  LogLimiter<HelloReject> rejected_log_{kHelloRejectCount};
  LogLimiter<Refusal> refused_log_{kRefusalCount};
};

}  // namespace signet::broker
