// Metrics: counters and gauges that any thread bumps without a lock, and one page of Prometheus
// text made of them. All are registered before the threads start, so that every label value exists
// exactly once, at zero, from the first scrape.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace signet {

// Counter is a number that goes up (counter) or moves (gauge). Relaxed: it orders nothing.
class Counter {
 public:
  void add(std::int64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  void set(std::int64_t n) { value_.store(n, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

class MetricRegistry {
 public:
  // `labels` is Prometheus label text without braces (`reason="capacity"`), or empty. The answer
  // lives as long as the registry. Asking twice for one (name, labels) answers the same counter.
  // Not thread-safe: call before the threads start.
  Counter& counter(std::string_view name, std::string_view help, std::string_view labels = {});
  Counter& gauge(std::string_view name, std::string_view help, std::string_view labels = {});

  // A figure that is computed when asked for. `read` may run on any thread.
  void gauge_from(std::string_view name, std::string_view help, std::function<double()> read);

  // The text exposition format 0.0.4; families in order of registration. Any thread.
  std::string prometheus() const;

  // The sum over a family's series, or over those with `label` (`reason="replayed"`) among their
  // labels. nullopt where no such series is registered. Any thread.
  std::optional<double> sum(std::string_view name, std::string_view label = {}) const;

 private:
  struct Series {
    std::string labels;
    Counter counter;
    std::function<double()> read;
  };
  struct Family {
    std::string name;
    std::string help;
    std::string_view type;
    std::deque<Series> series;
  };
  Family& family(std::string_view name, std::string_view help, std::string_view type);
  std::deque<Family> families_;
};

// One counter per value of a generated code set, labelled with its name:
//   CodeCounters<HelloReject> rejected(metrics, "broker_connections_rejected_total", "…", "reason",
//                                      kHelloRejectCount);
//   rejected[HelloReject::kReplayed].add();
template <class Code>
class CodeCounters {
 public:
  CodeCounters(MetricRegistry& metrics, std::string_view name, std::string_view help,
               std::string_view label, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::string labels =
          std::string(label) + "=\"" + std::string(name_of(static_cast<Code>(i))) + "\"";
      counters_.push_back(&metrics.counter(name, help, labels));
    }
  }
  Counter& operator[](Code code) { return *counters_[static_cast<std::size_t>(code)]; }

 private:
  std::vector<Counter*> counters_;
};

}  // namespace signet
