// Admin answers HTTP: health, metrics, joining, hooks, and the operator's API. It runs on the
// control thread; a shard hands it a call, it answers by the call's reply.
//
//   GET  /health /readyz /metrics          POST /join   POST /hook/set-status   OPTIONS *
//   POST /auth/token   GET /auth/engine-token    in dev mode
//   under /v1, where a mesh has an overlay, what overlay_desk.h lists
//   under /api/signet/v1, for the bearer of the operator token and on the Unix socket, what
//   docs/operator-api.md lists
//
// Where there is an operator's door, /metrics and the API are served there and not on the public
// one, and the operator's serves nothing for peers.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/overlay_desk.h"
#include "admin/overlay_view.h"
#include "base/log_limiter.h"
#include "broker/broker.h"
#include "crypto/secret_text.h"
#include "trust/clock_watch.h"
#include "trust/penalties.h"
#include "trust/rate_limit.h"
#include "trust/signing_key.h"
#include "trust/token.h"

namespace signet::admin {

// DevTokens is what makes tokens for whoever asks: `signetd dev` alone has it.
struct DevTokens {
  trust::SigningKey key;
  std::string issuer;
  std::chrono::seconds lifetime{std::chrono::hours{12}};  // a day of trying things out
};

struct AdminOptions {
  crypto::SecretText operator_token;  // empty: the operator's API answers 403
  std::string version;
  std::string git_sha;
  std::size_t penalty_failures = 5;     // wrong secrets of an address over HTTP; 0: any number
  bool public_operator = true;          // what is the operator's is on the public door, too
  bool open_counts = false;             // dev only: who has no credential sees how much goes on
  bool allow_sample_keys = false;       // dev only: the secrets of these keys are public
  std::optional<DevTokens> dev_tokens;  // dev only: /auth/token and /auth/engine-token are served
  std::string data_directory;           // whose disk readiness looks at
  std::vector<std::string> hosts;       // Host names a local hook may use beside the loopback ones
  double hooks_per_second = 0.5;        // 30 a minute per process: the format's
  double hooks_burst = 30;
  std::size_t hook_processes = 16'384;    // processes remembered by that limit
  std::size_t max_hook_body = 64 * 1024;  // the format's
  std::size_t max_dead_letters = 1'000;   // of one answer
  std::size_t page = 100;                 // what a list answers unless asked
  std::size_t max_page = 1'000;           // members, invites, sources or entries of one answer
  std::chrono::seconds secret_overlap{std::chrono::hours{24}};  // of a rotation, unless asked
  std::chrono::seconds max_secret_overlap{std::chrono::hours{24 * 30}};  // longer is no rotation
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

  // From now on /v1/ is served, for the one mesh that the overlay is bound to. `epochs` must
  // outlive the admin. Control thread.
  void serve_overlay(const OverlayDeskOptions& options, controller::Epochs& epochs,
                     const std::string& mesh);

 private:
  using Call = broker::HttpCall;
  enum class For : std::uint8_t { kPeers, kAll, kOperators, kDev };
  struct Route {
    std::string_view method;
    std::string_view path;
    void (Admin::*answer)(const Call& call);
    For whom;
  };
  static const std::vector<Route>& routes();

  void answer(const Call& call);
  bool is_served(const Call& call, For whom) const;
  bool names_this_machine(std::string_view host) const;

  // admin_health.cc
  void health(const Call& call);
  void ready(const Call& call);
  void metrics(const Call& call);
  void publish_build(MetricRegistry& metrics);
  void watch_clock();

  // admin_peers.cc
  void join(const Call& call);
  net::HttpResponse refuse_join(JoinRefusal code, const net::PeerAddress& peer);
  void set_status(const Call& call);
  bool may_post_hook(const Call& call) const;

  // admin_operator.cc
  void operator_call(const Call& call);
  bool may_operate(const Call& call) const;
  void deny(const Call& call);
  const membership::MeshSnapshot* mesh_named(std::string_view name) const;

  void overlay_call(const Call& call, const membership::MeshSnapshot& mesh, std::string_view part,
                    std::string_view rest);

  // admin_meshes.cc
  void list_meshes(const Call& call);
  void show_mesh(const Call& call, const membership::MeshSnapshot& mesh);
  void create_mesh(const Call& call);
  void list_dead_letters(const Call& call, const membership::MeshSnapshot& mesh);
  void requeue(const Call& call, const membership::MeshSnapshot& mesh);

