// Several processes on one state file, and what a kill leaves.
#include <map>
#include <set>
#include <thread>

#include "client/state_fixture_test.h"

namespace signet::client {
namespace {

class ProcessTest : public StateTest {};

// Leases or claims in another process, says so, and waits to be killed.
int hold_until_killed(const StateOptions& options, const crypto::SecretKey& identity,
                      const Pipe& said) {
  auto state = State::open(options, identity);
  if (!state.ok()) return 1;
  const auto pushes = (*state)->lease(2);
  const auto entries = (*state)->claim_outbox();
  if (!pushes.ok() || !entries.ok()) return 2;
  said.put(pushes->size() * 100 + entries->size());
  for (;;) pause();
}

TEST_F(ProcessTest, FreesWhatAKilledProcessHad) {
  state_ = open();
  ASSERT_TRUE(state_->take_in({push_of(1), push_of(2), push_of(3)}).ok());
  enqueue("one");
  enqueue("two");
  Pipe said;
  Child child([&] { return hold_until_killed(options_, identity_, said); });
  std::size_t held = 0;
  ASSERT_TRUE(said.get(held));
  EXPECT_EQ(held, 202u);
  enqueue("three");
  EXPECT_EQ(leased(*state_), ids({3})) << "the rest is another's, who is alive";
  EXPECT_EQ(claimed(*state_), std::vector<std::string>{"three"});
  child.kill();
  EXPECT_EQ(leased(*state_), ids({1, 2}));
  EXPECT_EQ(claimed(*state_), (std::vector<std::string>{"one", "two", "three"}));
}

TEST_F(ProcessTest, GivesTheOutboxOfAKilledProcessToTheNextOne) {
  options_.file = folder_.path() + "/ada.db";
  state_ = open();
  enqueue("one");
  state_.reset();
  Pipe said;
  Child child([&] { return hold_until_killed(options_, identity_, said); });
  std::size_t held = 0;
  ASSERT_TRUE(said.get(held));
  child.kill();
  state_ = open();
  EXPECT_EQ(claimed(*state_), std::vector<std::string>{"one"});
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(options_.file + ".holders"), {}), 2)
      << "its own file and the mark; the dead one's is gone";
}

