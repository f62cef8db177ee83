// Broker is the core on one shard: it admits, authorizes, routes and delivers for the connections
// of that shard. Every message takes the same way, whatever dialect its sender speaks:
//   bytes → dialect → prove → guard → authorize → route → store → deliver → confirmed
//
// Lives on its shard's thread. Other threads reach it through the shard's mailbox only, by the
// calls marked below. Split by subject: broker.cc (frames in), broker_admission.cc,
// broker_secrets.cc, broker_tokens.cc, broker_relay.cc (who is it?), broker_sending.cc (a message
// in), broker_delivery.cc (a message out), broker_presence.cc; topics are TopicDesk's business,
// names NameDesk's.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/log_limiter.h"
#include "broker/hub_desk.h"
#include "broker/name_desk.h"
#include "broker/session.h"
#include "broker/shard_core.h"
#include "broker/shared.h"
#include "broker/topic_desk.h"
#include "net/shard.h"
#include "trust/penalties.h"
#include "trust/rate_limit.h"

namespace signet::broker {

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

class Broker final : public net::ConnectionEvents, private ShardCore {
 public:
  // Both must outlive the broker; `shared` gets this broker into its list.
  Broker(Shared& shared, net::Shard& shard);

  using ShardCore::mailbox;  // any thread

  // From here on: this shard's thread only. Others post.

  // A new state of membership. Sessions of `narrowed` members are judged anew; those that may no
  // longer connect are closed.
  void show(std::shared_ptr<const membership::MembershipSnapshot> snapshot,
            const std::vector<MemberNumber>& narrowed);
  // New policies, routes and bindings; every session is judged anew.
  void show_rules(std::shared_ptr<const Rules> rules);
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

  // What is noted for the log and not written yet. Also after the shard's thread ended.
  void flush_trail() { trail_.flush_all(); }

  TopicDesk& topics() { return topics_; }
  NameDesk& names() { return names_; }
  HubDesk& hub() { return hub_; }
  std::uint32_t shard_index() const { return shard_.index(); }
  // Says it to an admitted session, if that is still there.
  void tell(ConnectionId id, const dialects::Reply& reply);
  // Of the names that connections hold (name_desk.h).
  void on_claimed(ConnectionId id);
  void on_replaced(ConnectionId id);
  void on_undeliverable(ConnectionId origin, std::string_view frame);

  // net::ConnectionEvents
  void on_request(net::Connection& connection, const net::HttpRequest& request) override;
  bool is_public(const wire::RequestHead& head) const override;
  std::size_t max_body_bytes(const wire::RequestHead& head) const override;
  void on_message(net::Connection& connection, wire::MessageKind kind,
                  std::string_view payload) override;
  void on_pong(net::Connection& connection, std::string_view payload) override;
  void on_drained(net::Connection& connection) override;
  void on_deadline(net::Connection& connection) override;
  void on_closed(net::Connection& connection) override;
  void on_certificate_refused(const net::PeerAddress& peer, std::string_view code) override {
    trail_.note(audit::Event::kRefused, {}, {}, peer, code);
  }
  void on_turn_end() override;

 private:
  using Id = ConnectionId;

  // Of ShardCore.
  void announce(MeshNumber mesh, const std::string& topic, const std::string& payload) override {
    topics_.announce(mesh, topic, payload);
  }

  // broker.cc
  struct Found {
    dialects::Dialect* dialect;
    dialects::Opening opening;
  };
  std::optional<Found> dialect_for(const wire::RequestHead& head);
  void open(net::Connection& connection, const net::HttpRequest& request, const Found& found);
  std::unique_ptr<Session> make_session(net::Connection& connection, const Found& found);
  void pass_on(net::Connection& connection, const net::HttpRequest& request);
  void on_frame(Session& session, std::string_view frame);
  void on_mail_verb(MailSession& session, const dialects::Verb& verb);
  void on_secret_verb(SecretSession& session, const dialects::Verb& verb, std::string_view frame);
  void on_relay_verb(RelaySession& session, const dialects::Verb& verb, std::string_view frame);
  void hold(Session& session, std::string_view payload);
  void proving(Session& session);  // a proof was checked: from here on it is somebody
  void enter(Session& session);
  void read_held(Id id);
  void judge(Session& session);
  bool judge_tokens(const membership::MembershipSnapshot& before);  // true: some were taken back
  void close_narrowed(Session& session, bool stands);
  bool shows_still(const Session& session) const;
  void on_binary(Session& session);
  void failed(const net::PeerAddress& peer);
  bool must_pay(const net::PeerAddress& peer);  // it failed too often to be looked at now

  // broker_admission.cc
  void on_hello(MailSession& session, const dialects::Hello& hello);
  void on_hello_remembered(Id id, store::HelloOutcome outcome, bool was_authorized);
  void admit(MailSession& session, const membership::Member& member);
  void reject(Session& session, HelloReject code);
  void leave(Session& session);
  void give_back(Session& session);

  // broker_secrets.cc
  void on_secret_hello(SecretSession& session, const dialects::SecretHello& hello);
  const membership::Member* who_shows(SecretSession& session, const trust::SecretClaim& claim);
  void tell_of_digest(const SecretSession& session);
  void on_secret_remembered(Id id, store::HelloOutcome outcome);
  bool is_welcome(SecretSession& session);
  void admit_secret(SecretSession& session);
  void end(SecretSession& session, HandshakeRefusal code, std::string_view ref = {},
           std::optional<TokenRefusal> rule = std::nullopt);
  void on_forward(SecretSession& session, const dialects::Forward& forward, std::string_view frame);
  void expire_sessions();
  void expire_later(SecretSession& session);
  Elapsed end_of(const SecretSession& session) const;
  void follow_the_wall_clock();
  void welcome(SecretSession& session);

