// Which counters and gauges an alert looks at: one table, of which docs/alerts.md tells operators.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "alerts/alert_book.h"
#include "base/metrics.h"

namespace signet::alerts {

// A series of the metrics page; an empty label: all series of the family.
struct AlertSource {
  Alert alert;
  std::string_view family;
  std::string_view label;
};

// What the alert's sources add up to; nullopt where the registry has none of them. Any thread.
std::optional<std::int64_t> read_sources(const MetricRegistry& metrics, Alert alert);

// The first source that the registry has not; nullopt: it has all. For the test of the daemon.
std::optional<AlertSource> missing_source(const MetricRegistry& metrics);

}  // namespace signet::alerts
