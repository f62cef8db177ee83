// Store is the durable state: mailboxes, membership, and the memory of admitted hellos. One writer
// thread drains its whole inbox into one transaction, commits, then answers all; one reader thread
// with its own read-only connection serves drains and listings, so that they delay no
// acknowledgement. A command that is refused does not abort the others of its transaction.
//
// Answers run on the thread of the mailbox they name, in the order of the commands of that thread.
// An answer is given only after the commit that holds its command: what it says is on disk.
// The refusal of a full inbox alone is answered at once, ahead of what waits.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/entry.h"
#include "base/mailbox.h"
#include "base/metrics.h"
#include "base/time.h"
#include "jobs/job.h"
#include "membership/change.h"
#include "routing/envelope.h"
#include "signet/result.h"
#include "store/hello_memory.h"

namespace signet::store {

// Whose log it is: what signs its checkpoints, and what stands in it for people.
struct LogIdentity {
  std::string origin;  // the name of the log in its checkpoints
  crypto::SecretKey key;
  audit::Pseudonyms pseudonyms;
};

// Each bound with its reason; config fills them.
struct StoreOptions {
  std::shared_ptr<const LogIdentity> log;              // null: no log is kept (tests of the rest)
  std::int64_t log_bytes = 1LL << 30;                  // of entries; beyond, none about traffic
  std::uint64_t checkpoint_entries = 1'000;            // signed after so many at the latest
  std::chrono::milliseconds checkpoint_every{10'000};  // and after so long
  std::string directory;                               // made with mode 0700 when missing
  std::int64_t mailbox_messages = 10'000;              // waiting for one member
  std::int64_t mailbox_bytes = 64 << 20;               // bodies waiting for one member
  std::int64_t sender_messages = 50'000;               // of one sender, waiting anywhere
  std::int64_t mesh_bytes = 4LL << 30;                 // bodies waiting in one mesh
  std::chrono::hours message_ttl{24 * 7};              // waiting longer: a dead letter
  std::chrono::hours dedupe_retention{24 * 8};         // a retry within it is the same message
  std::chrono::hours dead_retention{24 * 14};          // a dead letter is kept that long
  std::int64_t dead_messages = 100'000;                // of one mesh; the oldest go first
  std::int64_t hellos_per_member = 4'096;              // remembered admitted hellos
  std::int64_t nonces_per_member = 100'000;            // live ones; beyond, none is spent
  std::int64_t nonces = 5'000'000;                     // of all members: 500 MB of disk
  std::int64_t reserve_bytes =
      64 << 20;                     // given up when the disk is full, so that draining goes on
  std::size_t max_inbox = 200'000;  // commands waiting for the writer; more are refused
  bool synchronous_full = true;     // false loses acknowledged messages at a power cut;
                                    // for the negative control of the power-loss test
};

enum class PublishOutcome : std::uint8_t {
  kStored,
  kDuplicate,      // same id, same content: stored before
  kIdReused,       // same id, other content
  kQuotaExceeded,  // nothing stored (for one receiver), see PublishAnswer::skipped for several
  kStoreFull,      // the disk is full
  kUnavailable,    // the inbox is full, or the database failed
};
struct PublishAnswer {
  PublishOutcome outcome;
  std::size_t queued = 0;   // mailboxes it was put in (for kDuplicate: as the first time)
  std::size_t skipped = 0;  // mailboxes that were full
};
struct Publish {
  std::shared_ptr<const routing::Envelope> envelope;
  crypto::Digest16 content;  // of what a retry must repeat
  std::vector<MemberNumber> recipients;
};

// One stored message that has someone to go to.
struct Delivery {
  MessageNumber number;
  std::shared_ptr<const routing::Envelope> envelope;
  std::vector<MemberNumber> recipients;
};
using DeliveryBatch = std::vector<Delivery>;  // of one commit, in rising numbers

enum class HelloOutcome : std::uint8_t { kAdmitted, kReplayed, kUnavailable };
struct AdmitHello {
  MemberNumber member;
  std::int64_t timestamp_ms;
  crypto::Digest16 digest;              // of key, timestamp and signed text
  bool remember = true;                 // false: only look whether it was admitted before
  std::int64_t span_ms = kHelloSpanMs;  // what is older than the newest by more need not be kept
};

// kForgotten: of a time of which some were forgotten, so nobody knows whether it is new.
enum class NonceOutcome : std::uint8_t { kNew, kUsed, kForgotten, kFull, kUnavailable };
// A nonce under a good signature. `digest` covers whose it is within the member: an agent's, say.
struct SpendNonce {
  MemberNumber member;
  crypto::Digest16 digest;
  WallTime until;  // remembered until then, which is later than the packet can be fresh
};

// What a mailbox holds, oldest first, beyond two cursors: urgent messages (Priority::kNow) after
// `urgent_after`, and the others after `other_after` unless `urgent_only`.
struct MailboxQuery {
  MemberNumber member;
  MessageNumber urgent_after;
  MessageNumber other_after;
  bool urgent_only = false;
  std::size_t max_messages = 256;
  std::size_t max_bytes = 256 * 1024;  // stops after the message that reaches it
};
struct MailboxItem {
  MessageNumber number;
  std::shared_ptr<const routing::Envelope> envelope;
};
struct MailboxPage {
  std::vector<MailboxItem> items;
  bool complete = false;  // nothing further at the moment of the read
};

// What its owner alone can read, sealed before it comes here: the overlay's nodes and secrets. One
// row for each mesh, kind and name. `version` is 1 for a new row and else one above that on disk;
// a row without bytes goes (whatever its version).
struct SealedRow {
  std::string kind;  // a word of ours: "node", "secret"
  std::string name;
  std::uint64_t version = 1;
  std::string bytes;
};
// One of many of a name, kept in the order of their coming, until they are forgotten.
struct SealedReport {
  std::uint64_t number = 0;  // given by the store; above those that are there
  std::string name;
  WallTime at;
  std::string bytes;
};
struct ForgetReports {
  std::string name;  // empty: of any
  WallTime before;   // older ones only
};
// All of it, or none and kConflict when a version or a condition does not hold.
struct CommitSealed {
  MeshNumber mesh;
  std::vector<SealedRow> rows;
  std::vector<SealedReport> reports;
  std::vector<ForgetReports> forget;
  std::vector<membership::Change> changes;
  std::vector<audit::Draft> drafts;  // entries in the log; those of `changes` are made from them
  std::string by;                    // on whose word `changes` are
};

// A part of the log, as it was written.
struct LogPage {
  std::uint64_t first = 0;         // the number of the first line
  std::vector<std::string> lines;  // audit::encode's, without line ends
  std::uint64_t entries = 0;       // of the whole log, when it was read
};
// The hashes of a proof, and what they lead to.
struct LogProof {
  std::vector<crypto::MerkleHash> hashes;
  crypto::MerkleHash root{};  // of the larger tree
};

enum class DeathReason : std::uint8_t { kExpired = 0, kRecipientRevoked = 1 };
struct DeadLetter {
  MessageNumber number;
  std::shared_ptr<const routing::Envelope> envelope;
  MemberNumber recipient;
  DeathReason reason;
  WallTime died;
};

// Which dead letters go back to the mailboxes they fell out of.
struct RequeueDead {
  struct One {
    MessageNumber number;
    MemberNumber recipient;
  };
  MeshNumber mesh;
  std::optional<One> only;          // nullopt: all, the oldest first
  std::size_t max_letters = 1'000;  // of one call, so that no transaction is without an end
  std::size_t max_bytes = 8 << 20;  // bodies; stops after the letter that reaches it
};
// What came of it. One that is no dead letter (any more) counts nowhere.
struct Requeued {
  std::size_t requeued = 0;
  std::size_t refused = 0;  // stay dead: their recipient may not connect
  std::size_t full = 0;     // stay dead: the mailbox, or a share of sender or mesh, has no room
  bool more = false;        // a bound was reached: there may be others
};

class Store {
 public:
  // Called on the writer thread after each commit that stored messages, before the answers.
  using OnStored = std::function<void(std::shared_ptr<const DeliveryBatch>)>;

