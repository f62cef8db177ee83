#include "broker/delivery_cursor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace signet::broker {
namespace {

constexpr MemberNumber kMember{1};

// Stories with a beginning and an end.

// A cursor that has read its empty mailbox: what a session is a moment after its hello.
DeliveryCursor settled() {
  DeliveryCursor cursor;
  EXPECT_TRUE(cursor.next_read(kMember));
  cursor.page_end(true);
  EXPECT_FALSE(cursor.next_read(kMember));
  return cursor;
}

TEST(DeliveryCursor, ReadsTheMailboxFirst) {
  DeliveryCursor cursor;
  EXPECT_FALSE(cursor.offer({5}, true)) << "older ones may wait";
  const auto query = cursor.next_read(kMember);
  ASSERT_TRUE(query);
  EXPECT_EQ(query->member, kMember);
  EXPECT_EQ(query->urgent_after, MessageNumber{});
  EXPECT_EQ(query->other_after, MessageNumber{});
  EXPECT_FALSE(query->urgent_only);
  EXPECT_FALSE(cursor.next_read(kMember)) << "one read at a time";
}

TEST(DeliveryCursor, PushesLiveOnceTheMailboxIsEmpty) {
  DeliveryCursor cursor = settled();
  EXPECT_TRUE(cursor.offer({1}, true));
  EXPECT_TRUE(cursor.offer({2}, false));
  EXPECT_FALSE(cursor.next_read(kMember));
}

TEST(DeliveryCursor, HoldsBackWhatIsNotUrgentWhileBusy) {
  DeliveryCursor cursor = settled();
  cursor.set_urgent_only(true);
  EXPECT_FALSE(cursor.offer({1}, false));
  EXPECT_TRUE(cursor.offer({2}, true)) << "urgent ones overtake";
  EXPECT_FALSE(cursor.next_read(kMember)) << "nothing to do while busy";
  cursor.set_urgent_only(false);
  const auto query = cursor.next_read(kMember);
  ASSERT_TRUE(query);
  EXPECT_EQ(query->urgent_after, MessageNumber{2});
  EXPECT_EQ(query->other_after, MessageNumber{0});
  EXPECT_TRUE(cursor.page_item({1}, false));
  cursor.page_end(true);
  EXPECT_TRUE(cursor.offer({3}, false));
}

TEST(DeliveryCursor, ReadsAgainForWhatWasAnnouncedDuringARead) {
  DeliveryCursor cursor;
  ASSERT_TRUE(cursor.next_read(kMember));
  EXPECT_FALSE(cursor.offer({7}, false)) << "the page may hold it, or not";
  cursor.page_end(true);
  const auto query = cursor.next_read(kMember);
  ASSERT_TRUE(query);
  EXPECT_EQ(query->other_after, MessageNumber{0});
}

TEST(DeliveryCursor, StopsAPageWhereTheWindowCloses) {
  DeliveryCursor cursor;
  ASSERT_TRUE(cursor.next_read(kMember));
  EXPECT_TRUE(cursor.page_item({1}, false));
  cursor.set_window_open(false);
  EXPECT_FALSE(cursor.page_item({2}, false));
  cursor.set_window_open(true);
  EXPECT_FALSE(cursor.page_item({3}, false)) << "3 must not overtake 2";
  cursor.page_end(true);
  const auto query = cursor.next_read(kMember);
  ASSERT_TRUE(query);
  EXPECT_EQ(query->other_after, MessageNumber{1});
}

TEST(DeliveryCursor, DoesNotPushWhatBecameUnwantedWhileItWasRead) {
  DeliveryCursor cursor;
  ASSERT_TRUE(cursor.next_read(kMember));
  cursor.set_urgent_only(true);
  EXPECT_FALSE(cursor.page_item({1}, false));
  EXPECT_TRUE(cursor.page_item({2}, true));
  cursor.page_end(true);
  EXPECT_FALSE(cursor.next_read(kMember));
  cursor.set_urgent_only(false);
  EXPECT_TRUE(cursor.next_read(kMember));
}

TEST(DeliveryCursor, TriesAgainAfterAFailedRead) {
  DeliveryCursor cursor;
  ASSERT_TRUE(cursor.next_read(kMember));
  cursor.read_failed();
  EXPECT_TRUE(cursor.next_read(kMember));
}

// The reader thread may show a commit before the writer thread has announced it: the page brings
// the message, and the announcement comes when the read is over.
TEST(DeliveryCursor, DoesNotPushAgainWhatAPageBroughtBeforeItsAnnouncement) {
  for (const bool urgent : {true, false}) {
    DeliveryCursor cursor;
    ASSERT_TRUE(cursor.next_read(kMember));
    EXPECT_TRUE(cursor.page_item({4}, urgent));
    EXPECT_TRUE(cursor.page_item({5}, urgent));
    cursor.page_end(true);
    EXPECT_FALSE(cursor.offer({4}, urgent));
    EXPECT_FALSE(cursor.offer({5}, urgent));
    EXPECT_FALSE(cursor.next_read(kMember)) << "and nothing is left to read";
    EXPECT_TRUE(cursor.offer({6}, urgent));
  }
}

// The cursor against a mailbox that is a plain list: whatever happens in whatever order, every
// message is pushed exactly once in a session, in rising order within its class, and never while
// it is not wanted; and when everything calms down, nothing is left.
class CursorStory {
 public:
  explicit CursorStory(std::uint64_t seed) : random_(seed) {}

