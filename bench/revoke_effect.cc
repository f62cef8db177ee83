#include "revoke_effect.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "base/time.h"
#include "claudemesh_protocol.h"
#include "hub_jobs.h"
#include "hub_protocol.h"
#include "load_connection.h"
#include "load_row.h"
#include "load_target.h"
#include "overlay_node.h"
#include "websocket_protocol.h"

namespace signet::bench {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds kObeysWithin{10};    // the issue asks for 2
constexpr std::chrono::seconds kAllowedWithin{30};  // a first decision, and its keys
constexpr std::chrono::milliseconds kBetweenLooks{50};
constexpr int kRefused = 400;

// A socket that was let in, until the server closes it: by its close frame, behind which nothing is
// said or heard on it any more. The frame is not answered, so the connection itself ends later.
class Socket final : public ProtocolEvents {
 public:
  explicit Socket(std::unique_ptr<Protocol> protocol) : connection_(std::move(protocol), *this) {}
  ~Socket() {
    if (added_ && !gone_) loop_.remove(connection_);
  }

  Status open(const std::string& host, std::uint16_t port) {
    SIGNET_TRY([[maybe_unused]] const Done opened, connection_.open(host, port));
    loop_.add(connection_);
    added_ = true;
    const auto until = steady_clock::now() + kObeysWithin;
    while (!admitted_ && !is_closed() && steady_clock::now() < until) continue;
    if (admitted_) return Done{};
    return Error{ErrorCode::kUnavailable, "a member was not let in: " + refused_};
  }
  bool is_closed() {
    gone_ = gone_ || !loop_.turn().empty();
    return gone_ || is_told_to_close_;
  }
  void send() {
    connection_.send({}, 0, {});
    loop_.wrote(connection_);
  }
  // What came, of which so many are there by then or the time is over.
  const std::vector<std::string>& pushed(std::size_t awaited = 0) {
    const auto until = steady_clock::now() + kObeysWithin;
    while (!is_closed() && pushed_.size() < awaited && steady_clock::now() < until) continue;
    return pushed_;
  }

 private:
  void on_ready() override { admitted_ = true; }
  void on_ack(MessageIndex) override {}
  void on_push(std::string_view body) override { pushed_.emplace_back(body); }
  void on_refused(std::string_view reason) override {
    is_told_to_close_ = is_told_to_close_ || reason == "closed";
    refused_ = reason;
  }

  LoadLoop loop_;
  std::string refused_;
  std::vector<std::string> pushed_;
  LoadConnection connection_;
  bool admitted_ = false;
  bool added_ = false;
  bool is_told_to_close_ = false;
  bool gone_ = false;
};

struct Effects {
  Latencies answered;
  Latencies socket;
  Latencies submission;
  Latencies peer;
  Latencies engine;
  Latencies lease;
};

// The engine of a node, which has the jobs of a user's world.
struct EngineAtWork {
  std::unique_ptr<Socket> engine;
  std::unique_ptr<Socket> user;
};

class RevokeDrill {
 public:
  RevokeDrill(const RevokeEffectPlan& plan, std::vector<Membership> members)
      : plan_(plan), operator_("Bearer " + plan.operator_token) {
    for (Membership& member : members) {
      nodes_.push_back(std::make_unique<OverlayNode>(std::move(member)));
    }
  }

  // Every node is registered and allowed, and the first one has keys of all others.
  Status prepare() {
    SIGNET_TRY([[maybe_unused]] const Done split, split_address(plan_.at, host_, port_));
    for (const auto& node : nodes_) {
      const WallTime now = system_clock().wall();
      SIGNET_TRY([[maybe_unused]] const auto registered,
                 ask_well(plan_.at, "POST", "/v1/nodes/" + node->name(), node->registration(now)));
      SIGNET_TRY([[maybe_unused]] const auto received, submit(*node));
    }
    SIGNET_TRY([[maybe_unused]] const auto rotated,
               ask_well(plan_.at, "POST", "/v1/rotate", "", operator_));
    const auto until = steady_clock::now() + kAllowedWithin;
    while (steady_clock::now() < until) {
      SIGNET_TRY(const auto peers, peers_of_first());
      if (has_all_others(peers)) return Done{};
      std::this_thread::sleep_for(kBetweenLooks);
    }
    return Error{ErrorCode::kUnavailable, "the first node was not given all others in time"};
  }

  Status revoke_all(Effects& effects) {
    for (std::size_t i = 1; i < nodes_.size(); ++i) {
      SIGNET_TRY([[maybe_unused]] const Done done, revoke(*nodes_[i], effects));
    }
    return Done{};
  }

 private:
  Result<client::HttpAnswer> submit(OverlayNode& node) {
    return ask_well(plan_.at, "POST", "/v1/benchmarks/" + node.name(),
                    node.submission(system_clock().wall()));
  }

  Result<std::vector<overlay::WireGuardKey>> peers_of_first() {
    OverlayNode& first = *nodes_.front();
    const std::string target = "/v1/config/" + first.name();
    SIGNET_TRY(const auto answer, ask_well(plan_.at, "GET", target, "",
                                           first.authorization(target, system_clock().wall())));
    return first.peers_in(answer.body);
  }

  bool has_all_others(const std::vector<overlay::WireGuardKey>& peers) const {
    return std::all_of(nodes_.begin() + 1, nodes_.end(), [&peers](const auto& node) {
      return std::find(peers.begin(), peers.end(), node->wireguard()) != peers.end();
    });
  }

  Result<bool> refuses(OverlayNode& node) {
    SIGNET_TRY(const auto answer, ask(plan_.at, "POST", "/v1/benchmarks/" + node.name(),
                                      node.submission(system_clock().wall())));
    return answer.status == kRefused && text_after(answer.body, R"("code":")") == "revoked";
  }

