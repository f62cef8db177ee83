#include "admin/overlay_view.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "admin/operator_answers.h"
#include "admin/operator_bodies.h"
#include "base/encoding.h"
#include "base/log.h"
#include "dialects/overlay.h"
#include "overlay/trend.h"
#include "wire/json.h"

namespace signet::admin {
namespace {

using controller::Epochs;
using controller::KeptReport;
using overlay::Judgement;
using overlay::Node;
using overlay::RuleParameters;
using overlay::Score;
using wire::JsonWriter;

double of_one(Score score) { return static_cast<double>(score.millionths) / Score::kOne; }

void write_at(JsonWriter& json, std::string_view key, WallTime time) {
  json.key(key);
  time.ms == 0 ? json.null() : json.value(iso8601(time));
}

void write_optional(JsonWriter& json, std::string_view key, const std::string& text) {
  json.key(key);
  text.empty() ? json.null() : json.value(text);
}

const overlay::Report* newest_of(const Node& node) {
  const overlay::Report* newest = nullptr;
  for (const auto& [suite, report] : node.reports) {
    if (newest == nullptr || report.timestamp > newest->timestamp) newest = &report;
  }
  return newest;
}

void write_reports(JsonWriter& json, const Node& node) {
  json.key("reports").array();
  for (const auto& [suite, report] : node.reports) {
    json.object().key("suite").value(suite).key("overall").value(of_one(report.overall));
    json.key("timestamp").value(iso8601(report.timestamp)).end();
  }
  json.end();
}

void write_signals(JsonWriter& json, const overlay::Signals& signals) {
  json.key("signals").object();
  json.key("failed_proofs").value(std::uint64_t{signals.failed_proofs});
  json.key("replays").value(std::uint64_t{signals.replays});
  json.key("lost_leases").value(std::uint64_t{signals.lost_leases}).end();
}

void write_trend(JsonWriter& json, const overlay::Trend& trend) {
  json.key("trend").object().key("samples").value(std::uint64_t{trend.samples});
  json.key("last").value(of_one(trend.last)).key("smoothed").value(of_one(trend.smoothed));
  json.key("reference_samples").value(std::uint64_t{trend.reference_samples});
  json.key("reference_sum").value(static_cast<double>(trend.reference_sum) / Score::kOne);
  json.key("drift").value(static_cast<double>(trend.drift) / Score::kOne);
  json.key("good_samples").value(std::uint64_t{trend.good_samples}).end();
}

// What a node is, without what its reports came to.
void write_identity(JsonWriter& json, const Epochs& epochs, const Node& node) {
  json.key("node").value(node.name).key("member").value(node.member.value);
  write_optional(json, "pubkey", node.key ? crypto::to_hex(*node.key) : "");
  write_optional(json, "wireguard", node.wireguard ? to_base64(*node.wireguard) : "");
  write_optional(json, "fresh_key", node.fresh_key ? to_base64(*node.fresh_key) : "");
  write_optional(json, "endpoint", node.endpoint);
  write_optional(json, "address",
                 node.address == 0 ? "" : epochs.options().subnet.address(node.address));
  write_optional(json, "brought_by", node.brought_by);
  json.key("former").array();
  for (const MemberNumber member : node.former) json.value(member.value);
  json.end();
  json.key("standing").value(name_of(epochs.standing_of(node)));
  json.key("denied_by_rule").value(node.denied_by_rule);
  write_optional(json, "namesake_was",
                 std::string(node.namesake_was ? name_of(*node.namesake_was) : ""));
  json.key("sequence").value(node.sequence);
  write_at(json, "newest", node.newest);
  write_at(json, "claimed", node.claimed);
  json.key("verdict").value(overlay::name_of(node.verdict)).key("reason").value(node.reason);
  json.key("verdict_since").value(node.verdict_since);
  json.key("first_epoch").value(node.first_epoch);
}

void write_rule(JsonWriter& json, const RuleParameters& rule) {
  json.object().key("version").value(std::uint64_t{rule.version});
  json.key("threshold").value(of_one(rule.threshold));
  json.key("max_age_ms").value(std::int64_t{rule.max_age.count()});
  json.key("smoothing_permille").value(std::int64_t{rule.smoothing_permille});
  json.key("return_threshold").value(of_one(rule.return_threshold));
  json.key("dwell_epochs").value(std::uint64_t{rule.dwell_epochs});
  json.key("probation_epochs").value(std::uint64_t{rule.probation_epochs});
  json.key("decay_permille").value(std::int64_t{rule.decay_permille});
  json.key("weights").object();
  for (const auto& [suite, weight] : rule.weights) json.key(suite).value(std::uint64_t{weight});
  json.end().key("only_listed").value(rule.only_listed);
  json.key("listed").value(std::uint64_t{rule.listed.size()});
  json.key("drift_samples").value(std::uint64_t{rule.drift_samples});
  json.key("drift_slack").value(of_one(rule.drift_slack));
  json.key("drift_limit").value(of_one(rule.drift_limit));
  json.key("per_failed_proof").value(of_one(rule.per_failed_proof));
  json.key("per_replay").value(of_one(rule.per_replay));
  json.key("per_lost_lease").value(of_one(rule.per_lost_lease)).end();
}

// What came of it, and of the same inputs once more.
void write_judgement(JsonWriter& json, const Judgement& judged, const RuleParameters* rule) {
  json.object().key("epoch").value(judged.epoch).key("at").value(iso8601(judged.at));
  json.key("rule").value(std::uint64_t{judged.rule});
  json.key("verdict").value(overlay::name_of(judged.verdict));
  json.key("step").value(overlay::name_of(judged.because)).key("reason").value(judged.reason);
  json.key("score").value(of_one(judged.score));
  write_optional(json, "kept_because", judged.kept_because);
  json.key("standing_before").value(name_of(judged.standing));
  json.key("standing_after").value(name_of(judged.standing_after));
  json.key("inputs").object();
  write_reports(json, judged.node);
  write_signals(json, judged.node.signals);
  write_trend(json, judged.node.trend);
  json.key("verdict").value(overlay::name_of(judged.node.verdict));
  json.key("verdict_since").value(judged.node.verdict_since).end();
  json.key("again");
  if (rule == nullptr) {
    json.null().key("lines").array().end().end();
    return;
  }
  const Judgement again = overlay::judge_again(judged, *rule);
  json.object().key("same").value(again == judged);
  json.key("verdict").value(overlay::name_of(again.verdict)).key("reason").value(again.reason);
  json.end().key("lines").array();
  for (const std::string& line : overlay::explain(judged, *rule)) {
    json.value(line);
  }
  json.end().end();
}

// A series of what can be read; what a node signed before it was another format is left out.
std::vector<overlay::Submission> read_texts(const std::vector<KeptReport>& reports,
                                            std::string_view mesh) {
  std::vector<overlay::Submission> read;
  for (const KeptReport& report : reports) {
    std::string_view body = report.signed_text;
    if (!body.starts_with(dialects::kSubmissionDomain)) continue;
    body.remove_prefix(dialects::kSubmissionDomain.size());
    auto one = dialects::read_submission(body, mesh);
    if (auto* found = std::get_if<overlay::Submission>(&one)) read.push_back(std::move(*found));
  }
  return read;
}

void write_series(JsonWriter& json, const std::vector<overlay::Submission>& series) {
  std::vector<Score> scores;
  json.key("scores").array();
  for (const overlay::Submission& each : series) {
    scores.push_back(each.overall());
    json.object().key("timestamp").value(iso8601(each.timestamp));
    json.key("suite").value(each.suite).key("overall").value(of_one(each.overall())).end();
  }
  json.end().key("sparkline").value(overlay::sparkline(scores));
}

struct ReportPage {
  std::size_t limit = 0;
  std::uint64_t after = 0;
};

Result<ReportPage> read_report_page(std::string_view query, std::size_t usual, std::size_t most) {
  const auto limit = number_in(query, "limit", static_cast<std::int64_t>(usual));
  const std::string_view after = value_in(query, "after").value_or("0");
  ReportPage page{static_cast<std::size_t>(std::max<std::int64_t>(limit, 0)), 0};
  const auto read = std::from_chars(after.data(), after.data() + after.size(), page.after);
  const bool good = read.ec == std::errc{} && read.ptr == after.data() + after.size();
  if (!good || limit < 1 || page.limit > most) {
    return Error{ErrorCode::kMalformed,
                 "limit is 1 to " + std::to_string(most) + ", after a number of a report"};
  }
  return page;
}

// The reports that fit, and the number of the last of them where there may be more.
std::optional<std::uint64_t> write_texts(JsonWriter& json, const std::vector<KeptReport>& reports,
                                         std::size_t limit, std::size_t most_bytes) {
  std::size_t bytes = 0;
  std::optional<std::uint64_t> last;
  json.key("submissions").array();
  for (const KeptReport& report : reports) {
    bytes += report.signed_text.size();
    if (last && bytes > most_bytes) {
      json.end();
      return last;
    }
    last = report.number;
    json.object().key("number").value(report.number).key("at").value(iso8601(report.at));
    write_optional(json, "signed", report.signed_text);
    write_optional(json, "signature", report.signature);
    json.end();
  }
  json.end();
  return reports.size() == limit ? last : std::nullopt;
}

// Members that may still have a peer which is out.
void write_behind(JsonWriter& json, const std::vector<ToldNodes::Behind>& behind,
                  std::size_t most) {
  json.key("behind").object().key("count").value(std::uint64_t{behind.size()});
  json.key("nodes").array();
  for (std::size_t i = 0; i < std::min(behind.size(), most); ++i) {
    json.object().key("node").value(behind[i].node).key("epoch");
    behind[i].epoch == 0 ? json.null() : json.value(behind[i].epoch);
    json.key("revocations").value(behind[i].revocations).end();
  }
  json.end().end();
}

std::string_view name_of_phase(overlay::KeyPhase phase) {
  constexpr std::string_view kNames[] = {"steady", "staged", "named", "grace"};
  return kNames[static_cast<std::size_t>(phase)];
}

net::HttpResponse answer_of_node(NodeRefusal refusal) {
  if (refusal == NodeRefusal::kUnavailable) {
    return failed(503, "unavailable", "the store could not keep it");
  }
  return failed(404, "not_found", "no such node");
}

}  // namespace

void OverlayView::answer(const Call& call, std::string_view part, std::string_view rest) {
  const bool get = call.method == "GET", post = call.method == "POST";
  if (part == "epoch") {
    if (get && rest.empty()) return show_epoch(call);
    if (post && rest == "/rotate") return rotate(call);
    if (post && rest == "/deny") return deny(call);
    return call.reply(failed(404, "not_found", "no such path"));
  }
  if (get && rest.empty()) return list(call);
  if (rest.starts_with('/')) rest.remove_prefix(1);
  const std::string_view name = rest.substr(0, rest.find('/'));
  const std::string_view verb = rest.substr(name.size());
  const Node* node = epochs_.node(name);
  if (node == nullptr) return call.reply(failed(404, "not_found", "no such node"));
  if (get && verb.empty()) return explain(call, *node);
  if (get && verb == "/export") return export_node(call, *node);
  if (post && verb == "/forget") return forget(call, *node);
  call.reply(failed(404, "not_found", "no such path"));
}

// In the order of names, as Epochs has them.
void OverlayView::list(const Call& call) {
  const auto page = read_source_page(call.query, options_.page, options_.max_page);
  if (!page.ok()) return call.reply(answer_of(page.error()));
  JsonWriter json;
  json.object().key("nodes").array();
  std::size_t count = 0;
  std::string last;
  std::optional<std::string> next;
  epochs_.each_node([&](const Node& node) {
    if (next || node.name <= page->after) return;
    if (count == page->limit) {
      next = last;
      return;
    }
    ++count;
    last = node.name;
    const overlay::Report* newest = newest_of(node);
    json.object().key("node").value(node.name);
    json.key("verdict").value(overlay::name_of(node.verdict)).key("reason").value(node.reason);
    json.key("standing").value(name_of(epochs_.standing_of(node)));
    json.key("verdict_since").value(node.verdict_since).key("overall");
    newest == nullptr ? json.null() : json.value(of_one(newest->overall));
    write_at(json, "newest", node.newest);
    write_optional(json, "address",
                   node.address == 0 ? "" : epochs_.options().subnet.address(node.address));
    json.end();
  });
  json.end();
  write_optional(json, "next", next.value_or(""));
  call.reply(succeeded(json.end().take()));
}

void OverlayView::explain(const Call& call, const Node& node) {
  JsonWriter json;
  json.object();
  write_identity(json, epochs_, node);
  write_reports(json, node);
  write_signals(json, epochs_.seen(node.name));
  write_trend(json, node.trend);
  const Judgement* judged = epochs_.judgement(node.name);
  const RuleParameters* rule = judged == nullptr ? nullptr : epochs_.rule_of(judged->rule);
  json.key("decision");
  judged == nullptr ? void(json.null()) : write_judgement(json, *judged, rule);
  json.key("rule");
  rule == nullptr ? void(json.null()) : write_rule(json, *rule);
  epochs_.newest_reports(
      node.name, options_.scores,
      [reply = call.reply, json, mesh = desk_.mesh()](const auto& reports) mutable {
        if (!reports.ok()) return reply(answer_of(reports.error()));
        write_series(json, read_texts(*reports, mesh));
        reply(succeeded(json.end().take()));
      });
}

// For the person whom the node belongs to: what is kept of it, and every submission as it was
// signed.
void OverlayView::export_node(const Call& call, const Node& node) {
  const auto page = read_report_page(call.query, options_.page, options_.max_page);
  if (!page.ok()) return call.reply(answer_of(page.error()));
  JsonWriter json;
  json.object();
  write_identity(json, epochs_, node);
  write_reports(json, node);
  write_signals(json, epochs_.seen(node.name));
  write_trend(json, node.trend);
  const Judgement* judged = epochs_.judgement(node.name);
  json.key("decision");
  judged == nullptr ? void(json.null())
                    : write_judgement(json, *judged, epochs_.rule_of(judged->rule));
  json.key("retention_hours").value(std::int64_t{epochs_.options().report_retention.count()});
  epochs_.read_reports(node.name, page->after, page->limit,
                       [reply = call.reply, json, limit = page->limit,
                        most = options_.export_bytes](const auto& reports) mutable {
                         if (!reports.ok()) return reply(answer_of(reports.error()));
                         const auto next = write_texts(json, *reports, limit, most);
                         json.key("next");
                         next ? json.value(std::to_string(*next)) : json.null();
                         reply(succeeded(json.end().take()));
                       });
}

// The member stays as it is: who was revoked or quarantined is not let in again by being forgotten.
void OverlayView::forget(const Call& call, const Node& node) {
  const std::string name = node.name;
  JsonWriter json;
  json.object().key("ok").value(true).key("node").value(name);
  json.key("member").value(node.member.value);
  json.key("standing").value(name_of(epochs_.standing_of(node)));
  epochs_.forget(name, [reply = call.reply, name, by = call.peer.text(),
                        told = json.end().take()](const controller::NodeAnswer& answer) {
    if (const auto* why = std::get_if<NodeRefusal>(&answer)) return reply(answer_of_node(*why));
    log(LogLevel::kWarn, "overlay.node_forgotten", {{"node", name}, {"by", by}});
    reply(succeeded(told));
  });
}

void OverlayView::show_epoch(const Call& call) {
  const overlay::EpochState& state = epochs_.state();
  std::uint64_t allowed = 0, nodes = 0;
  epochs_.each_node([&](const Node& node) {
    ++nodes;
    if (node.verdict == overlay::Verdict::kAllowed) ++allowed;
  });
  JsonWriter json;
  json.object().key("epoch").value(state.decided);
  write_at(json, "decided_at", state.decided_at);
  write_at(json, "ends", state.decided == 0 ? WallTime{} : epochs_.expires());
  json.key("skipped").value(state.skipped).key("nodes").value(nodes).key("allowed").value(allowed);
  json.key("rule");
  write_rule(json, epochs_.rule());
  write_optional(json, "secret_hash", epochs_.secret_hash());
  json.key("held_denials").array();
  for (const std::string& name : epochs_.held_denials()) json.value(name);
  json.end();
  write_optional(json, "held_digest", epochs_.held_digest());
  json.key("revocations").value(epochs_.revocations_serial());
  write_behind(json, desk_.told().behind(), options_.waiting_names);
  json.key("keys").object().key("phase").value(name_of_phase(state.phase));
  json.key("current").value(state.current).key("other");
  state.other ? json.value(*state.other) : json.null();
  const bool timed =
      state.phase == overlay::KeyPhase::kNamed || state.phase == overlay::KeyPhase::kGrace;
  write_at(json, "moment", timed ? state.moment : WallTime{});
  const auto missing = epochs_.waits_for();
  json.key("waiting").value(std::uint64_t{missing.size()}).key("waits_for").array();
  std::size_t shown = 0;
  for (const std::string& name : missing) {
    if (shown++ == options_.waiting_names) break;
    json.value(name);
  }
  call.reply(succeeded(json.end().end().end().take()));
}

void OverlayView::rotate(const Call& call) {
  epochs_.decide_now([this, reply = call.reply, by = call.peer.text()](const Status& status) {
    if (!status.ok()) return reply(failed(503, "unavailable", "the store could not keep it"));
    log(LogLevel::kInfo, "overlay.rotated", {{"epoch", epochs_.state().decided}, {"by", by}});
    JsonWriter json;
    json.object().key("ok").value(true).key("epoch").value(epochs_.state().decided);
    reply(succeeded(json.end().take()));
  });
}

// Names the denials by their digest, so that an operator lets nothing happen but what she saw. What
// falls below in the very decision that carries them out goes with them.
void OverlayView::deny(const Call& call) {
  if (desk_.refuses_one(call)) {
    return call.reply(
        failed(403, "operators_needed",
               "to deny so many takes several operators here: signet revoke propose --deny-many"));
  }
  const auto digest = read_held_denials(call.body);
  if (!digest.ok()) return call.reply(answer_of(digest.error()));
  const std::vector<std::string> held = epochs_.held_denials();
  if (held.empty() || *digest != epochs_.held_digest()) {
    return call.reply(
        failed(409, "conflict", "other denials are held by now, or none: look again"));
  }
  log(LogLevel::kWarn, "overlay.mass_denial_allowed",
      {{"denials", held.size()}, {"by", call.peer.text()}});
  epochs_.allow_mass_denial();
  epochs_.decide_now([this, reply = call.reply, held](const Status& status) {
    if (!status.ok()) return reply(failed(503, "unavailable", "the store could not keep it"));
    JsonWriter json;
    json.object().key("ok").value(true).key("epoch").value(epochs_.state().decided);
    json.key("denied").array();
    for (const std::string& name : held) {
      const Node* node = epochs_.node(name);
      if (node != nullptr && node->verdict == overlay::Verdict::kDenied) json.value(name);
    }
    reply(succeeded(json.end().end().take()));
  });
}

std::string OverlayView::status(const Epochs& epochs) {
  std::vector<dialects::OverlayMember> members;
  epochs.each_node([&](const Node& node) {
    dialects::OverlayMember& member = members.emplace_back();
    member.node = node.name;
    member.verdict = node.verdict;
    member.reason = node.reason;
    if (const overlay::Report* newest = newest_of(node)) {
      member.last_update = node.newest;
      member.benchmark = {newest->overall, newest->timestamp, newest->suite};
    }
  });
  const std::string hash = epochs.secret_hash();
  dialects::OverlayEpoch shown{epochs.state().decided, std::nullopt, hash};
  if (shown.id > 0) shown.expiry = epochs.expires();
  return dialects::write_status(shown, members);
}

}  // namespace signet::admin
