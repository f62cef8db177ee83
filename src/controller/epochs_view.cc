// What operators look at: a node's last decision with its inputs, and what it submitted.
#include <utility>

#include "controller/epochs.h"

namespace signet::controller {
namespace {

// A report is its signed text and, on a line of its own behind that, the signature.
KeptReport opened(const OverlayVault& vault, const store::SealedReport& report) {
  constexpr std::size_t kSignatureDigits = 2 * sizeof(crypto::Signature);
  KeptReport kept{report.number, report.at, {}, {}};
  auto plain = vault.open(report);
  if (!plain) return kept;
  kept.signed_text = *std::move(plain);
  const auto last = kept.signed_text.rfind('\n');
  if (last == std::string::npos || kept.signed_text.size() - last - 1 != kSignatureDigits) {
    return kept;
  }
  std::string_view tail = std::string_view(kept.signed_text).substr(last + 1);
  if (tail.find_first_not_of("0123456789abcdef") != std::string_view::npos) return kept;
  kept.signature = tail;
  kept.signed_text.resize(last);
  return kept;
}

auto opens(const OverlayVault& vault, const ReportsAnswer& answer) {
  return [&vault, answer](const Result<std::vector<store::SealedReport>>& found) {
    if (!found.ok()) return answer(found.error());
    std::vector<KeptReport> reports;
    reports.reserve(found->size());
    for (const store::SealedReport& report : *found) reports.push_back(opened(vault, report));
    answer(std::move(reports));
  };
}

}  // namespace

const overlay::Judgement* Epochs::judgement(std::string_view name) const {
  const auto found = nodes_.find(name);
  const bool known = found != nodes_.end() && found->second.judged;
  return known ? &*found->second.judged : nullptr;
}

overlay::Signals Epochs::seen(std::string_view name) const {
  const auto found = nodes_.find(name);
  return found == nodes_.end() ? overlay::Signals{} : found->second.seen;
}

const overlay::RuleParameters* Epochs::rule_of(std::uint32_t version) const {
  const auto found = rules_.find(version);
  return found == rules_.end() ? nullptr : &found->second;
}

void Epochs::read_reports(const std::string& name, std::uint64_t after, std::size_t limit,
                          const ReportsAnswer& answer) const {
  store_.read_reports(mesh_, name, after, limit, control_.mailbox(), opens(vault_, answer));
}

void Epochs::newest_reports(const std::string& name, std::size_t limit,
                            const ReportsAnswer& answer) const {
  store_.newest_reports(mesh_, name, limit, control_.mailbox(), opens(vault_, answer));
}

}  // namespace signet::controller