  Result<bool> is_without(const overlay::WireGuardKey& peer) {
    SIGNET_TRY(const auto peers, peers_of_first());
    return std::find(peers.begin(), peers.end(), peer) == peers.end();
  }

  Result<std::unique_ptr<Socket>> open(std::unique_ptr<Protocol> protocol) {
    auto socket = std::make_unique<Socket>(std::move(protocol));
    SIGNET_TRY([[maybe_unused]] const Done opened, socket->open(host_, port_));
    return socket;
  }

  // Nothing, where the planes of Hub are left out.
  Result<EngineAtWork> put_to_work(const OverlayNode& node) {
    EngineAtWork made;
    if (plan_.token_secret.empty()) return made;
    const WallTime now = system_clock().wall();
    SIGNET_TRY(auto engine, hub_engine_token(node.name(), plan_.token_secret, now));
    SIGNET_TRY(auto user,
               hub_user_token("of-" + node.name().substr(0, 16), plan_.token_secret, now));
    SIGNET_TRY(made.engine, open(hub_engine_protocol(plan_.at, std::move(engine))));
    SIGNET_TRY(made.user, open(hub_world_protocol(plan_.at, std::move(user))));
    made.user->send();
    const bool has_all = made.user->pushed(kJobsOfWorld).size() == kJobsOfWorld &&
                         made.engine->pushed(kJobsOfWorld).size() == kJobsOfWorld;
    if (has_all) return made;
    return Error{ErrorCode::kUnavailable, "an engine was not given the jobs of a world"};
  }

  // So that the next engine is given its own user's only.
  Status cancel_jobs(const OverlayNode& node, EngineAtWork& of) {
    if (of.user == nullptr) return Done{};
    const std::string jobs = "/api/signet/v1/meshes/" + node.member().mesh_slug + "/jobs/";
    for (std::size_t i = 0; i < kJobsOfWorld; ++i) {
      SIGNET_TRY(
          [[maybe_unused]] const auto cancelled,
          ask_well(plan_.at, "POST", jobs + of.user->pushed()[i] + "/cancel", "", operator_));
    }
    return Done{};
  }

  Status revoke(OverlayNode& node, Effects& effects) {
    SIGNET_TRY(
        const auto socket,
        open(claudemesh_protocol(plan_.at, signed_hello(node.member(), system_clock().wall().ms))));
    SIGNET_TRY(auto at_work, put_to_work(node));
    const std::string path = "/api/signet/v1/meshes/" + node.member().mesh_slug + "/members/" +
                             node.member().identity.public_key() + "/standing";
    Status called = Done{};
    const auto start = steady_clock::now();
    std::thread caller([&] {
      const auto answer = ask_well(plan_.at, "POST", path, R"({"standing":"revoked"})", operator_);
      if (!answer.ok()) called = answer.error();
      effects.answered.add(steady_clock::now() - start);  // nobody else has it until the join
    });
    const Status obeyed = watch(node, *socket, at_work, start, effects);
    caller.join();
    if (!called.ok()) return called;
    if (!obeyed.ok()) return obeyed;
    return cancel_jobs(node, at_work);
  }

  // Asks of all planes in turn until each has obeyed.
  Status watch(OverlayNode& node, Socket& socket, EngineAtWork& at_work,
               steady_clock::time_point start, Effects& effects) {
    bool is_cut = false;
    bool is_refused = false;
    bool is_gone = false;
    bool is_ended = at_work.engine == nullptr;
    bool is_queued = at_work.user == nullptr;
    while (!is_cut || !is_refused || !is_gone || !is_ended || !is_queued) {
      if (!is_cut && (is_cut = socket.is_closed())) {
        effects.socket.add(steady_clock::now() - start);
      }
      if (!is_ended && (is_ended = at_work.engine->is_closed())) {
        effects.engine.add(steady_clock::now() - start);
      }
      if (!is_queued && (is_queued = at_work.user->pushed().size() > kJobsOfWorld)) {
        effects.lease.add(steady_clock::now() - start);
      }
      if (!is_refused) {
        SIGNET_TRY(is_refused, refuses(node));
        if (is_refused) effects.submission.add(steady_clock::now() - start);
      }
      if (!is_gone) {
        SIGNET_TRY(is_gone, is_without(node.wireguard()));
        if (is_gone) effects.peer.add(steady_clock::now() - start);
      }
      if (steady_clock::now() < start + kObeysWithin) continue;
      return Error{ErrorCode::kUnavailable, "a revoked member was not cut off in time"};
    }
    return Done{};
  }

  const RevokeEffectPlan plan_;
  const std::string operator_;
  std::string host_;
  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<OverlayNode>> nodes_;
};

}  // namespace

Status run_revoke_effect(const RevokeEffectPlan& plan, std::vector<Membership> members,
                         wire::JsonWriter& row) {
  row.key("revocations").value(std::uint64_t{members.size() - 1});
  RevokeDrill drill(plan, std::move(members));
  SIGNET_TRY([[maybe_unused]] const Done prepared, drill.prepare());
  Effects effects;
  SIGNET_TRY([[maybe_unused]] const Done revoked, drill.revoke_all(effects));
  effects.answered.write(row, "answered_us");
  effects.socket.write(row, "socket_us");
  effects.submission.write(row, "submission_us");
  effects.peer.write(row, "peer_us");
  if (plan.token_secret.empty()) return Done{};
  effects.engine.write(row, "engine_us");
  effects.lease.write(row, "lease_us");
  return Done{};
}

}  // namespace signet::bench
