// What the operator's API shows of the log. Whether its proofs hold is the store's test.
#include "admin/story_for_test.h"
#include "audit/checkpoint.h"

namespace signet::admin {
namespace {

class AuditTest : public AdminStory {
 protected:
  void start_with_log() {
    crypto::SecretKey key = crypto::SecretKey::from_seed(std::array<unsigned char, 32>{1});
    verifier_ = audit::verifier_key("log.example", key.public_key());
    log_ = std::make_shared<const store::LogIdentity>(
        store::LogIdentity{"log.example", std::move(key), audit::Pseudonyms(std::string(32, 'k'))});
    for (std::size_t i = 0; i < 150; ++i) store_.logged.push_back(started());
    start_admin();
  }
  static audit::Draft started() {
    audit::Draft draft;
    draft.event = audit::Event::kServerStarted;
    return draft;
  }
  static std::string lines_from(std::size_t first, std::size_t end) {
    std::string lines;
    for (std::size_t n = first; n < end; ++n) {
      lines += audit::encode({n, {}, started()}) + "\n";
    }
    return lines;
  }
  std::string verifier_;
};

TEST_F(AuditTest, ShowsEntriesAsTheyAreTheNewestUnlessAsked) {
  start_with_log();
  EXPECT_EQ(operate("GET", "/audit/entries").body, lines_from(50, 150));
  EXPECT_EQ(operate("GET", "/audit/entries?limit=2").body, lines_from(148, 150));
  EXPECT_EQ(operate("GET", "/audit/entries?from=0&limit=3").body, lines_from(0, 3));
  EXPECT_EQ(operate("GET", "/audit/entries?from=149").body, lines_from(149, 150));
  const auto beyond = operate("GET", "/audit/entries?from=150");
  EXPECT_EQ(beyond.status, 200);
  EXPECT_EQ(beyond.body, "");
  EXPECT_EQ(beyond.content_type, "application/jsonl");
}

TEST_F(AuditTest, ShowsTheSignedHeadAndTheKeyAsTheyAre) {
  start_with_log();
  store_.checkpoint = std::string("a note\n");
  EXPECT_EQ(operate("GET", "/audit/checkpoint").body, "a note\n");
  EXPECT_EQ(operate("GET", "/audit/key").body, verifier_ + "\n");
  store_.checkpoint = Error{ErrorCode::kOverloaded, "the disk is full"};
  EXPECT_EQ(operate("GET", "/audit/checkpoint").status, 503);
}

TEST_F(AuditTest, ShowsProofs) {
  start_with_log();
  store::LogProof proof;
  proof.root.fill(1);
  proof.hashes.resize(2);
  proof.hashes[1].fill(2);
  store_.proof = proof;
  const std::string rest = R"("root":")" + to_base64(proof.root) + R"(","hashes":[")" +
                           to_base64(proof.hashes[0]) + R"(",")" + to_base64(proof.hashes[1]) +
                           R"("]})";
  EXPECT_EQ(operate("GET", "/audit/inclusion?entry=3&entries=150").body,
            R"({"entry":3,"entries":150,)" + rest);
  EXPECT_EQ(operate("GET", "/audit/consistency?from=3&to=150").body,
            R"({"from":3,"to":150,)" + rest);
  store_.proof = Error{ErrorCode::kNotFound, "the tree has no such entry"};
  EXPECT_EQ(operate("GET", "/audit/inclusion?entry=3&entries=2").status, 404);
  EXPECT_EQ(operate("GET", "/audit/consistency?from=3&to=2").status, 404);
}

TEST_F(AuditTest, RefusesQueriesThatAreNone) {
  start_with_log();
  for (const char* path : {
           "/audit/entries?from=x",
           "/audit/entries?from=",
           "/audit/entries?from=-1",
           "/audit/entries?from=1.0",
           "/audit/entries?from=9007199254740992",
           "/audit/entries?limit=0",
           "/audit/entries?limit=1001",
           "/audit/entries?limit=x",
           "/audit/inclusion",
           "/audit/inclusion?entry=1",
           "/audit/inclusion?entries=1",
           "/audit/inclusion?entry=1&entries=18446744073709551616",
           "/audit/consistency?from=1",
           "/audit/consistency?to=1",
           "/audit/consistency?from=+1&to=2",
       }) {
    EXPECT_EQ(operate("GET", path).status, 400) << path;
  }
}

TEST_F(AuditTest, IsTheOperatorsAloneAndChangesNothing) {
  start_with_log();
  for (const char* what : {"entries", "checkpoint", "key", "inclusion", "consistency"}) {
    const std::string path = std::string("/audit/") + what;
    EXPECT_EQ(answer("GET", "/api/signet/v1" + path).status, 401) << what;
    EXPECT_EQ(operate("POST", path, "{}").status, 404) << what;
  }
  EXPECT_EQ(operate("GET", "/audit").status, 404);
  EXPECT_EQ(operate("GET", "/audit/entries/1").status, 404);
}

TEST_F(AuditTest, SaysWhereNoLogIsKept) {
  start_admin();
  for (const char* what : {"entries", "checkpoint", "key"}) {
    const auto response = operate("GET", std::string("/audit/") + what);
    EXPECT_EQ(response.status, 404) << what;
    EXPECT_NE(response.body.find("no log is kept"), std::string::npos) << what;
  }
}

}  // namespace
}  // namespace signet::admin
