#include "signet/commands/command_tree.h"

namespace signet::cli {

CommandTree::CommandTree() : root_("signet: messages between people and agents, sealed", "signet") {
  root_.fallthrough();  // global options may stand behind the command too
  root_.require_subcommand(1);
}

CLI::App& CommandTree::noun(const std::string& name, const std::string& description) {
  CLI::App& noun = *root_.add_subcommand(name, description);
  noun.require_subcommand(1);
  return noun;
}

CLI::App& CommandTree::command(CLI::App& parent, const std::string& name,
                               const std::string& description, Run run) {
  CLI::App& command = *parent.add_subcommand(name, description);
  runs_.emplace(&command, std::move(run));
  return command;
}

const Run* CommandTree::chosen() const {
  const CLI::App* app = &root_;
  for (auto inner = app->get_subcommands(); !inner.empty(); inner = app->get_subcommands()) {
    app = inner.front();
  }
  const auto found = runs_.find(app);
  return found == runs_.end() ? nullptr : &found->second;
}

void add_examples(CLI::App& command, std::initializer_list<std::string_view> lines) {
  std::string text = "Examples:";
  for (const std::string_view line : lines) text.append("\n  ").append(line);
  command.footer(text);
}

}  // namespace signet::cli
