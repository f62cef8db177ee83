#include "signet/bench/host.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <string>

#include "client/http.h"
#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

constexpr std::string_view kResident = "process_resident_memory_bytes ";
constexpr std::chrono::milliseconds kMetricsTimeout{2'000};  // figures do not wait for a figure
constexpr std::uint64_t kOtherFiles = 32;                    // standard streams, libraries

std::chrono::nanoseconds time_of(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

}  // namespace

std::chrono::nanoseconds own_cpu_time() {
  rusage usage{};
  (void)getrusage(RUSAGE_SELF, &usage);
  return time_of(usage.ru_utime) + time_of(usage.ru_stime);
}

std::optional<std::uint64_t> own_resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t all = 0, resident = 0;
  if (!(statm >> all >> resident)) return std::nullopt;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

std::optional<std::uint64_t> broker_resident_bytes(const client::Url& url, const TlsTrust& trust) {
  client::Url metrics = url;
  metrics.path = "/metrics";
  client::HttpOptions options;
  options.tls = {trust.ca_file, "", trust.allow_tls12};
  const auto answer = client::http_request(metrics, "GET", "", kMetricsTimeout, options);
  if (!answer.ok() || answer->status != 200) return std::nullopt;
  return resident_bytes_in(answer->body);
}

std::optional<std::uint64_t> resident_bytes_in(std::string_view metrics) {
  std::size_t at = metrics.starts_with(kResident) ? 0 : metrics.find("\n" + std::string(kResident));
  if (at == std::string_view::npos) return std::nullopt;
  if (metrics[at] == '\n') ++at;
  metrics.remove_prefix(at + kResident.size());
  constexpr double kMost = 1e18;
  double bytes = 0;
  const auto read = std::from_chars(metrics.data(), metrics.data() + metrics.size(), bytes);
  if (read.ec != std::errc() || !(bytes > 0 && bytes < kMost)) return std::nullopt;
  return static_cast<std::uint64_t>(bytes);
}

Status allow_connections(std::uint64_t count) {
  rlimit limit{};
  (void)getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t wanted = count + kOtherFiles;
  if (limit.rlim_cur >= wanted) return Done{};
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (limit.rlim_cur == wanted && setrlimit(RLIMIT_NOFILE, &limit) == 0) return Done{};
  return failure(ErrorCode::kUnavailable, "too_many_files",
                 "the system allows this process " + std::to_string(limit.rlim_max) +
                     " open files, too few for " + std::to_string(count) + " peers",
                 "Take fewer peers, or raise the limit: ulimit -Hn");
}

}  // namespace signet::cli
