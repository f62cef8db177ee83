// The log in the store: an entry is there exactly when what it tells of is, and what is there can
// be proven.
#include <algorithm>
#include <limits>
#include <memory>

#include "store/sqlite/store_fixture_test.h"

namespace signet::store::sqlite {
namespace {

using namespace std::chrono_literals;
using namespace membership;
using audit::Event;

Mesh mesh_of(std::int64_t number) {
  Mesh mesh;
  mesh.number = {number};
  mesh.id = "mesh-" + std::to_string(number);
  mesh.slug = "slug-" + std::to_string(number);
  return mesh;
}

Member keyless(std::int64_t number) {
  Member member;
  member.number = {number};
  member.mesh = {1};
  member.id = "member-" + std::to_string(number);
  return member;
}

audit::Draft draft_of(Event event, std::string code = "test") {
  audit::Draft draft;
  draft.event = event;
  draft.code = std::move(code);
  return draft;
}

class LogTest : public StoreTest {
 protected:
  LogTest() {
    options_.log = identity();
    options_.checkpoint_every = std::chrono::hours(1);
  }
  static std::shared_ptr<const LogIdentity> identity() {
    return std::make_shared<const LogIdentity>(
        LogIdentity{"signet/test", crypto::SecretKey::from_seed({1, 2, 3}),
                    audit::Pseudonyms(std::string(32, 'p'))});
  }

  Status append(std::vector<audit::Draft> drafts) {
    return thread_.ask<Status>(
        [&](auto answer) { store_->append_log(std::move(drafts), thread_.mailbox(), answer); });
  }
  Status append(Event event, std::size_t count = 1) {
    return append(std::vector<audit::Draft>(count, draft_of(event)));
  }
  Result<std::string> sign() {
    return thread_.ask<Result<std::string>>(
        [&](auto answer) { store_->sign_log(thread_.mailbox(), answer); });
  }
  LogPage read_log(std::optional<std::uint64_t> from = 0, std::size_t limit = 1'000'000) {
    settle();
    auto page = thread_.ask<Result<LogPage>>(
        [&](auto answer) { store_->read_log(from, limit, thread_.mailbox(), answer); });
    EXPECT_TRUE(page.ok());
    return page.ok() ? *std::move(page) : LogPage{};
  }
  Result<LogProof> prove_entry(std::uint64_t entry, std::uint64_t entries) {
    settle();
    return thread_.ask<Result<LogProof>>(
        [&](auto answer) { store_->prove_entry(entry, entries, thread_.mailbox(), answer); });
  }
  Result<LogProof> prove_growth(std::uint64_t from, std::uint64_t entries) {
    settle();
    return thread_.ask<Result<LogProof>>(
        [&](auto answer) { store_->prove_growth(from, entries, thread_.mailbox(), answer); });
  }

  // The names of the events, and that every line is one of the log, with the number it stands at.
  std::vector<std::string> events() {
    const LogPage page = read_log();
    EXPECT_EQ(page.lines.size(), page.entries);
    std::vector<std::string> names;
    for (const std::string& line : page.lines) {
      const auto entry = audit::parse_entry(line);
      EXPECT_TRUE(entry.ok()) << line;
      if (!entry.ok()) continue;
      EXPECT_EQ(entry->number, names.size());
      names.emplace_back(audit::name_of(entry->what.event));
    }
    return names;
  }
  static crypto::MerkleHash root_of(const std::vector<std::string>& lines, std::size_t count) {
    crypto::MerkleFrontier frontier;
    for (std::size_t i = 0; i < count; ++i)
      frontier.append(crypto::merkle_leaf(bytes_of(lines[i])));
    return frontier.root();
  }
  audit::Checkpoint checkpoint_of(const std::string& note) {
    const auto opened = audit::open_checkpoint(note, options_.log->key.public_key());
    EXPECT_TRUE(opened.ok()) << note;
    return opened.ok() ? *opened : audit::Checkpoint{};
  }
  // How many entries the newest signed head has, as the file says it; -1: there is none.
  std::int64_t newest_head() {
    settle();
    settle();  // the head is signed before the next batch
    Database database;
    EXPECT_TRUE(database.open(folder_.path() + "/signet.db", Database::Access::kRead).ok());
    return database.number("SELECT COALESCE(MAX(entries), -1) FROM log_checkpoint");
  }
  std::int64_t gauge(std::string_view name) { return metrics_.gauge(name, "").value(); }
  void change_file(const std::string& sql) {
    store_.reset();
    Database database;
    ASSERT_TRUE(database.open(folder_.path() + "/signet.db", Database::Access::kWrite).ok());
    ASSERT_TRUE(database.execute(sql.c_str())) << sql << ": " << database.failure_text();
  }

