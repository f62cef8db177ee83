// The half of findings.h that looks at the world.
#include <netdb.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <array>
#include <memory>

#include "apps/version.h"
#include "net/outgoing_socket.h"
#include "signet/doctor/findings.h"
#include "signet/profile/owners.h"
#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

constexpr std::chrono::milliseconds kReach{5'000};
constexpr std::size_t kMaxAnswer = 64 * 1024;
constexpr std::uint64_t kMiB = 1 << 20;
constexpr std::uint64_t kLittleRoom = 100 * kMiB;
constexpr std::uint64_t kNoRoom = 16 * kMiB;

Finding good(const char* check, std::string what) {
  return {check, {}, Health::kOk, std::move(what), {}};
}

// Nobody is sent to doctor from here.
Finding wrong(const char* check, const Error& error) {
  Told told = tell(error);
  if (told.advice.ends_with(kAskDoctor)) {
    told.advice.resize(told.advice.size() - kAskDoctor.size());
  }
  return {check, {}, Health::kWrong, std::move(told.message), std::move(told.advice)};
}

Finding examine_folder(const std::string& folder) {
  struct stat facts {};
  if (stat(folder.c_str(), &facts) != 0) return good("config", folder + " is not there yet");
  if ((facts.st_mode & 0077U) == 0) return good("config", folder + " is yours alone");
  const bool is_writable = (facts.st_mode & 0022U) != 0;
  return {"config",
          {},
          is_writable ? Health::kWrong : Health::kWarning,
          folder + (is_writable ? " can be written by others" : " can be looked into by others"),
          "Run: chmod 700 '" + folder + "'"};
}

template <class T>
Finding examine_file(const std::string& path, const Result<T>& read) {
  if (!read.ok()) return wrong("config", read.error());
  struct stat facts {};
  return good("config", path + (lstat(path.c_str(), &facts) == 0 ? " is yours alone and whole"
                                                                 : " is not there yet"));
}

Finding examine_key(const Profile& profile) {
  const auto membership = membership_of(profile);
  Finding finding = membership.ok() ? good("key", "the secret key fits the public one")
                                    : wrong("key", membership.error());
  finding.mesh = profile.slug;
  return finding;
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};

Finding examine_name(const client::Url& url) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int failed = getaddrinfo(url.host.c_str(), nullptr, &hints, &list);
  const std::unique_ptr<addrinfo, FreeAddresses> owned(list);
  if (failed == 0) return good("dns", url.host + " has an address");
  return {"dns",
          {},
          Health::kWrong,
          url.host + " has no address: " + gai_strerror(failed),
          "Is the name right, and does this machine have a network?"};
}

Result<std::string> ask_health(net::OutgoingSocket& socket, const client::Url& url) {
  const std::string request =
      "GET /health HTTP/1.1\r\nHost: " + url.authority() + "\r\nConnection: close\r\n\r\n";
  SIGNET_TRY([[maybe_unused]] const Done sent, socket.send_all(request, kReach));
  std::string answer;
  std::array<char, 4'096> chunk{};
  while (answer.size() < kMaxAnswer) {
    SIGNET_TRY(const std::size_t got, socket.receive(chunk, kReach));
    if (got == 0) break;
    answer.append(chunk.data(), got);
  }
  return answer;
}

void examine_tls(const net::OutgoingSocket& socket, std::vector<Finding>& findings) {
  const auto facts = socket.tls_facts();
  if (!facts) return;
  findings.push_back(good("tls", facts->version + " with " + facts->cipher));
  findings.push_back(certificate_finding(facts->not_after, system_clock().wall(), facts->subject));
}

void examine_health(net::OutgoingSocket& socket, const client::Url& url,
                    std::vector<Finding>& findings) {
  const auto answer = ask_health(socket, url);
  if (!answer.ok()) {
    findings.push_back(wrong("health", answer.error()));
    return;
  }
  const HealthAnswer health = read_health(*answer);
  if (health.state.empty()) {
    findings.push_back({"health",
                        {},
                        Health::kWrong,
                        "what answers there is no Signet broker",
                        "Look at the address of the broker: signet mesh show"});
    return;
  }
  if (health.state == "ok") {
    findings.push_back(good("health", "the broker is well"));
  } else {
    findings.push_back({"health",
                        {},
                        Health::kWrong,
                        "the broker says it is " + health.state,
                        "Tell its operator: /readyz says what is wrong."});
  }
  findings.push_back(version_finding(health.version, kVersion));
  findings.push_back(clock_finding(health.date, system_clock().wall()));
}

