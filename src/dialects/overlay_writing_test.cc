#include <gtest/gtest.h>

#include "base/encoding.h"
#include "dialects/overlay.h"

namespace signet::dialects {
namespace {

using overlay::Score;
using overlay::Verdict;

constexpr WallTime kTime{1'767'616'490'123};
constexpr std::string_view kMesh = "mesh-1";

const crypto::SecretKey& page_key() {
  static const crypto::SecretKey key = [] {
    std::array<unsigned char, 32> seed{};
    for (unsigned char i = 0; i < 32; ++i) seed[i] = i;
    return crypto::SecretKey::from_seed(seed);
  }();
  return key;
}

overlay::Submission page_submission() {
  overlay::Submission submission;
  submission.node = "node-a";
  submission.timestamp = kTime;
  submission.suite = "poc-0.1";
  submission.scores = {{"overall", Score{920'000}}, {"honesty", Score{900'000}}};
  submission.sequence = 1;
  submission.nonce = "n1";
  return submission;
}

// The format's own vector, from the node's side.
TEST(OverlayWriting, ASubmissionIsSignedAsThePageHasIt) {
  overlay::Submission submission = page_submission();
  submission.signed_text = text_to_sign(submission, "");
  EXPECT_EQ(
      submission.signed_text,
      "signet-benchmark-v1\n"
      R"({"node_id":"node-a","nonce":"n1","scores":{"honesty":0.9,"overall":0.92},"sequence":1,)"
      R"("suite_version":"poc-0.1","timestamp":"2026-01-05T12:34:50.123Z"})");
  submission.signature = page_key().sign(bytes_of(submission.signed_text));
  EXPECT_EQ(to_hex(*submission.signature),
            "00af9e1fbd55ab6edbb51c7785c7cdf2563b855534927718fd1fd022b9156d42"
            "758e7ac2e7cefd51a0c91b7ed46a45722079e464d724ba57b18268cc97dc5f0f");
  const SubmissionRead read = read_submission(write_submission(submission, ""), kMesh);
  ASSERT_TRUE(std::holds_alternative<overlay::Submission>(read));
  const auto& again = std::get<overlay::Submission>(read);
  EXPECT_EQ(again.signed_text, submission.signed_text);
  EXPECT_EQ(again.signature, submission.signature);
  EXPECT_EQ(again.scores, submission.scores);
}

TEST(OverlayWriting, EveryMillionthReadsBack) {
  for (std::int32_t millionths : {0, 1, 9, 10, 99'999, 123'456, 700'000, 999'999, 1'000'000}) {
    overlay::Submission submission = page_submission();
    submission.scores = {{"overall", Score{millionths}}};
    const SubmissionRead read = read_submission(write_submission(submission, kMesh), kMesh);
    ASSERT_TRUE(std::holds_alternative<overlay::Submission>(read)) << millionths;
    EXPECT_EQ(std::get<overlay::Submission>(read).overall(), Score{millionths});
  }
}

TEST(OverlayWriting, ARegistrationReadsBack) {
  NodeRegistration made;
  made.node = "node-a";
  made.key = page_key().public_key();
  made.wireguard.fill(0x11);
  made.endpoint = "192.0.2.7:51820";
  made.invite = "abc";
  made.timestamp = kTime;
  made.signed_text = text_to_sign(made, kMesh);
  made.signature = page_key().sign(bytes_of(made.signed_text));
  const RegistrationRead read = read_registration(write_registration(made, kMesh), "node-a", kMesh);
  ASSERT_TRUE(std::holds_alternative<NodeRegistration>(read));
  const auto& again = std::get<NodeRegistration>(read);
  EXPECT_EQ(again.node, made.node);
  EXPECT_EQ(again.key, made.key);
  EXPECT_EQ(again.wireguard, made.wireguard);
  EXPECT_EQ(again.endpoint, made.endpoint);
  EXPECT_EQ(again.invite, made.invite);
  EXPECT_EQ(again.timestamp, made.timestamp);
  EXPECT_EQ(again.signature, made.signature);
  EXPECT_EQ(again.signed_text, made.signed_text);
}

TEST(OverlayWriting, ARekeyReadsBack) {
  NodeRekey made;
  made.node = "node-a";
  made.wireguard.fill(0x22);
  made.timestamp = kTime;
  for (const bool with_key : {false, true}) {
    if (with_key) made.key = page_key().public_key();
    made.signed_text = text_to_sign(made, kMesh);
    made.signature = page_key().sign(bytes_of(made.signed_text));
    if (with_key) made.key_signature = made.signature;
    const RekeyRead read = read_rekey(write_rekey(made, kMesh), "node-a", kMesh);
    ASSERT_TRUE(std::holds_alternative<NodeRekey>(read));
    const auto& again = std::get<NodeRekey>(read);
    EXPECT_EQ(again.key, made.key);
    EXPECT_EQ(again.key_signature, made.key_signature);
    EXPECT_EQ(again.wireguard, made.wireguard);
    EXPECT_EQ(again.signed_text, made.signed_text);
  }
}

TEST(OverlayWriting, AnAuthorizationReadsBack) {
  overlay::NodeRequest request{"node-a", kTime, "n!~", {}};
  request.signature.fill(0xab);
  EXPECT_EQ(read_node_authorization(write_node_authorization(request)), request);
}

TEST(OverlayWriting, AnswersAreThoseOfThePage) {
  EXPECT_EQ(write_received("node-a", 7),
            R"({"status":"received","node_id":"node-a","epoch_id":7})");
  EXPECT_EQ(write_detail("bad \"x\""), R"({"detail":"bad \"x\""})");
  EXPECT_EQ(write_detail("unknown node", "unknown_node"),
            R"({"detail":"unknown node","code":"unknown_node"})");
}

TEST(OverlayWriting, AnEpochHasItsNodes) {
  EXPECT_EQ(write_epoch({}, {}),
            R"({"epoch_id":0,"expiry_utc":null,"secret_hash":null,"nodes":{}})");
  const std::vector<OverlayMember> members{
      {"node-a", Verdict::kAllowed, "score 0.92 >= 0.70, fresh", {}, {}},
      {"node-b", Verdict::kDenied, "no benchmark submitted", {}, {}},
      {"node-c", Verdict::kUnknown, "", {}, {}}};
  EXPECT_EQ(
      write_epoch({7, kTime, "sha256:630dcd2966c43366"}, members),
      R"({"epoch_id":7,"expiry_utc":"2026-01-05T12:34:50.123Z","secret_hash":"sha256:630dcd2966c43366",)"
      R"("nodes":{"node-a":{"membership":"ALLOWED","reason":"score 0.92 >= 0.70, fresh"},)"
      R"("node-b":{"membership":"DENIED","reason":"no benchmark submitted"},)"
      R"("node-c":{"membership":"UNKNOWN","reason":""}}})");
}

TEST(OverlayWriting, AStatusHasTheLastBenchmarks) {
  const std::vector<OverlayMember> members{
      {"node-a", Verdict::kAllowed, "fresh", kTime,
       OverlayBenchmark{Score{920'000}, kTime, "poc-0.1"}},
      {"node-b", Verdict::kDenied, "no benchmark submitted", {}, {}}};
  EXPECT_EQ(
      write_status({7, kTime, "sha256:630dcd2966c43366"}, members),
      R"({"epoch":{"id":7,"expiry_utc":"2026-01-05T12:34:50.123Z","secret_hash":"sha256:630dcd2966c43366"},)"
      R"("nodes":{"node-a":{"membership":"ALLOWED","last_update_utc":"2026-01-05T12:34:50.123Z",)"
      R"("last_benchmark":{"overall":0.92,"timestamp":"2026-01-05T12:34:50.123Z","suite_version":"poc-0.1"},)"
      R"("reason":"fresh"},"node-b":{"membership":"DENIED","last_update_utc":null,"last_benchmark":null,)"
      R"("reason":"no benchmark submitted"}}})");
}

TEST(OverlayWriting, AConfigurationSaysOnlyWhatIsGiven) {
  OverlayConfig config;
  config.node = "node-a";
  EXPECT_EQ(
      write_config(config),
      R"({"node_id":"node-a","epoch_id":0,"allowed":null,"reason":"no membership decision"})");
  config.epoch = 7;
  config.allowed = false;
  config.reason = "score 0.65 < threshold 0.70";
  EXPECT_EQ(
      write_config(config),
      R"({"node_id":"node-a","epoch_id":7,"allowed":false,"reason":"score 0.65 < threshold 0.70"})");
  config.allowed = true;
  EXPECT_EQ(*read_config(write_config(config)), config);
  config.allowed = true;
  config.reason = "fresh";
  EXPECT_EQ(
      write_config(config, "ebkO"),
      R"({"node_id":"node-a","epoch_id":7,"allowed":true,"reason":"fresh","psk_base64":"ebkO"})");
  config.keys = OverlayKeys{{7, 8, kTime, {}}, {{7, "abc"}, {8, "def"}}};
  EXPECT_EQ(write_config(config),
            R"({"node_id":"node-a","epoch_id":7,"allowed":true,"reason":"fresh","keys":{)"
            R"("current":7,"next":8,"moment_utc":"2026-01-05T12:34:50.123Z","previous":null,)"
            R"("sealed":[{"epoch_id":7,"box":"YWJj"},{"epoch_id":8,"box":"ZGVm"}]}})");
}

TEST(OverlayWriting, AConfigurationReadsBack) {
  OverlayConfig config;
  config.node = "node-a";
  config.epoch = 7;
  config.allowed = true;
  for (const OverlayKeys& keys : {OverlayKeys{}, OverlayKeys{{7, {}, {}, 6}, {{7, "abc"}}},
                                  OverlayKeys{{7, 8, kTime, {}}, {{7, "abc"}, {8, "def"}}}}) {
    config.keys = keys;
    const auto read = read_config(write_config(config));
    ASSERT_TRUE(read.ok()) << read.error().detail;
    EXPECT_EQ(*read, config);
  }
}

// A node trusts its controller, and takes no answer that is another's.
TEST(OverlayWriting, AConfigurationThatIsNoneIsRefused) {
  // clang-format off
  const struct { const char* name; std::string_view body; std::string_view member; } rows[] = {
      {"no JSON", "<html>", "syntax"},
      {"no object", "[]", "node_id"},
      {"a name that is none", R"({"node_id":"../a","epoch_id":1,"allowed":true,"reason":""})", "node_id"},
      {"no epoch", R"({"node_id":"a","allowed":true,"reason":""})", "epoch_id"},
      {"an epoch below 0", R"({"node_id":"a","epoch_id":-1,"allowed":true,"reason":""})", "epoch_id"},
      {"no reason", R"({"node_id":"a","epoch_id":1,"allowed":true})", "reason"},
      {"nothing of whether it is allowed", R"({"node_id":"a","epoch_id":1,"reason":""})", "allowed"},
      {"allowed by a text", R"({"node_id":"a","epoch_id":1,"allowed":"true","reason":""})", "allowed"},
      {"no current keys", R"({"node_id":"a","epoch_id":1,"allowed":true,"reason":"","keys":{}})", "keys.current"},
      {"nothing of the next", R"({"node_id":"a","epoch_id":1,"allowed":true,"reason":"","keys":{"current":1}})", "keys.next"},
      {"a moment that is none", R"({"node_id":"a","epoch_id":1,"allowed":true,"reason":"","keys":{"current":1,"next":2,"moment_utc":7}})", "keys.moment_utc"},
      {"three boxes", R"({"node_id":"a","epoch_id":1,"allowed":true,"reason":"","keys":{"current":1,"next":null,"moment_utc":null,"previous":null,"sealed":[{"epoch_id":1,"box":""},{"epoch_id":1,"box":""},{"epoch_id":1,"box":""}]}})", "keys.sealed"},
      {"a box in hex", R"({"node_id":"a","epoch_id":1,"allowed":true,"reason":"","keys":{"current":1,"next":null,"moment_utc":null,"previous":null,"sealed":[{"epoch_id":1,"box":"0g"}]}})", "keys.sealed"},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto read = read_config(row.body);
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code, ErrorCode::kMalformed);
    EXPECT_EQ(read.error().detail, row.member);
  }
}

TEST(OverlayWriting, WhatANodeSaysOfItsKeysHasOneSpelling) {
  using Said = std::optional<NodeKeysSaid>;
  // clang-format off
  const struct { const char* name; std::string_view query; Said said; } rows[] = {
      {"nothing", "", NodeKeysSaid{}},
      {"both", "ready=8&uses=7", NodeKeysSaid{8, 7}},
      {"ready", "ready=8", NodeKeysSaid{8, {}}},
      {"uses", "uses=18446744073709551615", NodeKeysSaid{{}, 18446744073709551615U}},
      {"the other order", "uses=7&ready=8", {}},
      {"twice", "ready=8&ready=8", {}},
      {"three", "ready=8&uses=7&uses=7", {}},
      {"an end", "ready=8&", {}},
      {"a start", "&uses=7", {}},
      {"zero", "ready=0", {}},
      {"a zero in front", "ready=08", {}},
      {"a sign", "uses=+7", {}},
      {"no number", "uses=", {}},
      {"beyond 64 bits", "uses=18446744073709551616", {}},
      {"another name", "epoch=7", {}},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(read_keys_said(row.query), row.said);
    if (!row.said) continue;
    const std::string mark = row.query.empty() ? "" : "?";
    EXPECT_EQ(config_target("node-a", *row.said),
              "/v1/config/node-a" + mark + std::string(row.query));
  }
}

}  // namespace
}  // namespace signet::dialects
