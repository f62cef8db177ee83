// store_bench measures row 10 of the goals: durable acknowledged publishes a second through the
// store alone, at 1, 10, 100 and 1,000 commands in flight, beside what one fdatasync costs in the
// same directory. One JSON line per depth.
//   store_bench DIRECTORY [MILLISECONDS]
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <semaphore>

#include "base/log.h"
#include "base/metrics.h"
#include "crypto/random.h"
#include "load_row.h"
#include "store/store.h"

namespace signet::bench {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kBodyBytes = 330;  // nonce and ciphertext of about 200 sealed bytes, in JSON
constexpr std::int64_t kReceivers = 100;

// Two cores: the store's threads on the first, whoever asks on the second.
void run_on(std::size_t core) {
  cpu_set_t allowed{};
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || sysconf(_SC_NPROCESSORS_ONLN) < 2)
    return;
  cpu_set_t wanted{};
  CPU_SET(core, &wanted);
  (void)sched_setaffinity(0, sizeof wanted, &wanted);
}

// The median of appending 4 KiB and waiting until it is on disk, in microseconds.
Latencies sync_cost(const std::string& directory) {
  constexpr std::size_t kTimes = 300;
  constexpr std::size_t kPage = 4'096;
  Latencies latencies;
  const std::string path = directory + "/sync";
  const int file = open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  const std::string page(kPage, 'p');
  for (std::size_t i = 0; i < kTimes && file >= 0; ++i) {
    const bool wrote = write(file, page.data(), page.size()) == static_cast<ssize_t>(page.size());
    const auto start = steady_clock::now();
    if (!wrote || fdatasync(file) != 0) break;
    latencies.add(steady_clock::now() - start);
  }
  if (file >= 0) close(file);
  std::filesystem::remove(path);
  return latencies;
}

std::int64_t commits(const MetricRegistry& metrics) {
  const std::string page = metrics.prometheus();
  constexpr std::string_view kName = "\nsignet_store_commits_total ";
  const auto at = page.find(kName);
  return at == std::string::npos ? 0 : std::atoll(page.c_str() + at + kName.size());
}

// Publisher keeps `depth` publishes unanswered and counts the answers. One thread.
class Publisher {
 public:
  Publisher(store::Store& store, std::size_t depth) : store_(store), depth_(depth) {}

  void run(std::chrono::milliseconds warm_up, std::chrono::milliseconds window) {
    sending_ = true;
    for (std::size_t i = 0; i < depth_; ++i) publish();
    work_until(steady_clock::now() + warm_up);
    counting_ = true;
    const auto from = steady_clock::now();
    work_until(from + window);
    counting_ = sending_ = false;
    seconds_ = std::chrono::duration<double>(steady_clock::now() - from).count();
    while (in_flight_ > 0) work();
  }

  double per_second() const { return static_cast<double>(answered_) / seconds_; }
  std::uint64_t refused() const { return refused_; }
  Latencies& latencies() { return latencies_; }

 private:
  void publish() {
    auto envelope = std::make_shared<routing::Envelope>();
    crypto::random_bytes(envelope->id);
    envelope->mesh = {1};
    envelope->sender = {kReceivers + 1};
    envelope->to = "bench";
    envelope->body = body_;
    envelope->created = system_clock().wall();
    envelope->expires = envelope->created + std::chrono::hours(24);
    store::Publish command{std::move(envelope), {}, {{1 + next_++ % kReceivers}}};
    ++in_flight_;
    store_.publish(std::move(command), mailbox_,
                   [this, sent = steady_clock::now()](const store::PublishAnswer& answer) {
                     --in_flight_;
                     refused_ += answer.outcome == store::PublishOutcome::kStored ? 0 : 1;
                     if (counting_) {
                       ++answered_;
                       latencies_.add(steady_clock::now() - sent);
                     }
                     if (sending_) publish();
                   });
  }
  void work() {
    posted_.acquire();
    mailbox_.drain();
  }
  void work_until(steady_clock::time_point end) {
    while (steady_clock::now() < end) work();
  }

  store::Store& store_;
  const std::size_t depth_;
  const std::string body_ = std::string(kBodyBytes, 'x');
  std::counting_semaphore<> posted_{0};
  Mailbox mailbox_{[this] { posted_.release(); }};
  std::int64_t next_ = 0;
  std::size_t in_flight_ = 0;
  std::uint64_t answered_ = 0;
  std::uint64_t refused_ = 0;
  bool sending_ = false;
  bool counting_ = false;
  double seconds_ = 1;
  Latencies latencies_;
};

Status measure(const std::string& directory, std::size_t depth, std::chrono::milliseconds window) {
  MetricRegistry metrics;
  store::StoreOptions options;
  options.directory = directory + "/" + std::to_string(depth);
  options.mailbox_messages = options.sender_messages = 1'000'000'000;
  options.mailbox_bytes = options.mesh_bytes = 1LL << 40;
  run_on(0);  // the threads that the store starts inherit it
  SIGNET_TRY(auto store, store::open_sqlite(options, system_clock(), metrics));
  static_cast<void>(store->membership_at_start());
  store->start([](const std::shared_ptr<const store::DeliveryBatch>&) {});
  run_on(1);
  Publisher publisher(*store, depth);
  const std::int64_t commits_before = commits(metrics);
  publisher.run(std::chrono::milliseconds(300), window);
  wire::JsonWriter row;
  row.object().key("in_flight").value(std::uint64_t{depth});
  row.key("publishes_per_second").value(rounded(publisher.per_second()));
  row.key("refused").value(publisher.refused());
  row.key("commits").value(commits(metrics) - commits_before);
  publisher.latencies().write(row, "answer_us");
  auto syncs = sync_cost(directory);
  syncs.write(row, "fdatasync_us");
  store.reset();
  std::filesystem::remove_all(options.directory);
  print_row(row);
  return Done{};
}

}  // namespace
}  // namespace signet::bench

int main(int argc, char** argv) {
  if (argc < 2 || !signet::crypto::initialize()) return EXIT_FAILURE;
  signet::set_log_level(signet::LogLevel::kWarn);
  const std::chrono::milliseconds window(argc > 2 ? std::atoi(argv[2]) : 2'000);
  for (const std::size_t depth : {1, 10, 100, 1'000}) {
    const auto measured = signet::bench::measure(argv[1], depth, window);
    if (measured.ok()) continue;
    std::cerr << "store_bench: " << measured.error().detail << "\n";
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
