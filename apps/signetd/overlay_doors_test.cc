#include "signetd/overlay_doors.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "signetd/overlay_options.h"

namespace signet {
namespace {

const std::string kKey = crypto::to_hex(crypto::SecretKey::generate().public_key());
const std::string kSample =  // of the seed 00…1f, which everybody has
    "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";

std::string outcome(const std::string& settings) {
  const std::string path = testing::TempDir() + "/overlay_doors.toml";
  std::ofstream(path) << "[overlay]\n" << settings << "\n";
  config::Sources sources;
  sources.file = path;
  const auto config = config::load(sources);
  if (!config.ok()) return "unread: " + config.error().detail;
  const auto options = overlay_options(*config);
  if (!options.ok()) return options.error().detail;
  const controller::RegistrationDoors& doors = options->doors;
  std::string open;
  if (doors.members) open += "member ";
  if (doors.invites) open += "invite ";
  if (doors.certificates) open += "certificate ";
  for (const auto& [name, key] : doors.listed) open += name + "=" + crypto::to_hex(key) + " ";
  for (const auto& [suite, weight] : options->rule.weights) {
    open += suite + "*" + std::to_string(weight) + " ";
  }
  return open;
}

TEST(OverlayDoors, AreOpenAsTheSettingsSay) {
  const std::string listed = "\"node-a=" + kKey + "\"";
  const struct {
    const char* name;
    std::string settings;
    std::string says;  // a part of the sentence, or all that is open
  } rows[] = {
      {"as it comes", "", "member invite "},
      {"nobody new", "register = []", ""},
      {"a list alone", "register = [\"listed\"]\nlisted = [" + listed + "]",
       "node-a=" + kKey + " "},
      {"no such door", "register = [\"window\"]", "\"window\" is none of"},
      {"a list that is not looked at", "listed = [" + listed + "]", "exactly where"},
      {"a list of nobody", "register = [\"listed\"]", "exactly where"},
      {"a name alone", "register = [\"listed\"]\nlisted = [\"node-a\"]", "name=value"},
      {"a key that is none", "register = [\"listed\"]\nlisted = [\"node-a=00\"]", "no node with"},
      {"a published key", "register = [\"listed\"]\nlisted = [\"node-a=" + kSample + "\"]",
       "no node with"},
      {"a name that is none", "register = [\"listed\"]\nlisted = [\".a=" + kKey + "\"]",
       "no node with"},
      {"twice", "register = [\"listed\"]\nlisted = [" + listed + ", " + listed + "]",
       "node-a is there twice"},
      {"certificates of nobody", "register = [\"certificate\"]", "tls.client_ca"},
      {"weights", "weights = [\"cpu=0.5\", \"net=1\"]", "member invite cpu*500000 net*1000000 "},
      {"a weight that is none", "weights = [\"cpu=much\"]", "is no score"},
      {"a weight of nothing", "weights = [\"cpu=0\"]", "a weight is 1 to 1000000"},
      {"a suite without a weight", "weights = [\"cpu\"]", "name=value"},
      {"a suite twice", "weights = [\"cpu=1\", \"cpu=0.5\"]", "cpu is there twice"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const std::string got = outcome(row.settings);
    const bool is_whole = row.says.empty() || row.says.back() == ' ';
    if (is_whole) {
      EXPECT_EQ(got, row.says);
    } else {
      EXPECT_NE(got.find(row.says), std::string::npos) << got;
    }
  }
}

}  // namespace
}  // namespace signet
