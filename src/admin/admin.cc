#include "admin/admin.h"

#include "wire/json.h"

namespace signet::admin {
namespace {

constexpr std::string_view kOperatorApi = "/api/signet/v1/";
constexpr std::chrono::seconds kClockInterval{1};

}  // namespace

net::HttpResponse json_response(int status, std::string body) {
  return {status,
          "application/json",
          {{"Access-Control-Allow-Origin", "*"}, {"Cache-Control", "no-store"}},
          std::move(body)};
}

net::HttpResponse text_response(int status, std::string_view text) {
  return {status, "text/plain", {{"Access-Control-Allow-Origin", "*"}}, std::string(text)};
}

Admin::Admin(const AdminOptions& options, broker::Shared& shared,
             controller::ControlThread& control, controller::Controller& controller,
             MetricRegistry& metrics)
    : options_(options),
      shared_(shared),
      control_(control),
      controller_(controller),
      registry_(metrics),
      started_(shared.clock.elapsed()),
      clock_watch_(options.clock_step),
      clock_steps_(metrics.counter("signet_clock_steps_total", "Jumps of the wall clock.")),
      hook_requests_(metrics.counter("broker_hook_requests_total", "Statuses posted by hooks.")),
      hook_limited_(metrics.counter("broker_hook_requests_rate_limited_total",
                                    "Statuses posted too often by one process.")),
      operator_denied_(metrics.counter("signet_operator_denied_total",
                                       "Calls of the operator's API without its token.")),
      join_refused_(metrics, "signet_join_refused_total", "Joins refused, by reason.", "reason",
                    kJoinRefusalCount),
      joined_(metrics.counter("signet_joined_total", "Members that joined.")),
      hook_rates_(options.hooks_per_second, options.hooks_burst, options.hook_processes) {
  publish_build(metrics);
  watch_clock();  // what the wall says at start, so that a step in the first second is one too
  control_.every(kClockInterval, [this] { watch_clock(); });
}

broker::HttpHandler Admin::handler() {
  return [this](Call call) {
    auto shared = std::make_shared<const Call>(std::move(call));
    control_.mailbox().post([this, shared] { answer(*shared); });
  };
}

const std::vector<Admin::Route>& Admin::routes() {
  static const std::vector<Route> table{
      {"GET", "/health", &Admin::health},
      {"GET", "/readyz", &Admin::ready},
      {"GET", "/metrics", &Admin::metrics},
      {"POST", "/join", &Admin::join},
      {"POST", "/hook/set-status", &Admin::set_status},
  };
  return table;
}

void Admin::answer(const Call& call) {
  if (call.path.starts_with(kOperatorApi)) return operator_call(call);
  const bool local = call.peer.is_local();
  if (call.method == "OPTIONS" && !local) {
    return call.reply({204,
                       "",
                       {{"Access-Control-Allow-Origin", "*"},
                        {"Access-Control-Allow-Methods", "GET, POST, OPTIONS"},
                        {"Access-Control-Allow-Headers", "Content-Type"}},
                       ""});
  }
  std::string allowed;  // nothing: no such path
  for (const Route& route : routes()) {
    if (route.path != call.path) continue;
    if (local && route.method != "GET") continue;  // joins and hooks are for peers
    allowed = route.method == "GET" ? "GET, HEAD, OPTIONS" : "POST, OPTIONS";
    const bool matches =
        route.method == call.method || (route.method == "GET" && call.method == "HEAD");
    if (matches) return (this->*route.answer)(call);
  }
  if (allowed.empty()) return call.reply(text_response(404, "not found\n"));
  net::HttpResponse response = text_response(405, "method not allowed\n");
  response.headers.emplace_back("Allow", std::move(allowed));
  call.reply(std::move(response));
}

}  // namespace signet::admin
