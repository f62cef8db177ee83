// May this submission count? In the order of protocol/overlay.md, with what it changes of its node.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/codes.h"
#include "overlay/node.h"

namespace signet::overlay {

struct SubmissionRules {
  std::chrono::milliseconds max_age{120'000};   // the page's window, inclusive
  std::chrono::milliseconds max_ahead{30'000};  // a clock may be so far ahead, inclusive
  bool allow_unsigned = false;                  // original nodes; metered and warned about
};

// `node`: what is known of the name; nullptr: nothing (then kUnknownNode, unless an unsigned node
// may be made and this is no signed one). `path_name`: of the request's path. Nonces are not looked
// at: a sequence that rises strictly makes each signed text new; the store keeps them (spend_nonce)
// where two brokers write. One public-key operation at most, and only when all else holds.
//
// The first that fails is named: kNodeMismatch, kUnknownNode, kStale, kFuture, kUnsigned (a node
// with a key never takes unsigned ones, whatever is allowed), kReplayed, kOutOfRange (one suite
// more than kMaxSuites, all of which still count), kBadSignature (also where no key is known to
// hold it against). kMalformed, other kOutOfRange, kRevoked, kRateLimited and kTooManyNodes are the
// caller's.
std::optional<SubmissionRefusal> check(const Submission& submission, std::string_view path_name,
                                       const Node* node, const SubmissionRules& rules,
                                       WallTime now);

// The node as it is with the submission. REQUIRES: check said nothing. Trend is moved by decide
// (rule.h), once an epoch; endpoint and address are the registration's. What an unsigned submission
// says of sequence and fresh key is not taken. A new suite of a node that has kMaxSuites takes the
// place of the oldest report, which counts no more.
void apply(const Submission& submission, Node& node);

// What a peer is told in `detail` (protocol/overlay.md) begins with this, for good; one for each.
std::string_view sentence_of(SubmissionRefusal refusal);
// The whole of it, with the numbers that it rests on: `timestamp is stale (130s > 120s)`.
std::string detail_of(SubmissionRefusal refusal, const Submission& submission,
                      const SubmissionRules& rules, WallTime now);

}  // namespace signet::overlay
