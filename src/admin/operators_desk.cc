#include "admin/operators_desk.h"

#include <utility>

#include "admin/admin.h"
#include "base/log.h"
#include "dialects/overlay.h"
#include "dialects/overlay_revocations.h"

namespace signet::admin {
namespace {

net::HttpResponse operators_told(int status, std::string_view detail, std::string_view code) {
  return json_response(status, dialects::write_detail(detail, code));
}

}  // namespace

CodeCounters<StatementRefusal> OperatorsDesk::refusals(MetricRegistry& metrics) {
  return {metrics, "signet_operator_statements_refused_total",
          "Statements of operators that were not carried out, by reason.", "reason",
          kStatementRefusalCount};
}

OperatorsDesk::OperatorsDesk(ListSigner signer, bool open, controller::Epochs& epochs,
                             std::string mesh, broker::AuditTrail& trail, const Clock& clock,
                             MetricRegistry& metrics)
    : signer_(std::move(signer)),
      open_(open),
      epochs_(epochs),
      mesh_(std::move(mesh)),
      trail_(trail),
      clock_(clock),
      refused_(refusals(metrics)),
      done_(metrics.counter("signet_operator_statements_total",
                            "Statements of operators that were carried out.")),
      one_refused_(metrics.counter("signet_operator_alone_refused_total",
                                   "What one operator's token asked for where it takes several.")) {
  metrics
      .gauge("signet_operators_emergency",
             "1: one operator is enough for everything (operators.emergency).")
      .set(epochs.options().operators.emergency ? 1 : 0);
}

bool OperatorsDesk::answer(const Call& call, std::string_view rest, bool operates) {
  const bool get = call.method == "GET", post = call.method == "POST";
  if (rest == "revoke" && post) {
    carry_out(call);
  } else if (rest == "revocations" && get) {
    show_list(call);
  } else if (rest == "operators" && get) {
    show_operators(call, operates);
  } else {
    return false;
  }
  return true;
}

void OperatorsDesk::refuse(const Call& call, StatementRefusal code, std::string_view detail) {
  refused_[code].add();
  trail_.note(audit::Event::kRefused, epochs_.mesh(), {}, call.peer, name_of(code));
  if (const auto repeated = log_.take(code, clock_.elapsed())) {
    log(LogLevel::kWarn, "operators.refused",
        {{"reason", name_of(code)}, {"repeated", *repeated}, {"peer", call.peer.text()}});
  }
  const std::string_view said = detail.empty() ? meaning_of(code) : detail;
  call.reply(operators_told(dialects::status_of(code), said, name_of(code)));
}

void OperatorsDesk::carry_out(const Call& call) {
  auto said = dialects::read_signed_statement(call.body);
  if (!said.ok()) return refuse(call, StatementRefusal::kMalformed, said.error().detail);
  epochs_.carry_out(*std::move(said), [this, call](const controller::StatementAnswer& answer) {
    if (const auto* code = std::get_if<StatementRefusal>(&answer)) return refuse(call, *code);
    const auto& done = std::get<controller::CarriedOut>(answer);
    done_.add();
    call.reply(json_response(200, dialects::write_carried_out(done.serial, done.action)));
  });
}

void OperatorsDesk::show_list(const Call& call) {
  if (!signer_.sign) {
    return call.reply(operators_told(404, "this server has no key for a list", "not_found"));
  }
  const auto* quorum = epochs_.quorum();
  const std::uint64_t serial = quorum == nullptr ? 0 : quorum->last_serial;
  if (listed_ != serial) {
    list_ = list();
    listed_ = serial;
  }
  call.reply(json_response(200, list_));
}

// The newest ones, where there are more than a list holds.
std::string OperatorsDesk::list() const {
  dialects::RevocationList made;
  made.mesh = mesh_;
  const auto* quorum = epochs_.quorum();
  made.serial = quorum == nullptr ? 0 : quorum->last_serial;
  const auto& kept = epochs_.revocations();
  auto at = kept.begin();
  if (kept.size() > dialects::kMaxRevocations) {
    std::advance(at, static_cast<std::ptrdiff_t>(kept.size() - dialects::kMaxRevocations));
  }
  for (; at != kept.end(); ++at) {
    const controller::KeptStatement& each = at->second;
    made.entries.push_back({each.statement.text(), each.signatures, each.wireguard});
  }
  made.signer = signer_.key;
  made.signature = signer_.sign(dialects::text_to_sign(made));
  return dialects::write_revocations(made);
}

void OperatorsDesk::show_operators(const Call& call, bool operates) {
  dialects::OperatorsShown shown;
  shown.mesh = mesh_;
  shown.longest_life_ms = epochs_.options().operators.longest_life.count();
  if (const auto* quorum = epochs_.quorum()) {
    shown.operators = quorum->operators;
    shown.needed = quorum->needed;
    shown.emergency = epochs_.options().operators.emergency;
    shown.serial = quorum->last_serial;
    shown.policy_version = quorum->policy_version;
  }
  shown.held = epochs_.held_denials().size();
  shown.held_digest = epochs_.held_digest();
  if (operates || open_) shown.held_names = epochs_.held_denials();
  call.reply(json_response(200, dialects::write_operators(shown)));
}

bool OperatorsDesk::refuses_one(const Call& call) {
  if (!epochs_.takes_many()) return false;
  one_refused_.add();
  if (const auto repeated = one_log_.take(Denied::kOne, clock_.elapsed())) {
    log(LogLevel::kWarn, "operators.one_refused",
        {{"path", call.path}, {"repeated", *repeated}, {"peer", call.peer.text()}});
  }
  return true;
}

}  // namespace signet::admin
