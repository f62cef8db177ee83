#include "signetd/preflight.h"

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "crypto/wipe.h"
#include "net/tls_server_context.h"
#include "signetd/module_options.h"
#include "signetd/overlay_options.h"
#include "signetd/secret_file.h"

namespace signet {
namespace {

Status check_tls(const config::Config& config, bool dev) {
  const auto tls = module_options(config, dev).net.tls;
  if (!tls) return Done{};
  const auto loaded = net::TlsServerContext::load(*tls);
  if (loaded.ok()) return Done{};
  return Error{loaded.error().code, "tls: " + loaded.error().detail};
}

Status check_overlay(const config::Config& config) {
  SIGNET_TRY(auto key, overlay_key(config));
  if (key) crypto::wipe(*key);
  SIGNET_TRY([[maybe_unused]] const auto options, overlay_options(config));
  return Done{};
}

// The daemon makes the file where there is none, so a folder is enough.
Status check_log_key(const config::Config& config) {
  const std::string& path = config.text("audit.key_file");
  if (path.empty()) return Done{};
  std::error_code none;
  if (std::filesystem::exists(path, none)) {
    const auto key = secret_key(path);
    if (key.ok()) return Done{};
    return Error{key.error().code, "audit.key_file: " + key.error().detail};
  }
  const auto folder = std::filesystem::absolute(path, none).parent_path();
  if (std::filesystem::is_directory(folder, none)) return Done{};
  return Error{ErrorCode::kNotFound,
               "audit.key_file: there is no folder " + folder.string() + " to make it in"};
}

}  // namespace

Status check_files(const config::Config& config, bool dev) {
  SIGNET_TRY([[maybe_unused]] const Done tls, check_tls(config, dev));
  SIGNET_TRY([[maybe_unused]] const Done overlay, check_overlay(config));
  return check_log_key(config);
}

std::vector<std::string> idle_settings(const config::Config& config, const broker::Rules& rules,
                                       const std::function<bool(std::string_view)>& has_mesh) {
  std::vector<std::string> idle;
  for (const broker::Binding& binding : rules.bindings) {
    if (has_mesh(binding.mesh)) continue;
    idle.push_back("server.bindings: there is no mesh \"" + binding.mesh +
                   "\"; until there is, who asks for what is bound to it is answered 404");
  }
  const auto overlay =
      std::find_if(rules.bindings.begin(), rules.bindings.end(),
                   [](const broker::Binding& each) { return each.dialect == "overlay"; });
  if (overlay == rules.bindings.end()) return idle;
  auto key = overlay_key(config);
  if (key.ok() && *key) {
    crypto::wipe(**key);
  } else {
    idle.push_back("server.bindings: the overlay of \"" + overlay->mesh +
                   "\" is off: it needs overlay.key_file");
  }
  return idle;
}

}  // namespace signet
