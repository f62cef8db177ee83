#include "signet/commands/context.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <optional>

#include "signet/profile/private_file.h"
#include "signet/terminal/progress.h"
#include "signet/terminal/text.h"
#include "signet/terminal/words.h"

namespace signet::cli {
namespace {

// What keeps the old file from being taken over is told now, and is the answer to a command that
// needs a mesh.
Status take_over(Context& context) {
  const std::string file = context.paths.claudemesh_file();
  const auto count = import_profiles(context.paths, file);
  if (!count.ok()) {
    return count.error().code == ErrorCode::kNotFound ? Status(Done{}) : Status(count.error());
  }
  if (*count > 0) {
    context.out.note("took over " + std::to_string(*count) + " mesh(es) from " + file);
  }
  return Done{};
}

}  // namespace

Result<Profiles> Context::profiles() {
  SIGNET_TRY(Profiles found, Profiles::load(paths));
  if (!found.all.empty() || found.imported) return found;
  SIGNET_TRY([[maybe_unused]] const Done tried, take_over(*this));
  return Profiles::load(paths);
}

Result<Profile> Context::profile(std::string_view named) {
  SIGNET_TRY(const Profiles all, profiles());
  return all.choose(named.empty() ? std::string_view(mesh) : named);
}

Result<bool> Context::confirm(std::string_view question) const {
  if (yes) return true;
  if (isatty(STDIN_FILENO) == 0) {
    return usage_error("nobody is there to be asked: " + std::string(question),
                       "Say --yes to go on without a question.");
  }
  std::fputs((printable_line(question) + " [y/N] ").c_str(), stderr);
  std::array<char, 16> answer{};
  const char* line = std::fgets(answer.data(), answer.size(), stdin);
  return line != nullptr && (answer[0] == 'y' || answer[0] == 'Y');
}

Result<std::unique_ptr<Client>> open_client(Context& context, const Profile& profile,
                                            Handlers handlers) {
  SIGNET_TRY([[maybe_unused]] const Done made, make_private_folder(context.paths.state_folder));
  SIGNET_TRY(Membership membership, membership_of(profile));
  ClientOptions options{.membership = std::move(membership),
                        .state_file = state_file(context.paths, profile),
                        .display_name = profile.display_name};
  options.trust.ca_file = context.trust.ca_file.empty() ? profile.ca_file : context.trust.ca_file;
  options.trust.allow_tls12 = context.trust.allow_tls12 || profile.allow_tls12;
  return Client::open(std::move(options), std::move(handlers));
}

Result<std::unique_ptr<Client>> connect_client(Context& context, const Profile& profile,
                                               std::chrono::milliseconds timeout) {
  SIGNET_TRY(auto client, open_client(context, profile));
  const Progress progress("connecting to " + profile.broker_url);
  SIGNET_TRY([[maybe_unused]] const Done connected, client->wait_connected(timeout));
  return client;
}

Status say_wishes(Client& client, const Profile& profile) {
  if (const auto activity = activity_from(profile.status)) {
    SIGNET_TRY([[maybe_unused]] const Done said, client.set_activity(*activity));
  }
  return client.set_summary(profile.summary);
}

}  // namespace signet::cli
