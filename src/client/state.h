// State is what a membership keeps on its own disk: the outbox, the inbox, the keys of channels and
// the pinned keys of peers. One SQLite file (WAL, synchronous=FULL), shared by every process of the
// member: `signet mcp`, `signet send` and an application may have it open at once. Bodies that this
// side wrote, keys of channels and pins are sealed at rest under the identity (crypto/state_box.h),
// each to its row: what was changed or moved on disk does not open. Received bodies stay as they
// came, sealed by their senders. Whom a message went to and when is readable. Who can write to the
// disk can also put an older copy of the whole file back, as a restored backup does.
//
// A *holder* is one open State. What it leased or is sending is its own until it lets go, and free
// again at once when its process ends, however it ends: a holder is alive as long as it has the
// lock (flock) on its file in `<file>.holders`. Another program that the process starts does not
// inherit it; a child that only forks does, and must not touch the State.
//
// Every call fails kUnavailable where the disk does: disk_full and disk (nothing was changed; it
// works again when the disk does), state_busy (another process wrote for longer than busy_timeout);
// and kMalformed (state_corrupt) when the file turns out to be damaged: the next open that finds
// nobody else using it puts it aside.
//
// Thread-safe: one mutex, held for a statement or a commit. No handler runs under it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "crypto/sign.h"
#include "signet/client.h"
#include "signet/result.h"

namespace signet::client {

struct StateOptions {
  std::string file;                    // empty: in memory, for one process
  std::size_t outbox_messages = 100;   // waiting; one more is refused
  std::size_t inbox_messages = 500;    // unread; more are not taken
  std::size_t kept_messages = 500;     // read ones that are kept to be looked up
  std::size_t kept_sent = 500;         // finished sends that are kept, for receipts that come late
  std::size_t seen_messages = 20'000;  // ids and bodies that are remembered to drop a second copy
  // Names that nobody compared: as many as a large mesh has. A broker that makes up more of them
  // pushes out the oldest ones, and none that a person has verified.
  std::size_t unverified_pins = 5'000;
  std::chrono::milliseconds busy_timeout{5'000};  // waiting for another process's write
};

// A message that waits to be acknowledged. The plaintext is kept (sealed at rest) because a channel
// may have another key when the broker is back; the sealed form of the last attempt is kept so that
// a retry is the same message byte for byte.
struct OutboxEntry {
  std::int64_t number = 0;  // order of sending
  std::string ticket;       // the client id on the wire: 32 random hex digits
  std::string to;           // a key, `*`, `#name`, `tag:name`
  std::string text;
  Priority priority = Priority::kNext;
  bool receipts = false;
  bool sealed = true;
  std::string nonce, ciphertext;  // base64 of the last attempt; empty: none was made
  std::string audience;           // it was sealed for; empty for direct
};

// A push as it came; opened when it is read.
struct StoredPush {
  std::string message_id;  // 32 hex digits
  std::string sender_key;  // 64 hex digits
  std::string target;      // empty: the broker did not say
  Priority priority = Priority::kNext;
  std::string created_at;
  std::string nonce, ciphertext;  // the strings of the frame, unescaped
};

enum class Taken : std::uint8_t {
  kNew,       // on disk, to be read
  kSeen,      // known by its id: confirm it again, show nothing
  kReplayed,  // another id, but sender, target, nonce and sealed body were seen: a copy of somebody
  kFull,      // the inbox is full: not taken, ask again when something was read
};

// A channel key of this side, and whom it was sealed to.
struct OwnChannelKey {
  std::string target;
  std::string key_id;  // 32 hex digits
  std::string key;     // 32 bytes; the caller wipes
  // Keys (hex64) that acknowledged storage of the key message, and `?` with a key: it was offered.
  std::vector<std::string> holders;
  WallTime made;
};

// A key to seal with, once `seal_to` (keys, hex64) were sent it: noted as offered already.
struct KeyOffer {
  OwnChannelKey key;  // the caller wipes
  std::vector<std::string> seal_to;
};

class State {
 public:
  // Opens or creates. Fails kForbidden (state_not_yours) when the file is open to others, is a
  // link, belongs to another user, or was made by another identity; kMalformed (state_corrupt) when
  // it is no healthy database: the damaged file is put aside as `<file>.damaged-<UTC>`, with what
  // SQLite keeps beside it, and never deleted; the next open begins anew. While another process
  // has it open it stays in place. kConflict (state_newer) when a newer version wrote it;
  // kUnavailable for a disk that refuses. Missing folders are made (0700).
  static Result<std::unique_ptr<State>> open(const StateOptions& options,
                                             const crypto::SecretKey& identity);
  ~State();  // lets go of leases

