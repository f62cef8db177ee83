#include <gtest/gtest.h>

#include "base/encoding.h"
#include "dialects/overlay.h"

// Verdicts are in overlay_vectors_test.cc; here is what a good body is read as, and what is told of
// a bad one.

namespace signet::dialects {
namespace {

using overlay::Score;
using overlay::Submission;

constexpr std::string_view kMesh = "mesh-1";
constexpr std::string_view kSignature =
    "00af9e1fbd55ab6edbb51c7785c7cdf2563b855534927718fd1fd022b9156d42"
    "758e7ac2e7cefd51a0c91b7ed46a45722079e464d724ba57b18268cc97dc5f0f";

std::optional<Submission> taken(std::string_view body) {
  const SubmissionRead read = read_submission(body, kMesh);
  const auto* const submission = std::get_if<Submission>(&read);
  return submission == nullptr ? std::nullopt : std::optional(*submission);
}

std::string detail_of(std::string_view body) {
  const SubmissionRead read = read_submission(body, kMesh);
  const auto* const refused = std::get_if<SubmissionRefused>(&read);
  return refused == nullptr ? "taken" : refused->detail;
}

std::string with(std::string_view member) {
  return R"({"node_id":"a","timestamp":"2026-01-05T12:34:50Z","suite_version":"s","scores":{"overall":1},)" +
         std::string(member) + "}";
}

TEST(OverlayReading, KeepsAllThatASubmissionSays) {
  const auto submission = taken(
      R"({"node_id":"node-a","timestamp":"2026-01-05T14:34:50.1234567+02:00","suite_version":"poc 0.1",)"
      R"("scores":{"overall":0.9234567,"latency ms":0,"x":null},"notes":"caf\u00e9","sequence":7,)"
      R"("nonce":"n!~","epk":"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=","signature":")" +
      std::string(kSignature) + R"(","kernel":null,"region":"eu"})");
  ASSERT_TRUE(submission);
  EXPECT_EQ(submission->node, "node-a");
  EXPECT_EQ(submission->timestamp, WallTime{1'767'616'490'123});
  EXPECT_EQ(submission->suite, "poc 0.1");
  EXPECT_EQ(submission->scores.size(), 2U);
  EXPECT_EQ(submission->overall(), Score{923'457});
  EXPECT_EQ(submission->scores.find("latency ms")->second, Score{0});
  EXPECT_EQ(submission->notes, "caf\xc3\xa9");
  EXPECT_EQ(submission->sequence, 7U);
  EXPECT_EQ(submission->nonce, "n!~");
  ASSERT_TRUE(submission->fresh_key);
  EXPECT_EQ(submission->fresh_key->front(), 1);
  EXPECT_EQ(submission->fresh_key->back(), 32);
  ASSERT_TRUE(submission->signature);
  EXPECT_EQ(to_hex(*submission->signature), kSignature);
  EXPECT_EQ(
      submission->signed_text,
      "signet-benchmark-v1\n"
      R"({"epk":"AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=","node_id":"node-a","nonce":"n!~",)"
      "\"notes\":\"caf\xc3\xa9\",\"region\":\"eu\","
      R"("scores":{"latency ms":0,"overall":0.9234567},"sequence":7,"suite_version":"poc 0.1",)"
      R"("timestamp":"2026-01-05T14:34:50.1234567+02:00"})");
}

TEST(OverlayReading, WhatIsNotSaidIsNotThere) {
  const auto submission = taken(with(R"("notes":null)"));
  ASSERT_TRUE(submission);
  EXPECT_EQ(submission->sequence, std::nullopt);
  EXPECT_EQ(submission->fresh_key, std::nullopt);
  EXPECT_EQ(submission->signature, std::nullopt);
  EXPECT_TRUE(submission->nonce.empty());
  EXPECT_TRUE(submission->notes.empty());
}

TEST(OverlayReading, TellsWhichMemberIsWrong) {
  // clang-format off
  const struct { std::string body; const char* detail; } rows[] = {
      {"", "malformed: body: empty"},
      {"[]", "malformed: body: an object of at most 32 members"},
      {std::string(kMaxSubmissionBytes + 1, ' '), "malformed: body: longer than 16384 bytes"},
      {with(R"("node_id":"b")"), "malformed: body: duplicate key"},
      {R"({"node_id":"a"})", "malformed: timestamp is missing"},
      {R"({"node_id":"a\n"})", "malformed: node_id: 1 to 64 of letters, digits and . - _, no dot first"},
      {with(R"("sequence":0)"), "malformed: sequence: a whole number from 1 to 2^53, in plain digits"},
      {with(R"("epk":"x")"), "malformed: epk: 32 bytes in base64, with padding"},
      {with(R"("mesh_id":"mesh-2")"), "node_id mismatch: mesh_id names another mesh"},
      {with(R"("mesh_id":"mesh-1")"), "taken"},
      {with(R"("x":NaN)"), "malformed: body: a number beyond a double"},
      {R"({"node_id":"a","timestamp":"2026-01-05T12:34:50Z","suite_version":"s","scores":{"speed":2.0}})",
       "out of range: scores.speed must be a finite number from 0 to 1"},
      {R"({"node_id":"a","timestamp":"2026-01-05T12:34:50Z","suite_version":"s","scores":{"overall":NaN}})",
       "out of range: scores.overall must be a finite number from 0 to 1"},
      {R"({"node_id":"a","timestamp":"2026-01-05T12:34:50Z","suite_version":"s","scores":{}})",
       "out of range: scores.overall is missing"},
  };
  // clang-format on
  for (const auto& row : rows) EXPECT_EQ(detail_of(row.body), row.detail) << row.body.substr(0, 80);
}

// A fault of form is named before what is said: 422 before 400.
TEST(OverlayReading, FormComesBeforeWhatIsSaid) {
  EXPECT_EQ(detail_of(R"({"node_id":"a","timestamp":"2026-01-05T12:34:50Z","suite_version":"s",)"
                      R"("scores":{"overall":2},"nonce":""})"),
            "malformed: nonce: 1 to 64 printable characters of ASCII, no space");
}

TEST(OverlayReading, EveryRefusalHasItsNumber) {
  for (std::size_t i = 0; i < kSubmissionRefusalCount; ++i) {
    const auto refusal = static_cast<SubmissionRefusal>(i);
    const int expected = refusal == SubmissionRefusal::kMalformed     ? 422
                         : refusal == SubmissionRefusal::kRateLimited ? 429
                         : refusal == SubmissionRefusal::kUnavailable ? 503
                                                                      : 400;
    EXPECT_EQ(status_of(refusal), expected) << signet::name_of(refusal);
  }
  for (std::size_t i = 0; i < kNodeRefusalCount; ++i) {
    const int status = status_of(static_cast<NodeRefusal>(i));
    EXPECT_TRUE((status >= 400 && status < 430) || status == 503) << i;
  }
  EXPECT_EQ(status_of(NodeRefusal::kUnproven), 401);
  EXPECT_EQ(status_of(NodeRefusal::kNameTaken), 409);
}

}  // namespace
}  // namespace signet::dialects
