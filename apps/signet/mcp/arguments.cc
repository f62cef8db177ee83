#include "signet/mcp/arguments.h"

#include <algorithm>

namespace signet::mcp {

using wire::JsonKind;
using wire::JsonValue;
using wire::JsonWriter;

namespace {

std::string one_of(const std::vector<std::string_view>& choices) {
  std::string list;
  for (const auto choice : choices) list.append(list.empty() ? "" : ", ").append(choice);
  return list;
}

std::string names_of(const std::vector<Argument>& table) {
  std::vector<std::string_view> names;
  names.reserve(table.size());
  for (const Argument& each : table) names.push_back(each.name);
  return names.empty() ? "none" : one_of(names);
}

// What the argument takes, said where it is something else; empty where the value fits.
std::string complaint(const Argument& rule, JsonValue value) {
  switch (rule.kind) {
    case ArgumentKind::kText: {
      const auto text = value.string();
      if (text && !text->empty() && text->size() <= rule.max_bytes) return {};
      return "a text of 1 to " + std::to_string(rule.max_bytes) + " bytes";
    }
    case ArgumentKind::kChoice: {
      const auto text = value.string();
      const auto& all = rule.choices;
      if (text && std::find(all.begin(), all.end(), *text) != all.end()) return {};
      return "one of " + one_of(all);
    }
    case ArgumentKind::kSeconds: {
      const auto seconds = value.number();
      if (seconds && *seconds >= 0 && *seconds <= rule.max_seconds) return {};
      return "a number from 0 to " + std::to_string(rule.max_seconds);
    }
  }
  return {};
}

Error bad(std::string_view sentence) {
  return Error{ErrorCode::kMalformed, "bad_arguments: " + std::string(sentence)};
}

void write_rule(JsonWriter& out, const Argument& rule) {
  out.key(rule.name).object();
  if (rule.kind == ArgumentKind::kSeconds) {
    out.key("type").value("number").key("minimum").value(0);
    out.key("maximum").value(rule.max_seconds);
  } else {
    out.key("type").value("string");
  }
  if (rule.kind == ArgumentKind::kText) {
    out.key("minLength").value(1).key("maxLength").value(std::uint64_t{rule.max_bytes});
  }
  if (rule.kind == ArgumentKind::kChoice) {
    out.key("enum").array();
    for (const auto choice : rule.choices) out.value(choice);
    out.end();
  }
  out.key("description").value(rule.meaning).end();
}

}  // namespace

Result<Arguments> Arguments::read(const std::vector<Argument>& table, JsonValue given) {
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto known = std::find_if(table.begin(), table.end(),
                                    [&](const Argument& a) { return a.name == given.key(i); });
    if (known == table.end()) {
      // A name that nobody knows is the caller's own text: short enough to be shown.
      return bad("there is no argument " + std::string(given.key(i).substr(0, 64)) +
                 "; the arguments are: " + names_of(table));
    }
  }
  for (const Argument& rule : table) {
    const JsonValue value = given[rule.name];
    if (!value && !rule.is_required) continue;
    const std::string wrong = complaint(rule, value);
    if (!wrong.empty()) return bad(std::string(rule.name) + " must be " + wrong);
  }
  return Arguments(given);
}

std::string input_schema(const std::vector<Argument>& table) {
  JsonWriter out;
  out.object().key("type").value("object");
  out.key("properties").object();
  for (const Argument& rule : table) write_rule(out, rule);
  out.end().key("required").array();
  for (const Argument& rule : table) {
    if (rule.is_required) out.value(rule.name);
  }
  return out.end().key("additionalProperties").value(false).end().take();
}

}  // namespace signet::mcp
