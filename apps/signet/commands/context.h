// Context is what every command is given: where to say things, where the files are, and what the
// global options chose.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>

#include "signet/client.h"
#include "signet/profile/profiles.h"
#include "signet/result.h"
#include "signet/terminal/output.h"

namespace signet::cli {

// Waiting for an answer of the broker, where no option says otherwise: a person is waiting too.
inline constexpr std::chrono::milliseconds kAnswerTimeout{10'000};

struct Context {
  Output out;
  Paths paths;
  std::string mesh;  // --mesh
  TlsTrust trust;    // --ca-file, --allow-tls12
  bool yes = false;  // --yes: nobody is asked

  // The memberships here. Where there are none, claudemesh's are taken over, once, and it says so.
  Result<Profiles> profiles();
  // The one that --mesh, or `named` before it, chooses.
  Result<Profile> profile(std::string_view named = {});

  // Asks on the terminal; true without asking for --yes. Fails kMalformed (usage) where nobody can
  // be asked.
  Result<bool> confirm(std::string_view question) const;
};

// A client of the profile, connecting. `handlers` as in client.h.
Result<std::unique_ptr<Client>> open_client(Context& context, const Profile& profile,
                                            Handlers handlers = {});
// The same, connected, with a progress line while that takes time.
Result<std::unique_ptr<Client>> connect_client(Context& context, const Profile& profile,
                                               std::chrono::milliseconds timeout = kAnswerTimeout);

// Says the status and the summary that `signet status set` and `signet summary set` left for the
// sessions of this member that stay.
Status say_wishes(Client& client, const Profile& profile);

}  // namespace signet::cli
