// DeliveryCursor decides what one session is pushed, and when to read its mailbox from the store.
//
// Messages reach a session in two ways: live, as each commit announces them, and from the store, a
// page at a time, for what came while it was away, busy or slow. Every message must be pushed at
// least once, and those of one class (urgent; others) in server order. The cursor joins both ways:
// two positions (everything up to them was pushed) and, per class, whether the store may hold more.
//
// Pure: told what happened, answers what to do. Checked against a naive list in its test.
#pragma once

#include <optional>

#include "base/ids.h"
#include "store/store.h"

namespace signet::broker {

class DeliveryCursor {
 public:
  // A commit announced a message for this session's member. True: push it now. False: it stays in
  // the mailbox and the cursor remembers to read it. REQUIRES: rising numbers.
  bool offer(MessageNumber number, bool urgent);

  // What to read now, if anything. Answering a query starts a read: feed its page to page_item()
  // one by one, then call page_end(), or read_failed().
  std::optional<store::MailboxQuery> next_read(MemberNumber member);

  // True: push it now. False: no longer wanted (status or window changed); it stays.
  bool page_item(MessageNumber number, bool urgent);
  void page_end(bool complete);
  void read_failed();

  // Idle sessions get everything, the others urgent messages only.
  void set_urgent_only(bool urgent_only) { urgent_only_ = urgent_only; }
  // Closed while too much is unconfirmed or unwritten.
  void set_window_open(bool open) { window_open_ = open; }

 private:
  struct Class {
    MessageNumber pushed;    // everything up to here was pushed
    bool behind = true;      // the store may hold more beyond it
    bool announced = false;  // something was announced during the running read
    bool blocked = false;    // an item of the running read was turned away: later ones must wait
  };
  Class& of(bool urgent) { return urgent ? urgent_ : others_; }

  Class urgent_;
  Class others_;
  bool urgent_only_ = false;
  bool window_open_ = true;
  bool reading_ = false;
  bool read_covers_others_ = false;
};

}  // namespace signet::broker
