// signet/engine.h: an engine of Hub. Connect to a broker with a token and the engines' secret, take
// jobs one lease at a time, and say how they go.
//
//   auto engine = signet::Engine::open(
//       {.broker_url = "wss://hub.example", .token = read_token, .secret = secret},
//       {.on_job = [&](const signet::Job& job, signet::JobHandle handle) {
//         work_queue.push({job, std::move(handle)});  // done elsewhere: a handler must not block
//       }});
//   …
//   handle.progress(50);
//   handle.complete(R"({"triangles":12})");
//
// A job is given under a lease. It ends with the job's last word, when the broker takes it back (it
// was cancelled, or took too long), and with the connection: then the job is given to somebody
// else, or to this engine anew, and nothing that is said under the old lease counts. So work may be
// done twice; its result counts once.
//
// An engine owns one thread. Handlers run on it, one at a time, and must not block or throw. Every
// method, and every method of a handle, may be called from any thread; from a handler only those
// that do not wait (no timeout parameter). Nothing throws. Errors carry what the caller can do next
// (ErrorCode); the detail begins with a stable code of docs/codes.md, which code_of() cuts out, and
// goes on with a sentence for a person. Format: protocol/hub.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "signet/client.h"
#include "signet/result.h"

namespace signet {

namespace client {
class HeldJob;
}

// Job is a value of its own; nothing in it borrows. What is in `payload` and `world` comes from a
// user: the broker held it against its schemas, and an engine that relies on more checks more.
struct Job {
  std::string id;
  std::string type;     // BUILD_SCENE, …
  std::string user;     // who asked for it, as the broker says
  std::string payload;  // JSON
  std::string world;    // JSON of the whole world that it is part of; `null` where there is none
  std::int64_t priority = 0;
  std::chrono::milliseconds timeout{0};  // of running, from start() on; 0: not told
  std::int64_t submitted_ms = 0;         // since 1970, by the broker's clock
  // Rises with each lease of the job, over restarts of the broker; nullopt: a broker without
  // leases.
  std::optional<std::uint64_t> lease;
};

// JobHandle says how one lease of a job goes. Copies are the same handle. It may outlive its engine
// and then says nothing. Where the last copy goes without complete() or fail(), the lease runs out,
// and the job is tried again.
//
// Each call fails kConflict once the lease is over, with why: CANCELLED, TIMEOUT, JOB_LEASE_STALE
// (it goes to another try), already_sent (its last word was said); kUnavailable where the
// connection (connection_lost) or the engine (stopped) went. Success means that it will be said:
// the broker answers nothing to what it takes.
class JobHandle {
 public:
  // From now on it runs, and its timeout counts. progress() and complete() say so first where it
  // was not said: an engine that lets jobs wait should begin each with this.
  Status start() const;
  // 0 to 100. Only so many a second are sent, the others are passed over.
  // Fails kMalformed (malformed) for what is no such number.
  Status progress(double percent) const;
  // The last word. `json` is what the user hears, as the text of any JSON value; empty: nothing.
  // Fails kMalformed (malformed: no strict JSON of at most 29 levels; text_too_long), and the job
  // goes on.
  Status complete(std::string_view json) const;
  // The last word, and the job's end: the broker tries no other engine. `reason` is for the user;
  // it keeps 1,024 bytes. To give a job back for another try, end the engine.
  Status fail(std::string_view reason) const;

  // Does the lease hold? Work that takes long asks now and then.
  Status held() const;
  const std::string& job_id() const;

 private:
  friend class Engine;
  explicit JobHandle(std::shared_ptr<client::HeldJob> job);
  std::shared_ptr<client::HeldJob> job_;
};

// A lease that ended without the last word of its handle.
struct LostJob {
  std::string job_id;
  std::optional<std::uint64_t> lease;
  Error why;  // as the handle's calls fail from now on
};

// All but the first may be empty.
struct EngineHandlers {
  std::function<void(const Job&, JobHandle)> on_job = {};
  std::function<void(const LostJob&)> on_lost = {};
  std::function<void(const ConnectionReport&)> on_connection = {};
  // The broker refused a word about a job. Where that ended the lease, on_lost says so as well;
  // after ENGINE_UNAVAILABLE or ENGINE_RATE_LIMITED the job stays what it was until its lease runs
  // out.
  std::function<void(const Error&)> on_refused = {};
};

struct EngineOptions {
  std::string
      broker_url;  // ws://host:port or wss://host; a path only where /socket.io/ is elsewhere
  // Gives the engine's token, before each connection and before a token ends, on the engine's
  // thread. Before a connection it may block for a while (then nothing else happens), and an error
  // is reported and tried again like a failure. Before an end it should not block for seconds: the
  // broker misses heartbeats. The next token then takes the place of the old one, and jobs go on;
  // where there is none yet, it is asked for again. With a broker that takes none that way the
  // engine connects anew once no job is held.
  std::function<Result<std::string>()> token;
  std::string secret;  // of the mesh's engines, as text; open() wipes this copy
  TlsTrust trust = {};
  std::chrono::milliseconds connect_timeout{5'000};  // name, TCP, TLS; then upgrade to readiness
  std::chrono::milliseconds first_retry{1'000};      // doubles up to last_retry; each drawn from 0
  std::chrono::milliseconds last_retry{30'000};      // to it (full jitter)
  std::chrono::milliseconds refused_retry{60'000};   // after a refusal; drawn from half of it on
  std::chrono::milliseconds heartbeat_every{3'000};  // an engine is silent after 10 s by the format
  std::chrono::milliseconds renew_before{60'000};    // the end of a token, or half of its time
  std::chrono::milliseconds progress_every{200};     // of one job, at most
  std::size_t max_result_bytes = 64 * 1024;          // hub.max_result_bytes of the broker
  std::size_t max_jobs = 64;  // held at once; jobs.per_engine of the broker is less
};

class Engine {
 public:
  // Starts connecting; it does not wait for the broker. Fails kMalformed (bad_url; usage: on_job, a
  // token or a secret is missing), kUnavailable (no_randomness, too_many_files). Afterwards it
  // reconnects by itself. Where its token or its secret is refused, or its clock is off, its state
  // is kStopped and it tries again after refused_retry: a person may have changed that.
  static Result<std::unique_ptr<Engine>> open(EngineOptions options, EngineHandlers handlers);

  // Leaves the broker, which gives what is held to others at once, and joins the thread, within a
  // second where no name is being looked up and `token` does not block. Handles fail as stopped;
  // on_lost is not called. REQUIRES: not called from a handler.
  ~Engine();

  ConnectionReport connection() const;
  // Waits until jobs may come. Fails kUnavailable at the timeout with the last failure,
  // kUnauthorized when it is kStopped, kBug (called_from_handler).
  Status wait_connected(std::chrono::milliseconds timeout);

 private:
  struct Impl;  // sockets and keys end here
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace signet
