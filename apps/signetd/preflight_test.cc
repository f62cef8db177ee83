#include "signetd/preflight.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "config/config.h"

namespace signet {
namespace {

using Set = std::pair<std::string, std::string>;

config::Config configured(const std::vector<Set>& settings) {
  config::Sources sources;
  for (const auto& [name, value] : settings) sources.flags.push_back({name, value, "--set"});
  auto config = config::load(sources);
  EXPECT_TRUE(config.ok()) << config.error().detail;
  return *std::move(config);
}

TEST(CheckFiles, NamesWhatTheDaemonWouldNotStartWith) {
  const struct {
    std::vector<Set> settings;
    std::string said;
  } rows[] = {
      {{}, ""},
      {{Set{"tls.certificate", "/nosuch/cert.pem"}, Set{"tls.key", "/nosuch/key.pem"}},
       "tls: /nosuch/cert.pem: cannot be opened"},
      {{Set{"tls.key", "/nosuch/key.pem"}}, "need a tls.certificate"},
      {{Set{"tls.client_certificates", "required"}}, "need a tls.certificate"},
      {{Set{"operators.keys", "zz"}}, "operators.keys"},
      {{Set{"audit.key_file", "/nosuch/key"}}, "audit.key_file: there is no folder /nosuch"},
  };
  for (const auto& [settings, said] : rows) {
    const Status status = check_files(configured(settings), false);
    const std::string detail = status.ok() ? "" : status.error().detail;
    EXPECT_EQ(status.ok(), said.empty()) << detail;
    EXPECT_NE(detail.find(said), std::string::npos) << detail;
  }
}

TEST(IdleSettings, NamesBindingsWithoutEffect) {
  broker::Rules rules;
  rules.bindings = {{"hub", {}, {}, "nosuch"}, {"overlay", {}, {}, "lab"}};
  const auto idle = idle_settings(configured({}), rules, [](auto slug) { return slug == "lab"; });
  ASSERT_EQ(idle.size(), 2U);
  EXPECT_NE(idle[0].find("no mesh \"nosuch\""), std::string::npos) << idle[0];
  EXPECT_NE(idle[1].find("overlay.key_file"), std::string::npos) << idle[1];
  rules.bindings.resize(1);
  EXPECT_TRUE(idle_settings(configured({}), rules, [](auto) { return true; }).empty());
}

}  // namespace
}  // namespace signet
