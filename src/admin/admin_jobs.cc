// What the operator's API says of jobs and engines, and does to them. They live on the home shard
// of their mesh: each call is a message to it, which answers. Format: docs/operator-api.md.
#include <algorithm>
#include <charconv>

#include "admin/admin.h"
#include "admin/operator_answers.h"
#include "admin/operator_bodies.h"
#include "base/log.h"
#include "crypto/random.h"
#include "jobs/world_jobs.h"
#include "wire/json.h"

namespace signet::admin {
namespace {

using broker::HubHome;
using jobs::Job;
using wire::JsonWriter;

constexpr std::size_t kJobIdBytes = 16;
constexpr std::int64_t kMostPriority = 1'000'000;
constexpr std::size_t kMostUserBytes = 256;

void write_time(JsonWriter& json, std::string_view name, WallTime time) {
  json.key(name);
  time.ms == 0 ? json.null() : json.value(iso8601(time));
}

void write_members(JsonWriter& json, const Job& job) {
  json.key("id").value(job.id).key("type").value(job.type).key("user").value(job.user);
  json.key("world").value(job.world).key("state").value(jobs::name_of(job.state));
  json.key("priority").value(std::int64_t{job.priority});
  json.key("retries").value(std::uint64_t{job.retries}).key("fence").value(job.fence);
  json.key("engine").value(job.engine).key("error").value(job.error);
  write_time(json, "submitted", job.submitted);
  write_time(json, "dispatched", job.dispatched);
  write_time(json, "started", job.started);
  write_time(json, "completed", job.completed);
  json.key("order").value(job.order);
}

std::string write_job(const Job& job) {
  JsonWriter json;
  json.object();
  write_members(json, job);
  json.key("payload").raw(job.payload ? *job.payload : "null");
  json.key("progress").raw(job.progress.empty() ? "null" : job.progress);
  json.key("result").raw(job.result.empty() ? "null" : job.result);
  return json.end().take();
}

net::HttpResponse answer_of_job(const Result<Job>& job) {
  if (!job.ok()) return answer_of(job.error());
  JsonWriter json;
  json.object().key("ok").value(true).key("id").value(job->id);
  json.key("state").value(jobs::name_of(job->state));
  return succeeded(json.end().take());
}

net::HttpResponse answer_of_refusal(JobRefusal code) {
  const bool is_overloaded = code == JobRefusal::kTooManyJobs || code == JobRefusal::kUnavailable;
  return failed(is_overloaded ? 503 : 400, name_of(code), meaning_of(code));
}

struct JobPage {
  std::optional<jobs::JobState> state;
  std::string user;
  std::uint64_t before = 0;
  std::size_t limit = 0;
};

std::optional<std::uint64_t> whole(std::string_view text) {
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool good = read.ec == std::errc{} && read.ptr == text.data() + text.size();
  return good ? std::optional(number) : std::nullopt;
}

Result<JobPage> read_job_page(std::string_view query, std::size_t usual, std::size_t most) {
  using jobs::JobState;
  JobPage page;
  page.limit = usual;
  if (const auto state = value_in(query, "state")) {
    for (const JobState each : {JobState::kQueued, JobState::kDispatched, JobState::kRunning,
                                JobState::kCompleted, JobState::kFailed}) {
      if (jobs::name_of(each) == *state) page.state = each;
    }
    if (!page.state) return Error{ErrorCode::kMalformed, "state is none of the five"};
  }
  if (const auto user = value_in(query, "user")) page.user = *user;
  const auto limit = whole(value_in(query, "limit").value_or(std::to_string(usual)));
  const auto before = whole(value_in(query, "before").value_or("0"));
  if (!limit || *limit == 0 || *limit > most || !before) {
    return Error{ErrorCode::kMalformed,
                 "limit is 1 to " + std::to_string(most) + ", before a number"};
  }
  page.limit = static_cast<std::size_t>(*limit);
  page.before = *before;
  return page;
}

std::string write_page(const jobs::JobBoard& board, const JobPage& page) {
  JsonWriter json;
  json.object().key("jobs").array();
  const auto found = board.list(page.state, page.user, page.before, page.limit);
  for (const Job* job : found) {
    json.object();
    write_members(json, *job);
    json.end();
  }
  json.end().key("next");
  found.size() == page.limit ? json.value(found.back()->order) : json.null();
  json.key("counts").object();
  using jobs::JobState;
  for (const JobState state : {JobState::kQueued, JobState::kDispatched, JobState::kRunning,
                               JobState::kCompleted, JobState::kFailed}) {
    json.key(jobs::name_of(state)).value(std::uint64_t{board.count(state)});
  }
  return json.end().end().take();
}

Error malformed(std::string detail) { return {ErrorCode::kMalformed, std::move(detail)}; }

jobs::NewJob new_job(std::string type, std::string payload, std::int32_t priority) {
  return {"job_" + crypto::random_hex(kJobIdBytes), std::move(type), std::move(payload), priority};
}

Result<jobs::NewWorld> world_of(const wire::JsonValue& body, const broker::HubDoor& door,
                                jobs::NewWorld request, std::int32_t priority) {
  const std::string spec(body["world"].raw());
  if (const Status fits = door.world->check(spec); !fits.ok())
    return malformed(fits.error().detail);
  SIGNET_TRY(auto listed, jobs::jobs_of_world(spec));
  request.spec = std::make_shared<const std::string>(spec);
  for (jobs::WorldJob& job : listed) {
    request.jobs.push_back(new_job(std::move(job.type), std::move(job.payload), priority));
  }
  return request;
}

Result<jobs::NewWorld> single_of(const wire::JsonValue& body, const broker::HubDoor& door,
                                 jobs::NewWorld request, std::int32_t priority) {
  const auto type = body["type"].string();
  const auto payload = body["payload"];
  if (!type || !payload) return malformed("type and payload, or world");
  const auto schema = door.payloads.find(*type);
  if (schema != door.payloads.end()) {
    const Status fits = schema->second->check(payload.raw());
    if (!fits.ok()) return malformed("payload" + fits.error().detail);
  }
  request.spec = std::make_shared<const std::string>("null");
  request.jobs.push_back(new_job(std::string(*type), std::string(payload.raw()), priority));
  return request;
}

// {"user", "world"} or {"user", "type", "payload"}, either with a priority.
Result<jobs::NewWorld> read_request(std::string_view body, const broker::HubDoor& door) {
  wire::JsonDocument document;
  if (const Status parsed = document.parse(body); !parsed.ok()) return parsed.error();
  const wire::JsonValue root = document.root();
  const auto user = root["user"].string();
  if (!user || user->empty() || user->size() > kMostUserBytes) return malformed("user");
  const auto priority = root["priority"] ? root["priority"].integer() : std::int64_t{0};
  if (!priority || *priority < -kMostPriority || *priority > kMostPriority) {
    return malformed("priority");
  }
  jobs::NewWorld request{std::string(*user), nullptr, {}};
  const auto rank = static_cast<std::int32_t>(*priority);
  return root["world"] ? world_of(root, door, std::move(request), rank)
                       : single_of(root, door, std::move(request), rank);
}

}  // namespace

// jobs; jobs/ID, jobs/ID/cancel, jobs/ID/retry.
void Admin::jobs_call(const Call& call, const membership::MeshSnapshot& mesh,
                      std::string_view rest) {
  const MeshNumber number = mesh.mesh().number;
  if (rules()->of(mesh.mesh().slug).hub == nullptr) {
    return call.reply(failed(404, "not_found", "Hub is not set up for this mesh"));
  }
  if (rest.empty()) {
    if (call.method == "GET") return list_jobs(call, number);
    if (call.method == "POST") return submit_job(call, mesh);
    return call.reply(failed(404, "not_found", "no such path"));
  }
  rest.remove_prefix(1);
  const std::string id(rest.substr(0, rest.find('/')));
  const std::string_view verb = rest.substr(std::min(rest.size(), id.size()));
  if (verb.empty() && call.method == "GET") return show_job(call, number, id);
  const bool is_change = call.method == "POST" && (verb == "/cancel" || verb == "/retry");
  if (!is_change) return call.reply(failed(404, "not_found", "no such path"));
  const auto answer = [reply = call.reply, id,
                       what = std::string(verb.substr(1))](const Result<Job>& job) {
    if (job.ok()) log(LogLevel::kInfo, "operator.job_changed", {{"job", id}, {"by", what}});
    reply(answer_of_job(job));
  };
  at_home(number, [id, answer, cancel = verb == "/cancel"](HubHome& home) {
    cancel ? home.cancel(id, {}, answer) : home.retry(id, answer);
  });
}

void Admin::at_home(MeshNumber mesh, std::function<void(HubHome&)> task) {
  broker::Broker& home = shared_.home_of(mesh);
  home.mailbox().post([&home, mesh, task = std::move(task)] { task(home.hub().home(mesh)); });
}

void Admin::list_jobs(const Call& call, MeshNumber mesh) {
  const auto page = read_job_page(call.query, options_.page, options_.max_page);
  if (!page.ok()) return call.reply(answer_of(page.error()));
  at_home(mesh, [page = *page, reply = call.reply](HubHome& home) {
    home.when_loaded([&home, page, reply](const Status& loaded) {
      reply(loaded.ok() ? succeeded(write_page(*home.board(), page)) : answer_of(loaded));
    });
  });
}

void Admin::show_job(const Call& call, MeshNumber mesh, const std::string& id) {
  at_home(mesh, [id, reply = call.reply](HubHome& home) {
    home.when_loaded([&home, id, reply](const Status& loaded) {
      if (!loaded.ok()) return reply(answer_of(loaded));
      const Job* job = home.board()->find(id);
      if (job == nullptr) return reply(failed(404, "not_found", "no such job"));
      reply(succeeded(write_job(*job)));
    });
  });
}

void Admin::submit_job(const Call& call, const membership::MeshSnapshot& mesh) {
  const auto its_rules = rules();
  const auto door = its_rules->of(mesh.mesh().slug).hub;
  auto request = read_request(call.body, *door);
  if (!request.ok()) return call.reply(answer_of(request.error()));
  JsonWriter json;
  json.object().key("ok").value(true).key("jobs").array();
  for (const jobs::NewJob& job : request->jobs) json.value(job.id);
  std::string done = json.end().end().take();
  at_home(mesh.mesh().number,
          [request = *std::move(request), reply = call.reply, done](HubHome& home) {
            home.submit(request, [reply, done](std::optional<JobRefusal> refused) {
              reply(refused ? answer_of_refusal(*refused) : succeeded(done));
            });
          });
}

void Admin::list_engines(const Call& call, const membership::MeshSnapshot& mesh) {
  at_home(mesh.mesh().number, [reply = call.reply](HubHome& home) {
    JsonWriter json;
    json.object().key("engines").array();
    for (const auto& engine : home.engines()) {
      json.object().key("engine").value(engine.name).key("ready").value(engine.ready);
      json.key("heard").value(iso8601(engine.heard)).key("jobs").array();
      for (const std::string& job : engine.jobs) json.value(job);
      json.end().end();
    }
    reply(succeeded(json.end().end().take()));
  });
}

}  // namespace signet::admin
