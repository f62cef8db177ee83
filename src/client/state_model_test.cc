// State against something slow and obvious: the same random calls, the same answers.
#include <algorithm>
#include <random>
#include <set>

#include "client/state_fixture_test.h"

namespace signet::client {
namespace {

constexpr std::size_t kOutbox = 6, kInbox = 8, kKept = 5;

// What State promises, as lists.
class Model {
 public:
  struct Sent {
    std::string ticket, text, message_id;
    SendState state;
    bool is_attempted;
    int holder;
  };
  struct Received {
    std::uint64_t number;
    int holder;
  };

  std::size_t count_waiting() const {
    return static_cast<std::size_t>(std::count_if(sent_.begin(), sent_.end(), is_waiting));
  }
  bool enqueue(const std::string& ticket) {
    if (count_waiting() >= kOutbox) return false;
    sent_.push_back({ticket, "text of " + ticket, "", SendState::kWaiting, false, kNobody});
    return true;
  }
  std::vector<std::string> claim(int holder) {
    std::vector<std::string> texts;
    for (Sent& sent : sent_) {
      if (!is_waiting(sent)) continue;
      if (sent.holder == kNobody) sent.holder = holder;
      if (sent.holder == holder) texts.push_back(sent.text);
    }
    return texts;
  }
  bool attempt(std::size_t which) {
    if (!is_waiting(sent_[which])) return false;
    return sent_[which].is_attempted = true;
  }
  bool store(std::size_t which) {
    Sent& sent = sent_[which];
    if (sent.state == SendState::kRefused) return false;
    sent.state = std::max(sent.state, SendState::kStored);
    return true;
  }
  bool cancel(std::size_t which) {
    Sent& sent = sent_[which];
    if (sent.state == SendState::kRefused) return true;
    if (!is_waiting(sent) || sent.is_attempted) return false;
    sent.state = SendState::kRefused;
    return true;
  }
  void read_receipt(std::size_t which) {
    Sent& sent = sent_[which];
    if (sent.state == SendState::kStored) sent.state = SendState::kRead;
  }
  const std::vector<Sent>& sent() const { return sent_; }

  bool knows(std::uint64_t number) const { return known_.contains(number); }
  Taken take(std::uint64_t number) {
    if (knows(number)) return Taken::kSeen;
    if (unread_.size() >= kInbox) return Taken::kFull;
    known_.insert(number);
    unread_.push_back({number, kNobody});
    return Taken::kNew;
  }
  std::vector<std::string> lease(int holder, std::size_t most) {
    std::vector<std::string> found;
    for (Received& received : unread_) {
      if (received.holder != kNobody || found.size() >= most) continue;
      received.holder = holder;
      found.push_back(id_of(received.number));
    }
    return found;
  }
  bool confirm(int holder, std::uint64_t number) {
    const auto place = std::find_if(unread_.begin(), unread_.end(), [&](const Received& r) {
      return r.number == number && r.holder == holder;
    });
    if (place == unread_.end()) return false;
    unread_.erase(place);
    read_.insert(read_.begin(), id_of(number));
    if (read_.size() > kKept) read_.pop_back();
    return true;
  }
  void give_back(int holder, std::uint64_t number) {
    for (Received& received : unread_) {
      if (received.number == number && received.holder == holder) received.holder = kNobody;
    }
  }
  std::vector<std::string> unread() const {
    std::vector<std::string> found;
    for (const Received& received : unread_) found.push_back(id_of(received.number));
    return found;
  }
  const std::vector<std::string>& history() const { return read_; }
  std::size_t room() const { return kInbox - unread_.size(); }

  void end(int holder) {
    for (Sent& sent : sent_) {
      if (sent.holder == holder) sent.holder = kNobody;
    }
    for (Received& received : unread_) {
      if (received.holder == holder) received.holder = kNobody;
    }
  }

 private:
  static constexpr int kNobody = -1;
  static bool is_waiting(const Sent& sent) { return sent.state == SendState::kWaiting; }

  std::vector<Sent> sent_;
  std::set<std::uint64_t> known_;
  std::vector<Received> unread_;
  std::vector<std::string> read_;  // newest first
};

class ModelTest : public StateTest {
 protected:
  static constexpr int kHolders = 3;

