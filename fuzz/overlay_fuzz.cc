// What nodes of the overlay send. Whatever the bytes, what is read holds its bounds and, written
// again, reads as the same; the canonical text of a canonical text is that text; a body that is
// refused has a reason; what its key did not sign never counts, and what it signed does exactly
// when it is fresh and new.
//   input: the distance of the clock and which bit of a signature to change (1 byte), the bytes
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "dialects/overlay.h"
#include "overlay/submission_check.h"
#include "overlay/wireguard_config.h"
#include "wire/canonical_json.h"
#include "wire/json.h"

namespace {

using namespace signet;
using namespace signet::dialects;
using overlay::Submission;
using std::chrono::milliseconds;

constexpr std::string_view kMesh = "the fuzzer's mesh";
constexpr std::string_view kPath = "node-a";

void check(bool holds) {
  if (!holds) std::abort();
}

const crypto::SecretKey& node_key() {
  static const crypto::SecretKey key = crypto::SecretKey::from_seed({9});
  return key;
}

// ---- the canonical text

std::string canonical_of(std::string_view text) {
  wire::JsonDocument document;
  check(document.parse(text).ok());
  const auto printed = wire::canonical(document.root());
  check(printed.ok());
  return *printed;
}

void check_canonical(std::string_view bytes) {
  wire::JsonDocument document;
  if (!document.parse(bytes).ok()) return;
  const auto printed = wire::canonical(document.root());
  check(printed.ok() || printed.error().detail == "number");
  if (!printed.ok()) return;
  check(canonical_of(*printed) == *printed);
  const auto claim = wire::canonical_claim(document.root(), {"signature"});
  check(claim.ok() == document.root().is(wire::JsonKind::kObject));
  if (!claim.ok()) return;
  wire::JsonDocument again;
  check(again.parse(*claim).ok() && !again.root()["signature"]);
  check(*wire::canonical_claim(again.root(), {"signature"}) == *claim);
  check(canonical_of(*claim) == *claim);
}

// ---- submissions

bool same(const Submission& a, const Submission& b) {
  return a.node == b.node && a.timestamp == b.timestamp && a.suite == b.suite &&
         a.scores == b.scores && a.notes == b.notes && a.sequence == b.sequence &&
         a.nonce == b.nonce && a.fresh_key == b.fresh_key && a.signature == b.signature;
}

void check_bounds(const Submission& submission) {
  check(overlay::is_node_name(submission.node));
  check(!submission.suite.empty() && submission.suite.size() <= overlay::kMaxSuiteName);
  check(submission.scores.size() <= overlay::kMaxScores && submission.scores.contains("overall"));
  for (const auto& [name, score] : submission.scores) {
    check(!name.empty() && name.size() <= kMaxScoreName);
    check(score.millionths >= 0 && score.millionths <= overlay::Score::kOne);
  }
  check(submission.notes.size() <= overlay::kMaxNotes);
  check(!submission.sequence ||
        (*submission.sequence >= 1 && *submission.sequence <= kMaxSequence));
  check(submission.nonce.empty() || overlay::is_node_nonce(submission.nonce));
}

// What it keeps, told again by a node of ours.
void check_written(const Submission& submission) {
  const std::string body = write_submission(submission, kMesh);
  const SubmissionRead read = read_submission(body, kMesh);
  check(std::holds_alternative<Submission>(read));
  const auto& again = std::get<Submission>(read);
  check(same(submission, again));
  check(again.signed_text == text_to_sign(submission, kMesh));
  check(write_submission(again, kMesh) == body);
  const SubmissionRead elsewhere = read_submission(body, "another mesh");
  check(std::get<SubmissionRefused>(elsewhere).code == SubmissionRefusal::kNodeMismatch);
}

void check_counts(Submission submission, std::uint8_t byte) {
  overlay::Node node;
  node.name = submission.node;
  node.key = node_key().public_key();
  node.newest = WallTime{std::numeric_limits<std::int64_t>::min()};
  const milliseconds off(std::int64_t{byte} * 1'000 - 60'000);
  const WallTime now = submission.timestamp + off;
  // Nobody can sign by chance.
  check(overlay::check(submission, submission.node, &node, {}, now).has_value());
  submission.signature = node_key().sign(bytes_of(submission.signed_text));
  const bool is_whole = submission.sequence && !submission.nonce.empty();
  const bool is_fresh = off <= milliseconds(120'000) && off >= milliseconds(-30'000);
  const auto refused = overlay::check(submission, submission.node, &node, {}, now);
  check(!refused.has_value() == (is_whole && is_fresh));
  if (refused) return;
  Submission edited = submission;
  (*edited.signature)[byte % 64] ^= 1;
  check(overlay::check(edited, submission.node, &node, {}, now) ==
        SubmissionRefusal::kBadSignature);
  overlay::apply(submission, node);
  check(overlay::check(submission, submission.node, &node, {}, now) ==
        SubmissionRefusal::kReplayed);
}

void check_submission(std::string_view bytes, std::uint8_t byte) {
  const SubmissionRead read = read_submission(bytes, kMesh);
  if (const auto* const refused = std::get_if<SubmissionRefused>(&read)) {
    return check(!refused->detail.empty() && status_of(refused->code) / 100 == 4);
  }
  const auto& submission = std::get<Submission>(read);
  check_bounds(submission);
  check(submission.signed_text.starts_with(kSubmissionDomain));
  const std::string claim = submission.signed_text.substr(kSubmissionDomain.size());
  check(canonical_of(claim) == claim);
  check_written(submission);
  check_counts(submission, byte);
}

// ---- registrations, changes of keys, requests

void check_refused(const NodeRefused& refused) {
  check(!refused.detail.empty() && status_of(refused.code) / 100 == 4);
}

void check_registration(std::string_view bytes) {
  const RegistrationRead read = read_registration(bytes, kPath, kMesh);
  if (const auto* const refused = std::get_if<NodeRefused>(&read)) return check_refused(*refused);
  const auto& body = std::get<NodeRegistration>(read);
  check(body.node == kPath && body.invite.size() <= kMaxNodeInvite);
  check(body.endpoint.empty() || overlay::Endpoint::of(body.endpoint)->text() == body.endpoint);
  const std::string written = write_registration(body, kMesh);
  const RegistrationRead again = read_registration(written, kPath, kMesh);
  check(std::holds_alternative<NodeRegistration>(again));
  const auto& same_body = std::get<NodeRegistration>(again);
  check(same_body.key == body.key && same_body.wireguard == body.wireguard &&
        same_body.endpoint == body.endpoint && same_body.invite == body.invite &&
        same_body.timestamp == body.timestamp && same_body.signature == body.signature);
  check(same_body.signed_text == text_to_sign(body, kMesh));
  check(write_registration(same_body, kMesh) == written);
}

void check_rekey(std::string_view bytes) {
  const RekeyRead read = read_rekey(bytes, kPath, kMesh);
  if (const auto* const refused = std::get_if<NodeRefused>(&read)) return check_refused(*refused);
  const auto& body = std::get<NodeRekey>(read);
  check(body.node == kPath && body.key.has_value() == body.key_signature.has_value());
  const std::string written = write_rekey(body, kMesh);
  const RekeyRead again = read_rekey(written, kPath, kMesh);
  check(std::holds_alternative<NodeRekey>(again));
  const auto& same_body = std::get<NodeRekey>(again);
  check(same_body.key == body.key && same_body.key_signature == body.key_signature &&
        same_body.wireguard == body.wireguard && same_body.timestamp == body.timestamp);
  check(same_body.signed_text == text_to_sign(body, kMesh));
  check(write_rekey(same_body, kMesh) == written);
}

std::string lower(std::string text, std::size_t from) {
  for (std::size_t i = from; i < text.size(); ++i) {
    if (text[i] >= 'A' && text[i] <= 'F') text[i] = static_cast<char>(text[i] - 'A' + 'a');
  }
  return text;
}

void check_request(std::string_view bytes) {
  const auto request = read_node_authorization(bytes);
  if (!request) return;
  // One spelling, but for the letters of the signature.
  constexpr std::size_t kSignatureDigits = 128;
  const std::string written = write_node_authorization(*request);
  check(written == lower(std::string(bytes), bytes.size() - kSignatureDigits));
  check(read_node_authorization(written) == *request);
  check(overlay::check_proof(node_key().public_key(),
                             overlay::text_to_sign(*request, "GET", "/", kMesh), request->signature,
                             request->at, {}, request->at) == NodeRefusal::kUnproven);
}

void check_config(std::string_view bytes) {
  const auto read = read_config(bytes);
  if (!read.ok()) return check(read.error().code == ErrorCode::kMalformed);
  const std::string written = write_config(*read);
  const auto again = read_config(written);
  check(again.ok() && *again == *read && write_config(*again) == written);
}

void check_keys_said(std::string_view bytes) {
  const auto said = read_keys_said(bytes);
  if (!said) return;
  const std::string mark = bytes.empty() ? "" : "?";
  check(config_target("a", *said) == "/v1/config/a" + mark + std::string(bytes));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  check_canonical(bytes);
  check_submission(bytes, data[0]);
  check_registration(bytes);
  check_rekey(bytes);
  check_request(bytes);
  check_config(bytes);
  check_keys_said(bytes);
  return 0;
}
