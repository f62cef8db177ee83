#include "store/sqlite/ledger.h"

#include <algorithm>
#include <cstdlib>

namespace signet::store::sqlite {
namespace {

// The entry for `key`; a missing one is a broken promise of the caller.
template <class Map, class Key>
auto must_find(Map& map, const Key& key) {
  auto found = map.find(key);
  if (found == map.end()) std::abort();
  return found;
}

template <class Map, class Key>
void subtract(Map& map, const Key& key, std::int64_t amount) {
  const auto found = must_find(map, key);
  found->second -= amount;
  if (found->second == 0) map.erase(found);
}

template <class Map, class Key>
std::int64_t amount_of(const Map& map, const Key& key) {
  const auto found = map.find(key);
  return found == map.end() ? 0 : found->second;
}

}  // namespace

bool Ledger::is_full(MemberNumber recipient, std::int64_t bytes) const {
  const auto found = boxes_.find(recipient);
  const Box box = found == boxes_.end() ? Box{} : found->second;
  return box.messages + 1 > options_.mailbox_messages || box.bytes + bytes > options_.mailbox_bytes;
}

bool Ledger::may_send(const MessageCost& cost) const {
  return amount_of(sent_, cost.sender) + 1 <= options_.sender_messages &&
         amount_of(mesh_bytes_, cost.mesh) + cost.bytes <= options_.mesh_bytes;
}

void Ledger::add_waiting(MessageNumber number, MemberNumber recipient, const MessageCost& cost,
                         WallTime due) {
  insert_waiting(number, recipient, cost, due);
  journal_.push_back({Move::kAddWaiting, number, recipient, cost});
}

void Ledger::add_dead(MessageNumber number, const MessageCost& cost) {
  Held& held = held_[number];
  held.cost = cost;
  ++held.dead;
  journal_.push_back({Move::kAddDead, number, {}, cost});
}

bool Ledger::remove_waiting(MessageNumber number, MemberNumber recipient) {
  journal_.push_back({Move::kRemoveWaiting, number, recipient, cost_of(number)});
  return erase_waiting(number, recipient);
}

bool Ledger::remove_dead(MessageNumber number) {
  journal_.push_back({Move::kRemoveDead, number, {}, cost_of(number)});
  return erase_dead(number);
}

const MessageCost& Ledger::cost_of(MessageNumber number) const {
  return must_find(held_, number)->second.cost;
}

std::vector<MemberNumber> Ledger::maybe_due(WallTime now) const {
  std::vector<MemberNumber> due;
  for (const auto& [recipient, box] : boxes_) {
    if (box.next_due <= now) due.push_back(recipient);
  }
  return due;
}

void Ledger::set_next_due(MemberNumber recipient, WallTime due) {
  const auto found = boxes_.find(recipient);
  if (found != boxes_.end()) found->second.next_due = due;
}

void Ledger::undo_to(std::size_t mark) {
  while (journal_.size() > mark) {
    undo(journal_.back());
    journal_.pop_back();
  }
}

void Ledger::undo(const Entry& entry) {
  switch (entry.move) {
    case Move::kAddWaiting:
      erase_waiting(entry.number, entry.recipient);
      break;
    case Move::kRemoveWaiting:
      insert_waiting(entry.number, entry.recipient, entry.cost, WallTime{0});  // look again
      break;
    case Move::kAddDead:
      erase_dead(entry.number);
      break;
    case Move::kRemoveDead:
      held_[entry.number].cost = entry.cost;
      ++held_[entry.number].dead;
      break;
  }
}

void Ledger::insert_waiting(MessageNumber number, MemberNumber recipient, const MessageCost& cost,
                            WallTime due) {
  Held& held = held_[number];
  held.cost = cost;
  if (held.waiting++ == 0) {
    sent_[cost.sender] += 1;
    mesh_bytes_[cost.mesh] += cost.bytes;
  }
  Box& box = boxes_[recipient];
  ++box.messages;
  box.bytes += cost.bytes;
  box.next_due = std::min(box.next_due, due);
  ++waiting_;
}

bool Ledger::erase_waiting(MessageNumber number, MemberNumber recipient) {
  const auto held = must_find(held_, number);
  const MessageCost cost = held->second.cost;
  if (--held->second.waiting == 0) {
    subtract(sent_, cost.sender, 1);
    // A mesh whose waiting bodies are all empty has an entry of 0 that is already gone.
    if (cost.bytes > 0) subtract(mesh_bytes_, cost.mesh, cost.bytes);
  }
  const auto box = must_find(boxes_, recipient);
  box->second.bytes -= cost.bytes;
  if (--box->second.messages == 0) boxes_.erase(box);
  --waiting_;
  return drop_if_last(held);
}

bool Ledger::erase_dead(MessageNumber number) {
  const auto held = must_find(held_, number);
  --held->second.dead;
  return drop_if_last(held);
}

bool Ledger::drop_if_last(std::unordered_map<MessageNumber, Held>::iterator held) {
  if (held->second.waiting > 0 || held->second.dead > 0) return false;
  held_.erase(held);
  return true;
}

}  // namespace signet::store::sqlite
