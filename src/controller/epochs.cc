#include "controller/epochs.h"

#include <charconv>

#include "base/log.h"
#include "crypto/wipe.h"

namespace signet::controller {
namespace {

constexpr std::chrono::milliseconds kTurn{250};  // how late a step may be
constexpr std::size_t kMostNames = 100'000;      // that rates are remembered of
constexpr std::string_view kState = "state";

Error damaged(const store::SealedRow& row) {
  return {ErrorCode::kMalformed, "the overlay's row " + row.kind + " " + row.name +
                                     " does not open under this key, or says what can't be"};
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

CodeCounters<SubmissionRefusal> Epochs::refusals(MetricRegistry& metrics) {
  return {metrics, "signet_overlay_refused_total", "Submissions refused, by reason.", "reason",
          kSubmissionRefusalCount};
}

Epochs::Epochs(const OverlayOptions& options, MeshNumber mesh, OverlayVault vault,
               ControlThread& control, store::Store& store, const Clock& clock,
               Controller& controller, MetricRegistry& metrics)
    : options_(options),
      mesh_(mesh),
      vault_(std::move(vault)),
      control_(control),
      store_(store),
      clock_(clock),
      controller_(controller),
      table_(options.epochs, {}),
      places_(options.subnet),
      rule_(options.rule),
      rates_(options.submissions_per_second, options.submissions_burst, kMostNames),
      refused_(refusals(metrics)),
      submitted_(metrics.counter("signet_overlay_submissions_total", "Submissions taken.")),
      decided_(metrics.counter("signet_overlay_epochs_total", "Epochs decided.")),
      skipped_(metrics.counter("signet_overlay_epochs_skipped_total",
                               "Boundaries that passed without a decision.")),
      allowed_(metrics.gauge("signet_overlay_nodes_allowed", "Nodes allowed in this epoch.")),
      denied_(metrics.gauge("signet_overlay_nodes_denied", "Nodes denied in this epoch.")),
      unsigned_(metrics.counter("signet_overlay_unsigned_total",
                                "Submissions taken without a signature.")),
      held_back_(metrics.gauge("signet_overlay_denials_held",
                               "Denials that wait for the operators' word.")),
      postponed_(metrics.counter("signet_overlay_steps_failed_total",
                                 "Steps that the store could not keep; they are tried again.")) {
  rule_kept_.version = 0;
  control_.every(kTurn, [this] { turn(); });
  controller_.at_standing([this](MeshNumber where, MemberNumber member, auto standing,
                                 const std::function<void(Status)>& answer) {
    return take_standing(where, member, standing, answer);
  });
  controller_.at_subject(
      [this](MeshNumber where, const std::string& id) { return keeps_out(where, id); });
  controller_.at_narrowed([this](const std::vector<MemberNumber>&) { on_standing(); });
}

void Epochs::load(std::function<void(Status)> answer) {
  store_.load_sealed(mesh_, control_.mailbox(),
                     [this, answer = std::move(answer)](const auto& rows) {
                       const Status taken = rows.ok() ? take(*rows) : Status(rows.error());
                       table_.resumed(clock_.wall(), rule_.max_age);
                       if (!taken.ok()) return answer(taken);
                       settle_operators([this, answer](const Status& settled) {
                         loaded_ = settled.ok();
                         answer(settled);
                       });
                     });
}

Status Epochs::take(const std::vector<store::SealedRow>& rows) {
  for (const store::SealedRow& row : rows) {
    if (Status taken = take(row); !taken.ok()) return taken;
  }
  const overlay::EpochState& state = this->state();
  const bool has_current = state.current == 0 || secrets_.contains(state.current);
  if (!has_current || (state.other && !secrets_.contains(*state.other))) {
    return Error{ErrorCode::kMalformed, "the overlay lacks the secret of an epoch that holds"};
  }
  if (Status checked = check_operators(rows); !checked.ok()) return checked;
  adopt_threshold();
  rule_.version = rule_kept_.version;
  if (rule_ != rule_kept_ || rule_kept_.version == 0) ++rule_.version;
  return Done{};
}

Status Epochs::take(const store::SealedRow& row) {
  auto plain = vault_.open(row);
  if (!plain) return damaged(row);
  if (row.kind == kSecretRows) {
    const auto epoch = number_of(row.name);
    const bool good = epoch && plain->size() == 32;
    if (good) secrets_.emplace(*epoch, overlay::EpochSecret::of(*plain));
    crypto::wipe(*plain);
    return good ? Status(Done{}) : Status(damaged(row));
  }
  if (row.kind == kEpochRows) {
    const auto state = overlay::decode_epoch_state(*plain);
    if (!state || row.name != kState) return damaged(row);
    table_ = overlay::EpochTable(options_.epochs, *state);
    state_version_ = row.version;
    return Done{};
  }
  if (row.kind == kQuorumRows || row.kind == kStatementRows) return take_operators(row, *plain);
  if (row.kind == kRuleRows) {
    const auto rule = overlay::decode_rule(*plain);
    if (!rule) return damaged(row);
    if (rule->version > rule_kept_.version) rule_kept_ = *rule;
    rules_[rule->version] = *rule;
    return Done{};
  }
  if (row.kind == kVerdictRows) {  // behind the nodes: rows come by their kind
    auto judged = overlay::decode_judgement(*plain);
    const auto its = nodes_.find(row.name);
    if (!judged || judged->node.name != row.name || its == nodes_.end()) return damaged(row);
    its->second.judged = *std::move(judged);
    its->second.judged_version = row.version;
    return Done{};
  }
  auto node = overlay::decode_node(*plain);
  const bool good = row.kind == kNodeRows && node && node->name == row.name &&
                    (node->address == 0 || places_.restore(node->name, node->address));
  if (!good) return damaged(row);
  nodes_[row.name] = {*std::move(node), row.version, false, {}, {}, 0};
  return Done{};
}

std::string Epochs::secret_hash() const {
  return secrets_.empty() ? std::string() : secrets_.rbegin()->second.hash();
}

const overlay::Node* Epochs::node(std::string_view name) const {
  const auto found = nodes_.find(name);
  return found == nodes_.end() ? nullptr : &found->second.node;
}

void Epochs::each_node(const std::function<void(const overlay::Node&)>& visit) const {
  for (const auto& [name, entry] : nodes_) visit(entry.node);
}

membership::Standing Epochs::standing_of(const overlay::Node& node) const {
  const membership::MeshSnapshot* mesh = controller_.table().mesh(mesh_);
  const membership::Member* member = mesh == nullptr ? nullptr : mesh->member(node.member);
  return member == nullptr ? membership::Standing::kUnknown : member->standing;
}

NodeConfiguration Epochs::configuration(std::string_view name) const {
  NodeConfiguration made;
  made.epoch = state().decided;
  made.keys = table_.offer();
  const overlay::Node* own = node(name);
  if (own == nullptr || own->verdict == overlay::Verdict::kUnknown) {
    made.reason = "no membership decision";
    return made;
  }
  const bool allowed = own->verdict == overlay::Verdict::kAllowed && may_connect(standing_of(*own));
  made.allowed = allowed;
  made.reason = own->reason;
  made.address = own->address;
  if (!allowed || secrets_.empty()) return made;
  if (!own->wireguard) {
    made.original = overlay::psk_of_node(secrets_.rbegin()->second, own->name);
    return made;
  }
  const std::uint64_t current = state().current;
  for (const auto& [other, entry] : nodes_) {
    const overlay::Node& peer = entry.node;
    const bool meets = peer.wireguard && other != name &&
                       peer.verdict == overlay::Verdict::kAllowed && may_connect(standing_of(peer));
    if (!meets || current == 0) continue;
    PeerKeys keys{
        *peer.wireguard, peer.address, peer.endpoint,
        overlay::psk_of_pair(secrets_.at(current), current, *own->wireguard, *peer.wireguard),
        std::nullopt};
    if (const auto second = state().other) {
      keys.other =
          overlay::psk_of_pair(secrets_.at(*second), *second, *own->wireguard, *peer.wireguard);
    }
    made.peers.push_back(std::move(keys));
  }
  return made;
}

void Epochs::turn() {
  if (!loaded_ || stepping_) return;
  step_wanted_ = !statements_.empty() && writing_ > 0;
  if (step_wanted_) return;
  while (!statements_.empty() && !stepping_) carry_out_next();
  if (stepping_) return;
  const bool wanted = !wants_decision_.empty();
  auto due = wanted ? overlay::EpochStep::kDecide : table_.due(clock_.wall(), holders());
  const bool silent = due == overlay::EpochStep::kNothing && may_decide_for_silence(clock_.wall());
  if (silent) due = overlay::EpochStep::kDecide;
  if (due == overlay::EpochStep::kNothing) return;
  step_wanted_ = writing_ > 0;
  if (step_wanted_) return;
  if (silent) silence_decided_ = clock_.elapsed();
  step(due);
}

}  // namespace signet::controller
