// Admin answers HTTP: health, metrics, joining, hooks, and the operator's API. It runs on the
// control thread; a shard hands it a call, it answers by the call's reply.
//
//   GET  /health /readyz /metrics          POST /join   POST /hook/set-status   OPTIONS *
//   under /api/signet/v1, for the bearer of the operator token and on the Unix socket, what
//   docs/operator-api.md lists
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/log_limiter.h"
#include "broker/broker.h"
#include "trust/clock_watch.h"
#include "trust/rate_limit.h"

namespace signet::admin {

struct AdminOptions {
  std::string operator_token;  // empty: the operator's API answers 403
  std::string version;
  std::string git_sha;
  bool allow_sample_keys = false;  // dev only: the secrets of these keys are public
  std::string data_directory;      // whose disk readiness looks at
  std::vector<std::string> hosts;  // Host names a local hook may use beside the loopback ones
  double hooks_per_second = 0.5;   // 30 a minute per process: the format's
  double hooks_burst = 30;
  std::size_t hook_processes = 16'384;          // processes remembered by that limit
  std::size_t max_hook_body = 64 * 1024;        // the format's
  std::size_t max_dead_letters = 1'000;         // of one answer
  std::size_t page = 100;                       // what a list answers unless asked
  std::size_t max_page = 1'000;                 // members or invites of one answer
  std::int64_t mesh_connections = 10'000;       // of a mesh that the operator makes
  bool mesh_legacy_join = false;                // likewise
  std::int64_t min_free_bytes = 32 << 20;       // less on the disk: not ready
  std::chrono::milliseconds clock_step{5'000};  // a larger jump of the wall clock is an alarm
};

class Admin {
 public:
  // All must outlive the admin. Call before the control thread starts.
  Admin(const AdminOptions& options, broker::Shared& shared, controller::ControlThread& control,
        controller::Controller& controller, MetricRegistry& metrics);

  // Any thread.
  broker::HttpHandler handler();

 private:
  using Call = broker::HttpCall;
  struct Route {
    std::string_view method;
    std::string_view path;
    void (Admin::*answer)(const Call& call);
  };
  static const std::vector<Route>& routes();

  void answer(const Call& call);

  // admin_health.cc
  void health(const Call& call);
  void ready(const Call& call);
  void metrics(const Call& call);
  void publish_build(MetricRegistry& metrics);
  void watch_clock();

  // admin_peers.cc
  void join(const Call& call);
  net::HttpResponse refuse_join(JoinRefusal code, const std::string& peer);
  void set_status(const Call& call);
  bool may_post_hook(const Call& call) const;

  // admin_operator.cc
  void operator_call(const Call& call);
  bool may_operate(const Call& call) const;
  void deny(const Call& call);
  const membership::MeshSnapshot* mesh_named(std::string_view name) const;

  // admin_meshes.cc
  void list_meshes(const Call& call);
  void show_mesh(const Call& call, const membership::MeshSnapshot& mesh);
  void create_mesh(const Call& call);
  void list_dead_letters(const Call& call, const membership::MeshSnapshot& mesh);
  void requeue(const Call& call, const membership::MeshSnapshot& mesh);

  // admin_members.cc
  void list_members(const Call& call, const membership::MeshSnapshot& mesh);
  void change_member(const Call& call, const membership::MeshSnapshot& mesh, std::string_view rest);
  void set_standing(const Call& call, const membership::Mesh& mesh, const crypto::PublicKey& key);
  void set_role(const Call& call, const membership::Mesh& mesh, const crypto::PublicKey& key);
  void list_invites(const Call& call, const membership::MeshSnapshot& mesh);
  void add_invite(const Call& call);
  void revoke_invite(const Call& call);

  const AdminOptions& options_;
  broker::Shared& shared_;
  controller::ControlThread& control_;
  controller::Controller& controller_;
  const MetricRegistry& registry_;
  const Elapsed started_;
  trust::ClockWatch clock_watch_;
  Counter& clock_steps_;
  Counter& hook_requests_;
  Counter& hook_limited_;
  Counter& operator_denied_;
  CodeCounters<JoinRefusal> join_refused_;
  Counter& joined_;
  trust::RateLimiter<std::string, crypto::KeyedHash> hook_rates_;
  enum class Denied : std::uint8_t { kToken };
  LogLimiter<JoinRefusal> join_refused_log_{kJoinRefusalCount};
  LogLimiter<Denied> denied_log_{1};
};

// Answers, in the forms that clients of the original expect.
net::HttpResponse json_response(int status, std::string body);
net::HttpResponse text_response(int status, std::string_view text);

}  // namespace signet::admin
