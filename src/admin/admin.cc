#include "admin/admin.h"

#include <algorithm>

#include "wire/json.h"

namespace signet::admin {
namespace {

constexpr std::string_view kOperatorApi = "/api/signet/v1/";
constexpr std::string_view kTokenPaths = "/auth/";
constexpr std::string_view kOverlayPaths = "/v1/";
constexpr std::chrono::seconds kClockInterval{1};
constexpr std::chrono::seconds kTrailFlush{1};  // what a crash may take of refused operators

trust::PenaltyOptions penalties_of(const AdminOptions& options) {
  trust::PenaltyOptions penalties;
  penalties.free_failures = options.penalty_failures;
  return penalties;
}

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

void show_to_page(const broker::HttpCall& call, net::HttpResponse& response) {
  for (auto& [name, value] : response.headers) {
    if (name == "Access-Control-Allow-Origin" && call.origin) value = *call.origin;
  }
  if (call.origin) response.headers.emplace_back("Access-Control-Allow-Credentials", "true");
  response.headers.emplace_back("Vary", "Origin");
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
      failed_reads_(penalties_of(options)),
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
  control_.every(kTrailFlush, [this] { shared_.control_trail.flush(); });
}

broker::HttpHandler Admin::handler() {
  return [this](Call call) {
    auto shared = std::make_shared<const Call>(std::move(call));
    control_.mailbox().post([this, shared] { answer(*shared); });
  };
}

void Admin::serve_overlay(const OverlayDeskOptions& options, controller::Epochs& epochs,
                          const std::string& mesh) {
  overlay_.emplace(options, epochs, mesh, shared_.control_trail, shared_.clock, registry_);
  OverlayViewOptions view;
  view.page = options_.page;
  view.max_page = options_.max_page;
  overlay_view_.emplace(view, epochs, *overlay_);
  epochs.at_decided([this] { overlay_->told().on_decided(); });
}

const std::vector<Admin::Route>& Admin::routes() {
  static const std::vector<Route> table{
      {"GET", "/health", &Admin::health, For::kAll},
      {"GET", "/readyz", &Admin::ready, For::kAll},
      {"GET", "/metrics", &Admin::metrics, For::kOperators},
      {"GET", "/", &Admin::front, For::kPeers},
      {"GET", "/api/mesh/topics", &Admin::mesh_topics, For::kPeers},
      {"GET", "/api/mesh/history", &Admin::mesh_history, For::kPeers},
      {"GET", "/api/mesh/schema", &Admin::mesh_schema, For::kPeers},
      {"POST", "/join", &Admin::join, For::kPeers},
      {"POST", "/hook/set-status", &Admin::set_status, For::kPeers},
      {"POST", "/auth/token", &Admin::user_token, For::kDev},
      {"GET", "/auth/engine-token", &Admin::engine_token, For::kDev},
  };
  return table;
}

void Admin::answer(const Call& call) {
  const bool local = call.peer.is_local();
  const bool operators = !local && call.door == net::Door::kOperator;
  if (operators && !names_this_machine(call.host)) {
    return call.reply(text_response(403, "operators ask by a name of this machine\n"));
  }
  if (call.path.starts_with(kOperatorApi) && is_served(call, For::kOperators)) {
    return operator_call(call);
  }
  if (call.method == "OPTIONS" && !local && !operators) {
    net::HttpResponse allowed{204,
                              "",
                              {{"Access-Control-Allow-Origin", "*"},
                               {"Access-Control-Allow-Methods", "GET, POST, OPTIONS"},
                               {"Access-Control-Allow-Headers", "Content-Type"}},
                              ""};
    if (call.path.starts_with(kTokenPaths)) show_to_page(call, allowed);
    return call.reply(std::move(allowed));
  }
  const bool of_overlay = overlay_ && call.path.starts_with(kOverlayPaths);
  if (of_overlay && is_served(call, For::kPeers)) return overlay_->answer(call, may_operate(call));
  std::string allowed;  // nothing: no such path
  for (const Route& route : routes()) {
    if (route.path != call.path || !is_served(call, route.whom)) continue;
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

bool Admin::is_served(const Call& call, For whom) const {
  if (whom == For::kDev && !options_.dev_tokens) return false;
  if (whom == For::kAll || call.peer.is_local()) return true;
  if (call.door == net::Door::kOperator) return whom == For::kOperators;
  return whom != For::kOperators || options_.public_operator;
}

// Any page can give its own name the address of this machine; the name then shows in Host.
bool Admin::names_this_machine(std::string_view host) const {
  const auto colon = host.rfind(':');
  const bool has_port = colon != std::string_view::npos && host.find(']', colon) == host.npos;
  const std::string_view name = has_port ? host.substr(0, colon) : host;
  return name == "localhost" || name == "127.0.0.1" || name == "[::1]" ||
         std::find(options_.hosts.begin(), options_.hosts.end(), name) != options_.hosts.end();
}

}  // namespace signet::admin
