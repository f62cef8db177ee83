#include "overlay/node_proof.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/encoding.h"

namespace signet::overlay {
namespace {

using std::chrono::milliseconds;

constexpr WallTime kNow{1'767'616'490'123};

const crypto::SecretKey& node_key() {
  static const crypto::SecretKey key = crypto::SecretKey::from_seed({1});
  return key;
}

TEST(NodeProof, IsOfOneRequestOfOneMesh) {
  const NodeRequest request{"node-a", kNow, "n1", {}};
  EXPECT_EQ(text_to_sign(request, "GET", "/v1/config/node-a?ready=8", "mesh-1"),
            "signet-node-request-v1\nGET\n/v1/config/node-a?ready=8\nmesh-1\n1767616490123\nn1");
}

TEST(NodeProof, HoldsWithinTheWindowOnly) {
  const std::string text = "text";
  const crypto::Signature signature = node_key().sign(bytes_of(text));
  constexpr WallTime kFirst{std::numeric_limits<std::int64_t>::min()};
  constexpr WallTime kLast{std::numeric_limits<std::int64_t>::max()};
  // clang-format off
  const struct { const char* name; WallTime at, now; bool holds; } rows[] = {
      {"now", kNow, kNow, true},
      {"60 s ago", kNow - milliseconds(60'000), kNow, true},
      {"a millisecond more", kNow - milliseconds(60'001), kNow, false},
      {"60 s ahead", kNow + milliseconds(60'000), kNow, true},
      {"a millisecond more ahead", kNow + milliseconds(60'001), kNow, false},
      {"the first at the last", kFirst, kLast, false},
      {"the last at the first", kLast, kFirst, false},
      {"the last at the last", kLast, kLast, true},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto refused = check_proof(node_key().public_key(), text, signature, row.at, {}, row.now);
    EXPECT_EQ(refused, row.holds ? std::nullopt : std::optional(NodeRefusal::kUnproven));
  }
}

TEST(NodeProof, IsOfTheKeyAndTheText) {
  const crypto::Signature signature = node_key().sign(bytes_of("text"));
  const auto other = crypto::SecretKey::from_seed({2}).public_key();
  const std::optional<NodeRefusal> unproven(NodeRefusal::kUnproven);
  EXPECT_EQ(check_proof(other, "text", signature, kNow, {}, kNow), unproven);
  EXPECT_EQ(check_proof(node_key().public_key(), "texts", signature, kNow, {}, kNow), unproven);
  EXPECT_EQ(check_proof(node_key().public_key(), "text", {}, kNow, {}, kNow), unproven);
}

TEST(NodeProof, ANonceIsOneWord) {
  // clang-format off
  const struct { const char* name; std::string nonce; bool is_one; } rows[] = {
      {"a letter", "n", true},
      {"the ends of what is printed", "!~", true},
      {"the longest", std::string(64, 'n'), true},
      {"a longer one", std::string(65, 'n'), false},
      {"none", "", false},
      {"a space", "a b", false},
      {"a line feed", "a\n", false},
      {"what is not printed", "\x7f", false},
      {"an umlaut", "\xc3\xa4", false},
  };
  // clang-format on
  for (const auto& row : rows) EXPECT_EQ(is_node_nonce(row.nonce), row.is_one) << row.name;
}

}  // namespace
}  // namespace signet::overlay
