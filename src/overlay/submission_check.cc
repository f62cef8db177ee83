#include "overlay/submission_check.h"

#include <algorithm>
#include <cstdint>

#include "base/encoding.h"
#include "crypto/sign.h"

namespace signet::overlay {
namespace {

using std::chrono::milliseconds;

// How far `late` is behind `early`, 0 where it is not. Both ends of WallTime are times that a peer
// can name, and their difference has no place in an int64_t.
std::uint64_t since(WallTime early, WallTime late) {
  if (late <= early) return 0;
  return static_cast<std::uint64_t>(late.ms) - static_cast<std::uint64_t>(early.ms);
}

bool is_over(std::uint64_t distance, milliseconds limit) {
  return distance > static_cast<std::uint64_t>(std::max<std::int64_t>(limit.count(), 0));
}

bool is_replayed(const Submission& submission, const Node& node) {
  if (submission.signature) return submission.sequence.value_or(0) <= node.sequence;
  return submission.timestamp <= node.newest;
}

using Reports = std::map<std::string, Report, std::less<>>;

Reports::const_iterator oldest_of(const Reports& reports) {
  return std::min_element(reports.begin(), reports.end(), [](const auto& a, const auto& b) {
    return a.second.timestamp < b.second.timestamp;
  });
}

// A node goes through more suites in its life than it may have at a time: only reports that still
// count stand in the way of another.
bool has_no_place(const Submission& submission, const Node& node, const SubmissionRules& rules,
                  WallTime now) {
  if (node.reports.size() < kMaxSuites || node.reports.contains(submission.suite)) return false;
  return !is_over(since(oldest_of(node.reports)->second.timestamp, now), rules.max_age);
}

bool is_signed_by(const Submission& submission, const Node* node) {
  if (node == nullptr || !node->key || !submission.signature) return false;
  return crypto::verify(*node->key, bytes_of(submission.signed_text), *submission.signature);
}

// Whether it may come without a signature.
bool may_be_unsigned(const Node* node, const SubmissionRules& rules) {
  return rules.allow_unsigned && (node == nullptr || !node->key);
}

bool is_whole(const Submission& submission) {
  return submission.signature && submission.sequence && !submission.nonce.empty();
}

// Seconds with the fewest decimals that show that it is over the limit, as the rule's reasons have
// them. REQUIRES: it is.
std::string seconds_over(std::uint64_t ms, std::uint64_t limit_ms) {
  std::uint64_t ms_per_unit = 1'000;
  std::size_t decimals = 0;
  for (; decimals < 3 && ms / ms_per_unit * ms_per_unit <= limit_ms; ++decimals) ms_per_unit /= 10;
  std::string text = std::to_string(ms / 1'000);
  if (decimals > 0) {
    const std::string rest = std::to_string(1'000 + ms % 1'000);  // its leading zeros stay
    text.append(".").append(rest, 1, decimals);
  }
  return text + "s";
}

std::string with_numbers(SubmissionRefusal refusal, std::uint64_t distance, milliseconds limit) {
  const auto limit_ms = static_cast<std::uint64_t>(std::max<std::int64_t>(limit.count(), 0));
  return std::string(sentence_of(refusal)) + " (" + seconds_over(distance, limit_ms) + " > " +
         std::to_string(limit_ms / 1'000) + "s)";
}

}  // namespace

std::optional<SubmissionRefusal> check(const Submission& submission, std::string_view path_name,
                                       const Node* node, const SubmissionRules& rules,
                                       WallTime now) {
  if (submission.node != path_name) return SubmissionRefusal::kNodeMismatch;
  const bool may_be_made = rules.allow_unsigned && !submission.signature;
  if (node == nullptr && !may_be_made) return SubmissionRefusal::kUnknownNode;
  if (is_over(since(submission.timestamp, now), rules.max_age)) return SubmissionRefusal::kStale;
  if (is_over(since(now, submission.timestamp), rules.max_ahead)) return SubmissionRefusal::kFuture;
  const bool is_unsigned_one = !submission.signature && may_be_unsigned(node, rules);
  if (!is_unsigned_one && !is_whole(submission)) return SubmissionRefusal::kUnsigned;
  if (node != nullptr && is_replayed(submission, *node)) return SubmissionRefusal::kReplayed;
  if (node != nullptr && has_no_place(submission, *node, rules, now)) {
    return SubmissionRefusal::kOutOfRange;
  }
  if (submission.signature && !is_signed_by(submission, node)) {
    return SubmissionRefusal::kBadSignature;
  }
  return std::nullopt;
}

void apply(const Submission& submission, Node& node) {
  if (submission.signature) {
    node.sequence = submission.sequence.value_or(node.sequence);
    node.fresh_key = submission.fresh_key;
  }
  node.newest = std::max(node.newest, submission.timestamp);
  const bool is_new_suite = !node.reports.contains(submission.suite);
  if (is_new_suite && node.reports.size() >= kMaxSuites) {
    node.reports.erase(oldest_of(node.reports));
  }
  node.reports.insert_or_assign(
      submission.suite, Report{submission.suite, submission.overall(), submission.timestamp});
}

std::string_view sentence_of(SubmissionRefusal refusal) {
  switch (refusal) {
    case SubmissionRefusal::kMalformed:
      return "malformed";
    case SubmissionRefusal::kNodeMismatch:
      return "node_id mismatch";
    case SubmissionRefusal::kOutOfRange:
      return "out of range";
    case SubmissionRefusal::kStale:
      return "timestamp is stale";
    case SubmissionRefusal::kFuture:
      return "timestamp is in the future";
    case SubmissionRefusal::kUnknownNode:
      return "unknown node: register it first";
    case SubmissionRefusal::kUnsigned:
      return "unsigned: signature, sequence and nonce are required";
    case SubmissionRefusal::kBadSignature:
      return "bad signature";
    case SubmissionRefusal::kReplayed:
      return "replayed: not newer than the last submission of this node";
    case SubmissionRefusal::kRevoked:
      return "revoked: the node's key is revoked for good";
    case SubmissionRefusal::kTooManyNodes:
      return "too many nodes";
    case SubmissionRefusal::kRateLimited:
      return "rate limit exceeded";
    case SubmissionRefusal::kUnavailable:
      return "unavailable: nothing was kept";
  }
  return "refused";
}

std::string detail_of(SubmissionRefusal refusal, const Submission& submission,
                      const SubmissionRules& rules, WallTime now) {
  if (refusal == SubmissionRefusal::kStale) {
    return with_numbers(refusal, since(submission.timestamp, now), rules.max_age);
  }
  if (refusal == SubmissionRefusal::kFuture) {
    return with_numbers(refusal, since(now, submission.timestamp), rules.max_ahead);
  }
  std::string sentence(sentence_of(refusal));
  if (refusal == SubmissionRefusal::kNodeMismatch) {
    return sentence + ": the body names another node than the path";
  }
  if (refusal == SubmissionRefusal::kOutOfRange) {
    return sentence + ": the node has reports of " + std::to_string(kMaxSuites) + " suites";
  }
  return sentence;
}

}  // namespace signet::overlay