  ModelTest() {
    options_.outbox_messages = kOutbox;
    options_.inbox_messages = kInbox;
    options_.kept_messages = kKept;
    options_.kept_sent = 100'000;
    for (auto& state : states_) state = open();
  }
  std::size_t draw(std::size_t below) { return static_cast<std::size_t>(random_() % below); }

  void step_outbox(int holder) {
    State& state = *states_[static_cast<std::size_t>(holder)];
    if (draw(3) == 0 || model_.sent().empty()) {
      OutboxEntry entry = entry_of("");
      entry.ticket = id_of(++last_ticket_);
      entry.text = "text of " + entry.ticket;
      EXPECT_EQ(state.enqueue(entry).ok(), model_.enqueue(entry.ticket));
      return;
    }
    const std::size_t newest = std::min<std::size_t>(model_.sent().size(), 12);
    const std::size_t which = model_.sent().size() - 1 - draw(newest);
    const std::string ticket = model_.sent()[which].ticket;
    switch (draw(5)) {
      case 0:
        EXPECT_EQ(claimed(state), model_.claim(holder));
        break;
      case 1:
        EXPECT_EQ(state.keep_attempt(ticket, "n", "c", "a").ok(), model_.attempt(which));
        break;
      case 2:
        EXPECT_EQ(state.mark_stored(ticket, "m" + ticket, 1).ok(), model_.store(which));
        break;
      case 3:
        EXPECT_EQ(state.cancel(ticket).ok(), model_.cancel(which));
        break;
      default:
        EXPECT_TRUE(state.mark_receipt("m" + ticket, SendState::kRead, key_of(1)).ok());
        model_.read_receipt(which);
    }
    EXPECT_EQ(state.report(ticket)->state, model_.sent()[which].state);
    EXPECT_EQ(state.waiting()->size(), model_.count_waiting());
  }

  void step_inbox(int holder) {
    State& state = *states_[static_cast<std::size_t>(holder)];
    // Around the newest: older ones are read by then.
    const std::uint64_t oldest = last_push_ > 20 ? last_push_ - 20 : 0;
    const std::uint64_t number = oldest + 1 + draw(23);
    last_push_ = std::max(last_push_, number);
    switch (draw(5)) {
      case 0: {
        StoredPush push = push_of(number);
        const bool is_copy = model_.knows(number) && draw(3) == 0;
        if (is_copy) push.message_id = id_of(1'000'000 + ++copies_);
        EXPECT_EQ(take(state, push), is_copy ? Taken::kReplayed : model_.take(number));
        break;
      }
      case 1:
      case 2: {
        const std::size_t most = draw(4);
        EXPECT_EQ(leased(state, most), model_.lease(holder, most));
        break;
      }
      case 3:
        EXPECT_EQ(confirmed(state, {id_of(number)}).size(), model_.confirm(holder, number));
        break;
      default:
        EXPECT_TRUE(state.give_back({id_of(number)}).ok());
        model_.give_back(holder, number);
    }
    EXPECT_EQ(ids_of(*state.unread(1'000)), model_.unread());
    EXPECT_EQ(ids_of(*state.history(1'000)), model_.history());
    EXPECT_EQ(state.room(), model_.room());
  }

  std::mt19937_64 random_;
  Model model_;
  std::unique_ptr<State> states_[kHolders];
  std::uint64_t last_ticket_ = 0, last_push_ = 0, copies_ = 0;
};

TEST_F(ModelTest, AnswersAsTheModelDoes) {
  const std::uint64_t seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  random_.seed(seed);
  for (int i = 0; i < 1'500 && !HasFailure(); ++i) {
    SCOPED_TRACE("step " + std::to_string(i));
    const int holder = static_cast<int>(draw(kHolders));
    if (draw(60) == 0) {
      states_[static_cast<std::size_t>(holder)].reset();
      model_.end(holder);
      states_[static_cast<std::size_t>(holder)] = open();
    } else if (draw(2) == 0) {
      step_outbox(holder);
    } else {
      step_inbox(holder);
    }
  }
}

}  // namespace
}  // namespace signet::client
