#include "idle_memory.h"

#include <sys/resource.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "load_connection.h"
#include "load_row.h"
#include "server_process.h"

namespace signet::bench {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kStalledAfter{10};
constexpr rlim_t kOwnDescriptors = 64;  // beside those of the connections

// Resident is one connection that comes and stays.
class Resident final : public ProtocolEvents {
 public:
  explicit Resident(std::unique_ptr<Protocol> protocol) : connection(std::move(protocol), *this) {}

  bool admitted = false;
  std::string refused;

 private:
  void on_ready() override { admitted = true; }
  void on_ack(MessageIndex) override {}
  void on_push(std::string_view) override {}
  void on_refused(std::string_view reason) override {
    if (!admitted) refused = reason;  // later ones are news that this client does not know
  }

 public:
  LoadConnection connection;  // last: it uses the rest
};

class IdleMemory {
 public:
  IdleMemory(const Target& target, const IdleMemoryPlan& plan) : target_(target), plan_(plan) {}

  Status connect(std::size_t count) {
    auto progress = steady_clock::now();
    std::size_t admitted = 0;
    while (admitted < count) {
      while (residents_.size() < count && residents_.size() - admitted < plan_.at_once) {
        SIGNET_TRY([[maybe_unused]] const Done opened, open_one());
      }
      SIGNET_TRY([[maybe_unused]] const Done turned, turn());
      const auto before = admitted;
      for (std::size_t i = admitted; i < residents_.size(); ++i) {
        if (!residents_[i]->refused.empty()) {
          return Error{ErrorCode::kUnavailable, residents_[i]->refused};
        }
        if (!residents_[i]->admitted) continue;
        std::swap(residents_[i], residents_[admitted]);
        ++admitted;
      }
      const auto now = steady_clock::now();
      if (admitted > before) progress = now;
      if (now > progress + kStalledAfter) return Error{ErrorCode::kUnavailable, "it stalled"};
    }
    return Done{};
  }

  // Goes on answering pings meanwhile.
  Status settle() { return wait(plan_.settle); }
  Status wait(std::chrono::milliseconds time) {
    const auto until = steady_clock::now() + time;
    while (steady_clock::now() < until) {
      SIGNET_TRY([[maybe_unused]] const Done turned, turn());
    }
    return Done{};
  }

  void hang_up() {
    for (const auto& resident : residents_) loop_.remove(resident->connection);
    residents_.clear();
  }

 private:
  Status open_one() {
    auto protocol = target_.protocol(residents_.size());
    residents_.push_back(std::make_unique<Resident>(std::move(protocol)));
    LoadConnection& connection = residents_.back()->connection;
    SIGNET_TRY([[maybe_unused]] const Done opened,
               connection.open(target_.host, target_.port, target_.over_tls));
    loop_.add(connection);
    return Done{};
  }
  Status turn() {
    if (loop_.turn().empty()) return Done{};
    return Error{ErrorCode::kUnavailable, "the server hung up"};
  }

  const Target& target_;
  const IdleMemoryPlan& plan_;
  LoadLoop loop_;
  std::vector<std::unique_ptr<Resident>> residents_;  // the admitted ones first
};

Status raise_descriptors(std::size_t connections) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
      limit.rlim_max < static_cast<rlim_t>(connections) + kOwnDescriptors) {
    return Error{ErrorCode::kUnavailable, "too few descriptors for so many connections"};
  }
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
  return Done{};
}

}  // namespace

Status run_idle_memory(const Target& target, const IdleMemoryPlan& plan, wire::JsonWriter& row) {
  const std::size_t peers = target.addresses.size();
  SIGNET_TRY([[maybe_unused]] const Done enough, raise_descriptors(peers));
  IdleMemory load(target, plan);
  SIGNET_TRY([[maybe_unused]] const Done warm, load.connect(std::min(plan.warm_up, peers)));
  load.hang_up();
  SIGNET_TRY([[maybe_unused]] const Done empty, load.settle());
  const Memory before = memory_of(plan.server);
  SIGNET_TRY([[maybe_unused]] const Done all, load.connect(peers));
  SIGNET_TRY([[maybe_unused]] const Done quiet, load.settle());
  const Memory after = memory_of(plan.server);
  const auto busy_before = cpu_time_of(plan.server);
  SIGNET_TRY([[maybe_unused]] const Done silent, load.wait(plan.quiet));
  const std::chrono::duration<double> busy = cpu_time_of(plan.server) - busy_before;

  constexpr double kKib = 1'024;
  const double grown = static_cast<double>(after.rss_kib - before.rss_kib) * kKib;
  row.key("connections").value(static_cast<std::uint64_t>(peers));
  row.key("server_rss_kib_before").value(before.rss_kib);
  row.key("server_rss_kib").value(after.rss_kib);
  row.key("bytes_per_connection").value(rounded(grown / static_cast<double>(peers)));
  row.key("idle_cpu_share").value(rounded(busy / std::chrono::duration<double>(plan.quiet)));
  return Done{};
}

}  // namespace signet::bench
