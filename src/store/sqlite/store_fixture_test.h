// What every test of the SQLite store starts with: a folder that goes away, a clock that is moved
// by hand, and a mailbox whose owner is the test.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "store/sqlite/sqlite_store.h"

namespace signet::store::sqlite {

// TestClock is read by the writer while the test moves it.
class TestClock final : public Clock {
 public:
  WallTime wall() const override { return {wall_ms_.load()}; }
  Elapsed elapsed() const override { return {std::chrono::milliseconds(elapsed_ms_.load())}; }
  void advance(std::chrono::milliseconds by) {
    wall_ms_ += by.count();
    elapsed_ms_ += by.count();
  }
  void step_wall(std::chrono::milliseconds by) { wall_ms_ += by.count(); }

 private:
  std::atomic<std::int64_t> wall_ms_{1'700'000'000'000};
  std::atomic<std::int64_t> elapsed_ms_{3'600'000};
};

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = std::filesystem::temp_directory_path() / "signet_store_XXXXXX";
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// TestThread is the test as a thread that owns a mailbox.
class TestThread {
 public:
  Mailbox& mailbox() { return mailbox_; }

  // Runs `ask` with a callback and answers what the callback was given.
  template <class T, class Ask>
  T ask(Ask ask) {
    auto answer = std::make_shared<std::optional<T>>();
    ask([answer](T value) { answer->emplace(std::move(value)); });
    while (!answer->has_value()) work();
    return std::move(**answer);
  }
  void work() {
    posted_.acquire();
    mailbox_.drain();
  }

 private:
  std::counting_semaphore<> posted_{0};
  Mailbox mailbox_{[this] { posted_.release(); }};
};

inline routing::MessageId id_of(std::uint64_t number) {
  routing::MessageId id{};
  for (std::size_t i = 0; i < 8; ++i) id[i] = static_cast<unsigned char>(number >> (8 * i));
  id[15] = 1;
  return id;
}

// What a test says of a message; the rest is the same for all.
struct Say {
  std::uint64_t id;
  std::vector<std::int64_t> to;
  std::string body = "hello";
  routing::Priority priority = routing::Priority::kNext;
  std::int64_t sender = 1;
  std::int64_t mesh = 1;
  WallTime expires{};
};

inline Publish publish_of(const Say& say) {
  auto envelope = std::make_shared<routing::Envelope>();
  envelope->id = id_of(say.id);
  envelope->mesh = {say.mesh};
  envelope->sender = {say.sender};
  envelope->priority = say.priority;
  envelope->to = "*";
  envelope->body = say.body;
  envelope->created = {1'700'000'000'000};
  envelope->expires = say.expires;
  Publish publish{std::move(envelope), {}, {}};
  for (std::size_t i = 0; i < std::min<std::size_t>(say.body.size(), 16); ++i) {
    publish.content[i] = static_cast<unsigned char>(say.body[i]);
  }
  for (const std::int64_t member : say.to) publish.recipients.push_back({member});
  return publish;
}

// A job of mesh 1 that was just asked for, with something in each field.
inline jobs::Job new_job(std::uint64_t number, std::uint64_t world = 0) {
  jobs::Job job;
  job.mesh = {1};
  job.id = "job_" + std::to_string(number);
  job.type = "render";
  job.user = "ann";
  job.world = "job_" + std::to_string(world == 0 ? number : world);
  job.spec = std::make_shared<const std::string>("{\"world\":\"" + job.world + "\"}");
  job.payload = std::make_shared<const std::string>("{\"n\":" + std::to_string(number) + "}");
  job.priority = -3;
  job.order = number;
  job.version = 1;
  job.submitted = {1'700'000'000'000};
  job.queued = {1'700'000'000'001};
  return job;
}

class StoreTest : public testing::Test {
 protected:
  StoreTest() {
    options_.directory = folder_.path();
    options_.reserve_bytes = 1 << 20;
  }

  void open() {
    auto opened = SqliteStore::open(options_, clock_, metrics_);
    ASSERT_TRUE(opened.ok()) << opened.error().detail;
    store_ = *std::move(opened);
    membership_ = store_->membership_at_start();
    store_->start([this](std::shared_ptr<const DeliveryBatch> batch) {
      for (const Delivery& delivery : *batch) deliveries_.push_back(delivery);
    });
  }
  void reopen() {
    store_.reset();
    open();
  }

