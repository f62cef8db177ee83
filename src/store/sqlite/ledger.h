// Ledger is what waits, counted in memory: the quotas are checked against it without a query. It is
// loaded from the tables at start and moves with every row; a rollback undoes it.
#pragma once

#include <cstdint>
#include <limits>
#include <unordered_map>
#include <vector>

#include "base/ids.h"
#include "base/time.h"
#include "store/store.h"

namespace signet::store::sqlite {

// What a message counts against, the same for each of its rows.
struct MessageCost {
  MeshNumber mesh;
  MemberNumber sender;
  std::int64_t bytes = 0;
};

// Writer thread. A message is known from its first row to its last; its sender and its mesh are
// charged while a mailbox holds it, each recipient for its own row. A dead letter charges nobody.
class Ledger {
 public:
  explicit Ledger(const StoreOptions& options) : options_(options) {}

  // Has the mailbox no room for one more message of `bytes`?
  bool is_full(MemberNumber recipient, std::int64_t bytes) const;
  // May the sender and the mesh have one more waiting message?
  bool may_send(const MessageCost& cost) const;

  // A row appears. `due` is when a mailbox row expires.
  void add_waiting(MessageNumber number, MemberNumber recipient, const MessageCost& cost,
                   WallTime due);
  void add_dead(MessageNumber number, const MessageCost& cost);
  // A row goes. True when it was the last one of its message. REQUIRES: the row was added.
  bool remove_waiting(MessageNumber number, MemberNumber recipient);
  bool remove_dead(MessageNumber number);

  // REQUIRES: a row of the message is known.
  const MessageCost& cost_of(MessageNumber number) const;

  // Who may have a row that is due at `now`. Not exact: set_next_due() corrects it after a look.
  std::vector<MemberNumber> maybe_due(WallTime now) const;
  void set_next_due(MemberNumber recipient, WallTime due);

  std::size_t mark() const { return journal_.size(); }
  void undo_to(std::size_t mark);  // of the same transaction
  void keep() { journal_.clear(); }

  std::int64_t waiting() const { return waiting_; }  // mailbox rows

 private:
  struct Held {
    MessageCost cost;
    std::int64_t waiting = 0;
    std::int64_t dead = 0;
  };
  struct Box {
    std::int64_t messages = 0;
    std::int64_t bytes = 0;
    WallTime next_due{std::numeric_limits<std::int64_t>::max()};  // or earlier
  };
  enum class Move : std::uint8_t { kAddWaiting, kRemoveWaiting, kAddDead, kRemoveDead };
  struct Entry {
    Move move;
    MessageNumber number;
    MemberNumber recipient;
    MessageCost cost;
  };

  void insert_waiting(MessageNumber number, MemberNumber recipient, const MessageCost& cost,
                      WallTime due);
  bool erase_waiting(MessageNumber number, MemberNumber recipient);
  bool erase_dead(MessageNumber number);
  bool drop_if_last(std::unordered_map<MessageNumber, Held>::iterator held);
  void undo(const Entry& entry);

  const StoreOptions& options_;
  std::unordered_map<MessageNumber, Held> held_;
  std::unordered_map<MemberNumber, Box> boxes_;
  std::unordered_map<MemberNumber, std::int64_t> sent_;      // waiting messages by sender
  std::unordered_map<MeshNumber, std::int64_t> mesh_bytes_;  // waiting bodies by mesh
  std::int64_t waiting_ = 0;
  std::vector<Entry> journal_;
};

}  // namespace signet::store::sqlite
