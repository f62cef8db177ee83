#include "signetd/exposure.h"

#include <algorithm>

#include "net/forwarded.h"
#include "net/origin_list.h"

namespace signet {
namespace {

Error named(std::string_view setting, const Error& error) {
  return {error.code, std::string(setting) + ": " + error.detail};
}

std::vector<std::string> open_ways(const config::Config& config, bool dev) {
  std::vector<std::string> open;
  if (dev) open.emplace_back("dev mode");
  if (config.flag("claudemesh.legacy_join")) open.emplace_back("claudemesh.legacy_join");
  if (config.flag("simpatico.open")) open.emplace_back("simpatico.open");
  for (const config::MeshSetting& mesh : config.meshes()) {
    if (mesh.legacy_join) open.push_back("legacy_join of mesh " + mesh.slug);
    if (mesh.simpatico_open) open.push_back("simpatico_open of mesh " + mesh.slug);
  }
  return open;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string all;
  for (const std::string& part : parts) all += (all.empty() ? "" : ", ") + part;
  return all;
}

Status check_peers(const Exposure& exposure, const net::PeerAddress& address) {
  std::string why;
  if (!exposure.encrypted && !exposure.allow_plain) {
    why =
        "without tls.certificate all is said in the clear (server.allow_plain, where a proxy in "
        "front or the network itself encrypts)";
  }
  if (!exposure.open.empty() && !exposure.allow_open) {
    why += (why.empty() ? "" : ", and ") + joined(exposure.open) +
           " lets in who proves nothing (server.allow_open, where that is meant)";
  }
  if (why.empty()) return Done{};
  return Error{ErrorCode::kForbidden,
               "server.listen: " + address.text() + " is reached from other machines, but " + why};
}

}  // namespace

Result<Exposure> exposure_of(const config::Config& config, bool dev) {
  Exposure exposure;
  for (const std::string& text : config.list("server.listen")) {
    const auto address = net::parse_address(text);
    if (!address.ok()) return named("server.listen", address.error());
    exposure.listen.push_back(*address);
  }
  if (const std::string& text = config.text("admin.listen"); text != "none") {
    const auto address = net::parse_address(text);
    if (!address.ok()) return named("admin.listen", address.error());
    exposure.operators = *address;
  }
  const auto origins = net::OriginList::of(config.list("server.origins"));
  if (!origins.ok()) return named("server.origins", origins.error());
  const auto proxies = net::TrustedProxies::of(config.list("server.trusted_proxies"));
  if (!proxies.ok()) return named("server.trusted_proxies", proxies.error());
  exposure.encrypted = !config.text("tls.certificate").empty();
  exposure.allow_plain = config.flag("server.allow_plain");
  exposure.allow_open = config.flag("server.allow_open");
  exposure.open = open_ways(config, dev);
  return exposure;
}

Status check_exposure(const Exposure& exposure) {
  for (const net::PeerAddress& address : exposure.listen) {
    if (address.is_loopback()) continue;
    SIGNET_TRY([[maybe_unused]] const Done fine, check_peers(exposure, address));
  }
  if (!exposure.operators || exposure.operators->is_loopback()) return Done{};
  return Error{ErrorCode::kForbidden,
               "admin.listen: " + exposure.operators->text() +
                   " is reached from other machines, but metrics need no token there: an address "
                   "of loopback, or none"};
}

Status check_doors(const config::Config& config, bool dev) {
  SIGNET_TRY(const Exposure exposure, exposure_of(config, dev));
  return check_exposure(exposure);
}

}  // namespace signet
