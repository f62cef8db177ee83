#include "alerts/alert_sources.h"

#include <array>

namespace signet::alerts {
namespace {

constexpr std::string_view kHellos = "broker_connections_rejected_total";
constexpr std::string_view kHandshakes = "signet_handshakes_refused_total";
constexpr std::string_view kRegistrations = "signet_registrations_refused_total";
constexpr std::string_view kTokens = "signet_tokens_refused_total";
constexpr std::string_view kJoins = "signet_join_refused_total";
constexpr std::string_view kActions = "signet_hub_actions_refused_total";
constexpr std::string_view kAgents = "signet_hub_agents_refused_total";
constexpr std::string_view kEngines = "signet_hub_engines_refused_total";
constexpr std::string_view kHubTransport = "signet_hub_transport_total";
constexpr std::string_view kReports = "signet_overlay_refused_total";
constexpr std::string_view kNodes = "signet_overlay_node_refused_total";
constexpr std::string_view kStatements = "signet_operator_statements_refused_total";

// clang-format off
constexpr auto kSources = std::to_array<AlertSource>({
    {Alert::kFailedProofs, kHellos, "reason=\"bad_signature\""},
    {Alert::kFailedProofs, kHellos, "reason=\"unauthorized\""},
    {Alert::kFailedProofs, kHandshakes, "reason=\"bad_signature\""},
    {Alert::kFailedProofs, kHandshakes, "reason=\"wrong_subject\""},
    {Alert::kFailedProofs, kRegistrations, "reason=\"bad_key\""},
    {Alert::kFailedProofs, kRegistrations, "reason=\"bad_response\""},
    {Alert::kFailedProofs, kRegistrations, "reason=\"wrong_text\""},
    {Alert::kFailedProofs, kRegistrations, "reason=\"not_a_member\""},
    {Alert::kFailedProofs, kJoins, "reason=\"invite_bad_signature\""},
    {Alert::kFailedProofs, kJoins, "reason=\"invite_owner_mismatch\""},
    {Alert::kFailedProofs, kJoins, "reason=\"invite_not_found\""},
    // Not of those that were good once, or will be: that is a client which should renew them.
    {Alert::kFailedProofs, kTokens, "rule=\"malformed\""},
    {Alert::kFailedProofs, kTokens, "rule=\"unsupported_algorithm\""},
    {Alert::kFailedProofs, kTokens, "rule=\"unsupported_header\""},
    {Alert::kFailedProofs, kTokens, "rule=\"unknown_key\""},
    {Alert::kFailedProofs, kTokens, "rule=\"bad_signature\""},
    {Alert::kFailedProofs, kTokens, "rule=\"wrong_type\""},
    {Alert::kFailedProofs, kTokens, "rule=\"wrong_issuer\""},
    {Alert::kFailedProofs, kTokens, "rule=\"wrong_audience\""},
    {Alert::kFailedProofs, kTokens, "rule=\"revoked\""},
    {Alert::kFailedProofs, "signet_tls_failures_total", "reason=\"certificate\""},
    {Alert::kFailedProofs, "signet_operator_denied_total", ""},
    {Alert::kFailedProofs, "signet_reads_refused_total", "reason=\"bad_secret\""},
    {Alert::kFailedProofs, kActions, "reason=\"invalid_signature\""},
    {Alert::kFailedProofs, kAgents, "reason=\"signature_failed\""},
    {Alert::kFailedProofs, kEngines, "reason=\"ENGINE_SIGNATURE_INVALID\""},
    {Alert::kFailedProofs, kHubTransport, "reason=\"stolen_sid\""},
    {Alert::kFailedProofs, kReports, "reason=\"bad_signature\""},
    {Alert::kFailedProofs, kNodes, "reason=\"unproven\""},
    {Alert::kFailedProofs, kStatements, "reason=\"bad_signature\""},
    {Alert::kFailedProofs, kStatements, "reason=\"unknown_signer\""},
    // Whose proofs failed before is turned away unread: without these the alert would end while
    // whoever tries keys goes on.
    {Alert::kFailedProofs, "signet_penalties_total", ""},

    {Alert::kReplays, kHellos, "reason=\"replayed\""},
    {Alert::kReplays, kHandshakes, "reason=\"replayed\""},
    {Alert::kReplays, kRegistrations, "reason=\"wrong_nonce\""},
    {Alert::kReplays, kActions, "reason=\"replay_detected\""},
    {Alert::kReplays, kAgents, "reason=\"replay_detected\""},
    {Alert::kReplays, kEngines, "reason=\"ENGINE_NONCE_REPLAY\""},
    {Alert::kReplays, kReports, "reason=\"replayed\""},
    {Alert::kReplays, kNodes, "reason=\"replayed\""},

    {Alert::kFloods, kHellos, "reason=\"rate_limited\""},
    {Alert::kFloods, kHellos, "reason=\"capacity\""},
    {Alert::kFloods, kHandshakes, "reason=\"rate_limited\""},
    {Alert::kFloods, kHandshakes, "reason=\"too_many_connections\""},
    {Alert::kFloods, kRegistrations, "reason=\"rate_limited\""},
    {Alert::kFloods, kRegistrations, "reason=\"capacity\""},
    {Alert::kFloods, "broker_messages_rejected_total", "reason=\"rate_limited\""},
    {Alert::kFloods, "signet_relays_refused_total", "reason=\"RATE_LIMITED\""},
    {Alert::kFloods, "signet_hub_connects_refused_total", "reason=\"RATE_LIMITED\""},
    {Alert::kFloods, kActions, "reason=\"rate_limited\""},
    {Alert::kFloods, kEngines, "reason=\"ENGINE_RATE_LIMITED\""},
    {Alert::kFloods, kHubTransport, "reason=\"too_many_sessions\""},
    {Alert::kFloods, kHubTransport, "reason=\"too_fast\""},
    {Alert::kFloods, kReports, "reason=\"rate_limited\""},
    {Alert::kFloods, kNodes, "reason=\"rate_limited\""},
    {Alert::kFloods, "signet_overlay_rate_limited_total", ""},
    {Alert::kFloods, "broker_hook_requests_rate_limited_total", ""},
    {Alert::kFloods, "signet_http_refused_total", ""},
    {Alert::kFloods, "signet_net_refused_total", ""},

    {Alert::kSlowConsumers, "signet_net_closed_total", "reason=\"slow_consumer\""},
    {Alert::kClockSteps, "signet_clock_steps_total", ""},
    {Alert::kAuditGap, "signet_audit_dropped_total", ""},
    {Alert::kAuditDamaged, "signet_audit_damaged", ""},
    {Alert::kStoreFull, "signet_store_disk_full", ""},
    {Alert::kStoreUnhealthy, "broker_db_healthy", ""},
    {Alert::kCertificateExpiry, "signet_tls_certificate_not_after_seconds", ""},
});
// clang-format on

}  // namespace

std::optional<std::int64_t> read_sources(const MetricRegistry& metrics, Alert alert) {
  std::optional<std::int64_t> total;
  for (const AlertSource& source : kSources) {
    if (source.alert != alert) continue;
    const auto sum = metrics.sum(source.family, source.label);
    if (sum) total = total.value_or(0) + static_cast<std::int64_t>(*sum);
  }
  return total;
}

std::optional<AlertSource> missing_source(const MetricRegistry& metrics) {
  for (const AlertSource& source : kSources) {
    if (!metrics.sum(source.family, source.label)) return source;
  }
  return std::nullopt;
}

}  // namespace signet::alerts
