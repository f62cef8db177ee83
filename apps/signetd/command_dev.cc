#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "base/log.h"
#include "demo/demo.h"
#include "signetd/commands.h"
#include "signetd/dev_mesh.h"
#include "signetd/serve.h"
#include "wire/json.h"

namespace signet {
namespace {

constexpr std::string_view kDevIssuer = "signet-dev";  // of tokens, where none is configured

std::string ready_line(const Daemon& daemon, const DevMesh& dev) {
  wire::JsonWriter json;
  json.object().key("ready").value(true).key("pid").value(std::int64_t{getpid()});
  json.key("listen").value(daemon.addresses().front().text());
  json.key("http").value(dev.http).key("ws").value(dev.ws);
  if (const auto& address = daemon.operator_address()) {
    json.key("operators").value("http://" + address->text());
  }
  if (!daemon.socket().empty()) json.key("socket").value(daemon.socket());
  json.key("mesh").object().key("id").value(dev.mesh.id).key("slug").value(dev.mesh.slug);
  json.key("owner_pubkey").value(crypto::to_hex(*dev.mesh.owner)).end();
  json.key("invite").value(dev.invite).key("operator_token").value(dev.operator_token).end();
  return json.take();
}

// With a person watching, the log goes to a file beside the data.
std::string log_to_file(const std::string& data) {
  std::string path = data + "/signetd.log";
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file >= 0) set_log_descriptor(file);
  return path;
}

// A certificate for a try is of one's own authority, which the demonstration would not believe.
Status demonstrate(const DevMesh& dev, bool colour) {
  if (dev.ws.starts_with("wss:")) return Done{};
  std::cout << "The main job, once:\n";
  return show_main_job(dev.invite, std::cout, colour);
}

int show(const DevMesh& dev, const std::string& data, const std::string& log_path) {
  const bool colour = isatty(STDOUT_FILENO) != 0;
  const std::string bold = colour ? "\033[1m" : "";
  const std::string plain = colour ? "\033[0m" : "";
  std::cout << bold << "Signet listens on " << dev.http << plain << " (data in " << data
            << ", log in " << log_path << ")\n\n";
  const Status shown = demonstrate(dev, colour);
  if (!shown.ok()) {
    std::cerr << "signetd: the demonstration stopped: " << shown.error().detail << "\n";
    return EXIT_FAILURE;
  }
  std::cout << "\n"
            << bold << "Invite" << plain << " (peers join mesh `" << dev.mesh.slug
            << "` with it):\n  " << dev.invite << "\n\n"
            << bold << "Next" << plain << ", in another terminal:\n"
            << "  build/release/signet demo '<invite>'       show it again\n"
            << "  curl -s " << dev.http << "/health           how it is\n"
            << "  curl -s " << dev.http << "/metrics          what it counts\n"
            << "  build/release/signetd config doc            every setting and its reason\n\n"
            << "Serving. Ctrl-C ends it; what is undelivered waits in " << data << "." << std::endl;
  return EXIT_SUCCESS;
}

// What a dev broker is given of its own where nothing else is configured.
Status add_own_secrets(const config::Config& config, config::Sources& sources) {
  const auto add = [&](config::SecretName secret, const char* setting, const char* file) -> Status {
    if (!config.secret(secret).empty()) return Done{};
    SIGNET_TRY(const std::string path, dev_secret_file(config.text("server.data"), file));
    sources.flags.push_back({setting, path, "dev"});
    return Done{};
  };
  SIGNET_TRY([[maybe_unused]] const Done operators,
             add("admin.token", "admin.token_file", "operator.token"));
  SIGNET_TRY([[maybe_unused]] const Done actions,
             add("hub.action_secret", "hub.action_secret_file", "hub.actions.secret"));
  SIGNET_TRY([[maybe_unused]] const Done engines,
             add("hub.engine_secret", "hub.engine_secret_file", "hub.engines.secret"));
  SIGNET_TRY([[maybe_unused]] const Done overlay,
             add("overlay.key", "overlay.key_file", "overlay.key"));
  if (!config.text("tokens.keys").empty()) return Done{};
  if (config.text("tokens.issuer").empty()) {
    sources.flags.push_back({"tokens.issuer", std::string(kDevIssuer), "dev"});
  }
  return add("tokens.secret", "tokens.secret_file", "tokens.secret");
}

Result<config::Config> load_dev(config::Sources& sources) {
  SIGNET_TRY(const config::Config first, config::load(sources));
  SIGNET_TRY([[maybe_unused]] const Done added, add_own_secrets(first, sources));
  return config::load(sources);
}

}  // namespace

int run_dev(DevOptions options) {
  const auto fail = [](const Error& error) {
    std::cerr << "signetd: can't start: " << error.detail << "\n";
    return EXIT_FAILURE;
  };
  const auto config = load_dev(options.sources);
  if (!config.ok()) return fail(config.error());
  apply_live(*config);
  const std::string& data = config->text("server.data");
  const std::string log_path = options.show ? log_to_file(data) : std::string();
  for (const std::string& warning : config->warnings()) {
    log(LogLevel::kWarn, "config.warning", {{"detail", warning}});
  }
  WatchedFiles files(*config);
  block_signals();
  const auto daemon = Daemon::create(*config, true, options.slug);
  if (!daemon.ok()) return fail(daemon.error());
  const auto dev = make_dev_mesh(**daemon, *config, options.slug);
  if (!dev.ok()) return fail(dev.error());
  if (const Status opened = (*daemon)->open_overlay(*config); !opened.ok()) {
    return fail(opened.error());
  }
  close_sandbox(*config);
  (*daemon)->serve();
  if (options.ready_json) std::cout << ready_line(**daemon, *dev) << std::endl;
  if (options.show && show(*dev, data, log_path) != EXIT_SUCCESS) return EXIT_FAILURE;
  serve_until_signal(**daemon, *config, options.sources, std::move(files));
  return EXIT_SUCCESS;
}

}  // namespace signet
