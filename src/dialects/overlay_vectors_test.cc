// protocol/vectors/overlay.json, made by Python and Node: from the body to the verdict.
#include <gtest/gtest.h>

#include "dialects/overlay.h"
#include "dialects/vectors_for_test.h"
#include "overlay/submission_check.h"

namespace signet::dialects {
namespace {

using overlay::Node;
using wire::JsonKind;
using wire::JsonValue;

WallTime now_of(JsonValue vector) { return WallTime{vector["now"].integer().value_or(0)}; }

constexpr std::string_view kMesh = "5f0c3b1e-mesh";

Node node_of(JsonValue vector) {
  Node node;
  node.name = "node-a";
  node.key = crypto::public_key_from_hex(view_in(vector, "key"));
  node.sequence = static_cast<std::uint64_t>(vector["sequence"].integer().value_or(0));
  node.newest = WallTime{vector["newest"].integer().value_or(0)};
  return node;
}

std::string_view verdict_of_submission(JsonValue vector) {
  const SubmissionRead read = read_submission(view_in(vector, "body"), kMesh);
  if (const auto* const refused = std::get_if<SubmissionRefused>(&read)) {
    EXPECT_FALSE(refused->detail.empty());
    return signet::name_of(refused->code);
  }
  const auto& submission = std::get<overlay::Submission>(read);
  if (vector["signed_text"]) {
    EXPECT_EQ(submission.signed_text, view_in(vector, "signed_text"));
  }
  overlay::SubmissionRules rules;
  rules.allow_unsigned = vector["allow_unsigned"].boolean().value_or(false);
  const Node node = node_of(vector);
  const Node* const known = vector["unknown"].boolean().value_or(false) ? nullptr : &node;
  const auto refused = check(submission, view_in(vector, "path"), known, rules, now_of(vector));
  return refused ? signet::name_of(*refused) : "good";
}

TEST(OverlayVectors, SubmissionsHaveTheirVerdicts) {
  each_vector("overlay.json", "submissions", 140, [](JsonValue vector) {
    EXPECT_EQ(verdict_of_submission(vector), view_in(vector, "verdict"));
  });
}

std::string_view verdict_of_request(JsonValue vector) {
  const auto request = read_node_authorization(view_in(vector, "header"));
  if (!request) return signet::name_of(NodeRefusal::kMalformed);
  const std::string text = text_to_sign(*request, view_in(vector, "method"),
                                        view_in(vector, "target"), view_in(vector, "mesh"));
  if (vector["signed_text"]) {
    EXPECT_EQ(text, view_in(vector, "signed_text"));
  }
  const auto key = crypto::public_key_from_hex(view_in(vector, "key"));
  const auto refused =
      overlay::check_proof(*key, text, request->signature, request->at, {}, now_of(vector));
  return refused ? signet::name_of(*refused) : "good";
}

TEST(OverlayVectors, RequestsHaveTheirVerdicts) {
  each_vector("overlay.json", "requests", 25, [](JsonValue vector) {
    EXPECT_EQ(verdict_of_request(vector), view_in(vector, "verdict"));
  });
}

std::string_view told(const NodeRefused& refused) {
  EXPECT_FALSE(refused.detail.empty());
  return signet::name_of(refused.code);
}

std::string_view verdict_of_registration(JsonValue vector) {
  const RegistrationRead read =
      read_registration(view_in(vector, "body"), view_in(vector, "path"), view_in(vector, "mesh"));
  if (const auto* const refused = std::get_if<NodeRefused>(&read)) return told(*refused);
  const auto& body = std::get<NodeRegistration>(read);
  if (vector["signed_text"]) {
    EXPECT_EQ(body.signed_text, view_in(vector, "signed_text"));
  }
  const auto refused = overlay::check_proof(body.key, body.signed_text, body.signature,
                                            body.timestamp, {}, now_of(vector));
  return refused ? signet::name_of(*refused) : "good";
}

TEST(OverlayVectors, RegistrationsHaveTheirVerdicts) {
  each_vector("overlay.json", "registrations", 35, [](JsonValue vector) {
    EXPECT_EQ(verdict_of_registration(vector), view_in(vector, "verdict"));
  });
}

std::string_view verdict_of_rekey(JsonValue vector) {
  const RekeyRead read =
      read_rekey(view_in(vector, "body"), view_in(vector, "path"), view_in(vector, "mesh"));
  if (const auto* const refused = std::get_if<NodeRefused>(&read)) return told(*refused);
  const auto& body = std::get<NodeRekey>(read);
  if (vector["signed_text"]) {
    EXPECT_EQ(body.signed_text, view_in(vector, "signed_text"));
  }
  const auto key = crypto::public_key_from_hex(view_in(vector, "key"));
  auto refused = overlay::check_proof(*key, body.signed_text, body.signature, body.timestamp, {},
                                      now_of(vector));
  if (!refused && body.key && body.key_signature) {
    refused = overlay::check_proof(*body.key, body.signed_text, *body.key_signature, body.timestamp,
                                   {}, now_of(vector));
  }
  return refused ? signet::name_of(*refused) : "good";
}

TEST(OverlayVectors, ChangesOfKeysHaveTheirVerdicts) {
  each_vector("overlay.json", "rekeys", 10, [](JsonValue vector) {
    EXPECT_EQ(verdict_of_rekey(vector), view_in(vector, "verdict"));
  });
}

}  // namespace
}  // namespace signet::dialects
