#include "signet/commands/commands.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/words.h"
#include "wire/utf8.h"

namespace signet::cli {
namespace {

constexpr std::size_t kMaxSummary = 2'048;  // of protocol/claudemesh.md

// Status and summary belong to a session, and this program's ends with it. So they are kept for the
// sessions that stay: a listener looks at them again and again.
Status keep(Context& context, const std::string& what, std::string Profile::*field,
            const std::string& value) {
  SIGNET_TRY(const Profile profile, context.profile());
  const auto change = [&](Profiles& all) -> Status {
    for (Profile& each : all.all) {
      if (each.mesh_id == profile.mesh_id && each.public_key == profile.public_key) {
        each.*field = value;
      }
    }
    return Done{};
  };
  SIGNET_TRY([[maybe_unused]] const Done kept, Profiles::change(context.paths, change));
  context.out.done("Kept for " + profile.slug + ": " + what +
                       (value.empty() ? " is none" : " " + value) +
                       ". Your `signet listen` says it within a second, and sessions that begin "
                       "later say it from "
                       "their start; a `signet mcp` that runs already keeps its own.",
                   {{"mesh", profile.slug},
                    {what, value},
                    {"appliesTo", std::vector<std::string>{"listen", "new sessions"}}});
  return Done{};
}

Status set_summary(Context& context, const std::string& text) {
  if (text.size() > kMaxSummary || !wire::is_utf8(text)) {
    return usage_error("a summary is UTF-8 text of at most 2,048 bytes");
  }
  return keep(context, "summary", &Profile::summary, text);
}

}  // namespace

void add_status(CommandTree& tree) {
  auto status = std::make_shared<std::string>();
  CLI::App& noun = tree.noun("status", "whether your sessions want to be disturbed");
  tree.command(
          noun, "set", "idle takes all mail; working and dnd take only what is `now`",
          [status](Context& context) { return keep(context, "status", &Profile::status, *status); })
      .add_option("status", *status, "which")
      ->required()
      ->check(CLI::IsMember({"idle", "working", "dnd"}));

  auto text = std::make_shared<std::string>();
  CLI::App& summary = tree.noun("summary", "what your sessions say they are doing");
  tree.command(summary, "set", "one line that others see in `signet peers`",
               [text](Context& context) { return set_summary(context, *text); })
      .add_option("text", *text, "the line; '' takes it away")
      ->required();
}

}  // namespace signet::cli
