// A row of `message` as an Envelope. Writer and reader each read it on their own connection.
#pragma once

#include <memory>

#include "routing/envelope.h"
#include "store/sqlite/database.h"

namespace signet::store::sqlite {

// Of a query that selects one column of its own and then id, mesh, sender, priority, receipts,
// created, expires, target and body.
inline std::shared_ptr<routing::Envelope> envelope_of(const Statement& row) {
  auto envelope = std::make_shared<routing::Envelope>();
  envelope->id = row.array<16>(1);
  envelope->mesh = {row.number(2)};
  envelope->sender = {row.number(3)};
  envelope->priority = static_cast<routing::Priority>(row.number(4));
  envelope->receipts = row.number(5) != 0;
  envelope->created = {row.number(6)};
  envelope->expires = {row.number(7)};
  envelope->to = row.text(8);
  envelope->body = row.text(9);
  return envelope;
}

}  // namespace signet::store::sqlite
