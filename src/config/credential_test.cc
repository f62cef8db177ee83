#include "config/credential.h"

#include <gtest/gtest.h>

#include <set>

#include "config/settings.h"

namespace signet::config {
namespace {

constexpr std::string_view kFolder = "/run/credentials/signetd.service";

TEST(Credential, IsAPlainNameInTheFolderOfSystemd) {
  struct Row {
    const char* text;
    const char* path;  // empty: refused
  };
  const Row rows[] = {
      {"", ""},
      {"/etc/signet/token", "/etc/signet/token"},
      {"token", "token"},
      {"credentials/token", "credentials/token"},
      {"Credential:token", "Credential:token"},
      {"credential:token", "/run/credentials/signetd.service/token"},
      {"credential:tls.key", "/run/credentials/signetd.service/tls.key"},
      {"credential:A_b-9", "/run/credentials/signetd.service/A_b-9"},
  };
  for (const Row& row : rows) {
    const auto path = resolve_credential(row.text, kFolder);
    ASSERT_TRUE(path.ok()) << row.text;
    EXPECT_EQ(*path, row.path);
  }
}

TEST(Credential, IsNoWayToAnotherFile) {
  for (const std::string name : {"", ".", "..", ".hidden", "../token", "a/b", "/etc/passwd", "a b",
                                 "a\nb", "ä", "a:b", "~"}) {
    const auto path = resolve_credential("credential:" + name, kFolder);
    ASSERT_FALSE(path.ok()) << name;
    EXPECT_EQ(path.error().code, ErrorCode::kMalformed);
  }
  EXPECT_TRUE(resolve_credential("credential:" + std::string(255, 'a'), kFolder).ok());
  EXPECT_FALSE(resolve_credential("credential:" + std::string(256, 'a'), kFolder).ok());
}

TEST(Credential, WantsAFolder) {
  const auto path = resolve_credential("credential:token", "");
  ASSERT_FALSE(path.ok());
  EXPECT_EQ(path.error().code, ErrorCode::kNotFound);
  EXPECT_NE(path.error().detail.find("CREDENTIALS_DIRECTORY"), std::string::npos);
  EXPECT_TRUE(resolve_credential("token", "").ok());
}

TEST(NamesFile, IsEachSettingThatIsReadAsAFile) {
  std::set<std::string> found;
  for (const Setting& setting : kSettings) {
    if (names_file(setting)) found.insert(name_of(setting));
  }
  for (const Setting& setting : kMeshSettings) {
    if (names_file(setting)) found.insert(name_of(setting));
  }
  const std::set<std::string> expected = {
      "admin.token_file",
      "alerts.webhook_ca",
      "alerts.webhook_secret_file",
      "audit.key_file",
      "hub.action_secret_file",
      "hub.engine_secret_file",
      "jobs.types_file",
      "mesh.hub_action_secret_file",
      "mesh.hub_engine_secret_file",
      "mesh.jobs_types",
      "mesh.policy",
      "mesh.routes",
      "mesh.shared_secret_file",
      "mesh.token_keys",
      "overlay.key_file",
      "policy.file",
      "policy.routes",
      "pulsemesh.secret_file",
      "simpatico.key_file",
      "tls.certificate",
      "tls.client_ca",
      "tls.key",
      "tokens.keys",
      "tokens.secret_file",
  };
  EXPECT_EQ(found, expected);
}

}  // namespace
}  // namespace signet::config
