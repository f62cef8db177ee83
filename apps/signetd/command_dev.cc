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

std::string ready_line(const Daemon& daemon, const DevMesh& dev) {
  wire::JsonWriter json;
  json.object().key("ready").value(true).key("pid").value(std::int64_t{getpid()});
  json.key("listen").value(daemon.addresses().front().text());
  json.key("http").value(dev.http).key("ws").value(dev.ws);
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

int show(const DevMesh& dev, const std::string& data, const std::string& log_path) {
  const bool colour = isatty(STDOUT_FILENO) != 0;
  const std::string bold = colour ? "\033[1m" : "";
  const std::string plain = colour ? "\033[0m" : "";
  std::cout << bold << "Signet listens on " << dev.http << plain << " (data in " << data
            << ", log in " << log_path << ")\n\n"
            << "The main job, once:\n";
  const Status shown = show_main_job(dev.invite, std::cout, colour);
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

// The operator token of a dev broker is its own unless one is configured.
Result<config::Config> load_dev(config::Sources& sources) {
  SIGNET_TRY(const config::Config first, config::load(sources));
  if (!first.secret("admin.token").empty()) return first;
  SIGNET_TRY(const std::string file, dev_token_file(first.text("server.data")));
  sources.flags.push_back({"admin.token_file", file, "dev"});
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
  block_signals();
  const auto daemon = Daemon::create(*config, true);
  if (!daemon.ok()) return fail(daemon.error());
  const auto dev = make_dev_mesh(**daemon, *config, options.slug);
  if (!dev.ok()) return fail(dev.error());
  (*daemon)->serve();
  if (options.ready_json) std::cout << ready_line(**daemon, *dev) << std::endl;
  if (options.show && show(*dev, data, log_path) != EXIT_SUCCESS) return EXIT_FAILURE;
  serve_until_signal(**daemon, *config, options.sources);
  return EXIT_SUCCESS;
}

}  // namespace signet
