// signet/client.h: a member's side of a mesh. Connect with a key, send sealed messages that are
// kept until the broker has them, receive each message once.
//
//   auto client = signet::Client::open({.membership = std::move(membership),
//                                       .state_file = "ada.db"},
//                                      {.on_message = [](const signet::Message& m) { show(m); }});
//   if (!client.ok()) return report(client.error());
//   auto sent = (*client)->send({.to = "bob", .text = "hello"});
//
// A client owns one thread. Handlers run on it, one at a time, and must not block or throw. Every
// method may be called from any thread; from a handler only those that do not wait (no timeout
// parameter). Nothing throws. Errors carry what the caller can do next (ErrorCode); the detail
// begins with a stable code of docs/codes.md, which code_of() cuts out, and goes on with a sentence
// for a person.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "signet/result.h"

namespace signet {

// The stable code at the start of an error's detail: `peer_key_changed` of
// `peer_key_changed: ada has another key than before`.
std::string_view code_of(const Error& error);

// Identity is an Ed25519 key pair: who a member is. Wiped on destruction, never printed, moved and
// not copied.
class Identity {
 public:
  static Identity generate();
  // 64 hex digits of the seed, or 128 of libsodium's secret key, as claudemesh keeps it. Fails
  // kMalformed (bad_key), also where the public half of 128 digits is not this seed's.
  static Result<Identity> from_hex(std::string_view secret);
  // A file that holds such digits. Fails kForbidden (key_file_readable) when others than its owner
  // may read it, kNotFound, kMalformed; a symbolic link is refused.
  static Result<Identity> from_file(const std::string& path);

  Identity(Identity&&) noexcept;
  Identity& operator=(Identity&&) noexcept;
  ~Identity();

  const std::string& public_key() const;  // 64 hex digits, lower case
  std::string seed_hex() const;           // for a key file; the caller wipes it

