#include "overlay_guards.h"

#include <variant>

#include "client/identity_access.h"
#include "controller/overlay_vault.h"
#include "dialects/overlay.h"
#include "guard_time.h"
#include "overlay/submission_check.h"
#include "overlay_node.h"
#include "wire/canonical_json.h"

namespace signet::bench {
namespace {

constexpr WallTime kNow{1'800'000'000'000};
constexpr std::string_view kMesh = "mesh-bench";
constexpr unsigned char kVaultKey = 7;

Error a_good_one_is_refused() { return {ErrorCode::kBug, "a good submission is refused"}; }

overlay::Node known_node(const OverlayNode& node) {
  overlay::Node known;
  known.name = node.name();
  known.member = {1};
  known.key = IdentityAccess::key(node.member().identity).public_key();
  known.wireguard = node.wireguard();
  return known;
}

// As the controller seals what it keeps of one submission.
void write_sealing(wire::JsonWriter& row, const overlay::Node& node,
                   const overlay::Submission& submission) {
  std::array<unsigned char, 32> key{};
  key.fill(kVaultKey);
  const controller::OverlayVault vault(key, {1});
  overlay::Node after = node;
  overlay::apply(submission, after);
  row.key("overlay_seal_ns").value(nanoseconds_of([&](std::uint64_t i) {
    const auto sealed =
        vault.seal(controller::kNodeRows, after.name, i + 1, overlay::encode(after));
    const auto report = vault.seal_report(after.name, kNow, submission.signed_text);
    return std::uint64_t{sealed.bytes.size() + report.bytes.size()};
  }));
}

}  // namespace

Status write_overlay_guards(wire::JsonWriter& row) {
  OverlayNode node({"", std::string(kMesh), "bench", "member", Identity::generate()});
  const std::string body = node.submission(kNow);
  wire::JsonDocument document;
  SIGNET_TRY([[maybe_unused]] const Done parsed, document.parse(body));
  row.key("overlay_parse_ns").value(nanoseconds_of([&](std::uint64_t) {
    return std::uint64_t{document.parse(body).ok()};
  }));
  row.key("overlay_canonical_ns").value(nanoseconds_of([&](std::uint64_t) {
    const auto claim = wire::canonical_claim(document.root(), {"signature"});
    return std::uint64_t{claim.ok() ? claim->size() : 0};
  }));
  row.key("overlay_read_ns").value(nanoseconds_of([&](std::uint64_t) {
    return dialects::read_submission(body, kMesh).index();
  }));
  const auto read = dialects::read_submission(body, kMesh);
  const auto* submission = std::get_if<overlay::Submission>(&read);
  if (submission == nullptr) return a_good_one_is_refused();
  const overlay::Node known = known_node(node);
  const overlay::SubmissionRules rules;
  const auto check = [&] { return overlay::check(*submission, node.name(), &known, rules, kNow); };
  if (check()) return a_good_one_is_refused();
  row.key("overlay_check_ns").value(nanoseconds_of([&](std::uint64_t) {
    return std::uint64_t{check().has_value()};
  }));
  write_sealing(row, known, *submission);
  return Done{};
}

}  // namespace signet::bench
