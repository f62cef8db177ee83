// kill -9 under load, again and again: whatever was answered is there afterwards.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "store/sqlite/store_fixture_test.h"

namespace signet::store::sqlite {
namespace {

constexpr std::uint64_t kIdsPerRound = 1'000'000;

bool read_id(int from, std::uint64_t& id) { return ::read(from, &id, sizeof id) == sizeof id; }

// Publishes without end and writes every id whose answer was "stored" to `answered`.
[[noreturn]] void publish_until_killed(const StoreOptions& options, std::uint64_t first,
                                       int answered) {
  TestClock clock;
  MetricRegistry metrics;
  auto store = open_sqlite(options, clock, metrics);
  if (!store.ok()) _exit(2);
  (*store)->start([](auto) {});
  TestThread thread;
  std::uint64_t sent = 0;
  std::uint64_t done = 0;
  for (;;) {
    while (sent - done < 50) {
      const std::uint64_t id = first + sent++;
      (*store)->publish(publish_of({id, {11, 12}}), thread.mailbox(),
                        [&done, id, answered](PublishAnswer answer) {
                          ++done;
                          if (answer.outcome != PublishOutcome::kStored) _exit(3);
                          if (write(answered, &id, sizeof id) != sizeof id) _exit(4);
                        });
    }
    thread.work();
  }
}

TEST_F(StoreTest, KeepsWhatItAnsweredThroughEveryKill) {
  options_.mailbox_messages = 1'000'000;
  options_.sender_messages = 1'000'000;
  options_.reserve_bytes = 0;
  std::set<std::uint64_t> answered;
  for (std::uint64_t round = 0; round < 10; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) publish_until_killed(options_, round * kIdsPerRound + 1, ends[1]);
    close(ends[1]);
    // At least that many answers, then the kill falls wherever the child is.
    const std::size_t enough = answered.size() + 100 + 60 * round;
    std::uint64_t id = 0;
    while (answered.size() < enough && read_id(ends[0], id)) answered.insert(id);
    kill(child, SIGKILL);
    while (read_id(ends[0], id)) answered.insert(id);
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);
  }
  open();
  for (const std::int64_t member : {11, 12}) {
    std::set<routing::MessageId> found;
    MailboxQuery query{{member}, {}, {}, false, 1'000'000, 1 << 30};
    const MailboxPage page = read(query);
    for (const MailboxItem& item : page.items) found.insert(item.envelope->id);
    EXPECT_EQ(found.size(), page.items.size()) << "none twice";
    std::size_t missing = 0;
    for (const std::uint64_t id : answered) missing += !found.contains(id_of(id));
    EXPECT_EQ(missing, 0u) << "of " << answered.size();
  }
  EXPECT_EQ(publish({*answered.begin(), {11, 12}}).outcome, PublishOutcome::kDuplicate);
}

}  // namespace
}  // namespace signet::store::sqlite
