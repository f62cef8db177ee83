// What `signet secret …` accepts, and what it refuses before it asks any broker.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "signet/commands/commands.h"
#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

class SecretCommand : public testing::Test {
 protected:
  SecretCommand() { add_secret(tree_); }

  // "parsed", or that the line is refused.
  static std::string parse(CommandTree& tree, std::vector<std::string> words) {
    std::reverse(words.begin(), words.end());  // as CLI11 wants them
    try {
      tree.root().parse(words);
    } catch (const CLI::ParseError&) {
      return "refused";
    }
    return tree.chosen() == nullptr ? "no command" : "parsed";
  }
  std::string parse(const std::vector<std::string>& words) { return parse(tree_, words); }
  // How the command that was parsed ends, without a broker anywhere.
  Told run() {
    Context context;
    const Status status = (*tree_.chosen())(context);
    EXPECT_FALSE(status.ok());
    return status.ok() ? Told{} : tell(status.error());
  }

  CommandTree tree_;
};

TEST_F(SecretCommand, ReadsItsLine) {
  const struct {
    std::vector<std::string> words;
    const char* outcome;
  } rows[] = {
      {{"secret", "add", "gauge"}, "parsed"},
      {{"secret", "add", "lab/gauge:1", "--tag", "lab", "--tag", "sensors"}, "parsed"},
      {{"secret", "add", "gauge", "--secret-file", "f", "--member", "k"}, "parsed"},
      {{"secret", "add"}, "refused"},
      {{"secret", "add", "a", "b"}, "refused"},
      {{"secret", "add", "gauge", "--secret", "on the line"}, "refused"},
      {{"secret", "rotate", "gauge"}, "parsed"},
      {{"secret", "rotate", "gauge", "--overlap", "2d"}, "parsed"},
      {{"secret", "rotate", "gauge", "--tag", "lab"}, "refused"},
      {{"secret", "list"}, "parsed"},
      {{"secret", "list", "gauge"}, "refused"},
      {{"secret", "revoke", "gauge"}, "parsed"},
      {{"secret", "show", "gauge"}, "refused"},
  };
  for (const auto& row : rows) {
    CommandTree fresh;
    add_secret(fresh);
    EXPECT_EQ(parse(fresh, row.words), row.outcome)
        << row.words[1] << " with " << row.words.size() << " words";
  }
}

TEST_F(SecretCommand, RefusesANameThatIsNone) {
  ASSERT_EQ(parse({"secret", "add", "a b"}), "parsed");
  EXPECT_EQ(run().exit, kExitUsage);
}

TEST_F(SecretCommand, RefusesTheSharedOne) {
  ASSERT_EQ(parse({"secret", "revoke", "*"}), "parsed");
  EXPECT_EQ(run().exit, kExitUsage);
}

TEST_F(SecretCommand, RefusesAnOverlapThatIsNoTime) {
  ASSERT_EQ(parse({"secret", "rotate", "gauge", "--overlap", "soon"}), "parsed");
  const Told told = run();
  EXPECT_EQ(told.exit, kExitUsage);
  EXPECT_NE(told.message.find("--overlap"), std::string::npos);
}

TEST_F(SecretCommand, RefusesAFileThatOthersMayRead) {
  std::array<char, 32> folder{"/tmp/signet-secret-XXXXXX"};
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string path = std::string(folder.data()) + "/secret";
  std::ofstream(path) << "the heron waits at noon\n";
  ASSERT_EQ(chmod(path.c_str(), 0644), 0);
  ASSERT_EQ(parse({"secret", "add", "gauge", "--secret-file", path}), "parsed");
  EXPECT_EQ(run().code, "key_file_readable");
  std::filesystem::remove_all(folder.data());
}

}  // namespace
}  // namespace signet::cli