  PublishAnswer publish(const Say& say) {
    return thread_.ask<PublishAnswer>(
        [&](auto answer) { store_->publish(publish_of(say), thread_.mailbox(), answer); });
  }
  // Those that still waited.
  std::vector<std::int64_t> confirm(std::int64_t member, std::vector<std::int64_t> numbers) {
    std::vector<MessageNumber> confirmed;
    for (const std::int64_t number : numbers) confirmed.push_back({number});
    const auto waited = thread_.ask<std::vector<MessageNumber>>([&](auto answer) {
      store_->confirm({member}, std::move(confirmed), thread_.mailbox(), answer);
    });
    std::vector<std::int64_t> values;
    for (const MessageNumber number : waited) values.push_back(number.value);
    return values;
  }
  HelloOutcome hello(std::int64_t member, std::int64_t timestamp_ms, unsigned char digest = 0) {
    AdmitHello command{{member}, timestamp_ms, {}};
    command.digest[0] = digest;
    return thread_.ask<HelloOutcome>(
        [&](auto answer) { store_->admit_hello(command, thread_.mailbox(), answer); });
  }
  NonceOutcome spend(std::int64_t member, std::uint32_t digest, WallTime until) {
    SpendNonce command{{member}, {}, until};
    for (std::size_t i = 0; i < 4; ++i) {
      command.digest[i] = static_cast<unsigned char>(digest >> (8 * i));
    }
    return thread_.ask<NonceOutcome>(
        [&](auto answer) { store_->spend_nonce(command, thread_.mailbox(), answer); });
  }
  Status put_jobs(std::vector<jobs::Job> rows, std::vector<std::string> forgotten = {},
                  std::int64_t mesh = 1) {
    return thread_.ask<Status>([&](auto answer) {
      store_->put_jobs(std::move(rows), {mesh}, std::move(forgotten), thread_.mailbox(), answer);
    });
  }
  std::vector<jobs::Job> load_jobs(std::int64_t mesh = 1) {
    auto jobs = thread_.ask<Result<std::vector<jobs::Job>>>(
        [&](auto answer) { store_->load_jobs({mesh}, thread_.mailbox(), answer); });
    EXPECT_TRUE(jobs.ok());
    return jobs.ok() ? *std::move(jobs) : std::vector<jobs::Job>{};
  }
  Status commit_sealed(CommitSealed what) {
    return thread_.ask<Status>(
        [&](auto answer) { store_->commit_sealed(std::move(what), thread_.mailbox(), answer); });
  }
  // Each row as "kind name version bytes".
  std::vector<std::string> sealed_rows(std::int64_t mesh = 1) {
    const auto rows = thread_.ask<Result<std::vector<SealedRow>>>(
        [&](auto answer) { store_->load_sealed({mesh}, thread_.mailbox(), answer); });
    EXPECT_TRUE(rows.ok());
    std::vector<std::string> told;
    for (const SealedRow& row : rows.ok() ? *rows : std::vector<SealedRow>()) {
      told.push_back(row.kind + " " + row.name + " " + std::to_string(row.version) + " " +
                     row.bytes);
    }
    return told;
  }
  std::vector<SealedReport> reports(std::string name, std::uint64_t after = 0,
                                    std::size_t limit = 100, std::int64_t mesh = 1) {
    auto found = thread_.ask<Result<std::vector<SealedReport>>>([&](auto answer) {
      store_->read_reports({mesh}, std::move(name), after, limit, thread_.mailbox(), answer);
    });
    EXPECT_TRUE(found.ok());
    return found.ok() ? *std::move(found) : std::vector<SealedReport>();
  }
  std::vector<SealedReport> newest_reports(std::string name, std::size_t limit,
                                           std::int64_t mesh = 1) {
    auto found = thread_.ask<Result<std::vector<SealedReport>>>([&](auto answer) {
      store_->newest_reports({mesh}, std::move(name), limit, thread_.mailbox(), answer);
    });
    EXPECT_TRUE(found.ok());
    return found.ok() ? *std::move(found) : std::vector<SealedReport>();
  }
  Status commit(std::vector<membership::Change> changes) {
    return thread_.ask<Status>([&](auto answer) {
      store_->commit(std::move(changes), "test", thread_.mailbox(), answer);
    });
  }
  Status probe() {
    return thread_.ask<Status>([&](auto answer) { store_->probe(thread_.mailbox(), answer); });
  }
  MailboxPage read(const MailboxQuery& query) {
    auto page = thread_.ask<Result<MailboxPage>>(
        [&](auto answer) { store_->read_mailbox(query, thread_.mailbox(), answer); });
    EXPECT_TRUE(page.ok());
    return page.ok() ? *page : MailboxPage{};
  }
  // The bodies that wait for the member, in their order.
  std::vector<std::string> waiting(std::int64_t member) {
    settle();
    MailboxQuery query{{member}, {}, {}};
    query.max_messages = 1'000'000;
    query.max_bytes = 1 << 30;
    std::vector<std::string> bodies;
    for (const MailboxItem& item : read(query).items) bodies.push_back(item.envelope->body);
    return bodies;
  }
  std::vector<std::int64_t> numbers(std::int64_t member) {
    settle();
    MailboxQuery query{{member}, {}, {}};
    query.max_messages = 1'000'000;
    query.max_bytes = 1 << 30;
    std::vector<std::int64_t> found;
    for (const MailboxItem& item : read(query).items) found.push_back(item.number.value);
    return found;
  }
  std::vector<DeadLetter> dead(std::int64_t mesh, std::int64_t before = 0,
                               std::size_t limit = 1'000) {
    auto letters = thread_.ask<Result<std::vector<DeadLetter>>>([&](auto answer) {
      store_->list_dead({mesh}, {before}, limit, thread_.mailbox(), answer);
    });
    EXPECT_TRUE(letters.ok());
    return letters.ok() ? *letters : std::vector<DeadLetter>{};
  }
  void sweep(WallTime now) {
    thread_.ask<bool>([&](auto answer) {
      store_->sweep_for_test(now, thread_.mailbox(), [answer] { answer(true); });
    });
  }
  // Everything asked before this was executed.
  void settle() { static_cast<void>(hello(999'999, ++settled_)); }

  std::int64_t rows(const std::string& what) {
    Database database;
    EXPECT_TRUE(database.open(folder_.path() + "/signet.db", Database::Access::kRead).ok());
    return database.number(("SELECT COUNT(*) FROM " + what).c_str());
  }

  TemporaryFolder folder_;
  TestClock clock_;
  MetricRegistry metrics_;
  StoreOptions options_;
  TestThread thread_;
  std::unique_ptr<SqliteStore> store_;
  std::vector<membership::Change> membership_;
  std::vector<Delivery> deliveries_;  // written before the answer that the test waits for
  std::int64_t settled_ = 0;
};

}  // namespace signet::store::sqlite
