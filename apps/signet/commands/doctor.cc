#include "signet/commands/commands.h"
#include "signet/doctor/findings.h"
#include "signet/terminal/failure.h"
#include "signet/terminal/progress.h"
#include "signet/terminal/text.h"

namespace signet::cli {
namespace {

std::string_view word_of(Health health) {
  switch (health) {
    case Health::kOk:
      return "ok";
    case Health::kWarning:
      return "warning";
    case Health::kWrong:
      break;
  }
  return "wrong";
}

void append(std::vector<Finding>& findings, std::vector<Finding> more, const std::string& mesh) {
  for (Finding& each : more) {
    each.mesh = mesh;
    findings.push_back(std::move(each));
  }
}

std::string painted(const Output& out, Health health) {
  const std::string word(word_of(health));
  const std::string padded = word + std::string(9 - word.size(), ' ');
  if (health == Health::kOk) return out.paint("\033[32m", padded);
  return out.paint(health == Health::kWarning ? "\033[33m" : "\033[31m", padded);
}

void show_to_people(Output& out, const std::vector<Finding>& findings) {
  for (const Finding& each : findings) {
    const std::string where = each.mesh.empty() ? each.check : each.mesh + " " + each.check;
    out.item(painted(out, each.health) + printable_line(where + ": " + each.what), {});
    if (!each.advice.empty()) out.item("         → " + printable_line(each.advice), {});
  }
}

void show(Output& out, const std::vector<Finding>& findings, bool is_well) {
  if (out.is_for_people()) return show_to_people(out, findings);
  Table table{"findings",
              {{"check", ""}, {"mesh", ""}, {"health", ""}, {"what", ""}, {"advice", ""}},
              {},
              is_well};
  for (const Finding& each : findings) {
    table.rows.push_back({each.check, each.mesh.empty() ? Value() : Value(each.mesh),
                          std::string(word_of(each.health)), each.what,
                          each.advice.empty() ? Value() : Value(each.advice)});
  }
  out.list(table, "");
}

// A broken configuration is itself a finding, so the meshes are looked at only where it is whole.
std::vector<Finding> examine_meshes(Context& context) {
  std::vector<Finding> findings;
  auto profiles = context.profiles();
  if (!profiles.ok()) return findings;
  for (const Profile& profile : profiles->all) {
    if (!context.mesh.empty() && profile.slug != context.mesh) continue;
    const Progress progress("looking at " + profile.broker_url);
    std::vector<Finding> way = examine_way(profile, context.trust);
    const bool is_open = way.back().check != "dns" && way.back().check != "tcp" &&
                         !(way.back().check == "tls" && way.back().health == Health::kWrong);
    append(findings, std::move(way), profile.slug);
    if (is_open) append(findings, examine_member(context, profile), profile.slug);
  }
  if (profiles->all.empty()) {
    findings.push_back(
        {"config", {}, Health::kWarning, "no mesh is joined here", "Join one: signet join LINK"});
  }
  return findings;
}

Status doctor(Context& context) {
  if (!context.mesh.empty()) {
    SIGNET_TRY([[maybe_unused]] const Profile chosen, context.profile());
  }
  std::vector<Finding> findings = examine_files(context.paths);
  findings.push_back(examine_disk(context.paths));
  for (Finding& each : examine_meshes(context)) findings.push_back(std::move(each));
  bool is_well = true;
  for (const Finding& each : findings) is_well = is_well && each.health != Health::kWrong;
  show(context.out, findings, is_well);
  return is_well ? Status(Done{}) : Status(told_already());
}

}  // namespace

void add_doctor(CommandTree& tree) {
  CLI::App& command = tree.command(
      "doctor", "look at files, disk, clock, the way to each broker and its hello", doctor);
  add_examples(command, {"signet doctor", "signet doctor -o json"});
}

}  // namespace signet::cli