std::string mib(std::uint64_t bytes) { return std::to_string(bytes / kMiB) + " MiB"; }

}  // namespace

std::vector<Finding> examine_files(const Paths& paths) {
  std::vector<Finding> findings{examine_folder(paths.config_folder)};
  if (paths.state_folder != paths.config_folder) {
    findings.push_back(examine_folder(paths.state_folder));
  }
  const auto profiles = Profiles::load(paths);
  findings.push_back(examine_file(paths.config_file(), profiles));
  findings.push_back(examine_file(paths.owners_file(), load_owned(paths)));
  findings.push_back(examine_file(paths.invites_file(), load_invites(paths)));
  if (!profiles.ok()) return findings;
  for (const Profile& profile : profiles->all) findings.push_back(examine_key(profile));
  return findings;
}

Finding examine_disk(const Paths& paths) {
  // The folder, or the nearest one above it that is there.
  std::string folder = paths.state_folder;
  struct statvfs facts {};
  while (statvfs(folder.c_str(), &facts) != 0 && folder.size() > 1) {
    const auto slash = folder.rfind('/');
    folder = slash == 0 ? "/" : folder.substr(0, slash);
  }
  const std::uint64_t room = static_cast<std::uint64_t>(facts.f_bavail) * facts.f_frsize;
  Finding finding = good("disk", mib(room) + " are free at " + folder);
  if (room >= kLittleRoom) return finding;
  finding.health = room < kNoRoom ? Health::kWrong : Health::kWarning;
  finding.advice = "Make room: without it messages can be neither kept nor sent.";
  return finding;
}

std::vector<Finding> examine_way(const Profile& profile, const TlsTrust& trust) {
  std::vector<Finding> findings;
  const auto url = client::parse_url(profile.broker_url);
  if (!url.ok()) {
    findings.push_back(wrong("dns", url.error()));
  } else {
    findings.push_back(examine_name(*url));
  }
  if (findings.back().health == Health::kWrong) return findings;
  net::TcpEndpoint endpoint{.host = url->host, .port = url->port};
  if (url->secure) {
    endpoint.tls = net::TlsOptions{};
    endpoint.tls->ca_file = trust.ca_file.empty() ? profile.ca_file : trust.ca_file;
    endpoint.tls->allow_tls12 = trust.allow_tls12 || profile.allow_tls12;
  }
  auto socket = net::OutgoingSocket::connect(endpoint, kReach);
  if (!socket.ok()) {
    const bool is_tls = url->secure && socket.error().code != ErrorCode::kUnavailable;
    findings.push_back(wrong(is_tls ? "tls" : "tcp", socket.error()));
    findings.back().advice = is_tls ? "Name the authority of the broker: --ca-file FILE."
                                    : "Is the broker running, and is its port open to you?";
    return findings;
  }
  findings.push_back(good("tcp", url->authority() + " answers"));
  examine_tls(*socket, findings);
  examine_health(*socket, *url, findings);
  return findings;
}

std::vector<Finding> examine_member(Context& context, const Profile& profile) {
  auto client = open_client(context, profile);
  if (!client.ok()) return {wrong("state", client.error())};
  std::vector<Finding> findings{good("state", state_file(context.paths, profile) + " is healthy")};
  const auto waiting = (*client)->outbox();
  if (waiting.ok() && !waiting->empty()) {
    findings.push_back({"outbox",
                        {},
                        Health::kWarning,
                        std::to_string(waiting->size()) + " message(s) wait to be sent",
                        "They go out by themselves when the broker is there."});
  }
  const Status connected = (*client)->wait_connected(kReach);
  findings.push_back(connected.ok() ? good("hello", "the broker knows this member and lets it in")
                                    : wrong("hello", connected.error()));
  if (!connected.ok() && findings.back().advice.empty()) {
    findings.back().advice = "Look at the address of the broker: signet mesh show";
  }
  return findings;
}

}  // namespace signet::cli
