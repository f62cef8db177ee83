// OutboxPump sends what the outbox holds, and what must go before it: the keys of channels. It says
// a message again after every reconnect until the broker has acknowledged it, under the same
// ticket, so it is stored once. No socket and no clock: frames out through `say`, answers in.
//
// A sealed message to many goes in three steps. Who would get it? (list_members) Who of them lacks
// the key? (channel_keys.h; each is sent a key message) Then the message, sealed, naming exactly
// that audience; the broker refuses it when members came or went meanwhile, and it starts anew.
//
// Owned by the client's thread.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/time.h"
#include "client/requests.h"
#include "client/sealing.h"
#include "client/state.h"
#include "crypto/hash.h"

namespace signet::client {

struct OutboxPumpOptions {
  std::chrono::milliseconds ack_timeout{10'000};  // of the protocol page
  // Unanswered sends: a quarter of what a broker reads before it waits for its disk. Their bytes:
  // all that it reads; more would only grow old in a slow line and be taken for unanswered.
  std::size_t max_in_flight = 64;
  std::size_t max_in_flight_bytes = 256 * 1024;
  std::chrono::milliseconds retry_after{1'000};  // a broker, or a disk, that says not when
  // Key requests, each way, of a connection, and those that wait for an answer over several: a
  // flood of them is no repair.
  std::size_t max_asked = 1'000;
};

class OutboxPump {
 public:
  using OnReport = std::function<void(const std::string& ticket)>;  // its report has changed

  // `state`, `sealing`, `requests` outlive the pump.
  OutboxPump(const OutboxPumpOptions& options, const std::string& mesh_id,
             const crypto::PublicKey& own, State& state, Sealing& sealing, Requests& requests,
             OnReport on_report);
  ~OutboxPump();  // wipes
  OutboxPump(const OutboxPump&) = delete;
  OutboxPump& operator=(const OutboxPump&) = delete;

  // Looks into the outbox again at the next pump.
  void wake() { look_ = true; }
  void connected();
  void disconnected();

  // Says what may be said now. Fails only for a disk that refuses; then it rests for a while.
  Status pump(Elapsed now, WallTime wall, const Say& say);

  bool on_ack(const dialects::AckAnswer& ack);
  bool on_error(const dialects::ErrorAnswer& error, Elapsed now);

  // A receiver has lost a key of this side: it gets it again where it is in the audience, once a
  // connection.
  void grant_again(const crypto::PublicKey& to, const KeyRequest& request);
  // A message came under a key that is not here: asks its sender, once a connection.
  void ask_for_key(const std::string& sender, const std::string& target,
                   const crypto::ChannelKeyId& id);

  bool is_overdue(Elapsed now) const;
  // When pump() or is_overdue() has something to do; not before `now`.
  std::optional<Elapsed> next_deadline(Elapsed now) const;

 private:
  struct Audience {
    enum class Phase : std::uint8_t { kUnknown, kAsked, kKnown, kRefused };
    Phase phase = Phase::kUnknown;
    std::vector<std::string> members;
    std::string digest;
    std::string refusal;                             // of kRefused
    std::optional<OwnChannelKey> key;                // once planned
    std::int64_t planned_at = 0;                     // State::others_version() then
    std::vector<std::string> seal_to;                // still to be sent the key
    std::set<std::string, std::less<>> handed;       // were sent it since the list came
    std::set<std::string, std::less<>> asked_again;  // members that lost the key
    int mismatches = 0;                              // lists that were not the audience they said
    int changes = 0;             // sends in a row that came too late for their audience
    std::size_t unanswered = 0;  // key messages under way
    std::uint64_t round = 0;     // tells answers to key messages of an earlier list apart
  };
  struct Wanted {  // a key to ask for
    std::string sender, target;
    crypto::ChannelKeyId id{};
  };
  struct InFlight {
    std::string ticket;  // of an outbox entry; empty: a key message
    std::string target;
    std::string audience;  // that it named
    Elapsed since;
    std::string member, key_id;  // of a key message that hands over a key
    std::uint64_t round = 0;
    std::optional<Wanted> asks;  // of one that asks for a key
    std::size_t bytes = 0;
  };
  using Tickets = std::unordered_map<std::string, InFlight, crypto::KeyedHash, std::equal_to<>>;

  Status look_into_outbox();
  Status say_all(Elapsed now, WallTime wall, const Say& say);
  Status say_entries(Elapsed now, WallTime wall, const Say& say);
  bool has_room() const;
  bool may_send(Elapsed now) const { return now >= not_before_ && has_room(); }
  bool has_unsaid() const;
  bool can_be_said(const OutboxEntry& entry) const;
  bool is_behind_another_audience(const OutboxEntry& entry) const;
  Status send_entry(OutboxEntry& entry, Elapsed now, WallTime wall, const Say& say);
  Status seal_entry(OutboxEntry& entry, Elapsed now, WallTime wall, const Say& say);
  Status say_entry(const OutboxEntry& entry, Elapsed now, const Say& say);
  Status refuse(const OutboxEntry& entry, std::string_view code);
  void ask_audience(const std::string& target, Elapsed now);
  void on_audience(Audience& audience, Result<dialects::Answer> answer);
  void forget_audience(Audience& audience);
  void forget_refusals();
  Result<OwnChannelKey> new_key(const std::string& target, WallTime wall) const;
  std::size_t count_asked_again() const;
  Status plan_key(const std::string& target, Audience& audience, WallTime wall);
  Status hand_out_key(const std::string& target, Audience& audience, Elapsed now, const Say& say);
  void say_send(const dialects::SendFields& send, InFlight sent, const Say& say);
  Status say_grants(Elapsed now, WallTime wall, const Say& say);
  Status say_key_requests(Elapsed now, const Say& say);
  void audience_changed(OutboxEntry& entry);
  void stored(const std::string& ticket, std::string_view message_id, std::int64_t recipients);
  std::optional<InFlight> answered(const std::string& client_id);
  void finished(const std::string& ticket);
  void later(const InFlight& sent, const dialects::ErrorAnswer& error, Elapsed now);
  void key_answered(const InFlight& sent, bool stored);

  const OutboxPumpOptions options_;
  const std::string mesh_id_;
  const crypto::PublicKey own_;
  State& state_;
  Sealing& sealing_;
  Requests& requests_;
  const OnReport on_report_;

  bool connected_ = false;
  bool look_ = true;
  std::uint64_t connection_ = 0;  // counts; answers to an older one's questions are old
  Elapsed not_before_;            // the broker asked to wait, or the disk refused
  bool pause_ = false;            // the next pump waits first: its clock is the one that counts
  std::map<std::int64_t, OutboxEntry> queue_;  // claimed and unfinished, in order
  std::set<std::string, std::less<>> said_;    // tickets under way
  Tickets in_flight_;                          // by client id
  std::size_t in_flight_bytes_ = 0;
  std::uint64_t rounds_ = 0;
  std::map<std::string, Audience, std::less<>> audiences_;
  std::vector<Wanted> wanted_;                    // keys to ask for
  std::set<std::string, std::less<>> asked_for_;  // sender and key id, of this connection
  std::set<std::string, std::less<>> granted_;    // target, key id and asker, likewise
};

}  // namespace signet::client
