// epoch_bench measures one decision over a whole mesh: the controller's Epochs on its own thread
// over a real SQLite store that syncs, with no network. Then each part of it by itself.
//   epoch_bench FOLDER [NODES [ROUNDS]]
// Prints one JSON line a shape of an epoch:
//   first     everybody is allowed for the first time: every node's row and verdict are written
//   reported  everybody submitted again: every row is written, no verdict changes
//   silent    nobody did: all are looked at, next to nothing is written
#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <memory>
#include <semaphore>
#include <utility>
#include <vector>

#include "base/fake_clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "controller/control_thread.h"
#include "controller/controller.h"
#include "controller/epochs.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "dialects/overlay.h"
#include "guard_time.h"
#include "load_row.h"
#include "overlay/judgement.h"

namespace signet::bench {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kAtOnce = 500;  // calls without an answer, as of so many connections
constexpr std::chrono::minutes kEpoch{1};
constexpr std::size_t kMinNodes = 2;
constexpr std::size_t kMostNodes = 60'000;  // that 10.10.0.0/16 has places for
constexpr std::uint32_t kNeverMany = 1'000;

double milliseconds_of(std::chrono::nanoseconds time) {
  return rounded(std::chrono::duration<double, std::milli>(time).count());
}

struct Member {
  std::string name;
  crypto::SecretKey key;
  std::uint64_t sequence = 0;
};

// What one decision took.
struct Decided {
  std::chrono::nanoseconds wall{};     // from the call to its answer, which is behind the commit
  std::chrono::nanoseconds control{};  // CPU time of the control thread: it decides and seals
  std::chrono::nanoseconds all{};      // CPU time of all threads: the rest is the store's
};

class EpochBench {
 public:
  EpochBench(std::string folder, std::size_t nodes) : folder_(std::move(folder)) {
    members_.reserve(nodes);
    for (std::size_t i = 0; i < nodes; ++i) {
      members_.push_back({"node-" + std::to_string(i), crypto::SecretKey::generate()});
    }
  }
  ~EpochBench() {
    if (started_) control_.stop();
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  EpochBench(const EpochBench&) = delete;
  EpochBench& operator=(const EpochBench&) = delete;

  Status prepare() {
    SIGNET_TRY([[maybe_unused]] const Done opened, open());
    SIGNET_TRY([[maybe_unused]] const Done meshed, make_mesh());
    SIGNET_TRY([[maybe_unused]] const Done joined, join_all());
    SIGNET_TRY([[maybe_unused]] const Done loaded, make_epochs());
    return register_all();
  }

  // Everybody submits, and the epoch's time passes. Answers how long the submissions took.
  Result<std::chrono::nanoseconds> submit_all() {
    std::vector<overlay::Submission> signed_ones;
    signed_ones.reserve(members_.size());
    for (Member& member : members_) signed_ones.push_back(submission_of(member));
    const auto from = steady_clock::now();
    SIGNET_TRY([[maybe_unused]] const Done done,
               for_each(members_.size(), [&](std::size_t i, auto done) {
                 const std::string name = members_[i].name;
                 epochs_->submit(std::move(signed_ones[i]), name, [done](const auto& answer) {
                   done(answer.index() == 1 ? "" : "a submission was refused");
                 });
               }));
    return std::chrono::nanoseconds(steady_clock::now() - from);
  }

  Result<Decided> decide() {
    clock_.step_wall(kEpoch);  // and no timer is due, which would decide by itself
    Decided decided;
    const auto control_from = control_cpu();
    const auto all_from = cpu_time_by(CLOCK_PROCESS_CPUTIME_ID);
    const auto from = steady_clock::now();
    SIGNET_TRY([[maybe_unused]] const Done done, for_each(1, [&](std::size_t, auto answered) {
                 epochs_->decide_now([answered](const Status& status) {
                   answered(status.ok() ? "" : status.error().detail);
                 });
               }));
    decided.wall = steady_clock::now() - from;
    decided.control = control_cpu() - control_from;
    decided.all = cpu_time_by(CLOCK_PROCESS_CPUTIME_ID) - all_from;
    return decided;
  }

  std::size_t allowed() {
    std::size_t count = 0;
    control_.run_and_wait([&] {
      epochs_->each_node([&count](const overlay::Node& node) {
        count += node.verdict == overlay::Verdict::kAllowed ? 1 : 0;
      });
    });
    return count;
  }

  // What the parts of a decision take over the nodes as they are, on this thread.
  void write_parts(wire::JsonWriter& row) {
    std::vector<overlay::Judgement> judged;
    control_.run_and_wait([&] {
      epochs_->each_node([&](const overlay::Node& node) {
        overlay::Judgement each;
        each.node = node;
        each.epoch = epochs_->state().decided + 1;
        each.at = clock_.wall();
        each.rule = 1;
        each.standing = membership::Standing::kAdmitted;
        judged.push_back(std::move(each));
      });
    });
    const overlay::RuleParameters rule;
    std::vector<overlay::Decision> decisions;
    decisions.reserve(judged.size());
    auto from = cpu_time_by(CLOCK_THREAD_CPUTIME_ID);
    for (overlay::Judgement& each : judged) {
      decisions.push_back(overlay::decide(each.node, each.standing, rule, each.epoch, each.at));
      overlay::conclude(decisions.back(), each);
    }
    const auto deciding = cpu_time_by(CLOCK_THREAD_CPUTIME_ID) - from;
    from = cpu_time_by(CLOCK_THREAD_CPUTIME_ID);
    std::size_t bytes = 0;
    for (std::size_t i = 0; i < judged.size(); ++i) bytes += sealed_bytes(judged[i], decisions[i]);
    const auto sealing = cpu_time_by(CLOCK_THREAD_CPUTIME_ID) - from;
    row.key("rule_ms").value(milliseconds_of(deciding));
    row.key("sealing_ms").value(milliseconds_of(sealing));
    row.key("sealed_bytes_of_a_node").value(std::uint64_t{bytes / judged.size()});
  }

 private:
  using Answered = std::function<void(const std::string& fault)>;

  Status open() {
    crypto::Digest32 names{};
    crypto::random_bytes(names);
    log_ = std::make_shared<const store::LogIdentity>(
        store::LogIdentity{"bench", crypto::SecretKey::generate(),
                           audit::Pseudonyms(std::string(names.begin(), names.end()))});
    store::StoreOptions options;
    options.directory = folder_;
    options.log = log_;
    SIGNET_TRY(store_, store::open_sqlite(options, clock_, metrics_));
    controller_ =
        std::make_unique<controller::Controller>(controller::ControllerOptions{}, control_, *store_,
                                                 clock_, [](const auto&, const auto&) {});
    store_->start([](const std::shared_ptr<const store::DeliveryBatch>&) {});
    control_.start();
    started_ = true;
    return Done{};
  }

  // Calls `call(i, answered)` on the control thread for each i below `count`, with so many at once,
  // and waits for all answers. Fails with the first fault that one said.
  template <class Call>
  Status for_each(std::size_t count, const Call& call) {
    std::string fault;
    for (std::size_t first = 0; first < count; first += kAtOnce) {
      const std::size_t last = std::min(first + kAtOnce, count);
      std::counting_semaphore<> all{0};
      std::size_t missing = last - first;  // the control thread's
      control_.mailbox().post([&, first, last] {
        for (std::size_t i = first; i < last; ++i) {
          call(i, Answered([&](const std::string& said) {
                 if (fault.empty()) fault = said;
                 if (--missing == 0) all.release();
               }));
        }
      });
      all.acquire();
      if (!fault.empty()) return Error{ErrorCode::kBug, fault};
    }
    return Done{};
  }

  Status make_mesh() {
    controller::MeshDeclaration declaration;
    declaration.slug = "bench";
    declaration.owner = members_.front().key.public_key();
    declaration.legacy_join = true;
    return for_each(1, [&](std::size_t, const Answered& done) {
      controller_->declare_mesh(declaration, [this, done](const Result<std::string>& made) {
        if (made.ok()) mesh_id_ = *made;
        done(made.ok() ? "" : made.error().detail);
      });
    });
  }

  Status join_all() {
    return for_each(members_.size(), [&](std::size_t i, const Answered& done) {
      controller_->join_without_invite(mesh_id_, members_[i].key.public_key(), members_[i].name,
                                       [done](const controller::JoinOutcome& outcome) {
                                         done(outcome.index() == 1 ? "" : "a join was refused");
                                       });
    });
  }

  Status make_epochs() {
    controller::OverlayOptions options;
    options.nodes = members_.size();
    options.submissions_per_second = options.submissions_burst = static_cast<double>(kMostNodes);
    options.mass_denial_permille = kNeverMany;
    SIGNET_TRY(options.subnet, overlay::Subnet::of("10.10.0.0/16"));
    return for_each(1, [&](std::size_t, const Answered& done) {
      const membership::MeshSnapshot* mesh = controller_->table().mesh(mesh_id_);
      if (mesh == nullptr) return done("there is no mesh");
      std::array<unsigned char, 32> key{};
      crypto::random_bytes(key);
      const MeshNumber number = mesh->mesh().number;
      epochs_ = std::make_unique<controller::Epochs>(
          options, number, controller::OverlayVault(key, number), control_, *store_, clock_,
          *controller_, metrics_);
      epochs_->log_to(log_);
      epochs_->load(
          [done](const Status& status) { done(status.ok() ? "" : status.error().detail); });
    });
  }

  Status register_all() {
    return for_each(members_.size(), [&](std::size_t i, const Answered& done) {
      controller::NewNode wanted;
      wanted.name = members_[i].name;
      wanted.key = members_[i].key.public_key();
      wanted.wireguard = crypto::digest32("bench-wireguard", {wanted.name});
      epochs_->register_node(wanted, [done](const controller::NodeAnswer& answer) {
        done(answer.index() == 1 ? "" : "a registration was refused");
      });
    });
  }

  overlay::Submission submission_of(Member& member) const {
    overlay::Submission made;
    made.node = member.name;
    made.timestamp = clock_.wall();
    made.suite = "signet-bench-1";
    made.scores.emplace("overall", overlay::Score{920'000});
    made.sequence = ++member.sequence;
    made.nonce = "n" + std::to_string(member.sequence);
    made.signed_text = dialects::text_to_sign(made, mesh_id_);
    made.signature = member.key.sign(bytes_of(made.signed_text));
    return made;
  }

  std::chrono::nanoseconds control_cpu() {
    std::chrono::nanoseconds used{};
    control_.run_and_wait([] {});  // what the turn before does behind its answers is over
    control_.run_and_wait([&used] { used = cpu_time_by(CLOCK_THREAD_CPUTIME_ID); });
    return used;
  }

  static std::size_t sealed_bytes(const overlay::Judgement& judged,
                                  const overlay::Decision& decision) {
    static const controller::OverlayVault vault({1}, {1});
    overlay::Node node = judged.node;
    overlay::apply(decision, judged.epoch, node);
    return vault.seal(controller::kNodeRows, node.name, 1, overlay::encode(node)).bytes.size() +
           vault.seal(controller::kVerdictRows, node.name, 1, overlay::encode(judged)).bytes.size();
  }

  const std::string folder_;
  FakeClock clock_;  // an epoch's minute passes when it is told to
  MetricRegistry metrics_;
  std::vector<Member> members_;
  std::shared_ptr<const store::LogIdentity> log_;
  std::unique_ptr<store::Store> store_;
  controller::ControlThread control_{clock_};
  std::unique_ptr<controller::Controller> controller_;
  std::unique_ptr<controller::Epochs> epochs_;
  std::string mesh_id_;
  bool started_ = false;
};

void print_epoch(std::string_view shape, std::size_t nodes, const Decided& decided,
                 std::chrono::nanoseconds submitting, EpochBench* parts) {
  wire::JsonWriter row;
  row.object().key("shape").value(shape).key("nodes").value(std::uint64_t{nodes});
  row.key("wall_ms").value(milliseconds_of(decided.wall));
  row.key("control_cpu_ms").value(milliseconds_of(decided.control));
  row.key("store_cpu_ms").value(milliseconds_of(decided.all - decided.control));
  const std::chrono::duration<double> seconds = submitting;
  row.key("submissions_per_second");
  if (submitting.count() > 0) {
    row.value(rounded(static_cast<double>(nodes) / seconds.count()));
  } else {
    row.null();
  }
  if (parts != nullptr) parts->write_parts(row);
  print_row(row);
}

Status measure(const std::string& folder, std::size_t nodes, std::size_t rounds) {
  EpochBench bench(folder + "/epochs", nodes);
  SIGNET_TRY([[maybe_unused]] const Done prepared, bench.prepare());
  SIGNET_TRY(const auto first_submitted, bench.submit_all());
  SIGNET_TRY(const Decided first, bench.decide());
  if (bench.allowed() != nodes) return Error{ErrorCode::kBug, "not every node was allowed"};
  print_epoch("first", nodes, first, first_submitted, nullptr);
  for (std::size_t i = 0; i < rounds; ++i) {
    SIGNET_TRY(const auto submitted, bench.submit_all());
    SIGNET_TRY(const Decided reported, bench.decide());
    print_epoch("reported", nodes, reported, submitted, &bench);
    SIGNET_TRY(const Decided silent, bench.decide());
    print_epoch("silent", nodes, silent, {}, nullptr);
  }
  if (bench.allowed() != nodes) return Error{ErrorCode::kBug, "a node was denied"};
  return Done{};
}

}  // namespace
}  // namespace signet::bench

int main(int argc, char** argv) {
  using namespace signet;
  constexpr int kDefaultNodes = 10'000;
  constexpr int kDefaultRounds = 3;
  if (argc < 2 || !crypto::initialize()) return EXIT_FAILURE;
  set_log_level(LogLevel::kError);
  const int nodes = argc > 2 ? std::atoi(argv[2]) : kDefaultNodes;
  const int rounds = argc > 3 ? std::atoi(argv[3]) : kDefaultRounds;
  const bool sound = nodes >= static_cast<int>(bench::kMinNodes) &&
                     nodes <= static_cast<int>(bench::kMostNodes) && rounds > 0;
  const Status measured =
      sound ? bench::measure(argv[1], static_cast<std::size_t>(nodes),
                             static_cast<std::size_t>(rounds))
            : Status(Error{ErrorCode::kMalformed, "2 to 60,000 nodes, one round at least"});
  if (measured.ok()) return EXIT_SUCCESS;
  std::cerr << "epoch_bench: " << measured.error().detail << "\n";
  return EXIT_FAILURE;
}