  // broker_tokens.cc
  void on_token_hello(SecretSession& session, const dialects::TokenHello& hello);
  std::string_view certified(const net::Connection& connection) const;
  void on_certificate_hello(SecretSession& session, std::string_view source);
  void prove_subject(SecretSession& session, trust::Proof proof);
  bool may_become_member(const SecretSession& session) const;
  void on_subject(Id id, const Result<MemberNumber>& member);
  void refuse_token(SecretSession& session, TokenRefusal rule);
  void on_token_refresh(SecretSession& session, const dialects::TokenRefresh& refresh);
  std::optional<TokenRefusal> lost_token(const SecretSession& session) const;

  // broker_relay.cc
  void challenge(RelaySession& session);
  void on_response(RelaySession& session, const dialects::ChallengeResponse& response);
  void fail_registration(RelaySession& session, RegisterRefusal code, std::string_view detail = {});
  void on_envelope(RelaySession& session, const dialects::RelayEnvelope& envelope,
                   std::string_view frame);
  bool must_wait_to_relay(RelaySession& session);
  std::optional<RelayRefusal> address(RelaySession& session,
                                      const dialects::RelayEnvelope& envelope);
  void refuse_envelope(RelaySession& session, std::string_view frame, RelayRefusal code);

  // broker_sending.cc
  void on_send(MailSession& session, const dialects::Send& send);
  std::optional<std::chrono::nanoseconds> must_wait(Session& session);
  std::optional<std::chrono::nanoseconds> must_wait_to_send(MailSession& session);
  bool reaches(MailSession& session, const std::vector<MemberNumber>& recipients,
               const std::string& target, const membership::Audience& audience) const;
  void on_published(Id id, const std::string& client_id, const routing::Envelope& envelope,
                    const store::PublishAnswer& answer);
  void pause_while_too_much_is_unanswered(MailSession& session);

  // broker_delivery.cc
  void offer(MailSession& session, const store::Delivery& delivery, std::string& frame);
  std::string encode_push(const dialects::Dialect& dialect, const routing::Envelope& envelope);
  void push(MailSession& session, MessageNumber number, const routing::Envelope& envelope,
            std::string_view frame);
  void update_window(MailSession& session);
  void read_on(MailSession& session);
  void on_page(Id id, const Result<store::MailboxPage>& page);
  void ask_for_pong(MailSession& session);
  void on_mail_pong(MailSession& session, std::string_view payload);
  void confirm(MailSession& session, const std::vector<PushedMessage>& messages);
  void on_receipt(MailSession& session, const dialects::Receipt& receipt);
  void announce(const std::string& by, const PushedMessage& message, dialects::ReceiptState state);
  std::string key_of(const Session& session) const;  // hex

  // broker_presence.cc
  void set_status(MailSession& session, dialects::Status status, StatusSource source);
  void expire_statuses();
  void take_remembered_hook(MailSession& session);
  void on_list_peers(MailSession& session);
  void gather_peers(MeshNumber mesh);
  void on_peers_gathered(MeshNumber mesh, const std::map<Id, std::size_t>& asked,
                         const std::vector<dialects::PeerEntry>& peers);
  void on_channel(Session& session, const std::string& name, bool join);
  void on_list_channels(Session& session);
  void on_list_members(Session& session, const dialects::ListMembers& list);

  MailSession* mail_at(Id id);  // nullptr when it is gone

  // Lists of peers that sessions of this shard asked for, how often each.
  struct PeerLists {
    std::map<Id, std::size_t> asked;
    bool in_making = false;
  };

  std::vector<std::unique_ptr<dialects::Dialect>> dialects_;
  std::unordered_map<MeshNumber, PeerLists> peer_lists_;
  wire::FrameLimits unproven_frames_;                                 // until a proof was checked
  std::unordered_map<MemberNumber, std::vector<Session*>> sessions_;  // admitted ones
  std::set<MailSession*> working_;                                    // whose status may fall back
  std::vector<Id> pushed_;                                            // got a push this turn
  std::map<HookTarget, std::pair<dialects::Status, Elapsed>> hooks_;  // until when
  std::set<std::pair<Elapsed, Id>> expiring_;                         // the soonest first
  std::chrono::milliseconds wall_ahead_{0};  // of elapsed time, when expiring_ was planned last
  AddressRates send_rates_;
  AddressRates hello_rates_;
  AddressRates request_rates_;
  trust::Penalties penalties_;
  LogLimiter<HelloReject> rejected_log_{kHelloRejectCount};
  LogLimiter<HandshakeRefusal> handshakes_log_{kHandshakeRefusalCount};
  LogLimiter<HandshakeRefusal> digests_log_{kHandshakeRefusalCount};
  LogLimiter<RegisterRefusal> registrations_log_{kRegisterRefusalCount};
  LogLimiter<int> penalties_log_{1};
  TopicDesk topics_{*this};
  NameDesk names_{*this};
  HubDesk hub_{*this};
};

}  // namespace signet::broker
