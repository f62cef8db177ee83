#include "signet/commands/commands.h"
#include "signet/commands/tree_walk.h"

namespace signet::cli {
namespace {

constexpr std::string_view kHead =
    R"(# Commands

Made by `signet reference` from the program itself; a test compares the two. `signet COMMAND --help`
says the same in a terminal.

## Output
Tables and sentences for people; with `-o json` one JSON document on standard output, with `-o jsonl`
one object a line for what is a list or a stream (`listen -o json` is a stream too). In both, standard
output holds nothing but JSON (scripts of `completion` aside): `{"ok":true,…}`, or when the command failed

    {"ok":false,"error":CODE,"message":SENTENCE,"advice":WHAT TO DO,"exit":NUMBER}

as the last object. Standard error has the sentence and the advice in every format. `CODE` is stable;
sentences may change. Control characters in names and texts of others come out as `\u001b` and the like.
`mcp`, `mcp install`, `completion` and `reference` print what their readers need, whatever `-o` says.

| exit | meaning |
| --- | --- |
| 0 | done |
| 1 | failed: something is broken or makes no sense |
| 2 | usage: the command line is wrong |
| 3 | not found: no such mesh, member, invite, file |
| 4 | denied: not proven, not allowed, or open to others |
| 5 | unavailable: the broker or the disk can't now; try again |
| 6 | conflict: something that is there stands in the way |

## Files
| file | what is in it |
| --- | --- |
| `$XDG_CONFIG_HOME/signet/config.json` (`~/.config`) | memberships with their secret keys |
| `$XDG_CONFIG_HOME/signet/owners.json` | keys of the meshes that were made here |
| `$XDG_STATE_HOME/signet/SLUG-KEY.db` (`~/.local/state`) | outbox, inbox, known keys of others |
| `$XDG_STATE_HOME/signet/invites.json` | links that were issued here |

All are mode 0600, and refused when others may read them. Where no mesh is joined,
`~/.claudemesh/config.json` is taken over, once.
)";

void append(std::string& out, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) out += part;
}

std::string upper(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return text;
}

std::string argument_text(const CLI::Option& option) {
  const std::string name = upper(option.get_single_name());
  return option.get_required() ? name : "[" + name + "]";
}

std::string type_text(const CLI::Option& option) {
  if (is_flag(option)) return {};
  const std::string type = option.get_type_name();
  if (!choices_of(option).empty()) return " VALUE";
  return " " + type.substr(0, type.find_first_of(":("));
}

std::string option_text(const CLI::Option& option) {
  std::string text;
  for (const std::string& name : option.get_snames()) text += "-" + name + ", ";
  for (const std::string& name : option.get_lnames()) text += "--" + name;
  return text + type_text(option);
}

std::string meaning_text(const CLI::Option& option) {
  std::string text = option.get_description();
  const std::string choices = choices_of(option);
  if (!choices.empty()) text += ": `" + choices + "`";
  const bool has_default = !option.get_default_str().empty() && !is_flag(option);
  if (has_default) text += " (default `" + option.get_default_str() + "`)";
  if (!option.get_positional() && option.get_required()) text += " (needed)";
  if (!option.get_envname().empty()) text += " (or `" + option.get_envname() + "`)";
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

bool is_help(const CLI::Option& option) { return option.check_lname("help"); }

void append_options(std::string& out, const CLI::App& app) {
  std::string rows;
  for (const bool positional : {true, false}) {
    for (const CLI::Option* option : app.get_options()) {
      if (option->get_positional() != positional || is_help(*option)) continue;
      append(rows, {"| `", positional ? upper(option->get_single_name()) : option_text(*option),
                    "` | ", meaning_text(*option), " |\n"});
    }
  }
  if (!rows.empty()) append(out, {"\n| | |\n| --- | --- |\n", rows});
}

std::string usage_text(const std::string& path, const CLI::App& app) {
  std::string text = "signet " + path;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) text += " " + argument_text(*option);
  }
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional() && option->get_required()) text += " " + option_text(*option);
  }
  return text;
}

void append_examples(std::string& out, const CLI::App& app) {
  const std::string footer = app.get_footer();
  const auto lines = footer.find('\n');
  if (lines == std::string::npos) return;
  out += "\n";
  std::string rest = footer.substr(lines + 1) + "\n";
  for (std::size_t end = rest.find('\n'); end != std::string::npos; end = rest.find('\n')) {
    append(out, {"    ", rest.substr(2, end - 2), "\n"});
    rest.erase(0, end + 1);
  }
}

std::string page(const CLI::App& root) {
  std::string out(kHead);
  out += "\n## Global options\nThey may stand before or behind the command.\n";
  append_options(out, root);
  walk(root, [&out](const std::string& path, const CLI::App& app) {
    const bool is_noun = app.get_require_subcommand_min() > 0;
    append(out, {"\n", path.find(' ') == std::string::npos ? "## " : "### ", path, "\n"});
    if (!is_noun) append(out, {"`", usage_text(path, app), "`\n\n"});
    std::string description = app.get_description();
    description.front() = upper(description.substr(0, 1)).front();
    append(out, {description, ".\n"});
    append_options(out, app);
    append_examples(out, app);
  });
  return out;
}

}  // namespace

void add_reference(CommandTree& tree) {
  tree.command("reference", "print docs/commands.md",
               [&tree](Context& context) -> Status {
                 context.out.text(page(tree.root()));
                 return Done{};
               })
      .group("");
}

}  // namespace signet::cli