  using Names = std::vector<std::string>;
};

TEST_F(LogTest, AChangeIsThereWithItsEntryAndARefusedOneLeavesNone) {
  open();
  EXPECT_TRUE(events().empty()) << "nothing happened yet";
  ASSERT_TRUE(commit({MeshAdded{mesh_of(1)}}).ok());
  EXPECT_EQ(events(), (Names{"log_begun", "mesh_added"}));
  EXPECT_FALSE(commit({MeshAdded{mesh_of(1)}}).ok());
  EXPECT_FALSE(commit({MeshAdded{mesh_of(2)}, MeshAdded{mesh_of(1)}}).ok());
  EXPECT_EQ(events().size(), 2U) << "not even of what was good in it";
  ASSERT_TRUE(commit({MemberAdded{keyless(7), {}}, ChannelJoined{{7}, {1}, "general"}}).ok());
  EXPECT_EQ(events(), (Names{"log_begun", "mesh_added", "member_added", "channel_joined"}));
  const auto entry = audit::parse_entry(read_log(2, 1).lines.at(0));
  EXPECT_EQ(entry->what.by, "test");
  EXPECT_EQ(entry->what.subject, options_.log->pseudonyms.of_member({7}));
  EXPECT_EQ(entry->at, clock_.wall());
}

TEST_F(LogTest, EveryChangeOfAMemberNamesItsMesh) {
  open();
  ASSERT_TRUE(commit({MeshAdded{mesh_of(1)}, MemberAdded{keyless(7), {}}}).ok());
  ASSERT_TRUE(commit({StandingChanged{{7}, Standing::kAdmitted, Standing::kQuarantined},
                      RoleChanged{{7}, Role::kAdmin, {}}, ChannelJoined{{7}, {1}, "general"}})
                  .ok());
  const LogPage page = read_log(2);
  ASSERT_EQ(page.lines.size(), 4U);
  for (const std::string& line : page.lines) {
    const auto entry = audit::parse_entry(line);
    ASSERT_TRUE(entry.ok()) << line;
    EXPECT_EQ(entry->what.mesh, MeshNumber{1}) << line;
  }
}

// What is asked together is one transaction: good ones between bad ones.
TEST_F(LogTest, ABatchOfGoodAndBadLeavesEntriesOfTheGoodOnes) {
  open();
  ASSERT_TRUE(commit({MeshAdded{mesh_of(1)}}).ok());
  std::vector<bool> good;
  for (std::int64_t i = 0; i < 60; ++i) {
    const std::int64_t number = i % 3 == 0 ? 1 : 100 + i;  // a mesh that is there, or a new one
    store_->commit({MeshAdded{mesh_of(number)}}, "test", thread_.mailbox(),
                   [&good](const Status& status) { good.push_back(status.ok()); });
  }
  settle();
  EXPECT_EQ(std::count(good.begin(), good.end(), true), 40);
  EXPECT_EQ(events().size(), 42U);
  EXPECT_EQ(rows("mesh"), 41);
}

TEST_F(LogTest, OnAFullDiskNeitherIsThereAndTheLogGoesOnWithoutAGap) {
  open();
  ASSERT_TRUE(commit({MeshAdded{mesh_of(1)}}).ok());
  ASSERT_TRUE(append(Event::kAdmitted).ok());
  const auto before = events();
  store_->limit_pages_for_test(1);  // SQLite raises it to what is there
  std::size_t refused = 0;
  for (std::int64_t i = 0; i < 500; ++i) {
    Member member = keyless(10 + i);
    member.display_name = std::string(1'000, 'x');
    store_->commit({MemberAdded{member, {}}}, "test", thread_.mailbox(),
                   [&refused](const Status& status) { refused += status.ok() ? 0 : 1; });
  }
  settle();
  EXPECT_EQ(gauge("signet_store_disk_full"), 1);
  EXPECT_EQ(append(Event::kRefused).error().code, ErrorCode::kOverloaded);
  EXPECT_EQ(append(Event::kServerStarted).error().code, ErrorCode::kOverloaded);
  const std::size_t added = events().size() - before.size();
  EXPECT_GT(refused, 0U);
  EXPECT_EQ(added, 500 - refused);
  EXPECT_EQ(rows("member"), static_cast<std::int64_t>(added));

  store_->limit_pages_for_test(1'000'000);
  clock_.advance(2s);
  settle();
  ASSERT_TRUE(commit({MeshAdded{mesh_of(2)}}).ok());
  EXPECT_EQ(events().size(), before.size() + added + 1);
  reopen();
  EXPECT_EQ(gauge("signet_audit_damaged"), 0);
}

TEST_F(LogTest, SurvivesARestartWithoutAGap) {
  open();
  ASSERT_TRUE(append(Event::kServerStarted, 5).ok());
  const auto lines = read_log().lines;
  reopen();
  EXPECT_EQ(read_log().lines, lines);
  ASSERT_TRUE(append(Event::kServerStarted, 3).ok());
  Names names(9, "server_started");
  names[0] = "log_begun";
  EXPECT_EQ(events(), names);
  EXPECT_EQ(gauge("signet_audit_entries"), 9);
  EXPECT_EQ(gauge("signet_audit_damaged"), 0);
}

TEST_F(LogTest, PagesAreWhatWasAskedFor) {
  open();
  ASSERT_TRUE(append(Event::kServerStarted, 9).ok());
  const auto lines = read_log().lines;
  ASSERT_EQ(lines.size(), 10U);
  struct Row {
    const char* name;
    std::optional<std::uint64_t> from;
    std::size_t limit;
    std::uint64_t first;
    std::size_t count;
  };
  const Row rows[] = {
      {"all", 0, 100, 0, 10},         {"the first", 0, 1, 0, 1},
      {"a middle", 3, 4, 3, 4},       {"the end", 8, 10, 8, 2},
      {"beyond", 10, 10, 10, 0},      {"far beyond", 1'000'000, 10, 1'000'000, 0},
      {"the newest", {}, 3, 7, 3},    {"more than there are", {}, 30, 0, 10},
      {"none of them", {}, 0, 10, 0},
  };
  for (const Row& row : rows) {
    const LogPage page = read_log(row.from, row.limit);
    EXPECT_EQ(page.first, row.first) << row.name;
    EXPECT_EQ(page.entries, 10U) << row.name;
    ASSERT_EQ(page.lines.size(), row.count) << row.name;
    for (std::size_t i = 0; i < row.count; ++i) {
      EXPECT_EQ(page.lines[i], lines[row.first + i]) << row.name;
    }
  }
}

TEST_F(LogTest, ItsHeadIsTheRootOverItsLines) {
  open();
  for (std::size_t count = 1; count < 40; ++count) {
    ASSERT_TRUE(append(Event::kServerStarted).ok());
    const auto note = sign();
    ASSERT_TRUE(note.ok());
    const audit::Checkpoint head = checkpoint_of(*note);
    const auto lines = read_log().lines;
    EXPECT_EQ(head.origin, "signet/test");
    EXPECT_EQ(head.entries, count + 1);
    EXPECT_EQ(head.root, root_of(lines, lines.size())) << count;
  }
  EXPECT_EQ(*sign(), *sign()) << "what was signed is not signed anew";
}

TEST_F(LogTest, AnEmptyLogHasAHeadToo) {
  open();
  const auto note = sign();
  ASSERT_TRUE(note.ok());
  EXPECT_EQ(checkpoint_of(*note).entries, 0U);
  EXPECT_EQ(checkpoint_of(*note).root, crypto::merkle_empty());
  ASSERT_TRUE(append(Event::kServerStarted).ok());
  EXPECT_EQ(checkpoint_of(*sign()).entries, 2U);
}

TEST_F(LogTest, AHeadIsSignedAfterSoManyEntries) {
  options_.checkpoint_entries = 10;
  open();
  ASSERT_TRUE(append(Event::kServerStarted, 8).ok());
  EXPECT_EQ(newest_head(), -1);
  ASSERT_TRUE(append(Event::kServerStarted, 1).ok());
  EXPECT_EQ(newest_head(), 10);
  ASSERT_TRUE(append(Event::kServerStarted, 9).ok());
  EXPECT_EQ(newest_head(), 10);
  ASSERT_TRUE(append(Event::kServerStarted, 25).ok());
  EXPECT_EQ(newest_head(), 44) << "one for all of them";
}

TEST_F(LogTest, AHeadIsSignedAfterSoLong) {
  options_.checkpoint_every = 10s;
  open();
  ASSERT_TRUE(append(Event::kServerStarted).ok());
  EXPECT_EQ(newest_head(), -1);
  clock_.advance(10s);
  EXPECT_EQ(newest_head(), 2);
  clock_.advance(10s);
  EXPECT_EQ(newest_head(), 2);
  EXPECT_EQ(rows("log_checkpoint"), 1) << "nothing new, nothing to sign";
}

TEST_F(LogTest, AHeadIsSignedAtTheEnd) {
  open();
  ASSERT_TRUE(append(Event::kServerStarted).ok());
  store_.reset();
  EXPECT_EQ(rows("log_checkpoint"), 1);
}

TEST_F(LogTest, ProofsHoldForEveryEntryAndEveryLength) {
  open();
  ASSERT_TRUE(append(Event::kServerStarted, 20).ok());
  const auto lines = read_log().lines;
  ASSERT_EQ(lines.size(), 21U);
  for (std::uint64_t entries = 1; entries <= lines.size(); ++entries) {
    const crypto::MerkleHash root = root_of(lines, entries);
    for (std::uint64_t entry = 0; entry < entries; ++entry) {
      const auto proof = prove_entry(entry, entries);
      ASSERT_TRUE(proof.ok()) << entry << " of " << entries;
      EXPECT_EQ(proof->root, root);
      const auto leaf = crypto::merkle_leaf(bytes_of(lines[entry]));
      EXPECT_TRUE(crypto::verify_inclusion(leaf, entry, entries, proof->hashes, root))
          << entry << " of " << entries;
    }
    for (std::uint64_t from = 0; from <= entries; ++from) {
      const auto proof = prove_growth(from, entries);
      ASSERT_TRUE(proof.ok()) << from << " to " << entries;
      EXPECT_EQ(proof->root, root);
      EXPECT_TRUE(
          crypto::verify_consistency(from, root_of(lines, from), entries, root, proof->hashes))
          << from << " to " << entries;
    }
  }
}

TEST_F(LogTest, WhatIsNotThereIsNotProven) {
  open();
  ASSERT_TRUE(append(Event::kServerStarted, 4).ok());
  struct Row {
    const char* name;
    std::uint64_t entry, entries;
  };
  constexpr std::uint64_t kHuge = std::numeric_limits<std::uint64_t>::max();
  const Row entries[] = {{"beyond the tree", 5, 5}, {"of no tree", 0, 0}, {"of a longer one", 0, 6},
                         {"far", kHuge - 1, kHuge}, {"backwards", 4, 2},  {"huge", kHuge, kHuge}};
  for (const Row& row : entries) {
    const auto proof = prove_entry(row.entry, row.entries);
    ASSERT_FALSE(proof.ok()) << row.name;
    EXPECT_EQ(proof.error().code, ErrorCode::kNotFound) << row.name;
  }
  const Row growths[] = {{"to a longer one", 2, 6}, {"backwards", 3, 2}, {"huge", 0, kHuge}};
  for (const Row& row : growths) {
    const auto proof = prove_growth(row.entry, row.entries);
    ASSERT_FALSE(proof.ok()) << row.name;
    EXPECT_EQ(proof.error().code, ErrorCode::kNotFound) << row.name;
  }
}

TEST_F(LogTest, WithoutRoomItRefusesTrafficAndTakesChanges) {
  options_.log_bytes = 1'000;
  open();
  int taken = 0;
  while (taken < 100 && append(Event::kRefused).ok()) ++taken;
  EXPECT_GT(taken, 5);
  EXPECT_LT(taken, 30);
  EXPECT_GE(gauge("signet_audit_bytes"), 1'000);
  for (const Event event : {Event::kAdmitted, Event::kRefused, Event::kEnded, Event::kSuppressed}) {
    EXPECT_EQ(append(event).error().code, ErrorCode::kOverloaded) << audit::name_of(event);
  }
  EXPECT_FALSE(append({draft_of(Event::kServerStarted), draft_of(Event::kAdmitted)}).ok());
  const std::size_t before = events().size();
  EXPECT_TRUE(append(Event::kPolicyChanged).ok());
  EXPECT_TRUE(commit({MeshAdded{mesh_of(1)}}).ok());
  EXPECT_EQ(events().size(), before + 2);
  reopen();
  EXPECT_FALSE(append(Event::kRefused).ok()) << "after a restart, too";
}

TEST_F(LogTest, WithoutRoomNobodyJoinsAChannelAndWhoIsInOneMayLeave) {
  options_.log_bytes = 2'000;
  open();
  ASSERT_TRUE(commit({MeshAdded{mesh_of(1)}, MemberAdded{keyless(7), {}}}).ok());
  ASSERT_TRUE(commit({ChannelJoined{{7}, {1}, "general"}}).ok());
  while (append(Event::kRefused).ok()) {
  }
  const std::size_t before = events().size();
  EXPECT_EQ(commit({ChannelJoined{{7}, {1}, "ops"}}).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(events().size(), before);
  EXPECT_EQ(rows("channel"), 1);
  EXPECT_TRUE(commit({ChannelLeft{{7}, {1}, "general"}}).ok());
  EXPECT_EQ(events().size(), before + 1);
  reopen();
  EXPECT_FALSE(commit({ChannelJoined{{7}, {1}, "ops"}}).ok()) << "after a restart, too";
  options_.log = nullptr;
  reopen();
  EXPECT_TRUE(commit({ChannelJoined{{7}, {1}, "ops"}}).ok()) << "where none is kept";
}

TEST_F(LogTest, WithoutAnIdentityNoneIsKept) {
  options_.log = nullptr;
  open();
  EXPECT_TRUE(append(Event::kServerStarted).ok());
  EXPECT_TRUE(commit({MeshAdded{mesh_of(1)}}).ok());
  EXPECT_EQ(sign().error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(read_log().lines.empty());
  EXPECT_EQ(rows("log_entry"), 0);
}

TEST_F(LogTest, WhatWasChangedInTheFileIsSeenAtTheNextStart) {
  struct Row {
    const char* name;
    const char* sql;
    std::int64_t damaged;
  };
  // clang-format off
  const Row rows[] = {
      {"nothing", "SELECT 1", 0},
      {"the last line", "UPDATE log_entry SET line = replace(line, 'test', 'tost') WHERE number = 20", 1},
      {"a line in the middle", "UPDATE log_entry SET line = replace(line, 'test', 'tost') WHERE number = 7", 1},
      {"the first line", "UPDATE log_entry SET line = line || ' ' WHERE number = 0", 1},
      {"a line swapped with another", "UPDATE log_entry SET line = (SELECT line FROM log_entry WHERE number = 8) WHERE number = 7", 1},
      {"a row deleted", "DELETE FROM log_entry WHERE number = 7", 1},
      {"the last rows deleted", "DELETE FROM log_entry WHERE number > 15", 1},
      {"the last rows with all hashes", "DELETE FROM log_entry WHERE number > 15; DELETE FROM log_hash WHERE position >= 31", 1},
      {"all rows", "DELETE FROM log_entry", 1},
      {"everything but the heads", "DELETE FROM log_entry; DELETE FROM log_hash", 1},
      {"a row more", "INSERT INTO log_entry VALUES(21, 'x')", 1},
      {"the hash of a leaf", "UPDATE log_hash SET hash = zeroblob(32) WHERE position = 0", 1},
      {"the hash of a node", "UPDATE log_hash SET hash = zeroblob(32) WHERE position = 2", 1},
      {"a hash that is too short", "UPDATE log_hash SET hash = zeroblob(3) WHERE position = 5", 1},
      {"a hash deleted", "DELETE FROM log_hash WHERE position = 4", 1},
      {"the signed head", "UPDATE log_checkpoint SET note = replace(note, 'signet', 'sagnet')", 1},
      {"the signed head is of more", "UPDATE log_checkpoint SET entries = 22", 1},
      {"no note", "UPDATE log_checkpoint SET note = ''", 1},
  };
  // clang-format on
  const std::string kept = folder_.path() + "-kept.db";
  open();
  ASSERT_TRUE(append(Event::kServerStarted, 20).ok());
  change_file("PRAGMA wal_checkpoint(TRUNCATE)");
  std::filesystem::copy_file(folder_.path() + "/signet.db", kept);
  for (const Row& row : rows) {
    store_.reset();
    for (const char* suffix : {"-wal", "-shm"}) {
      std::filesystem::remove(folder_.path() + "/signet.db" + suffix);
    }
    std::filesystem::copy_file(kept, folder_.path() + "/signet.db",
                               std::filesystem::copy_options::overwrite_existing);
    change_file(row.sql);
    open();
    EXPECT_EQ(gauge("signet_audit_damaged"), row.damaged) << row.name;
    EXPECT_TRUE(append(Event::kServerStarted).ok()) << "and it goes on: " << row.name;
  }
  std::filesystem::remove(kept);
}

TEST_F(LogTest, AnotherKeyThanThatOfTheLogIsSeen) {
  open();
  ASSERT_TRUE(append(Event::kServerStarted).ok());
  store_.reset();
  options_.log = std::make_shared<const LogIdentity>(LogIdentity{
      "signet/test", crypto::SecretKey::from_seed({9}), audit::Pseudonyms(std::string(32, 'p'))});
  open();
  EXPECT_EQ(gauge("signet_audit_damaged"), 1);
}

TEST_F(LogTest, RevokedTokensAreLoadedAgainUntilTheyAreExpiredAnyway) {
  open();
  const WallTime now = clock_.wall();
  ASSERT_TRUE(commit({MeshAdded{mesh_of(1)}, TokensRevoked{{1}, {"t-1", "", {}, now + 1h}},
                      TokensRevoked{{1}, {"", "gauge", now, now + 1h}},
                      TokensRevoked{{1}, {"t-2", "", {}, now + 10s}},
                      TokensRevoked{{1}, {"", "sage", now, now + 10s}}})
                  .ok());
  EXPECT_EQ(events().size(), 6U);
  const auto loaded = [this] {
    std::vector<std::string> names;
    for (const Change& change : membership_) {
      const auto* revoked = std::get_if<TokensRevoked>(&change);
      if (revoked != nullptr)
        names.push_back(revoked->revocation.token + revoked->revocation.subject);
    }
    return names;
  };
  reopen();
  EXPECT_EQ(loaded(), (Names{"gauge", "sage", "t-1", "t-2"}));
  clock_.advance(11s);
  reopen();
  EXPECT_EQ(loaded(), (Names{"gauge", "t-1"}));
  const auto found = std::find_if(membership_.begin(), membership_.end(), [](const Change& change) {
    const auto* revoked = std::get_if<TokensRevoked>(&change);
    return revoked != nullptr && revoked->revocation.subject == "gauge";
  });
  EXPECT_EQ(std::get<TokensRevoked>(*found).revocation.issued_before, now);
  EXPECT_EQ(std::get<TokensRevoked>(*found).revocation.until, now + 1h);
}

TEST_F(LogTest, ALesserRevocationTakesNothingFromAWiderOne) {
  open();
  const WallTime now = clock_.wall();
  ASSERT_TRUE(
      commit({MeshAdded{mesh_of(1)}, TokensRevoked{{1}, {"", "gauge", now, now + 2h}}}).ok());
  ASSERT_TRUE(commit({TokensRevoked{{1}, {"", "gauge", now - 1h, now + 1h}}}).ok());
  reopen();
  ASSERT_EQ(membership_.size(), 2U);
  EXPECT_EQ(std::get<TokensRevoked>(membership_[1]).revocation.issued_before, now);
  EXPECT_EQ(std::get<TokensRevoked>(membership_[1]).revocation.until, now + 2h);
}

}  // namespace
}  // namespace signet::store::sqlite
