#include "signet/commands/tree_walk.h"

#include <algorithm>

namespace signet::cli {
namespace {

void walk_from(const CLI::App& app, const std::string& above,
               const std::function<void(const std::string&, const CLI::App&)>& visit) {
  for (const CLI::App* inner : visible_commands(app)) {
    const std::string path = above.empty() ? inner->get_name() : above + " " + inner->get_name();
    visit(path, *inner);
    walk_from(*inner, path, visit);
  }
}

}  // namespace

std::vector<const CLI::App*> visible_commands(const CLI::App& app) {
  std::vector<const CLI::App*> visible;
  for (const CLI::App* inner : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!inner->get_group().empty()) visible.push_back(inner);
  }
  return visible;
}

void walk(const CLI::App& app,
          const std::function<void(const std::string& path, const CLI::App& command)>& visit) {
  walk_from(app, "", visit);
}

// CLI11 keeps them only in its text for people: `TEXT:{idle,working,dnd}`.
std::string choices_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  const auto open = type.find('{');
  const auto close = type.find('}', open == std::string::npos ? 0 : open);
  if (open == std::string::npos || close == std::string::npos) return {};
  std::string choices = type.substr(open + 1, close - open - 1);
  std::replace(choices.begin(), choices.end(), ',', ' ');
  return choices;
}

bool is_flag(const CLI::Option& option) { return option.get_items_expected_max() == 0; }

}  // namespace signet::cli