  virtual ~Store() = default;  // drains the inbox, commits, closes

  // Everything that load() below answers was true when the store was opened: MeshAdded,
  // MemberAdded, InviteAdded (with its uses), ChannelJoined and SourceSecretSet, in an order that
  // can be applied.
  virtual std::vector<membership::Change> membership_at_start() = 0;

  // Starts the threads. REQUIRES: once, before the calls below.
  virtual void start(OnStored on_stored) = 0;

  virtual void publish(Publish command, Mailbox& to, std::function<void(PublishAnswer)> answer) = 0;

  // The member's side has these; unknown numbers are ignored. The answer, when one is wanted, names
  // those that still waited: of several sessions that confirm one message, one hears of it. It
  // comes after all earlier confirmations, so an empty list waits for those. What a crash loses is
  // delivered again under the same id.
  virtual void confirm(MemberNumber member, std::vector<MessageNumber> numbers, Mailbox& to,
                       std::function<void(std::vector<MessageNumber>)> answer) = 0;

  virtual void admit_hello(AdmitHello command, Mailbox& to,
                           std::function<void(HelloOutcome)> answer) = 0;

  // Was this nonce used? If not, it is from now on, on disk, until its time has passed; a step of
  // the wall or a restart makes no forgotten one new. kFull: the member has as many live ones
  // as it may have; none is forgotten for it. kUnavailable also while the disk is full.
  virtual void spend_nonce(SpendNonce command, Mailbox& to,
                           std::function<void(NonceOutcome)> answer) = 0;