  // --- outbox ---
  // Durable when it returns; its ticket, drawn when the entry has none. Of the entry, number and
  // last attempt are not read. Fails kOverloaded (outbox_full), kConflict (ticket_used).
  Result<std::string> enqueue(OutboxEntry entry);
  // The same, claimed for this holder from the first: two that send from one outbox keep each its
  // own order to a target.
  Result<std::string> enqueue_claimed(OutboxEntry entry);
  // Claims for this holder, oldest first, what nobody alive has claimed, and gives all that this
  // holder has claimed and is not finished. An entry that was changed on disk is finished as
  // kRefused (state_corrupt) instead.
  Result<std::vector<OutboxEntry>> claim_outbox();
  // Before each attempt, so that a retry by anybody is the same bytes. Fails kNotFound
  // (no_such_ticket), kConflict (not_waiting): it was finished or cancelled, do not send it.
  Status keep_attempt(std::string_view ticket, std::string_view nonce, std::string_view ciphertext,
                      std::string_view audience);
  // These finish it; to say the same again is no fault. Fail kNotFound (no_such_ticket), kConflict
  // (not_waiting) when it was finished the other way.
  Status mark_stored(std::string_view ticket, std::string_view message_id, std::int64_t recipients);
  Status mark_refused(std::string_view ticket, std::string_view code);
  // A receipt from `by` (kReceived or kRead); the report after it, nullopt when no such message is
  // known (another's, or no longer kept). The first 1,000 receivers are kept by key.
  Result<std::optional<SendReport>> mark_receipt(std::string_view message_id, SendState state,
                                                 std::string_view by);
  // Finishes it as kRefused, `cancelled`. Fails kConflict (already_sent) once an attempt was kept,
  // kNotFound (no_such_ticket).
  Status cancel(std::string_view ticket);
  Result<SendReport> report(std::string_view ticket) const;  // kNotFound (no_such_ticket)
  Result<std::vector<SendReport>> waiting() const;           // oldest first

  // --- inbox ---
  // All in one transaction, one answer each, in order. Durable when it returns. The bodies of a
  // sender are compared per `*`, `#` and `tag:` target; direct ones whatever target the broker
  // says.
  Result<std::vector<Taken>> take_in(const std::vector<StoredPush>& pushes);
  // Leases up to `most` that nobody alive has leased to this holder, in the order of arrival.
  Result<std::vector<StoredPush>> lease(std::size_t most);
  // Ids that this holder has not leased are ignored (idempotent); which ones were confirmed now.
  Result<std::vector<std::string>> confirm(const std::vector<std::string>& message_ids);
  Status give_back(const std::vector<std::string>& message_ids);
  Result<std::vector<StoredPush>> unread(
      std::size_t most) const;  // the newest, oldest of them first
  Result<std::vector<StoredPush>> history(std::size_t most) const;  // newest first
  std::size_t room() const;  // how many more take_in would take; 0 where the disk fails

  // --- keys of channels ---
  Result<std::optional<OwnChannelKey>> own_key(std::string_view target) const;
  // Another key replaces the one of the target, with its holders: own messages do not come back.
  // Of the same key, holders are only added: another process may have noted some meanwhile.
  Status keep_own_key(const OwnChannelKey& key);
  // The key for exactly this audience (channel_keys.h): the present one, or what `make` makes where
  // that is spent. Read, planned and noted in one transaction, so that no process uses a key that
  // another one gave to somebody else. Fails as `make` does.
  using MakeKey = std::function<Result<OwnChannelKey>()>;
  Result<KeyOffer> offer_own_key(std::string_view target, const std::vector<std::string>& audience,
                                 WallTime now, const MakeKey& make);
  // Differs from what it was when another State has written to the file meanwhile. Cheap.
  Result<std::int64_t> others_version() const;
  // Passed over when the target has another key by now.
  Status add_key_holder(std::string_view target, std::string_view key_id, std::string_view member);
  // Keys of others are kept until 16 newer ones of the same sender and target came, so that what
  // waited can still be opened; of one sender 1,000, of all 20,000. 32 bytes, else kMalformed
  // (bad_key); nullopt: unknown. The caller wipes.
  Status keep_peer_key(std::string_view sender, std::string_view target, std::string_view key_id,
                       std::string_view key);
  Result<std::optional<std::string>> peer_key(std::string_view sender, std::string_view target,
                                              std::string_view key_id) const;

  // --- pins ---
  // A pin that was changed on disk is kMalformed (state_corrupt) until keep_pin replaces it, never
  // another key and never none.
  Result<std::vector<Pin>> pins() const;  // by name
  Result<std::optional<Pin>> pin(std::string_view name) const;
  Status keep_pin(std::string_view name, std::string_view key, bool verified);
  // Pins a name that has no pin yet, unverified; the pin that is there, this one or another's, who
  // may be another process. Over the bound, the oldest unverified ones go.
  Result<Pin> first_pin(std::string_view name, std::string_view key);

 private:
  struct Impl;
  explicit State(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace signet::client
