#include "overlay/submission_check.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "base/encoding.h"

namespace signet::overlay {
namespace {

using Refused = std::optional<SubmissionRefusal>;
using std::chrono::milliseconds;

constexpr WallTime kNow{1'767'616'490'123};
constexpr WallTime kFirst{std::numeric_limits<std::int64_t>::min()};
constexpr WallTime kLast{std::numeric_limits<std::int64_t>::max()};
constexpr SubmissionRules kStrict{};
constexpr SubmissionRules kOpen{milliseconds(120'000), milliseconds(30'000), true};

const crypto::SecretKey& node_key() {
  static const crypto::SecretKey key = crypto::SecretKey::from_seed({1});
  return key;
}

void sign(Submission& submission) {
  submission.signature = node_key().sign(bytes_of(submission.signed_text));
}

// What node-a sends with its fifth sequence, and unsigned.
Submission signed_one() {
  Submission submission;
  submission.node = "node-a";
  submission.timestamp = kNow;
  submission.suite = "poc-0.1";
  submission.scores["overall"] = Score{920'000};
  submission.sequence = 5;
  submission.nonce = "n5";
  submission.signed_text = "the domain and the body";
  submission.fresh_key = WireGuardKey{7};
  sign(submission);
  return submission;
}
Submission unsigned_one() {
  Submission submission = signed_one();
  submission.signature.reset();
  submission.sequence.reset();
  submission.nonce.clear();
  return submission;
}

Node keyed() {
  Node node;
  node.name = "node-a";
  node.key = node_key().public_key();
  node.sequence = 4;
  node.newest = kNow - milliseconds(1'000);
  return node;
}
Node keyless() {
  Node node = keyed();
  node.key.reset();
  node.sequence = 0;
  return node;
}

Node with_suites(std::size_t count, WallTime at) {
  Node node = keyed();
  for (std::size_t i = 0; i < count; ++i) {
    const std::string suite = "suite-" + std::to_string(i);
    node.reports[suite] = Report{suite, Score{800'000}, at + milliseconds(i)};
  }
  return node;
}

TEST(SubmissionCheck, TakesWhatItMay) {
  const Node known = keyed();
  const Node original = keyless();
  EXPECT_EQ(check(signed_one(), "node-a", &known, kStrict, kNow), std::nullopt);
  EXPECT_EQ(check(signed_one(), "node-a", &known, kOpen, kNow), std::nullopt);
  EXPECT_EQ(check(unsigned_one(), "node-a", &original, kOpen, kNow), std::nullopt);
  EXPECT_EQ(check(unsigned_one(), "node-a", nullptr, kOpen, kNow), std::nullopt);
}

// One fault each, in the order in which they are named.
struct Fault {
  const char* name;
  SubmissionRefusal refusal;
  std::function<void(Submission&)> make;
};
const Fault kFaults[] = {
    {"another name", SubmissionRefusal::kNodeMismatch, [](Submission& s) { s.node = "node-b"; }},
    {"stale", SubmissionRefusal::kStale,
     [](Submission& s) { s.timestamp = kNow - milliseconds(120'001); }},
    {"no signature", SubmissionRefusal::kUnsigned, [](Submission& s) { s.signature.reset(); }},
    {"an equal sequence", SubmissionRefusal::kReplayed, [](Submission& s) { s.sequence = 4; }},
    {"a ninth suite", SubmissionRefusal::kOutOfRange, [](Submission& s) { s.suite = "ninth"; }},
    {"an edited text", SubmissionRefusal::kBadSignature,
     [](Submission& s) { s.signed_text.push_back(' '); }},
};

TEST(SubmissionCheck, OfTwoFaultsNamesTheFirst) {
  Node node = with_suites(kMaxSuites, kNow);
  Submission good = signed_one();
  good.suite = "suite-3";
  ASSERT_EQ(check(good, "node-a", &node, kStrict, kNow), std::nullopt);
  for (const Fault& first : kFaults) {
    for (const Fault& second : kFaults) {
      SCOPED_TRACE(std::string(first.name) + " and " + second.name);
      Submission both = good;
      first.make(both);
      second.make(both);
      const SubmissionRefusal named = &first < &second ? first.refusal : second.refusal;
      EXPECT_EQ(check(both, "node-a", &node, kStrict, kNow), Refused(named));
    }
  }
}

TEST(SubmissionCheck, AnUnknownNodeIsNamedBehindItsPathAlone) {
  for (const Fault& fault : kFaults) {
    SCOPED_TRACE(fault.name);
    Submission faulty = signed_one();
    fault.make(faulty);
    const bool is_path = fault.refusal == SubmissionRefusal::kNodeMismatch;
    const Refused named(is_path ? fault.refusal : SubmissionRefusal::kUnknownNode);
    EXPECT_EQ(check(faulty, "node-a", nullptr, kStrict, kNow), named);
  }
}

TEST(SubmissionCheck, ATimeInTheFutureIsNamedLikeAnOldOne) {
  const Node node = keyed();
  for (const Fault& fault : kFaults) {
    if (fault.refusal == SubmissionRefusal::kStale) continue;
    SCOPED_TRACE(fault.name);
    Submission faulty = signed_one();
    fault.make(faulty);
    faulty.timestamp = kNow + milliseconds(30'001);
    const bool is_path = fault.refusal == SubmissionRefusal::kNodeMismatch;
    const Refused named(is_path ? fault.refusal : SubmissionRefusal::kFuture);
    EXPECT_EQ(check(faulty, "node-a", &node, kStrict, kNow), named);
  }
}

TEST(SubmissionCheck, TheWindowsEdgesAreInIt) {
  const Node node = keyed();
  // clang-format off
  const struct { const char* name; WallTime at, now; Refused refused; } rows[] = {
      {"120 s old", kNow - milliseconds(120'000), kNow, {}},
      {"a millisecond older", kNow - milliseconds(120'001), kNow, SubmissionRefusal::kStale},
      {"30 s ahead", kNow + milliseconds(30'000), kNow, {}},
      {"a millisecond more", kNow + milliseconds(30'001), kNow, SubmissionRefusal::kFuture},
      {"a day ahead", kNow + milliseconds(86'400'000), kNow, SubmissionRefusal::kFuture},
      {"the first time there is", kFirst, kNow, SubmissionRefusal::kStale},
      {"the last", kLast, kNow, SubmissionRefusal::kFuture},
      {"the first at the last", kFirst, kLast, SubmissionRefusal::kStale},
      {"the last at the first", kLast, kFirst, SubmissionRefusal::kFuture},
      {"the first at the first", kFirst, kFirst, {}},
      {"the last at the last", kLast, kLast, {}},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Submission submission = signed_one();
    submission.timestamp = row.at;
    EXPECT_EQ(check(submission, "node-a", &node, kStrict, row.now), row.refused);
  }
}

TEST(SubmissionCheck, WindowsAreOptions) {
  const Node node = keyed();
  const SubmissionRules narrow{milliseconds(0), milliseconds(-1), false};
  Submission submission = signed_one();
  EXPECT_EQ(check(submission, "node-a", &node, narrow, kNow), std::nullopt);
  submission.timestamp = kNow - milliseconds(1);
  EXPECT_EQ(check(submission, "node-a", &node, narrow, kNow), Refused(SubmissionRefusal::kStale));
  submission.timestamp = kNow + milliseconds(1);
  EXPECT_EQ(check(submission, "node-a", &node, narrow, kNow), Refused(SubmissionRefusal::kFuture));
}

TEST(SubmissionCheck, WhoHasAKeySignsAllOfIt) {
  const Node known = keyed();
  const Node original = keyless();
  const auto without = [](const auto& take) {
    Submission submission = signed_one();
    take(submission);
    return submission;
  };
  const Submission no_sequence = without([](Submission& s) { s.sequence.reset(); });
  const Submission no_nonce = without([](Submission& s) { s.nonce.clear(); });
  // clang-format off
  const struct { const char* name; Submission submission; const Node* node; const SubmissionRules& rules; Refused refused; } rows[] = {
      {"unsigned of a node with a key", unsigned_one(), &known, kStrict, SubmissionRefusal::kUnsigned},
      {"the same where unsigned ones may come", unsigned_one(), &known, kOpen, SubmissionRefusal::kUnsigned},
      {"signed without a sequence", no_sequence, &known, kOpen, SubmissionRefusal::kUnsigned},
      {"signed without a nonce", no_nonce, &known, kOpen, SubmissionRefusal::kUnsigned},
      {"unsigned of an original node, no longer allowed", unsigned_one(), &original, kStrict, SubmissionRefusal::kUnsigned},
      {"signed of a node without a key", signed_one(), &original, kOpen, SubmissionRefusal::kBadSignature},
      {"signed of an unknown node", signed_one(), nullptr, kOpen, SubmissionRefusal::kUnknownNode},
      {"unsigned of an unknown node", unsigned_one(), nullptr, kStrict, SubmissionRefusal::kUnknownNode},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(check(row.submission, "node-a", row.node, row.rules, kNow), row.refused);
  }
}

TEST(SubmissionCheck, AFirstUnsignedSubmissionIsHeldAgainstTheClock) {
  Submission late = unsigned_one();
  late.timestamp = kNow - milliseconds(120'001);
  EXPECT_EQ(check(late, "node-a", nullptr, kOpen, kNow), Refused(SubmissionRefusal::kStale));
  late.timestamp = kNow + milliseconds(30'001);
  EXPECT_EQ(check(late, "node-a", nullptr, kOpen, kNow), Refused(SubmissionRefusal::kFuture));
}

TEST(SubmissionCheck, NothingCountsTwice) {
  const Node known = keyed();
  const Node original = keyless();
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  // clang-format off
  const struct { const char* name; std::optional<std::uint64_t> sequence; WallTime at; Refused refused; } rows[] = {
      {"the next", 5, kNow, {}},
      {"one far above", kMost, kNow, {}},
      {"the last again", 4, kNow, SubmissionRefusal::kReplayed},
      {"a lower one", 3, kNow, SubmissionRefusal::kReplayed},
      {"none", 0, kNow, SubmissionRefusal::kReplayed},
      {"the next, by a clock that went back", 5, known.newest - milliseconds(5), {}},
      {"unsigned and newer", {}, original.newest + milliseconds(1), {}},
      {"unsigned of the same time", {}, original.newest, SubmissionRefusal::kReplayed},
      {"unsigned and older", {}, original.newest - milliseconds(1), SubmissionRefusal::kReplayed},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Submission submission = row.sequence ? signed_one() : unsigned_one();
    if (row.sequence) submission.sequence = row.sequence;
    submission.timestamp = row.at;
    const Node* const node = row.sequence ? &known : &original;
    EXPECT_EQ(check(submission, "node-a", node, kOpen, kNow), row.refused);
  }
}

TEST(SubmissionCheck, WhatASequenceOfAnUnsignedOneSaysMeansNothing) {
  const Node original = keyless();
  Submission submission = unsigned_one();
  submission.sequence = 1;
  EXPECT_EQ(check(submission, "node-a", &original, kOpen, kNow), std::nullopt);
  Node after = original;
  apply(submission, after);
  EXPECT_EQ(after.sequence, 0U);
}

TEST(SubmissionCheck, OnlyReportsThatCountStandInTheWayOfANewSuite) {
  // clang-format off
  const struct { const char* name; std::size_t suites; milliseconds age; const char* suite; Refused refused; } rows[] = {
      {"an eighth", kMaxSuites - 1, milliseconds(0), "new", {}},
      {"a ninth", kMaxSuites, milliseconds(0), "new", SubmissionRefusal::kOutOfRange},
      {"one of the eight", kMaxSuites, milliseconds(0), "suite-0", {}},
      {"a ninth at the edge", kMaxSuites, milliseconds(120'000), "new", SubmissionRefusal::kOutOfRange},
      {"a ninth where one is old", kMaxSuites, milliseconds(120'001), "new", {}},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const Node node = with_suites(row.suites, kNow - row.age);
    Submission submission = signed_one();
    submission.suite = row.suite;
    EXPECT_EQ(check(submission, "node-a", &node, kStrict, kNow), row.refused);
  }
}

TEST(SubmissionCheck, ASignatureIsOfTheKeyAndTheText) {
  const Node node = keyed();
  for (std::size_t bit = 0; bit < 512; ++bit) {
    Submission edited = signed_one();
    (*edited.signature)[bit / 8] ^= static_cast<unsigned char>(1U << (bit % 8));
    EXPECT_EQ(check(edited, "node-a", &node, kStrict, kNow),
              Refused(SubmissionRefusal::kBadSignature))
        << bit;
  }
  Submission other = signed_one();
  other.signature = crypto::SecretKey::from_seed({2}).sign(bytes_of(other.signed_text));
  EXPECT_EQ(check(other, "node-a", &node, kStrict, kNow),
            Refused(SubmissionRefusal::kBadSignature));
}

TEST(SubmissionApply, KeepsWhatTheNextIsHeldAgainst) {
  Node node = keyed();
  node.endpoint = "192.0.2.1:51820";
  node.address = 9;
  apply(signed_one(), node);
  EXPECT_EQ(node.sequence, 5U);
  EXPECT_EQ(node.newest, kNow);
  EXPECT_EQ(node.fresh_key, WireGuardKey{7});
  ASSERT_TRUE(node.reports.contains("poc-0.1"));
  const Report& report = node.reports.at("poc-0.1");
  EXPECT_EQ(report.suite, "poc-0.1");
  EXPECT_EQ(report.overall, Score{920'000});
  EXPECT_EQ(report.timestamp, kNow);
  EXPECT_EQ(node.endpoint, "192.0.2.1:51820");
  EXPECT_EQ(node.address, 9U);
  EXPECT_EQ(node.trend.samples, 0U);
  EXPECT_EQ(check(signed_one(), "node-a", &node, kStrict, kNow),
            Refused(SubmissionRefusal::kReplayed));
}

TEST(SubmissionApply, TheFreshKeyIsThatOfTheLastSignedOne) {
  Node node = keyed();
  apply(signed_one(), node);
  Submission without = signed_one();
  without.fresh_key.reset();
  apply(without, node);
  EXPECT_EQ(node.fresh_key, std::nullopt) << "its secret may be wiped";

  Node original = keyless();
  apply(unsigned_one(), original);
  EXPECT_EQ(original.fresh_key, std::nullopt) << "anybody could have sent it";
}

TEST(SubmissionApply, NewestNeverGoesBack) {
  Node node = keyed();
  const WallTime newest = node.newest;
  Submission earlier = signed_one();
  earlier.timestamp = newest - milliseconds(500);
  apply(earlier, node);
  EXPECT_EQ(node.newest, newest);
  EXPECT_EQ(node.reports.at("poc-0.1").timestamp, earlier.timestamp);
}

TEST(SubmissionApply, ANewSuiteTakesThePlaceOfTheOldest) {
  Node node = with_suites(kMaxSuites, kNow - milliseconds(200'000));
  apply(signed_one(), node);
  EXPECT_EQ(node.reports.size(), kMaxSuites);
  EXPECT_FALSE(node.reports.contains("suite-0"));
  EXPECT_TRUE(node.reports.contains("poc-0.1"));
}

TEST(SubmissionDetail, HasTheNumbersThatItRestsOn) {
  // clang-format off
  const struct { const char* name; std::int64_t off; SubmissionRefusal refusal; const char* detail; } rows[] = {
      {"old", -130'000, SubmissionRefusal::kStale, "timestamp is stale (130s > 120s)"},
      {"old by a fraction", -130'900, SubmissionRefusal::kStale, "timestamp is stale (130s > 120s)"},
      {"just old", -120'001, SubmissionRefusal::kStale, "timestamp is stale (120.001s > 120s)"},
      {"ahead", 31'000, SubmissionRefusal::kFuture, "timestamp is in the future (31s > 30s)"},
      {"just ahead", 30'050, SubmissionRefusal::kFuture, "timestamp is in the future (30.05s > 30s)"},
      {"a little ahead", 30'999, SubmissionRefusal::kFuture, "timestamp is in the future (30.9s > 30s)"},
      {"another name", 0, SubmissionRefusal::kNodeMismatch, "node_id mismatch: the body names another node than the path"},
      {"a ninth suite", 0, SubmissionRefusal::kOutOfRange, "out of range: the node has reports of 8 suites"},
      {"another", 0, SubmissionRefusal::kBadSignature, "bad signature"},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    Submission submission = signed_one();
    submission.timestamp = kNow + milliseconds(row.off);
    EXPECT_EQ(detail_of(row.refusal, submission, kStrict, kNow), row.detail);
  }
  Submission first = signed_one();
  first.timestamp = kFirst;
  EXPECT_EQ(detail_of(SubmissionRefusal::kStale, first, kStrict, kLast),
            "timestamp is stale (18446744073709551s > 120s)");
}

TEST(SubmissionDetail, IsAnotherForEachRefusal) {
  std::map<std::string_view, int> sentences;
  for (std::size_t i = 0; i < kSubmissionRefusalCount; ++i) {
    const std::string_view sentence = sentence_of(static_cast<SubmissionRefusal>(i));
    EXPECT_FALSE(sentence.empty());
    EXPECT_EQ(++sentences[sentence], 1) << sentence;
  }
}

}  // namespace
}  // namespace signet::overlay
