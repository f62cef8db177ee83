#include "base/metrics.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

namespace signet {
namespace {

constexpr std::string_view kCounter = "counter";
constexpr std::string_view kGauge = "gauge";

std::string escaped_help(std::string_view help) {
  std::string text;
  for (const char c : help) {
    if (c == '\\') {
      text += "\\\\";
    } else if (c == '\n') {
      text += "\\n";
    } else {
      text += c;
    }
  }
  return text;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> text;  // the shortest form of any double has at most 24 characters
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end.ptr};
}

template <class SeriesList>
auto& series_of(SeriesList& list, std::string_view labels) {
  for (auto& series : list) {
    if (series.labels == labels) return series;
  }
  auto& added = list.emplace_back();
  added.labels = labels;
  return added;
}

// Is `label` one of `labels`, as a whole?
bool has_label(std::string_view labels, std::string_view label) {
  const auto at = labels.find(label);
  if (at == std::string_view::npos) return false;
  const bool begins = at == 0 || labels[at - 1] == ',';
  const auto end = at + label.size();
  return begins && (end == labels.size() || labels[end] == ',');
}

}  // namespace

MetricRegistry::Family& MetricRegistry::family(std::string_view name, std::string_view help,
                                               std::string_view type) {
  for (Family& known : families_) {
    if (known.name != name) continue;
    if (known.type != type) std::abort();  // one name, two meanings: a fault of this program
    return known;
  }
  Family& added = families_.emplace_back();
  added.name = name;
  added.help = escaped_help(help);
  added.type = type;
  return added;
}

Counter& MetricRegistry::counter(std::string_view name, std::string_view help,
                                 std::string_view labels) {
  return series_of(family(name, help, kCounter).series, labels).counter;
}

Counter& MetricRegistry::gauge(std::string_view name, std::string_view help,
                               std::string_view labels) {
  return series_of(family(name, help, kGauge).series, labels).counter;
}

void MetricRegistry::gauge_from(std::string_view name, std::string_view help,
                                std::function<double()> read) {
  series_of(family(name, help, kGauge).series, {}).read = std::move(read);
}

std::string MetricRegistry::prometheus() const {
  std::string page;
  for (const Family& family : families_) {
    page.append("# HELP ").append(family.name).append(" ").append(family.help).append("\n");
    page.append("# TYPE ").append(family.name).append(" ").append(family.type).append("\n");
    for (const Series& series : family.series) {
      page += family.name;
      if (!series.labels.empty()) page.append("{").append(series.labels).append("}");
      page += ' ';
      page += series.read ? number(series.read()) : std::to_string(series.counter.value());
      page += '\n';
    }
  }
  return page;
}

std::optional<double> MetricRegistry::sum(std::string_view name, std::string_view label) const {
  std::optional<double> total;
  for (const Family& family : families_) {
    if (family.name != name) continue;
    for (const Series& series : family.series) {
      if (!label.empty() && !has_label(series.labels, label)) continue;
      const double value =
          series.read ? series.read() : static_cast<double>(series.counter.value());
      total = total.value_or(0) + value;
    }
  }
  return total;
}

}  // namespace signet
