#include "signet/profile/proposal_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "signet/client.h"

namespace signet::cli {
namespace {

using membership::OperatorAction;

constexpr WallTime kProposedAt{1'000'000};
constexpr WallTime kProposalEnd{2'000'000};

crypto::SecretKey operator_key_of(int seed) {
  std::array<unsigned char, 32> bytes{};
  bytes.fill(static_cast<unsigned char>(seed));
  return crypto::SecretKey::from_seed(bytes);
}

Proposal proposal_to(OperatorAction action, const std::string& target) {
  return {{"mesh-team", action, target, 8, 3, kProposalEnd}, {}};
}

std::string code_of_status(const Status& status) {
  return status.ok() ? "ok" : std::string(code_of(status.error()));
}

TEST(ProposalFile, GoesFromHandToHand) {
  const std::string folder =
      std::filesystem::temp_directory_path() / ("signet-proposal-" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  const std::string path = folder + "/eve.proposal";
  ASSERT_TRUE(create_proposal(path, proposal_to(OperatorAction::kRevoke, "member-eve")).ok());
  EXPECT_EQ(code_of_status(create_proposal(path, proposal_to(OperatorAction::kQuorum, "2"))),
            "file_exists");
  for (const int seed : {1, 2}) {
    auto held = load_proposal(path);
    ASSERT_TRUE(held.ok()) << held.error().detail;
    ASSERT_TRUE(sign_proposal(*held, operator_key_of(seed), kProposedAt).ok());
    ASSERT_TRUE(keep_proposal(path, *held).ok());
  }
  auto held = load_proposal(path);
  ASSERT_TRUE(held.ok());
  EXPECT_EQ(held->signatures.size(), 2U);
  EXPECT_TRUE(check_proposal(*held, kProposedAt).ok());
  EXPECT_EQ(code_of_status(sign_proposal(*held, operator_key_of(1), kProposedAt)),
            "already_signed");
  EXPECT_EQ(code_of_status(sign_proposal(*held, operator_key_of(3), kProposalEnd)),
            "proposal_expired");
  std::filesystem::remove_all(folder);
}

TEST(ProposalFile, NoticesWhatSomebodyChanged) {
  Proposal proposal = proposal_to(OperatorAction::kRevoke, "member-eve");
  ASSERT_TRUE(sign_proposal(proposal, operator_key_of(1), kProposedAt).ok());
  Proposal other = proposal;
  other.statement.target = "member-ann";
  EXPECT_EQ(code_of_status(check_proposal(other, kProposedAt)), "bad_signature");
  EXPECT_EQ(code_of_status(sign_proposal(other, operator_key_of(2), kProposedAt)), "bad_signature");
  other = proposal;
  other.signatures.push_back(other.signatures[0]);
  EXPECT_EQ(code_of_status(check_proposal(other, kProposedAt)), "signed_twice");
}

TEST(ProposalFile, ReadsNothingThatIsNoProposal) {
  const std::string good = write_proposal(proposal_to(OperatorAction::kRevoke, "member-eve"));
  EXPECT_TRUE(read_proposal(good).ok());
  for (const char* bad :
       {"", "{}", "signet-operator-v1\n", R"({"statement":"x","signatures":[]})"}) {
    const auto read = read_proposal(bad);
    ASSERT_FALSE(read.ok()) << bad;
    EXPECT_EQ(code_of(read.error()), "bad_proposal");
  }
  EXPECT_EQ(code_of(load_proposal("/nowhere/at/all").error()), "file_missing");
}

// Nobody writes the pipe: whoever waited for it would wait for ever.
TEST(ProposalFile, WaitsForNoPipeAndReadsNoFolder) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("signet-proposal-pipe-" + std::to_string(getpid()));
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  const auto piped = load_proposal(path);
  std::filesystem::remove(path);
  ASSERT_FALSE(piped.ok());
  EXPECT_EQ(code_of(piped.error()), "no_file");
  const auto folder = load_proposal(std::filesystem::temp_directory_path());
  ASSERT_FALSE(folder.ok());
  EXPECT_EQ(code_of(folder.error()), "no_file");
}

TEST(ProposalFile, IsOfTheNamesWhoseDigestItHasAndOfNoOthers) {
  const std::vector<std::string> names{"node-a", "node-b"};
  const Proposal proposal =
      proposal_to(OperatorAction::kDenyMany, membership::digest_of_denials(names));
  EXPECT_TRUE(check_denials(proposal.statement, names).ok());
  const std::vector<std::string> others[] = {
      {}, {"node-a"}, {"node-b", "node-a"}, {"node-a", "node-b", "node-c"}};
  for (const auto& each : others) {
    EXPECT_EQ(code_of_status(check_denials(proposal.statement, each)), "not_held");
  }
  // One text of two names, which a terminal shows as one.
  EXPECT_EQ(code_of_status(check_denials(proposal.statement, {"node-a\nnode-b"})), "bad_names");
}

TEST(ProposalFile, SaysEachActionInWordsWithItsTarget) {
  const std::string key(64, 'a');
  struct Row {
    OperatorAction action;
    std::string target;
    const char* part;
  };
  const Row rows[] = {
      {OperatorAction::kRevoke, "member-eve", "Revoke the member member-eve"},
      {OperatorAction::kDenyMany, key, "deny all the nodes"},
      {OperatorAction::kThreshold, "0.80", "needs to 0.80"},
      {OperatorAction::kPolicyOwner, key, "the owner of the mesh"},
      {OperatorAction::kOperatorAdd, key, "an operator"},
      {OperatorAction::kOperatorRemove, key, "no operator any more"},
      {OperatorAction::kQuorum, "3", "3 operators have to sign"},
      {OperatorAction::kRekey, "node-a " + key, "the node node-a the key "},
  };
  for (const Row& row : rows) {
    const std::string said = sentence_of(proposal_to(row.action, row.target).statement);
    EXPECT_NE(said.find(row.part), std::string::npos) << said;
  }
  const std::string said =
      sentence_of(proposal_to(OperatorAction::kRevoke, "a\x1b[31mb").statement);
  EXPECT_EQ(said.find('\x1b'), std::string::npos) << "it goes to a terminal";
}

}  // namespace
}  // namespace signet::cli
