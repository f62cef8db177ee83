#include "dialects/overlay_revocations.h"

#include <gtest/gtest.h>

#include "dialects/overlay.h"

namespace signet::dialects {
namespace {

using membership::OperatorAction;
using membership::OperatorStatement;

crypto::SecretKey key_of_test(unsigned char seed) {
  std::array<unsigned char, 32> bytes{};
  bytes.fill(seed);
  return crypto::SecretKey::from_seed(bytes);
}

std::string statement_of(std::uint64_t serial, const std::string& member,
                         OperatorAction action = OperatorAction::kRevoke,
                         const std::string& mesh = "mesh-team") {
  return OperatorStatement{mesh, action, member, serial, 3, WallTime{1'767'620'090'123}}.text();
}

Revocation revocation_of(const std::string& statement) {
  const crypto::SecretKey ann = key_of_test(1), ben = key_of_test(2);
  Revocation made;
  made.statement = statement;
  for (const auto* each : {&ann, &ben}) {
    made.signatures.push_back({each->public_key(), each->sign(bytes_of(statement))});
  }
  return made;
}

RevocationList signed_by_server(RevocationList list) {
  const crypto::SecretKey server = key_of_test(9);
  list.signer = server.public_key();
  list.signature = server.sign(bytes_of(text_to_sign(list)));
  return list;
}

RevocationList list_of_two() {
  RevocationList list;
  list.mesh = "mesh-team";
  list.serial = 12;
  list.entries = {revocation_of(statement_of(8, "member-eve")),
                  revocation_of(statement_of(11, "member-mal"))};
  list.entries[1].wireguard.emplace();
  list.entries[1].wireguard->fill(7);
  return signed_by_server(std::move(list));
}

bool is_read(const RevocationList& list) { return read_revocations(write_revocations(list)).ok(); }

TEST(OverlayRevocations, AreReadBackAsTheyWereWritten) {
  const RevocationList list = list_of_two();
  const auto back = read_revocations(write_revocations(list));
  ASSERT_TRUE(back.ok()) << back.error().detail;
  EXPECT_EQ(text_to_sign(*back), text_to_sign(list));
  EXPECT_EQ(back->serial, 12U);
  ASSERT_EQ(back->entries.size(), 2U);
  EXPECT_EQ(back->entries[0].statement, list.entries[0].statement);
  EXPECT_FALSE(back->entries[0].wireguard.has_value());
  EXPECT_EQ(back->entries[1].wireguard, list.entries[1].wireguard);
  EXPECT_EQ(back->entries[1].signatures.size(), 2U);
  EXPECT_TRUE(verifies(*back));
}

TEST(OverlayRevocations, AnEmptyListIsSignedAsWell) {
  RevocationList list;
  list.mesh = "mesh-team";
  list = signed_by_server(std::move(list));
  EXPECT_TRUE(is_read(list));
  EXPECT_TRUE(verifies(list));
  EXPECT_EQ(text_to_sign(list), "signet-revocations-v1\nmesh-team\n0\n0\n");
}

TEST(OverlayRevocations, EverythingThatIsSaidIsSigned) {
  const auto breaks = [](const auto& change) {
    RevocationList list = list_of_two();
    change(list);
    return !verifies(list);
  };
  EXPECT_FALSE(breaks([](RevocationList&) {}));
  EXPECT_TRUE(breaks([](RevocationList& list) { list.mesh = "mesh-other"; }));
  EXPECT_TRUE(breaks([](RevocationList& list) { ++list.serial; }));
  EXPECT_TRUE(breaks([](RevocationList& list) { list.entries.pop_back(); }));
  EXPECT_TRUE(breaks([](RevocationList& list) { list.entries[1].wireguard.reset(); }));
  EXPECT_TRUE(breaks([](RevocationList& list) { list.entries[1].wireguard->front() ^= 1U; }));
  EXPECT_TRUE(breaks([](RevocationList& list) { list.entries[0].signatures.pop_back(); }));
  EXPECT_TRUE(
      breaks([](RevocationList& list) { list.entries[0].signatures[0].signature.back() ^= 1U; }));
  EXPECT_TRUE(breaks([](RevocationList& list) { list.signer = key_of_test(3).public_key(); }));
}

TEST(OverlayRevocations, TheSerialHoldsAllThatAStatementsMay) {
  RevocationList list = list_of_two();
  list.serial = std::numeric_limits<std::uint64_t>::max();
  list = signed_by_server(std::move(list));
  const auto back = read_revocations(write_revocations(list));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->serial, list.serial);
}

TEST(OverlayRevocations, RefusesEntriesThatCannotBe) {
  const auto refused = [](const std::string& statement) {
    RevocationList list = list_of_two();
    list.entries[1] = revocation_of(statement);
    return !is_read(signed_by_server(std::move(list)));
  };
  EXPECT_FALSE(refused(statement_of(12, "member-mal")));
  EXPECT_TRUE(refused(statement_of(13, "member-mal"))) << "above the list's serial";
  EXPECT_TRUE(refused(statement_of(8, "member-mal"))) << "a serial twice";
  EXPECT_TRUE(refused(statement_of(7, "member-mal"))) << "falling";
  EXPECT_TRUE(refused(statement_of(11, "2", OperatorAction::kQuorum))) << "no revocation";
  EXPECT_TRUE(refused(statement_of(11, "m", OperatorAction::kRevoke, "mesh-b"))) << "another mesh";
  EXPECT_TRUE(refused("revoke member-mal\n")) << "no statement";
}

TEST(OverlayRevocations, RefusesWhatTheWriterDoesNotWrite) {
  const std::string good = write_revocations(list_of_two());
  const auto with = [&good](const std::string& from, const std::string& to) {
    std::string body = good;
    const auto at = body.find(from);
    EXPECT_NE(at, body.npos) << from;
    body.replace(at, from.size(), to);
    return read_revocations(body).ok();
  };
  EXPECT_TRUE(with("\"serial\":12", "\"serial\":12"));
  EXPECT_FALSE(with("\"serial\":12", "\"serial\":\"12\""));
  EXPECT_FALSE(with("\"serial\":12", "\"serial\":-12"));
  EXPECT_FALSE(with("\"serial\":12", "\"serial\":12.0"));
  EXPECT_FALSE(with("\"mesh\":\"mesh-team\"", "\"mesh\":\"\""));
  EXPECT_FALSE(with("\"entries\":[", "\"entries\":[1,"));
  EXPECT_FALSE(with("\"wireguard\":\"BwcH", "\"wireguard\":\"!wcH"));
  EXPECT_FALSE(with("\"signatures\":[", "\"signatures\":[{},"));
  EXPECT_FALSE(with("\"signer\"", "\"signed\""));
  EXPECT_FALSE(read_revocations(good + " x").ok());
  EXPECT_FALSE(read_revocations("").ok());
}

TEST(OverlayRevocations, BoundsTheSignaturesOfOneEntry) {
  RevocationList list = list_of_two();
  auto& signatures = list.entries[0].signatures;
  signatures.resize(kMaxRevocationSigners, signatures[0]);
  EXPECT_TRUE(is_read(list));
  signatures.push_back(signatures[0]);
  EXPECT_FALSE(is_read(list));
  signatures.clear();
  EXPECT_FALSE(is_read(list)) << "nobody signed";
}

TEST(OverlayRevocations, AConfigurationNamesTheListOnlyWhereThereIsOne) {
  OverlayConfig config;
  config.node = "node-a";
  EXPECT_EQ(write_config(config).find("revocations"), std::string::npos);
  config.revocations = 12;
  const auto back = read_config(write_config(config));
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->revocations, 12U);
  EXPECT_EQ(*back, config);
  EXPECT_FALSE(read_config(R"({"node_id":"a","epoch_id":1,"allowed":true,"reason":"x",)"
                           R"("revocations":-1})")
                   .ok());
}

}  // namespace
}  // namespace signet::dialects
