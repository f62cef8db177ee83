#include "signet/bench/figures.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "wire/json.h"

namespace signet::cli {
namespace {

using std::chrono::nanoseconds;

double seconds_of(nanoseconds time) { return std::chrono::duration<double>(time).count(); }

// Three decimals; more would be noise.
double rounded(double figure) { return std::round(figure * 1'000) / 1'000; }

std::uint64_t per_second(std::uint64_t count, nanoseconds time) {
  if (time.count() <= 0) return 0;
  return static_cast<std::uint64_t>(std::llround(static_cast<double>(count) / seconds_of(time)));
}

std::int64_t microseconds(nanoseconds time) { return time.count() / 1'000; }

// --- for programs ---

void write_codes(wire::JsonWriter& json, std::string_view name,
                 const std::map<std::string, std::uint64_t>& codes) {
  json.key(name).object();
  for (const auto& [code, count] : codes) json.key(code).value(count);
  json.end();
}

void write_latency(wire::JsonWriter& json, std::string_view name, const LatencyHistogram& times) {
  json.key(name);
  if (times.count() == 0) {
    json.null();
    return;
  }
  json.object().key("count").value(times.count());
  json.key("p50").value(microseconds(times.percentile(0.5)));
  json.key("p90").value(microseconds(times.percentile(0.9)));
  json.key("p99").value(microseconds(times.percentile(0.99)));
  json.key("max").value(microseconds(times.most())).end();
}

void write_bytes(wire::JsonWriter& json, std::string_view name,
                 const std::optional<std::uint64_t>& bytes) {
  json.key(name);
  if (bytes) {
    json.value(*bytes);
  } else {
    json.null();
  }
}

void write_plan(wire::JsonWriter& json, const BenchPlan& plan) {
  json.key("peers").value(std::uint64_t{plan.peers});
  json.key("messagesPerPeer").value(std::uint64_t{plan.messages});
  json.key("to").value(word_of(plan.to)).key("sealed").value(plan.is_sealed);
  json.key("textBytes").value(std::uint64_t{plan.text_bytes});
  json.key("offeredPerSecond");
  if (plan.per_second > 0) {
    json.value(plan.per_second);
  } else {
    json.null();
  }
}

// --- for people ---

std::string grouped(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::string decimal(double number, int decimals) {
  char text[64];
  const int size = std::snprintf(text, sizeof text, "%.*f", decimals, number);
  return {text, static_cast<std::size_t>(std::max(size, 0))};
}

std::string time_text(nanoseconds time) {
  const double ms = seconds_of(time) * 1'000;
  if (ms >= 10'000) return decimal(ms / 1'000, 1) + " s";
  return decimal(ms, ms < 100 ? 2 : 0) + " ms";
}

std::string latency_text(const LatencyHistogram& times) {
  if (times.count() == 0) return "-";
  return "p50 " + time_text(times.percentile(0.5)) + ", p90 " + time_text(times.percentile(0.9)) +
         ", p99 " + time_text(times.percentile(0.99)) + ", most " + time_text(times.most());
}

std::string bytes_text(const std::optional<std::uint64_t>& bytes) {
  constexpr double kMebibyte = 1 << 20;
  if (!bytes) return "not known";
  return decimal(static_cast<double>(*bytes) / kMebibyte, 1) + " MiB";
}

std::string codes_text(const std::map<std::string, std::uint64_t>& codes) {
  std::string text;
  for (const auto& [code, count] : codes) {
    text += (text.empty() ? "" : ", ") + code + " " + grouped(count);
  }
  return text.empty() ? "0" : text;
}

std::string plan_text(const BenchPlan& plan) {
  std::string text = grouped(plan.peers) + " peers × " + grouped(plan.messages) + " messages, " +
                     (plan.is_sealed ? "sealed, " : "in the clear, ") +
                     std::string(word_of(plan.to)) + ", " + grouped(plan.text_bytes) + " bytes, ";
  if (plan.is_all_at_once) return text + "all at once";
  if (plan.per_second > 0) return text + decimal(plan.per_second, 0) + "/s offered";
  return text + grouped(plan.in_flight) + " in flight each";
}

std::string delivered_text(const BenchPlan& plan, const BenchFigures& figures) {
  return grouped(figures.delivered) + "/" + grouped(expected_deliveries(plan, figures)) + " (" +
         decimal(delivered_percent(plan, figures), 2) + " %)" +
         (figures.was_interrupted ? ", interrupted" : "");
}

std::string rates_text(const BenchFigures& figures) {
  return grouped(per_second(figures.acked, figures.sending)) + "/s acknowledged, " +
         grouped(per_second(figures.delivered, figures.delivering)) + "/s delivered";
}

std::string sent_text(const BenchFigures& figures) {
  return grouped(figures.sent) + ", acknowledged " + grouped(figures.acked) + ", unanswered " +
         grouped(figures.unanswered);
}

std::string own_text(const BenchFigures& figures) {
  const double wall = seconds_of(std::max(figures.sending, figures.delivering));
  const double cpu = seconds_of(figures.own_cpu);
  std::string text = decimal(cpu, 2) + " s";
  if (wall > 0) text += " (" + decimal(100 * cpu / wall, 0) + " % of one core)";
  return text + ", RSS " + bytes_text(figures.own_rss_bytes);
}

}  // namespace

std::uint64_t BenchFigures::refused_messages() const {
  std::uint64_t all = 0;
  for (const auto& [code, count] : refused) all += count;
  return all;
}

std::uint64_t expected_deliveries(const BenchPlan& plan, const BenchFigures& figures) {
  return figures.sent * plan.receivers();
}

std::uint64_t lost_deliveries(const BenchPlan& plan, const BenchFigures& figures) {
  const std::uint64_t due = (figures.sent - figures.refused_messages()) * plan.receivers();
  return due - std::min(due, figures.delivered);
}

bool is_all_delivered(const BenchPlan& plan, const BenchFigures& figures) {
  const bool is_all_sent = figures.was_interrupted || figures.sent == plan.all_messages();
  return is_all_sent && figures.delivered == expected_deliveries(plan, figures);
}

double delivered_percent(const BenchPlan& plan, const BenchFigures& figures) {
  const std::uint64_t expected = expected_deliveries(plan, figures);
  if (expected == 0) return 0;
  constexpr double kHundredths = 10'000;
  const double share = static_cast<double>(figures.delivered) / static_cast<double>(expected);
  return std::floor(share * kHundredths) / 100;
}

std::string shortfall_text(const BenchPlan& plan, const BenchFigures& figures) {
  const std::uint64_t messages = figures.was_interrupted ? figures.sent : plan.all_messages();
  const std::uint64_t wanted = messages * plan.receivers();
  return grouped(wanted - std::min(wanted, figures.delivered)) + " of " + grouped(wanted) +
         " deliveries did not happen";
}

std::string figures_json(const BenchPlan& plan, const BenchFigures& figures) {
  const bool is_ok = is_all_delivered(plan, figures);
  wire::JsonWriter json;
  json.object().key("ok").value(is_ok);
  if (!is_ok) {
    json.key("error").value("not_delivered").key("message").value(shortfall_text(plan, figures));
    json.key("advice").value("").key("exit").value(kExitFailed);
  }
  write_plan(json, plan);
  json.key("interrupted").value(figures.was_interrupted);
  json.key("seconds").value(rounded(seconds_of(std::max(figures.sending, figures.delivering))));
  json.key("planned").value(plan.all_messages()).key("sent").value(figures.sent);
  json.key("acked").value(figures.acked).key("unanswered").value(figures.unanswered);
  json.key("rateLimited").value(figures.rate_limited);
  write_codes(json, "refused", figures.refused);
  json.key("expected").value(expected_deliveries(plan, figures));
  json.key("delivered").value(figures.delivered);
  json.key("deliveredPercent").value(delivered_percent(plan, figures));
  json.key("lost").value(lost_deliveries(plan, figures));
  json.key("duplicates").value(figures.duplicates);
  json.key("outOfOrder").value(figures.out_of_order).key("wrong").value(figures.wrong);
  json.key("lostConnections").value(figures.lost_connections);
  write_codes(json, "errors", figures.errors);
  json.key("ackedPerSecond").value(per_second(figures.acked, figures.sending));
  json.key("deliveredPerSecond").value(per_second(figures.delivered, figures.delivering));
  write_latency(json, "latencyUs", figures.latency);
  write_latency(json, "ackLatencyUs", figures.ack_latency);
  write_bytes(json, "brokerRssBytes", figures.broker_rss_bytes);
  write_bytes(json, "ownRssBytes", figures.own_rss_bytes);
  json.key("ownCpuSeconds").value(rounded(seconds_of(figures.own_cpu)));
  return json.end().take();
}

Fields figures_for_people(const BenchPlan& plan, const BenchFigures& figures) {
  const auto line = [](const char* title, std::string text) {
    return Field{"", Value(std::move(text)), title};
  };
  Fields fields{
      line("load", plan_text(plan)),
      line("delivered", delivered_text(plan, figures)),
      line("lost", grouped(lost_deliveries(plan, figures))),
      line("duplicated", grouped(figures.duplicates)),
      line("out of order", grouped(figures.out_of_order)),
      line("sent", sent_text(figures)),
      line("refused", codes_text(figures.refused)),
      line("rate limited", grouped(figures.rate_limited)),
      line("time", time_text(std::max(figures.sending, figures.delivering))),
      line("rate", rates_text(figures)),
      line("latency", latency_text(figures.latency)),
      line("ack latency", latency_text(figures.ack_latency)),
      line("broker RSS", bytes_text(figures.broker_rss_bytes)),
      line("own CPU", own_text(figures)),
  };
  if (figures.wrong > 0) fields.push_back(line("wrong", grouped(figures.wrong)));
  if (!figures.errors.empty()) fields.push_back(line("errors", codes_text(figures.errors)));
  if (figures.lost_connections > 0) {
    fields.push_back(line("connections lost",
                          grouped(figures.lost_connections) + ", first: " + figures.first_loss));
  }
  return fields;
}

std::string progress_text(const BenchPlan& plan, const BenchFigures& figures,
                          nanoseconds since_start) {
  const std::uint64_t all = plan.all_messages() * plan.receivers();
  return grouped(figures.delivered) + " of " + grouped(all) + " delivered, " +
         grouped(per_second(figures.delivered, since_start)) + "/s, p99 " +
         time_text(figures.latency.percentile(0.99)) + ", " + decimal(seconds_of(since_start), 0) +
         " s";
}

}  // namespace signet::cli
