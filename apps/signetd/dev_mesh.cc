#include "signetd/dev_mesh.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "crypto/wipe.h"
#include "dialects/claudemesh_http.h"
#include "signetd/secret_file.h"

namespace signet {
namespace {

constexpr std::int64_t kInviteUses = 1'000'000;  // a test may join as often as it likes
constexpr std::int64_t kYearSeconds = 365LL * 24 * 3600;
constexpr std::int64_t kInviteYears = 10;

Result<std::string> dev_directory(const std::string& data) {
  const std::string path = data + "/dev";
  for (const std::string& each : {data, path}) {
    if (mkdir(each.c_str(), 0700) != 0 && errno != EEXIST) {
      return Error{ErrorCode::kUnavailable, each + ": " + std::strerror(errno)};
    }
  }
  return path;
}

// Where a peer on this machine reaches the broker: a wildcard address is not one to connect to.
std::string reachable(const net::PeerAddress& address) {
  std::string text = address.text();
  const std::string port = std::to_string(address.port);
  if (text == "0.0.0.0:" + port || text == "[::]:" + port) return "127.0.0.1:" + port;
  return text;
}

// The same for a year: a restart signs the invite it has, and so needs no room on a full disk.
std::int64_t invite_expiry(WallTime now) {
  return (now.ms / 1000 / kYearSeconds + 1 + kInviteYears) * kYearSeconds;
}

}  // namespace

Result<std::string> dev_secret_file(const std::string& data, const std::string& name) {
  SIGNET_TRY(const std::string directory, dev_directory(data));
  const std::string path = directory + "/" + name;
  SIGNET_TRY(std::string made, secret_text(path));
  crypto::wipe(made);
  return path;
}

Result<DevMesh> make_dev_mesh(Daemon& daemon, const config::Config& config,
                              const std::string& slug) {
  const std::string& data = config.text("server.data");
  SIGNET_TRY(const std::string directory, dev_directory(data));
  SIGNET_TRY(const auto owner, secret_key(directory + "/owner.key"));
  controller::MeshDeclaration declaration;
  declaration.slug = slug;
  declaration.owner = owner.public_key();
  declaration.max_connections = config.integer("claudemesh.max_connections");
  declaration.legacy_join = config.flag("claudemesh.legacy_join");
  DevMesh dev;
  SIGNET_TRY(dev.mesh, daemon.declare_mesh(declaration));
  const crypto::SecretText secret(config.secret("pulsemesh.secret").reveal());
  SIGNET_TRY([[maybe_unused]] const Done shared,
             daemon.declare_shared_secret(dev.mesh.number, secret));
  dev.operator_token = config.secret("admin.token").reveal();

  const std::string address = reachable(daemon.addresses().front());
  const std::string s = daemon.certificate_ends() ? "s" : "";
  dev.http = "http" + s + "://" + address;
  dev.ws = "ws" + s + "://" + address + "/ws";
  membership::InviteClaim claim{1,
                                dev.mesh.id,
                                slug,
                                dev.ws,
                                invite_expiry(system_clock().wall()),
                                dev.mesh.root_key,
                                "member",
                                crypto::to_hex(owner.public_key()),
                                ""};
  claim.signature = to_hex(owner.sign(bytes_of(membership::canonical_text(claim))));
  const std::string token = dialects::write_invite_token(claim);
  SIGNET_TRY([[maybe_unused]] const Done added, daemon.add_invite(claim, token, kInviteUses));
  dev.invite = "ic://join/" + token;
  return dev;
}

}  // namespace signet
