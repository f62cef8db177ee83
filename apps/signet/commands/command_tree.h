// CommandTree is the program's commands: CLI11's tree, and beside each command what runs it. Help,
// the reference page and completions are all read from this tree.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "signet/result.h"

namespace signet::cli {

struct Context;

// What a command does. A failure becomes the sentence and the exit code.
using Run = std::function<Status(Context&)>;

class CommandTree {
 public:
  CommandTree();

  CLI::App& root() { return root_; }
  const CLI::App& root() const { return root_; }

  // A noun that has commands of its own: `signet mesh …`.
  CLI::App& noun(const std::string& name, const std::string& description);
  // A command. What `run` captures must live as long as it: options go into a shared_ptr.
  CLI::App& command(CLI::App& parent, const std::string& name, const std::string& description,
                    Run run);
  CLI::App& command(const std::string& name, const std::string& description, Run run) {
    return command(root_, name, description, std::move(run));
  }

  // The innermost command that was named. Null when it is a noun without its command.
  const Run* chosen() const;

 private:
  CLI::App root_;
  std::unordered_map<const CLI::App*, Run> runs_;
};

// A command's example lines, shown by --help and in the reference.
void add_examples(CLI::App& command, std::initializer_list<std::string_view> lines);

}  // namespace signet::cli
