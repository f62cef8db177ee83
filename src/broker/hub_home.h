// HubHome is what a mesh's users and engines have in common, on the mesh's home shard: who is here,
// what everybody hears and in which order, and the jobs. What a job came to is told only once the
// store has it; where the store did not take it, the board is made anew from what it has.
//
// Lives on its shard's thread. Desks of all shards call it through HubDesk::at_home().
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "broker/hub_options.h"
#include "broker/hub_roster.h"
#include "broker/shard_core.h"
#include "jobs/job_board.h"

namespace signet::broker {

// A session, wherever it is.
struct HubPlace {
  std::uint32_t shard = 0;
  std::string sid;
};

struct HubNewcomer {
  HubPlace place;
  std::string user;
  std::string role;
  std::string socket;
  bool admin = false;
};

// Which sockets of a user: an admin's are shown everybody, others of the same user are not.
enum class HubSockets : std::uint8_t { kAll, kOfAdmins, kOthers };

// An action that was proven to be its user's, and new.
struct HubActed {
  std::string user;
  std::string socket;
  std::string type;
  std::string payload;  // JSON; empty: none
  std::string category;
  std::int64_t client_ts = 0;
};

// What an engine says of a job, proven to be its own, and new.
struct HubReport {
  jobs::EngineSession engine = 0;
  dialects::EngineEvent event = dialects::EngineEvent::kJobStarted;
  jobs::EngineSays says = jobs::EngineSays::kStarted;
  std::string job;
  std::optional<std::uint64_t> fence;
  std::string text;
};

class HubHome {
 public:
  HubHome(ShardCore& core, MeshNumber mesh);

  // Users.
  void enter(const HubNewcomer& newcomer);
  void leave(const std::string& user, const std::string& socket);
  void act(const HubActed& acted);
  void state(const std::string& user, dialects::HubState state);
  void silent(const std::string& user, const std::string& socket, bool inactive);
  void show_role(const std::string& user, const std::string& socket, const std::string& role,
                 bool admin);

  // Engines.
  void engine_enter(jobs::EngineSession number, HubPlace place, const std::string& name,
                    MemberNumber member);
  void engine_leave(jobs::EngineSession number, jobs::Leaving how = jobs::Leaving::kLost);
  void engine_ready(jobs::EngineSession number, dialects::EngineReady::Dialect dialect);
  void engine_alive(jobs::EngineSession number);
  void engine_told(jobs::EngineSession number);  // telemetry, which changes nothing
  void report(HubReport report);

  // Jobs. Answers on this shard, once it is on disk.
  using Submitted = std::function<void(std::optional<JobRefusal>)>;
  void submit(jobs::NewWorld world, Submitted answer);
  // nullopt: there is no such job (of this user).
  using Changed = std::function<void(Result<jobs::Job>)>;
  void cancel(const std::string& job, const std::string& user, Changed answer);
  void retry(const std::string& job, Changed answer);
  // nullptr while the board is read from the store.
  const jobs::JobBoard* board() const { return board_ ? &*board_ : nullptr; }
  // Runs when there is a board; kUnavailable where too much waits for it.
  void when_loaded(std::function<void(Status)> task);
  // For the operator.
  struct EngineRow {
    std::string name;
    bool ready = false;
    WallTime heard;
    std::vector<std::string> jobs;  // under way
  };
  std::vector<EngineRow> engines() const;
  std::size_t users() const { return roster_.users(); }

  // New rules: other types of jobs, other limits.
  void show_rules();
  // Every tick of the shard's hub.
  void on_time();

 private:
  struct Engine {
    HubPlace place;
    std::string name;
    MemberNumber member;
    bool ready = false;
    dialects::EngineReady::Dialect dialect = dialects::EngineReady::Dialect::kBoth;
    WallTime heard{};
  };
  // Effects on their way through the store, in order.
  struct Pending {
    bool done = false;
    std::vector<jobs::Notice> notices;
    std::function<void(Status)> answer;  // may be empty
  };

  const HubDoor* door() const;
  jobs::JobOptions job_options() const;
  void load();
  void load_behind_writes();
  void on_loaded(std::uint64_t load, Result<std::vector<jobs::Job>> jobs);
  void reload();
  void commit(jobs::Effects effects, std::function<void(Status)> answer = {});
  void on_committed(std::uint64_t load, const std::shared_ptr<Pending>& pending,
                    const Status& status);
  void tell(const std::vector<jobs::Notice>& notices);
  void dispatch(const jobs::TellDispatch& told);
  void tell_lost(const jobs::Job& job);
  void saw_lost(const jobs::Effects& effects, const std::map<jobs::EngineSession, Engine>& engines);
  void count(const jobs::Job& job);

  std::string engine_status();
  void tell_status_if_changed();
  void tell_place(const HubPlace& place, std::string_view nsp, std::string data);
  void tell_user(const std::string& user, std::string data, HubSockets which = HubSockets::kAll);
  void tell_all(std::string data);
  void presence_changed(const std::string& user, HubSockets which = HubSockets::kOthers);
  void tell_admins();

  ShardCore& core_;
  const MeshNumber mesh_;
  HubRoster roster_;
  bool admins_wait_ = false;  // for the whole map
  Elapsed admins_told_{};

  std::map<jobs::EngineSession, Engine> engines_;
  std::optional<WallTime> engine_heard_;
  std::optional<Elapsed> engine_heard_at_;
  std::optional<WallTime> telemetry_;
  std::uint64_t engine_returns_ = 0;
  bool had_engine_ = false;
  std::pair<bool, bool> told_status_{false, false};  // connected, healthy

  std::optional<jobs::JobBoard> board_;
  std::uint64_t load_ = 0;  // which one; answers of an earlier one mean nothing
  bool loading_ = false;
  std::optional<Elapsed> load_again_;
  std::vector<std::function<void(Status)>> waiting_;  // for the board
  std::deque<std::shared_ptr<Pending>> pending_;
  trust::TokenBucket progress_;  // everybody hears of it
};

}  // namespace signet::broker
