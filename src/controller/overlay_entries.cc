#include "controller/overlay_entries.h"

#include "crypto/fields.h"

namespace signet::controller {
namespace {

using audit::Draft;
using audit::Event;
using overlay::Judgement;
using overlay::Verdict;

constexpr std::string_view kDecisions = "overlay decisions";

Draft draft_of(Event event, MeshNumber mesh, std::string_view by) {
  Draft draft;
  draft.event = event;
  draft.mesh = mesh;
  draft.by = by;
  return draft;
}

// "allowed.good", "denied.too_old", "allowed.too_old.kept".
std::string word_of_verdict(const Judgement& judged) {
  std::string word = judged.verdict == Verdict::kAllowed ? "allowed." : "denied.";
  word += overlay::name_of(judged.because);
  if (!judged.kept_because.empty()) word += ".kept";
  return word;
}

}  // namespace

Draft entry_of_registration(MeshNumber mesh, const audit::Pseudonyms& pseudonyms,
                            const overlay::Node& node) {
  Draft draft = draft_of(Event::kNodeRegistered, mesh, "node");
  draft.subject = pseudonyms.of_member(node.member);
  if (!node.key) draft.code = "unsigned";
  if (node.wireguard) {
    draft.hash = crypto::digest32("signet audit wireguard key", {text_of(*node.wireguard)});
  }
  return draft;
}

Draft entry_of_forgetting(MeshNumber mesh, const audit::Pseudonyms& pseudonyms,
                          const overlay::Node& node) {
  Draft draft = draft_of(Event::kNodeForgotten, mesh, "operator");
  draft.subject = pseudonyms.of_member(node.member);
  return draft;
}

std::vector<Draft> entries_of_epoch(MeshNumber mesh, const audit::Pseudonyms& pseudonyms,
                                    const std::map<std::string, Judgement>& judgements) {
  if (judgements.empty()) return {};
  std::vector<Draft> drafts(1);
  std::size_t allowed = 0;
  std::string all;
  for (const auto& [name, judged] : judgements) {
    if (judged.verdict == Verdict::kAllowed) ++allowed;
    crypto::append_field(all, name);
    crypto::append_field(all, word_of_verdict(judged));
    crypto::append_field(all, judged.reason);
    if (judged.verdict == judged.node.verdict) continue;
    Draft changed = draft_of(Event::kVerdictChanged, mesh, "rule");
    changed.subject = pseudonyms.of_member(judged.node.member);
    changed.code = word_of_verdict(judged);
    drafts.push_back(std::move(changed));
  }
  const Judgement& any = judgements.begin()->second;
  Draft& epoch = drafts.front();
  epoch = draft_of(Event::kEpochDecided, mesh, "rule");
  epoch.code = "epoch:" + std::to_string(any.epoch) + ".rule:" + std::to_string(any.rule) +
               ".allowed:" + std::to_string(allowed) +
               ".denied:" + std::to_string(judgements.size() - allowed);
  epoch.hash =
      crypto::digest32("signet audit overlay decisions", {pseudonyms.of_name(kDecisions, all)});
  return drafts;
}

}  // namespace signet::controller
