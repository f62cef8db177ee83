// Is it alive, ready, and well?
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <fstream>

#include "admin/admin.h"
#include "base/log.h"
#include "wire/json.h"

namespace signet::admin {
namespace {

std::int64_t free_bytes(const std::string& directory) {
  struct statvfs disk {};
  if (statvfs(directory.c_str(), &disk) != 0) return 0;
  return static_cast<std::int64_t>(disk.f_bavail) * static_cast<std::int64_t>(disk.f_frsize);
}

// What the process holds of the machine's memory; 0 where the system does not say.
double resident_bytes() {
  std::int64_t size = 0;
  std::int64_t resident = 0;
  std::ifstream("/proc/self/statm") >> size >> resident;  // in pages
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// RFC 9110, section 5.6.7: what a client compares its own clock with, before a hello is refused.
std::string http_date(WallTime time) {
  const time_t second = static_cast<time_t>(time.ms / 1000);
  tm utc{};
  gmtime_r(&second, &utc);
  std::array<char, 64> text{};
  const std::size_t size =
      std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return std::string(text.data(), size);
}

}  // namespace

void Admin::publish_build(MetricRegistry& metrics) {
  metrics
      .gauge("signet_build_info", "1; the labels say what runs.",
             "version=\"" + options_.version + "\",git_sha=\"" + options_.git_sha + "\"")
      .set(1);
  metrics.gauge_from("process_resident_memory_bytes", "Resident memory in bytes.", &resident_bytes);
}

void Admin::health(const Call& call) {
  const auto uptime =
      std::chrono::duration_cast<std::chrono::seconds>(shared_.clock.elapsed() - started_);
  shared_.store.probe(control_.mailbox(), [this, reply = call.reply, uptime](const Status& store) {
    const bool full = !store.ok() && store.error().code == ErrorCode::kOverloaded;
    const std::string_view status = store.ok() ? "ok" : full ? "degraded" : "down";
    wire::JsonWriter json;
    json.object().key("status").value(status).key("db").value(store.ok() || full ? "up" : "down");
    json.key("version").value(options_.version).key("gitSha").value(options_.git_sha);
    json.key("uptime").value(std::int64_t{uptime.count()});
    if (overlay_) json.key("epoch_id").value(overlay_->epoch());
    json.end();
    auto response = json_response(store.ok() ? 200 : 503, json.take());
    response.headers.emplace_back("Date", http_date(shared_.clock.wall()));
    reply(std::move(response));
  });
}

// Ready to take work: the store commits, the disk has room, the clock did not just jump.
void Admin::ready(const Call& call) {
  const bool room = free_bytes(options_.data_directory) >= options_.min_free_bytes;
  const bool steady = clock_watch_.is_steady(shared_.clock.elapsed(), 2 * shared_.options.max_skew);
  shared_.store.probe(control_.mailbox(), [reply = call.reply, room, steady](const Status& store) {
    const bool ready = store.ok() && room && steady;
    wire::JsonWriter json;
    json.object().key("ready").value(ready).key("store").value(store.ok() ? "ok" : "failed");
    json.key("disk").value(room ? "ok" : "nearly full");
    json.key("clock").value(steady ? "ok" : "stepped").end();
    reply(json_response(ready ? 200 : 503, json.take()));
  });
}

void Admin::metrics(const Call& call) {
  net::HttpResponse response = text_response(200, registry_.prometheus());
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  call.reply(std::move(response));
}

void Admin::watch_clock() {
  const auto step = clock_watch_.observe(shared_.clock.wall(), shared_.clock.elapsed());
  if (!step) return;
  clock_steps_.add();
  log(LogLevel::kError, "clock.stepped", {{"by_ms", std::int64_t{step->count()}}});
}

}  // namespace signet::admin