// A lease belongs to its process, not to what that process started.
TEST_F(ProcessTest, KeepsNoLeaseThroughAProgramThatItStarted) {
  state_ = open();
  ASSERT_TRUE(state_->take_in({push_of(1)}).ok());
  Pipe said;
  Child child([&] {
    auto state = State::open(options_, identity_);
    if (!state.ok() || (*state)->lease(1)->size() != 1) return 1;
    const pid_t started = fork();
    if (started == 0) {
      execl("/bin/sleep", "sleep", "5", nullptr);
      _exit(3);
    }
    usleep(200'000);  // until it runs the other program
    said.put(started);
    for (;;) pause();
  });
  pid_t started = 0;
  ASSERT_TRUE(said.get(started));
  EXPECT_TRUE(leased(*state_).empty());
  child.kill();
  EXPECT_EQ(leased(*state_), ids({1}));
  ::kill(started, SIGKILL);
}

TEST_F(ProcessTest, ShowsAPushToOneOfTwoThatReceiveIt) {
  options_.inbox_messages = 10'000;
  state_ = open();
  constexpr std::uint64_t kPushes = 200;
  Pipe shown;
  const auto receive = [&]() -> int {
    auto state = State::open(options_, identity_);
    if (!state.ok()) return 1;
    for (std::uint64_t i = 1; i <= kPushes; ++i) {
      if (!(*state)->take_in({push_of(i)}).ok()) return 2;
      const auto leases = (*state)->lease(3);
      if (!leases.ok()) return 3;
      const auto confirmed = (*state)->confirm(ids_of(*leases));
      if (!confirmed.ok() || confirmed->size() != leases->size()) return 4;
      for (const StoredPush& push : *leases) {
        if (!shown.put(std::stoull(push.message_id, nullptr, 16))) return 5;
      }
    }
    return 0;
  };
  Child one(receive);
  Child two(receive);
  EXPECT_EQ(one.wait(), 0);
  EXPECT_EQ(two.wait(), 0);
  shown.close_writer();
  std::map<unsigned long long, int> times;
  unsigned long long id = 0;
  while (shown.get(id)) ++times[id];
  EXPECT_EQ(times.size(), kPushes);
  for (const auto& [push, count] : times) EXPECT_EQ(count, 1) << push;
}

TEST_F(ProcessTest, ServesManyThreadsOfOneProcess) {
  options_.outbox_messages = options_.inbox_messages = 1'000;
  state_ = open();
  std::vector<std::vector<std::string>> shown(3);
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 3; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t i = 1; i <= 20; ++i) {
        take(*state_, push_of(t * 100 + i));
        for (const std::string& id : leased(*state_, 2)) {
          shown[t].push_back(id);
          EXPECT_EQ(confirmed(*state_, {id}).size(), 1u);
        }
        enqueue("hello");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<std::string> all;
  for (const auto& ids : shown) {
    for (const std::string& id : ids) EXPECT_TRUE(all.insert(id).second) << "shown twice";
  }
  EXPECT_EQ(all.size(), 60u);
  EXPECT_EQ(claimed(*state_).size(), 60u);
}

// What the child tells its parent, each after the call that did it returned.
struct Word {
  char what;  // 'q' enqueued, 's' stored, 't' taken in, 'c' confirmed
  std::uint64_t number;
};

[[noreturn]] void work_until_killed(const StateOptions& options, const crypto::SecretKey& identity,
                                    std::uint64_t number, const Pipe& said) {
  auto opened = State::open(options, identity);
  if (!opened.ok()) _exit(1);
  State& state = **opened;
  for (;; ++number) {
    OutboxEntry entry = entry_of(std::to_string(number));
    entry.ticket = id_of(number);
    if (!state.enqueue(entry).ok()) _exit(2);
    said.put(Word{'q', number});
    if (number % 2 == 0) {
      if (!state.mark_stored(entry.ticket, id_of(number), 1).ok()) _exit(3);
      said.put(Word{'s', number});
    }
    if (!state.take_in({push_of(number)}).ok()) _exit(4);
    said.put(Word{'t', number});
    if (number % 2 == 0) continue;
    const auto leases = state.lease(1);
    if (!leases.ok()) _exit(5);
    for (const StoredPush& push : *leases) {
      const auto confirmed = state.confirm({push.message_id});
      if (!confirmed.ok() || confirmed->size() != 1) _exit(6);
      said.put(Word{'c', std::stoull(push.message_id, nullptr, 16)});
    }
  }
}

TEST_F(ProcessTest, LosesAndDoublesNothingThroughKills) {
  options_.outbox_messages = options_.inbox_messages = 1'000'000;
  options_.kept_messages = options_.kept_sent = 1'000'000;
  std::set<std::uint64_t> queued, stored, taken, read;
  for (std::uint64_t round = 0; round < 6; ++round) {
    Pipe said;
    Child child(
        [&]() -> int { work_until_killed(options_, identity_, round * 100'000 + 1, said); });
    said.close_writer();
    Word word{};
    const std::size_t enough = queued.size() + 20 + 15 * round;
    const auto note = [&] {
      if (word.what == 'q') queued.insert(word.number);
      if (word.what == 's') stored.insert(word.number);
      if (word.what == 't') taken.insert(word.number);
      if (word.what == 'c') {
        EXPECT_TRUE(read.insert(word.number).second) << "read twice";
      }
    };
    while (queued.size() < enough && said.get(word)) note();
    child.kill();
    while (said.get(word)) note();
    ASSERT_GE(queued.size(), enough) << "the child ended by itself";
  }
  state_ = open();
  std::set<std::string> waiting;
  const auto entries = state_->claim_outbox();
  ASSERT_TRUE(entries.ok());
  for (const OutboxEntry& entry : *entries) EXPECT_TRUE(waiting.insert(entry.ticket).second);
  for (const std::uint64_t number : queued) {
    const bool is_stored = stored.contains(number);
    const SendReport known = report(id_of(number));
    EXPECT_TRUE(is_stored ? known.state == SendState::kStored : !known.to.empty()) << number;
    EXPECT_EQ(waiting.contains(id_of(number)), known.state == SendState::kWaiting) << number;
  }
  std::set<std::string> unread;
  for (const std::string& id : leased(*state_, 1'000'000)) EXPECT_TRUE(unread.insert(id).second);
  std::set<std::string> kept;
  const auto history = state_->history(1'000'000);
  ASSERT_TRUE(history.ok());
  for (const StoredPush& push : *history) EXPECT_TRUE(kept.insert(push.message_id).second);
  for (const std::uint64_t number : read) {
    EXPECT_FALSE(unread.contains(id_of(number))) << "what was read comes not again";
  }
  for (const std::uint64_t number : taken) {
    EXPECT_NE(unread.contains(id_of(number)), kept.contains(id_of(number))) << number;
  }
}

}  // namespace
}  // namespace signet::client
