// engine BROKER_URL TOKEN_FILE SECRET_FILE [MILLISECONDS]: an engine of Hub that pretends to work:
// each job takes that long (1,000), one after the other, until SIGINT. What the broker takes back
// it drops, and a broker that goes away it waits for.
#include <signet/engine.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;

std::atomic<bool> stopping{false};

struct Work {
  signet::Job job;
  signet::JobHandle handle;
};

// Queue hands jobs from the engine's thread, which must not wait, to the one that works.
class Queue {
 public:
  void push(Work work) {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(work));
    came_.notify_one();
  }
  // Nullopt: none came for a while.
  std::optional<Work> next() {
    std::unique_lock lock(mutex_);
    came_.wait_for(lock, 100ms, [this] { return !waiting_.empty(); });
    if (waiting_.empty()) return std::nullopt;
    Work first = std::move(waiting_.front());
    waiting_.pop_front();
    return first;
  }

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<Work> waiting_;
};

void say(const std::string& line) {
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

int fail(const signet::Error& error) {
  std::fprintf(stderr, "engine: %s\n", error.detail.c_str());
  return 1;
}

signet::Result<std::string> first_line(const char* path) {
  std::ifstream file(path);
  std::string line;
  if (std::getline(file, line) && !line.empty()) return line;
  return signet::Error{signet::ErrorCode::kNotFound, "file_missing: " + std::string(path)};
}

// Fails as soon as the lease is over: what is left to do would be for nothing.
signet::Status do_job(const Work& work, std::chrono::milliseconds takes) {
  const auto& [job, handle] = work;
  const bool is_known =
      job.type == "BUILD_SCENE" || job.type == "LOAD_ASSETS" || job.type == "SPAWN_ENTITY";
  if (!is_known) return handle.fail("this engine does not know " + job.type);
  SIGNET_TRY([[maybe_unused]] const signet::Done began, handle.start());
  constexpr int kSteps = 4;
  for (int step = 1; step < kSteps; ++step) {
    std::this_thread::sleep_for(takes / kSteps);
    if (stopping) return signet::Done{};
    SIGNET_TRY([[maybe_unused]] const signet::Done heard, handle.progress(100.0 * step / kSteps));
    say("progress " + job.id + " " + std::to_string(100 * step / kSteps));
  }
  std::this_thread::sleep_for(takes / kSteps);
  return handle.complete(R"({"type":")" + job.type + R"(","bytes":)" +
                         std::to_string(job.payload.size()) + "}");
}

void show(const signet::ConnectionReport& report) {
  using State = signet::ConnectionReport::State;
  if (report.state == State::kConnected) say("connected");
  if (report.state == State::kWaiting) say("waiting " + report.why);
  if (report.state == State::kStopped) say("refused " + report.why);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: engine BROKER_URL TOKEN_FILE SECRET_FILE [MILLISECONDS]\n");
    return 2;
  }
  std::signal(SIGINT, [](int) { stopping = true; });
  std::signal(SIGTERM, [](int) { stopping = true; });
  const std::chrono::milliseconds takes{argc > 4 ? std::strtol(argv[4], nullptr, 10) : 1'000};
  const auto secret = first_line(argv[3]);
  if (!secret.ok()) return fail(secret.error());

  Queue queue;
  signet::EngineOptions options;
  options.broker_url = argv[1];
  options.token = [path = argv[2]] {
    return first_line(path);
  };  // whoever renews it writes it there
  options.secret = *secret;
  options.first_retry = 200ms;
  signet::EngineHandlers handlers;
  handlers.on_job = [&](const signet::Job& job, signet::JobHandle handle) {
    say("job " + job.id + " " + job.type);
    queue.push({job, std::move(handle)});
  };
  handlers.on_lost = [](const signet::LostJob& lost) {
    say("lost " + lost.job_id + " " + lost.why.detail);
  };
  handlers.on_connection = show;
  handlers.on_refused = [](const signet::Error& why) { say("not taken: " + why.detail); };
  auto engine = signet::Engine::open(std::move(options), std::move(handlers));
  if (!engine.ok()) return fail(engine.error());

  while (!stopping) {
    const auto work = queue.next();
    if (!work || !work->handle.held().ok()) continue;
    const signet::Status done = do_job(*work, takes);
    if (stopping) break;
    say((done.ok() ? "done " : "dropped ") + work->job.id);
  }
  engine->reset();  // what it has left goes to others at once
  say("bye");
  return 0;
}
