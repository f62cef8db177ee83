// What `signet doctor` finds: each with what to do about it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "client/url.h"
#include "signet/commands/context.h"
#include "signet/profile/profiles.h"

namespace signet::cli {

enum class Health : std::uint8_t { kOk, kWarning, kWrong };

struct Finding {
  std::string
      check;  // stable: config, key, state, disk, dns, tcp, tls, health, version, clock, hello
  std::string mesh;  // empty: of no mesh
  Health health = Health::kOk;
  std::string what;
  std::string advice = {};
};

// The files of this person: rights, and whether they can be read.
std::vector<Finding> examine_files(const Paths& paths);
// Room where the state is.
Finding examine_disk(const Paths& paths);
// From the name to the health of the broker, in order, until something is wrong. One connection.
std::vector<Finding> examine_way(const Profile& profile, const TlsTrust& trust);
// Opens the state and says hello.
std::vector<Finding> examine_member(Context& context, const Profile& profile);

// --- pure ---
// The answer of /health, head and body, as it came.
struct HealthAnswer {
  int status = 0;
  std::optional<WallTime> date;  // of its Date header
  std::string version, state, git_sha;
};
HealthAnswer read_health(std::string_view answer);
// `Sun, 06 Nov 1994 08:49:37 GMT`; nullopt for anything else.
std::optional<WallTime> http_date(std::string_view text);
// Off by more than the 60 s that a hello may be: nobody is let in.
Finding clock_finding(std::optional<WallTime> theirs, WallTime ours);
Finding version_finding(std::string_view theirs, std::string_view ours);
Finding certificate_finding(WallTime not_after, WallTime now, const std::string& subject);

}  // namespace signet::cli