  // Writes the rows of changed jobs and removes the forgotten, or nothing: kConflict when a row is
  // neither new with version 1 nor one version above that on disk (another wrote it), kOverloaded
  // when the disk is full, kUnavailable when the database failed. Spec, payload, type, user and
  // world of a job never change; jobs of one world have one spec.
  virtual void put_jobs(std::vector<jobs::Job> rows, MeshNumber mesh,
                        std::vector<std::string> forgotten, Mailbox& to,
                        std::function<void(Status)> answer) = 0;
  // All jobs of a mesh, in their order, as of the last commit before the call's turn.
  virtual void load_jobs(MeshNumber mesh, Mailbox& to,
                         std::function<void(Result<std::vector<jobs::Job>>)> answer) = 0;

  // All of `changes` and their entries in the log, on the word of `by` (a word of ours:
  // "operator"), or none and kConflict when a condition does not hold. kOverloaded when the disk is
  // full, kUnavailable when the database failed.
  virtual void commit(std::vector<membership::Change> changes, std::string by, Mailbox& to,
                      std::function<void(Status)> answer) = 0;

  // The same with sealed rows: what a decision says of nodes, and of their members' standing, is
  // true together or not at all.
  virtual void commit_sealed(CommitSealed command, Mailbox& to,
                             std::function<void(Status)> answer) = 0;
  // All rows of a mesh, by kind and name, as of the last commit before the call's turn.
  virtual void load_sealed(MeshNumber mesh, Mailbox& to,
                           std::function<void(Result<std::vector<SealedRow>>)> answer) = 0;
  // Reports of one name from beyond `after` on, the oldest first, at most `limit`.
  virtual void read_reports(MeshNumber mesh, std::string name, std::uint64_t after,
                            std::size_t limit, Mailbox& to,
                            std::function<void(Result<std::vector<SealedReport>>)> answer) = 0;
  // The newest reports of one name, the oldest of them first, at most `limit`.
  virtual void newest_reports(MeshNumber mesh, std::string name, std::size_t limit, Mailbox& to,
                              std::function<void(Result<std::vector<SealedReport>>)> answer) = 0;

  // Adds entries to the log, in their order, or none: kOverloaded when the disk is full or, for
  // admissions and refusals, when the log has all the bytes it may have; kUnavailable when the
  // database failed. Done without a log.
  virtual void append_log(std::vector<audit::Draft> drafts, Mailbox& to,
                          std::function<void(Status)> answer) = 0;
  // The signed head over everything that is in the log now. kNotFound without a log.
  virtual void sign_log(Mailbox& to, std::function<void(Result<std::string>)> answer) = 0;
  // At most `limit` entries from number `from` on; the newest ones where that is nullopt.
  virtual void read_log(std::optional<std::uint64_t> from, std::size_t limit, Mailbox& to,
                        std::function<void(Result<LogPage>)> answer) = 0;
  // That entry `entry` is in the tree of the first `entries`. kNotFound when they are not there.
  virtual void prove_entry(std::uint64_t entry, std::uint64_t entries, Mailbox& to,
                           std::function<void(Result<LogProof>)> answer) = 0;
  // That the first `from` entries are the beginning of the first `entries`.
  virtual void prove_growth(std::uint64_t from, std::uint64_t entries, Mailbox& to,
                            std::function<void(Result<LogProof>)> answer) = 0;

  virtual void read_mailbox(MailboxQuery query, Mailbox& to,
                            std::function<void(Result<MailboxPage>)> answer) = 0;

  // Newest first, before `before` (0: the newest of all), at most `limit`.
  virtual void list_dead(MeshNumber mesh, MessageNumber before, std::size_t limit, Mailbox& to,
                         std::function<void(Result<std::vector<DeadLetter>>)> answer) = 0;

  // Moves dead letters back, as new messages with the old id and a whole time to live: their place
  // in the order of the mesh, and so their number, is that of now. on_stored() tells of them like
  // of any other. kOverloaded when the disk is full, kUnavailable when the database failed.
  virtual void requeue_dead(RequeueDead command, Mailbox& to,
                            std::function<void(Result<Requeued>)> answer) = 0;

  // Writes and commits a probe row: is the store able to take a message now? kOverloaded when the
  // disk is full.
  virtual void probe(Mailbox& to, std::function<void(Status)> answer) = 0;

  // Expires what is due at `now`; the store also does it by itself every ten seconds.
  virtual void sweep_for_test(WallTime now, Mailbox& to, std::function<void()> answer) = 0;
};

// Opens (or makes) the database below options.directory. Fails kConflict when another process has
// it, kUnavailable when the disk or the file system can't be trusted (a network file system, FULL
// not in force), kMalformed when the file is not ours or of a newer version.
// `clock` and `metrics` must outlive the store.
Result<std::unique_ptr<Store>> open_sqlite(const StoreOptions& options, const Clock& clock,
                                           MetricRegistry& metrics);

}  // namespace signet::store