  void run() {
    for (int step = 0; step < 400; ++step) one_step();
    calm_down();
  }

 private:
  struct Message {
    MessageNumber number;
    bool urgent;
  };
  struct Read {
    store::MailboxQuery query;
    std::vector<Message> items;
    bool looked = false;  // the items were taken from the mailbox, but not brought yet
    bool complete = false;
  };

  std::size_t below(std::size_t bound) { return random_() % bound; }

  void one_step() {
    switch (below(10)) {
      case 0:
      case 1:
      case 2:
        return commit();
      case 3:
      case 4:
        return announce();
      case 5:
        return look();
      case 6:
        return bring();
      case 7:
        return set_busy(below(2) == 0);
      case 8:
        return set_window(below(3) != 0);
      default:
        if (below(4) == 0) return new_session();
        return pump();
    }
  }

  void commit() {
    const Message message{{++last_}, below(2) == 0};
    mailbox_.push_back(message);
    unannounced_.push_back(message);
  }
  void announce() {
    if (unannounced_.empty()) return;
    const Message message = unannounced_.front();
    unannounced_.pop_front();
    if (cursor_.offer(message.number, message.urgent)) push(message);
    pump();
  }
  // The broker asks whenever anything may have changed.
  void pump() {
    if (const auto query = cursor_.next_read(kMember)) {
      ASSERT_FALSE(read_) << "two reads at once";
      read_ = Read{*query, {}, false, false};
    }
  }
  // The store's reader looks into the mailbox; commits may follow before the page is brought.
  void look() {
    if (!read_ || read_->looked) return;
    read_->looked = true;
    const std::size_t limit = 1 + below(6);
    for (const Message& message : mailbox_) {
      const bool beyond =
          message.urgent ? message.number > read_->query.urgent_after
                         : !read_->query.urgent_only && message.number > read_->query.other_after;
      if (!beyond) continue;
      if (read_->items.size() == limit) return;
      read_->items.push_back(message);
    }
    read_->complete = true;
  }
  void bring() {
    if (!read_ || !read_->looked) return;
    const Read read = *std::exchange(read_, {});
    if (below(8) == 0) {
      cursor_.read_failed();
      return pump();
    }
    for (const Message& message : read.items) {
      if (below(12) == 0) set_window_only(false);  // the queue fills up while it is pushed to
      if (cursor_.page_item(message.number, message.urgent)) push(message);
    }
    cursor_.page_end(read.complete);
    pump();
  }
  void set_busy(bool busy) {
    busy_ = busy;
    cursor_.set_urgent_only(busy);
    pump();
  }
  void set_window_only(bool open) {
    open_ = open;
    cursor_.set_window_open(open);
  }
  void set_window(bool open) {
    set_window_only(open);
    pump();
  }
  void push(const Message& message) {
    EXPECT_TRUE(open_) << "pushed into a closed window: " << message.number.value;
    EXPECT_TRUE(message.urgent || !busy_) << "pushed to a busy one: " << message.number.value;
    EXPECT_GT(message.number, newest_[message.urgent]) << "out of order, or twice";
    newest_[message.urgent] = message.number;
    EXPECT_TRUE(pushed_.insert(message.number).second) << "twice: " << message.number.value;
  }
  // What the session had is confirmed or not; the next one gets all that is still there.
  void new_session() {
    while (!mailbox_.empty() && pushed_.contains(mailbox_.front().number)) mailbox_.pop_front();
    cursor_ = DeliveryCursor();
    read_.reset();
    pushed_.clear();
    newest_.clear();
    busy_ = false;
    open_ = true;
    pump();
  }
  void calm_down() {
    set_busy(false);
    for (int round = 0; round < 5'000; ++round) {
      set_window(true);
      if (unannounced_.empty() && !read_) break;
      announce();
      look();
      bring();
    }
    EXPECT_FALSE(read_) << "it reads for ever";
    for (const Message& message : mailbox_) {
      EXPECT_TRUE(pushed_.contains(message.number)) << "forgotten: " << message.number.value;
    }
  }

  std::mt19937_64 random_;
  DeliveryCursor cursor_;
  std::deque<Message> mailbox_;
  std::deque<Message> unannounced_;
  std::optional<Read> read_;
  std::int64_t last_ = 0;
  bool busy_ = false;
  bool open_ = true;
  std::set<MessageNumber> pushed_;
  std::map<bool, MessageNumber> newest_;
};

TEST(DeliveryCursor, PushesEverythingOnceAndInOrderWhateverHappens) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    CursorStory(seed).run();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace signet::broker