  // admin_members.cc
  void list_members(const Call& call, const membership::MeshSnapshot& mesh);
  void list_keyless(const Call& call, const membership::MeshSnapshot& mesh,
                    std::optional<membership::Standing> standing);
  void change_member(const Call& call, const membership::MeshSnapshot& mesh, std::string_view rest);
  struct Target {  // no member's number where there is none
    MemberNumber member;
    std::string name;  // its key, or its id where it has none: for the log
  };
  void set_standing(const Call& call, const membership::Mesh& mesh, const Target& target);
  void set_role(const Call& call, const membership::Mesh& mesh, const Target& target);
  // Is it a key that its node changed since? Then it is answered which one it has now.
  bool is_former(const Call& call, const membership::Mesh& mesh, const Target& target) const;
  void list_invites(const Call& call, const membership::MeshSnapshot& mesh);
  void add_invite(const Call& call);
  void revoke_invite(const Call& call);

  // admin_topics.cc
  std::shared_ptr<const broker::Rules> rules() const;
  const membership::MeshSnapshot* bound_mesh(const Call& call) const;
  struct Unread {  // why nothing is shown
    ReadRefusal code;
    std::string_view rule = {};  // that a token breaks
  };
  std::optional<broker::Principal> reader_of(const Call& call);
  void record_unread(const Call& call, MeshNumber mesh, const Unread& why);
  // nullopt: it is proven, and `who` says who it is.
  std::optional<Unread> read_proof(const Call& call, const membership::MeshSnapshot& mesh,
                                   broker::Principal& who);
  std::optional<Unread> check_proof(const Call& call, const membership::MeshSnapshot& mesh,
                                    broker::Principal& who) const;
  std::optional<Unread> check_secret(std::string_view shown, const membership::MeshSnapshot& mesh,
                                     broker::Principal& who) const;
  std::optional<Unread> check_token(std::string_view token, const membership::MeshSnapshot& mesh,
                                    broker::Principal& who) const;
  void front(const Call& call);
  void mesh_topics(const Call& call);
  void mesh_history(const Call& call);
  void mesh_schema(const Call& call);

  // admin_policy.cc
  void show_policy(const Call& call, const membership::MeshSnapshot& mesh);
  void explain_policy(const Call& call, const membership::MeshSnapshot& mesh);
  void show_decision(const Call& call, std::string_view id);
  void list_decisions(const Call& call);

  // admin_sources.cc
  void sources_call(const Call& call, const membership::MeshSnapshot& mesh, std::string_view rest);
  void list_sources(const Call& call, const membership::MeshSnapshot& mesh);
  void add_source(const Call& call, const membership::Mesh& mesh);
  void rotate_source(const Call& call, const membership::Mesh& mesh, const std::string& source);
  void revoke_source(const Call& call, const membership::Mesh& mesh, const std::string& source);

  // admin_audit.cc
  void audit_call(const Call& call, std::string_view what);
  void list_entries(const Call& call);
  void show_checkpoint(const Call& call);
  void prove_entry(const Call& call);
  void prove_growth(const Call& call);

  // admin_jobs.cc
  void jobs_call(const Call& call, const membership::MeshSnapshot& mesh, std::string_view rest);
  void at_home(MeshNumber mesh, std::function<void(broker::HubHome&)> task);
  void list_jobs(const Call& call, MeshNumber mesh);
  void show_job(const Call& call, MeshNumber mesh, const std::string& id);
  void submit_job(const Call& call, const membership::MeshSnapshot& mesh);
  void list_engines(const Call& call, const membership::MeshSnapshot& mesh);

  // admin_hub.cc
  void user_token(const Call& call);
  void engine_token(const Call& call);
  void hand_out(const Call& call, trust::TokenFacts facts);

  // admin_tokens.cc
  void revoke_tokens(const Call& call, const membership::MeshSnapshot& mesh);

  const AdminOptions& options_;
  broker::Shared& shared_;
  controller::ControlThread& control_;
  controller::Controller& controller_;
  MetricRegistry& registry_;
  const Elapsed started_;
  trust::ClockWatch clock_watch_;
  Counter& clock_steps_;
  trust::Penalties failed_reads_;  // wrong secrets over HTTP
  Counter& hook_requests_;
  Counter& hook_limited_;
  Counter& operator_denied_;
  CodeCounters<JoinRefusal> join_refused_;
  Counter& joined_;
  trust::RateLimiter<std::string, crypto::KeyedHash> hook_rates_;
  std::optional<OverlayDesk> overlay_;  // none: /v1/ is not there
  std::optional<OverlayView> overlay_view_;
  enum class Denied : std::uint8_t { kToken };
  LogLimiter<JoinRefusal> join_refused_log_{kJoinRefusalCount};
  LogLimiter<Denied> denied_log_{1};
  LogLimiter<ReadRefusal> unread_log_{kReadRefusalCount};
};

// Answers, in the forms that clients of the original expect.
net::HttpResponse json_response(int status, std::string body);
net::HttpResponse text_response(int status, std::string_view text);
// Lets the page that asks read the answer with its cookies, and no other. Its origin is a listed
// one: the shard refuses the others (Broker::is_public).
void show_to_page(const broker::HttpCall& call, net::HttpResponse& response);

}  // namespace signet::admin
