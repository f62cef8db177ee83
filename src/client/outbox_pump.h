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
  // Unanswered sends: a quarter of what a broker reads before it waits for its disk.
  std::size_t max_in_flight = 64;
  std::chrono::milliseconds retry_after{1'000};  // a broker that says "later" and not when
};

class OutboxPump {
 public:
  using OnReport = std::function<void(const std::string& ticket)>;  // its report has changed

  // `state`, `sealing`, `requests` outlive the pump.
  OutboxPump(const OutboxPumpOptions& options, const std::string& mesh_id,
             const crypto::PublicKey& own, State& state, Sealing& sealing, Requests& requests,
             OnReport on_report);

  // Looks into the outbox again at the next pump.
  void wake() { look_ = true; }
  void connected();
  void disconnected();

  // Says what may be said now. Fails only for a disk that refuses.
  Status pump(Elapsed now, WallTime wall, const Say& say);

  bool on_ack(const dialects::AckAnswer& ack);
  bool on_error(const dialects::ErrorAnswer& error, Elapsed now);

  // A receiver has lost a key of this side: it gets it again where it is still in the audience.
  void grant_again(const crypto::PublicKey& to, const KeyRequest& request);
  // A message came under a key that is not here: asks its sender, once a connection.
  void ask_for_key(const std::string& sender, const std::string& target,
                   const crypto::ChannelKeyId& id);

  bool is_overdue(Elapsed now) const;
  std::optional<Elapsed> next_deadline(Elapsed now) const;

 private:
  struct Audience {
    enum class Phase : std::uint8_t { kUnknown, kAsked, kKnown, kRefused };
    Phase phase = Phase::kUnknown;
    std::vector<std::string> members;
    std::string digest;
    std::string refusal;                             // of kRefused
    std::optional<OwnChannelKey> key;                // once planned
    std::vector<std::string> seal_to;                // still to be sent the key
    std::set<std::string, std::less<>> asked_again;  // members that lost the key
    int tries = 0;
    std::size_t unanswered = 0;  // key messages under way
  };
  struct InFlight {
    std::string ticket;  // of an outbox entry; empty: a key message
    std::string target, key_id, member;
    Elapsed since;
  };
  using Tickets = std::unordered_map<std::string, InFlight, crypto::KeyedHash, std::equal_to<>>;

  Status look_into_outbox();
  bool may_send(Elapsed now) const;
  Status send_entry(OutboxEntry& entry, Elapsed now, WallTime wall, const Say& say);
  Status seal_entry(OutboxEntry& entry, Elapsed now, WallTime wall, const Say& say);
  Status say_entry(const OutboxEntry& entry, Elapsed now, const Say& say);
  Status refuse(const OutboxEntry& entry, std::string_view code);
  void ask_audience(const std::string& target, Elapsed now);
  Status plan_key(const std::string& target, Audience& audience, WallTime wall);
  Status hand_out_key(const std::string& target, Audience& audience, Elapsed now, const Say& say);
  Status say_key_message(const std::string& member, const KeyMessage& message, InFlight in_flight,
                         const Say& say);
  Status say_grants(Elapsed now, WallTime wall, const Say& say);
  Status say_key_requests(Elapsed now, const Say& say);
  void finished(const std::string& ticket);
  void later(const dialects::ErrorAnswer& error, Elapsed now);
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
  Elapsed not_before_;            // the broker asked to wait
  std::map<std::int64_t, OutboxEntry> queue_;  // claimed and unfinished, in order
  std::set<std::string, std::less<>> said_;    // tickets under way
  Tickets in_flight_;                          // by client id
  std::map<std::string, Audience, std::less<>> audiences_;
  struct Wanted {
    std::string sender, target;
    crypto::ChannelKeyId id;
  };
  std::vector<Wanted> wanted_;                    // keys to ask for
  std::set<std::string, std::less<>> asked_for_;  // sender and key id, of this connection
};

}  // namespace signet::client
