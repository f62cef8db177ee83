// kill -9 under load, again and again: whatever was answered is there afterwards.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
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

// Spends nonces and takes one job through its versions without end; writes each that was answered
// as done to `answered`: a nonce as its number, a version of the job as its negative.
[[noreturn]] void work_until_killed(const StoreOptions& options, std::int64_t first_nonce,
                                    std::uint64_t version, int answered) {
  TestClock clock;
  MetricRegistry metrics;
  auto store = open_sqlite(options, clock, metrics);
  if (!store.ok()) _exit(2);
  (*store)->start([](auto) {});
  TestThread thread;
  std::int64_t sent = 0;
  std::int64_t done = 0;
  const auto told = [&done, answered](std::int64_t what) {
    ++done;
    if (write(answered, &what, sizeof what) != sizeof what) _exit(4);
  };
  for (;;) {
    while (sent - done < 50) {
      const std::int64_t number = first_nonce + sent;
      SpendNonce nonce{{3}, {}, {1'700'000'000'000 + 300'000}};
      std::memcpy(nonce.digest.data(), &number, sizeof number);
      (*store)->spend_nonce(nonce, thread.mailbox(), [told, number](NonceOutcome outcome) {
        if (outcome != NonceOutcome::kNew) _exit(3);
        told(number);
      });
      jobs::Job job = new_job(1);
      job.version = ++version;
      sent += 2;
      (*store)->put_jobs({job}, {1}, {}, thread.mailbox(), [told, version](const Status& status) {
        if (!status.ok()) _exit(5);
        told(-static_cast<std::int64_t>(version));
      });
    }
    thread.work();
  }
}

TEST_F(StoreTest, ANonceAndAJobThatWereAnsweredAreThereAfterEveryKill) {
  options_.reserve_bytes = 0;
  options_.nonces_per_member = 1'000'000;
  std::int64_t version = 0;
  for (std::int64_t round = 0; round < 6; ++round) {
    std::set<std::int64_t> nonces;
    std::int64_t told = 0;
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const auto first = static_cast<std::int64_t>(kIdsPerRound) * (round + 1);
    const pid_t child = fork();
    if (child == 0) {
      work_until_killed(options_, first, static_cast<std::uint64_t>(version), ends[1]);
    }
    close(ends[1]);
    const auto take = [&] {
      if (told < 0) {
        version = -told;
      } else {
        nonces.insert(told);
      }
    };
    const std::size_t enough = 30 + 40 * static_cast<std::size_t>(round);
    while (nonces.size() < enough && ::read(ends[0], &told, sizeof told) == sizeof told) take();
    kill(child, SIGKILL);
    while (::read(ends[0], &told, sizeof told) == sizeof told) take();
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);

    open();
    for (const std::int64_t number : nonces) {
      SpendNonce nonce{{3}, {}, {1'700'000'000'000 + 300'000}};
      std::memcpy(nonce.digest.data(), &number, sizeof number);
      ASSERT_EQ(thread_.ask<NonceOutcome>(
                    [&](auto answer) { store_->spend_nonce(nonce, thread_.mailbox(), answer); }),
                NonceOutcome::kUsed);
    }
    ASSERT_EQ(load_jobs().size(), 1U);
    EXPECT_GE(static_cast<std::int64_t>(load_jobs()[0].version), version);
    version = static_cast<std::int64_t>(load_jobs()[0].version);
    store_.reset();
  }
}

std::shared_ptr<const LogIdentity> identity() {
  return std::make_shared<const LogIdentity>(LogIdentity{
      "signet/test", crypto::SecretKey::from_seed({1}), audit::Pseudonyms(std::string(32, 'p'))});
}

// Makes members without end, every second one of a number that is taken, and writes each number
// that was answered as made to `answered`.
[[noreturn]] void change_until_killed(const StoreOptions& options, std::uint64_t first,
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
      const std::uint64_t number = first + sent / 2;
      const bool again = sent++ % 2 == 1;
      membership::Member member;
      member.number = {static_cast<std::int64_t>(number)};
      member.mesh = {1};
      member.id = std::to_string(number);
      (*store)->commit({membership::MemberAdded{std::move(member), {}}}, "test", thread.mailbox(),
                       [&done, number, again, answered](const Status& status) {
                         ++done;
                         if (status.ok() == again) _exit(3);
                         if (again) return;
                         if (write(answered, &number, sizeof number) != sizeof number) _exit(4);
                       });
    }
    thread.work();
  }
}

TEST_F(StoreTest, AfterEveryKillTheLogFitsTogetherAndHoldsTheCommittedChanges) {
  options_.log = identity();
  options_.checkpoint_entries = 20;
  options_.reserve_bytes = 0;
  for (std::uint64_t round = 0; round < 8; ++round) {
    std::set<std::uint64_t> answered;
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) change_until_killed(options_, round * kIdsPerRound + 1, ends[1]);
    close(ends[1]);
    const std::size_t enough = 30 + 40 * round;
    std::uint64_t number = 0;
    while (answered.size() < enough && read_id(ends[0], number)) answered.insert(number);
    kill(child, SIGKILL);
    while (read_id(ends[0], number)) answered.insert(number);
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child ended by itself with " << WEXITSTATUS(status);

    open();
    EXPECT_EQ(metrics_.gauge("signet_audit_damaged", "").value(), 0) << "round " << round;
    std::vector<std::string> members;
    for (const auto& change : membership_) {
      const auto& member = std::get<membership::MemberAdded>(change).member;
      members.push_back(options_.log->pseudonyms.of_member(member.number));
      answered.erase(static_cast<std::uint64_t>(member.number.value));
    }
    EXPECT_TRUE(answered.empty()) << answered.size() << " were answered and are gone";
    auto page = thread_.ask<Result<LogPage>>(
        [&](auto answer) { store_->read_log(1, 1'000'000, thread_.mailbox(), answer); });
    ASSERT_TRUE(page.ok());
    std::vector<std::string> logged;
    for (const std::string& line : page->lines) {
      logged.push_back(audit::parse_entry(line)->what.subject);
    }
    EXPECT_EQ(static_cast<std::int64_t>(logged.size()), rows("member"));
    std::sort(members.begin(), members.end());
    std::sort(logged.begin(), logged.end());
    EXPECT_TRUE(logged == members) << "one entry of each member that is there, and no other";
    store_.reset();
  }
}

}  // namespace
}  // namespace signet::store::sqlite
