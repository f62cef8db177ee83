#include <set>

#include "signet/commands/commands.h"
#include "signet/commands/tree_walk.h"

namespace signet::cli {
namespace {

std::string words_of(const CLI::App& app, const CLI::App& root) {
  std::string words;
  const auto add = [&words](const std::string& word) {
    words += (words.empty() ? "" : " ") + word;
  };
  for (const CLI::App* inner : visible_commands(app)) add(inner->get_name());
  std::set<std::string> seen;
  for (const CLI::App* from : {&app, &root}) {
    for (const CLI::Option* option : from->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        if (seen.insert(name).second) add("--" + name);
      }
    }
  }
  return words;
}

struct Lines {
  std::string paths;   // the commands that can be walked into: `" mesh"|" mesh create"`
  std::string words;   // case arms: path → what may come
  std::string values;  // case arms: option → its values
};

void add_values(const CLI::App& app, std::set<std::string>& seen, Lines& lines) {
  for (const CLI::Option* option : app.get_options()) {
    const std::string values = choices_of(*option);
    if (values.empty() || option->get_lnames().empty()) continue;
    std::string pattern = "--" + option->get_lnames().front();
    for (const std::string& name : option->get_snames()) pattern.append("|-").append(name);
    if (!seen.insert(pattern).second) continue;
    lines.values.append("    ").append(pattern).append(") offers='").append(values);
    lines.values += "' ;;\n";
  }
}

Lines lines_of(const CLI::App& root) {
  Lines lines;
  std::set<std::string> seen;
  lines.words = "    '') offers='" + words_of(root, root) + "' ;;\n";
  add_values(root, seen, lines);
  walk(root, [&](const std::string& path, const CLI::App& app) {
    lines.paths += (lines.paths.empty() ? "" : "|") + ("' " + path + "'");
    lines.words += "    ' " + path + "') offers='" + words_of(app, root) + "' ;;\n";
    add_values(app, seen, lines);
  });
  return lines;
}

std::string body(const Lines& lines, const std::string& word, const std::string& before) {
  return "  for word in " + word + "; do\n" + "    case \"$walked $word\" in\n      " +
         lines.paths + ") walked=\"$walked $word\" ;;\n" +
         "    esac\n  done\n  case \"$walked\" in\n" + lines.words + "  esac\n  case \"" + before +
         "\" in\n" + lines.values + "  esac\n";
}

std::string bash_script(const CLI::App& root) {
  return "# Completion of signet for bash. Now: eval \"$(signet completion bash)\"\n"
         "# For good: signet completion bash > ~/.local/share/bash-completion/completions/signet\n"
         "_signet() {\n"
         "  local walked='' word offers=''\n" +
         body(lines_of(root), "\"${COMP_WORDS[@]:1:COMP_CWORD-1}\"",
              "${COMP_WORDS[COMP_CWORD-1]}") +
         "  COMPREPLY=($(compgen -W \"$offers\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
         "}\n"
         "complete -o default -F _signet signet\n";
}

std::string zsh_script(const CLI::App& root) {
  return "#compdef signet\n"
         "# Completion of signet for zsh. Now: eval \"$(signet completion zsh)\"\n"
         "# For good: save it as _signet in a folder of $fpath.\n"
         "_signet() {\n"
         "  local walked='' word offers=''\n"
         "  local -a typed=(\"${(@)words[2,CURRENT-1]}\")\n"
         "  local before=\"${words[CURRENT-1]}\" offers=''\n" +
         body(lines_of(root), "\"${typed[@]}\"", "$before") +
         "  compadd -- ${=offers}\n"
         "  _files\n"
         "}\n"
         "compdef _signet signet\n";
}

}  // namespace

void add_completion(CommandTree& tree) {
  auto shell = std::make_shared<std::string>();
  CLI::App& command = tree.command(
      "completion", "print the script that completes commands in a shell",
      [shell, &tree](Context& context) -> Status {
        context.out.text(*shell == "bash" ? bash_script(tree.root()) : zsh_script(tree.root()));
        return Done{};
      });
  command.add_option("shell", *shell, "which")->required()->check(CLI::IsMember({"bash", "zsh"}));
  add_examples(command, {"eval \"$(signet completion bash)\""});
}

}  // namespace signet::cli
