#include "revoke_effect.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "base/time.h"
#include "claudemesh_protocol.h"
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
  Socket(const std::string& at, const Membership& member)
      : connection_(claudemesh_protocol(at, signed_hello(member, system_clock().wall().ms)),
                    *this) {}
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

 private:
  void on_ready() override { admitted_ = true; }
  void on_ack(MessageIndex) override {}
  void on_push(std::string_view) override {}
  void on_refused(std::string_view reason) override {
    is_told_to_close_ = is_told_to_close_ || reason == "closed";
    refused_ = reason;
  }

  LoadLoop loop_;
  std::string refused_;
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

  Status revoke(OverlayNode& node, Effects& effects) {
    Socket socket(plan_.at, node.member());
    SIGNET_TRY([[maybe_unused]] const Done opened, socket.open(host_, port_));
    const std::string path = "/api/signet/v1/meshes/" + node.member().mesh_slug + "/members/" +
                             node.member().identity.public_key() + "/standing";
    Status called = Done{};
    const auto start = steady_clock::now();
    std::thread caller([&] {
      const auto answer = ask_well(plan_.at, "POST", path, R"({"standing":"revoked"})", operator_);
      if (!answer.ok()) called = answer.error();
      effects.answered.add(steady_clock::now() - start);  // nobody else has it until the join
    });
    const Status obeyed = watch(node, socket, start, effects);
    caller.join();
    return called.ok() ? obeyed : called;
  }

  // Asks of all planes in turn until each has obeyed.
  Status watch(OverlayNode& node, Socket& socket, steady_clock::time_point start,
               Effects& effects) {
    bool is_cut = false;
    bool is_refused = false;
    bool is_gone = false;
    while (!is_cut || !is_refused || !is_gone) {
      if (!is_cut && (is_cut = socket.is_closed())) {
        effects.socket.add(steady_clock::now() - start);
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
  return Done{};
}

}  // namespace signet::bench