 private:
  friend class Client;
  friend struct IdentityAccess;  // the library's own modules
  struct Impl;
  explicit Identity(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Membership is one place in one mesh: what a join gives and a configuration keeps.
struct Membership {
  std::string broker_url;  // ws://host:port/ws or wss://…
  std::string mesh_id;
  std::string mesh_slug;  // what people call the mesh
  std::string member_id;
  Identity identity;
};

// How to trust a broker behind TLS. The host name is always checked.
struct TlsTrust {
  std::string ca_file;       // PEM; empty: the system's authorities
  bool allow_tls12 = false;  // TLS 1.3 alone is spoken otherwise
};

// Joins a mesh by an invite link under `identity`. Fails kMalformed (invite_malformed: no link, or
// it was changed), kForbidden with the broker's code (invite_expired, invite_revoked, …),
// kUnavailable when the broker can't be reached.
Result<Membership> join(std::string_view invite_link, std::string_view display_name,
                        Identity identity, std::chrono::milliseconds timeout,
                        const TlsTrust& trust = {});

enum class Priority : std::uint8_t { kNow, kNext, kLow };
enum class Activity : std::uint8_t { kIdle, kWorking, kDnd };

// What a received message was. A message to `tag:x` is a broadcast; kUnknown: the broker did not
// say.
enum class MessageKind : std::uint8_t { kDirect, kBroadcast, kChannel, kUnknown };

// Message is a value of its own; nothing in it borrows.
struct Message {
  std::string id;  // 32 hex digits, the same at every delivery
  std::string mesh_id;
  std::string sender_key;   // 64 hex digits
  std::string sender_name;  // as pinned or listed; empty where unknown or in conflict with a pin
  MessageKind kind = MessageKind::kUnknown;
  std::string target;  // as addressed: a key, `*`, `#name`, `tag:name`; empty where unknown
  Priority priority = Priority::kNext;
  std::string created_at;  // ISO 8601, the broker's clock
  bool sealed = false;     // true: only members could read it and its sender is proven
  // The plaintext. Nullopt where there is none, and `why` says why: key_missing (it may come
  // later), does_not_open, bad_signature, reflected, misdirected, body_malformed. Text that was not
  // sealed is given with sealed = false: whoever runs the broker could read it and could have
  // written it.
  std::optional<std::string> text;
  std::string why;
};

struct Outgoing {
  std::string
      to;  // a key, a unique prefix of one (8 digits or more), a name, `*`, `#name`, `tag:name`
  std::string text;  // UTF-8, at most 40,000 bytes; may not begin with a NUL byte
  Priority priority = Priority::kNext;
  bool receipts = false;  // tell when it was received and read
  // False sends `*`, `#` and `tag:` as claudemesh v0.1 did, in the clear, for members whose clients
  // can't open sealed ones. Direct messages are always sealed.
  bool sealed = true;
};

// How far a message came. It only moves on, never back. It is the broker's word: one that lies can
// invent a receipt.
enum class SendState : std::uint8_t {
  kWaiting,   // in the outbox: it will be sent when the broker is there
  kStored,    // the broker acknowledged: on its disk
  kReceived,  // a receiver's client has it on its own disk (asked for with `receipts`)
  kRead,      // a receiver has confirmed it
  kRefused,   // it will not be sent; `why` is the broker's code
};

struct SendReport {
  std::string ticket;      // the client's own id of the message
  std::string message_id;  // the broker's, once stored
  std::string to;          // as resolved
  SendState state = SendState::kWaiting;
  std::string why;              // of kRefused
  std::int64_t recipients = 0;  // mailboxes that took it
  std::vector<std::string> by;  // keys that received it, as far as told
};

struct ConnectionReport {
  enum class State : std::uint8_t { kConnecting, kConnected, kWaiting, kStopped };
  State state = State::kConnecting;
  std::string why;  // of kWaiting and kStopped: the last failure, beginning with its code
  std::chrono::milliseconds retry_in{0};  // of kWaiting
};

struct Peer {  // one live session in the mesh
  std::string key, name, summary, session_id, connected_at;
  Activity activity = Activity::kIdle;
  bool is_me = false;  // a session under the own key
};
struct Member {
  std::string key, name, role;
};
struct Channel {
  std::string name;  // with its #
  std::int64_t members = 0;
  bool joined = false;
};

// Pulse is one publication on a topic: fresh or worth nothing, kept on no disk, and in the clear.
// Whoever runs the broker can read a pulse, and `from` and `at` are its word.
struct Pulse {
  std::string topic;
  std::string from;                // a member's key (64 hex digits), or a PulseMesh source
  std::string at;                  // ISO 8601, the broker's clock
  std::uint64_t number = 0;        // rises over the mesh; 0: the broker's own, which is not counted
  std::uint64_t topic_number = 0;  // consecutive within the topic
  std::string json;                // the text of an object, with the broker's stamps in it
  // Of a subscription: how many of this topic came before it and were not handed over, because this
  // side was too slow or away, or the broker dropped them.
  std::uint64_t missed = 0;
  // Likewise: pulses before it are gone, and nobody knows how many, or on which topics.
  bool gap = false;
};
struct TopicHistory {
  std::vector<Pulse> pulses;  // oldest first
  bool gap = false;           // some that were asked for are gone
  bool more = false;          // there are more, behind `next`
  std::uint64_t next = 0;     // to go on from
};
struct TopicInfo {
  std::string name;
  std::int64_t subscribers = 0;
};
using PulseHandler = std::function<void(const Pulse&)>;

namespace client {
class Feed;
}

// Subscription is a wish to hear topics; it ends with it. Once the destructor has returned, its
// handler is not called any more; it waits for one that runs, unless it is called from there. May
// outlive its client.
class Subscription {
 public:
  Subscription(Subscription&&) noexcept;
  Subscription& operator=(Subscription&&) noexcept;  // ends the one before
  ~Subscription();

  const std::string& pattern() const;  // REQUIRES: not moved from

 private:
  friend class Client;
  explicit Subscription(std::shared_ptr<client::Feed> feed);
  std::shared_ptr<client::Feed> feed_;
};

// A key that this client has used under a name. It stays until somebody trusts another one.
struct Pin {
  std::string name, key;
  bool verified = false;  // a person compared the safety number
  std::string since;      // ISO 8601
};
struct KeyChange {
  std::string name, pinned_key, seen_key;
};

// All may be empty.
struct Handlers {
  // Given once each, in the order of the broker; confirmed when the handler returns. Without it,
  // messages wait for read().
  std::function<void(const Message&)> on_message = {};
  std::function<void(const ConnectionReport&)> on_connection = {};
  std::function<void(const SendReport&)> on_send = {};  // each step of a message
  std::function<void(const KeyChange&)> on_key_change =
      {};  // a pinned name shows up with another key
  // After a reconnect the broker refused a subscription that it had. It is asked for again now and
  // then, and until it is granted its handler hears nothing.
  std::function<void(const std::string& pattern, const Error& why)> on_unsubscribed = {};
};

struct ClientOptions {
  Membership membership;
  // SQLite: outbox, inbox, pinned keys. Several processes may share one. Empty: in memory, and
  // what waits is lost with the process.
  std::string state_file = {};
  std::string display_name = {};  // a hint to others, at most 128 bytes
  TlsTrust trust = {};
  std::chrono::milliseconds connect_timeout{5'000};  // name, TCP, TLS, upgrade
  std::chrono::milliseconds hello_timeout{5'000};    // of the protocol page
  std::chrono::milliseconds ack_timeout{10'000};     // likewise; then the connection is made anew
  std::chrono::milliseconds first_retry{1'000};      // doubles up to last_retry; each drawn from 0
  std::chrono::milliseconds last_retry{30'000};      // to it (full jitter)
  std::size_t outbox_messages = 100;                 // waiting; one more is refused
  std::size_t inbox_messages = 500;  // unread; beyond it the broker keeps what comes
  std::size_t pulse_queue = 1'000;   // of one subscription, for its handler; then the oldest go
};

class Client {
 public:
  // Opens the state and starts connecting; it does not wait for the broker. Fails kMalformed
  // (bad_url, state_corrupt: the sentence says where the file was put aside), kForbidden
  // (state_not_yours), kUnavailable (disk). Afterwards the client reconnects by itself. After a
  // refusal that no retry can change (unauthorized, revoked) its state is kStopped, and it asks
  // again only every few minutes, for a person may have changed it.
  static Result<std::unique_ptr<Client>> open(ClientOptions options, Handlers handlers = {});

  // Ends the connection and joins the thread, within a second where no name is being looked up.
  // REQUIRES: not called from a handler.
  ~Client();

  ConnectionReport connection() const;
  // Fails kUnavailable at the timeout with the last failure, kUnauthorized when it is kStopped.
  Status wait_connected(std::chrono::milliseconds timeout);

  // --- sending ---
  // Puts a message into the outbox, on disk before this returns; the ticket. It is sent as soon as
  // the broker is there and again until acknowledged; it is delivered once. A name is looked up
  // among pins, then among the members that the broker listed last; `find` does both with waiting.
  // Fails kMalformed (bad_target, text_too_long, text_not_utf8), kNotFound (no_such_member),
  // kConflict (ambiguous_name, peer_key_changed), kOverloaded (outbox_full).
  Result<std::string> send(const Outgoing& message);
  // Waits until the message came to `state` or was refused; what it came to. Fails kOverloaded
  // (timeout) when it did not, kUnauthorized when the client is kStopped, as wait_connected(): it
  // still waits in the outbox. kNotFound for an unknown ticket.
  Result<SendReport> wait_sent(std::string_view ticket, SendState state,
                               std::chrono::milliseconds timeout);
  // Takes back what still waits; kConflict (already_sent) when the broker may have it.
  Status cancel(std::string_view ticket);
  Result<std::vector<SendReport>> outbox() const;  // what waits, oldest first

  // --- reading, without on_message ---
  // Leases up to `most` unread messages to this process, oldest first; waits up to `timeout` for
  // the first. No other process gets them until they are confirmed, or returned, or this process
  // ends. Empty at the timeout.
  Result<std::vector<Message>> read(std::size_t most, std::chrono::milliseconds timeout);
  Status confirm(const std::vector<std::string>& message_ids);
  Status give_back(const std::vector<std::string>& message_ids);
  // Unread messages, without leasing them; the newest `most`.
  Result<std::vector<Message>> unread(std::size_t most) const;
  // Confirmed messages that are still kept, newest first.
  Result<std::vector<Message>> history(std::size_t most) const;

  // --- presence ---
  Result<std::vector<Peer>> peers(std::chrono::milliseconds timeout);
  // Whom a message to `target` would reach now, the caller left out; `*` is the whole mesh.
  Result<std::vector<Member>> members(std::string_view target, std::chrono::milliseconds timeout);
  // Said now and again after each reconnect.
  Status set_activity(Activity activity);
  Status set_summary(std::string_view summary);

  // --- channels ---
  Status join_channel(std::string_view name, std::chrono::milliseconds timeout);
  Status leave_channel(std::string_view name, std::chrono::milliseconds timeout);
  Result<std::vector<Channel>> channels(std::chrono::milliseconds timeout);

  // --- topics ---
  // Publishes a JSON object; the number that the broker gave it. Others hear it, this client does
  // not. It is not kept: what is not published now is not published. A timeout of zero waits for no
  // answer, gives 0, and may be used in a handler. Fails kMalformed (bad_topic, bad_pulse,
  // pulse_too_long: over some 65,000 bytes), kForbidden (denied), kOverloaded (rate_limited,
  // too_many_pulses, timeout: it may be published all the same), kUnavailable (not connected, or
  // connection_lost before the answer: likewise).
  Result<std::uint64_t> publish(std::string_view topic, std::string_view json_object,
                                std::chrono::milliseconds timeout);
  // Hears every topic that `pattern` names: `*` for one segment, `>` for the rest. What the mesh's
  // routing table brings there comes too, with the topic that it is of, which the pattern need not
  // name: to each subscription of this client, for the broker does not say which it is for. `after`
  // hands over first what was published behind that number and is still kept. The handler runs as
  // others do; while one is slow, the oldest pulses that wait for it go, counted in `missed`.
  // After a reconnect the subscription is restored and what came meanwhile handed over first. Fails
  // kMalformed (bad_topic), kForbidden (denied), kOverloaded (limit_exceeded, rate_limited,
  // timeout), kUnavailable.
  Result<Subscription> subscribe(std::string_view pattern, PulseHandler handler,
                                 std::chrono::milliseconds timeout,
                                 std::optional<std::uint64_t> after = std::nullopt);
  // Pulses that the broker still keeps: with `after`, the first behind that number, else the
  // newest; `limit` is 1 to 1,000, and fewer may come with `more`. An empty pattern is every topic.
  Result<TopicHistory> topic_history(std::string_view pattern, std::optional<std::uint64_t> after,
                                     std::size_t limit, std::chrono::milliseconds timeout);
  Result<std::vector<TopicInfo>> topics(std::chrono::milliseconds timeout);

  // --- whose key is whose ---
  // The key of a name, a key prefix, or a key. Pins the name on first use. Fails kNotFound
  // (no_such_member), kConflict (ambiguous_name; peer_key_changed: the broker shows another key
  // than the pinned one), kUnavailable when it is not pinned and the broker is away.
  Result<std::string> find(std::string_view who, std::chrono::milliseconds timeout);
  Result<std::vector<Pin>> pins() const;
  // Replaces a pin after its owner really has a new key; `verified` when the number was compared.
  Status trust(std::string_view name, std::string_view key, bool verified);
  // 12 groups of 5 digits that both sides see alike; two people compare them over another way.
  Result<std::string> safety_number(std::string_view key) const;

 private:
  struct Impl;  // sockets, SQLite and libsodium end here
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace signet
