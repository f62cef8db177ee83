#include "broker/delivery_cursor.h"

namespace signet::broker {

bool DeliveryCursor::offer(MessageNumber number, bool urgent) {
  Class& mine = of(urgent);
  if (number <= mine.pushed) return false;  // a page brought it before its commit was announced
  const bool in_order = !mine.behind && (urgent || !urgent_.behind);
  const bool wanted = urgent || !urgent_only_;
  if (reading_ || !window_open_ || !in_order || !wanted) {
    mine.behind = true;
    mine.announced = true;
    return false;
  }
  mine.pushed = number;
  return true;
}

std::optional<store::MailboxQuery> DeliveryCursor::next_read(MemberNumber member) {
  const bool wants = urgent_.behind || (others_.behind && !urgent_only_);
  if (reading_ || !window_open_ || !wants) return std::nullopt;
  reading_ = true;
  read_covers_others_ = !urgent_only_;
  for (Class* each : {&urgent_, &others_}) each->announced = each->blocked = false;
  store::MailboxQuery query;
  query.member = member;
  query.urgent_after = urgent_.pushed;
  query.other_after = others_.pushed;
  query.urgent_only = urgent_only_;
  return query;
}

bool DeliveryCursor::page_item(MessageNumber number, bool urgent) {
  Class& mine = of(urgent);
  const bool wanted = urgent || !urgent_only_;
  if (mine.blocked || !window_open_ || !wanted) {
    mine.blocked = true;
    return false;
  }
  mine.pushed = number;
  return true;
}

void DeliveryCursor::page_end(bool complete) {
  reading_ = false;
  urgent_.behind = !complete || urgent_.blocked || urgent_.announced;
  if (read_covers_others_) {
    others_.behind = !complete || others_.blocked || others_.announced;
  }
}

void DeliveryCursor::read_failed() { reading_ = false; }

}  // namespace signet::broker
