#include "audit/export.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <utility>
#include <vector>

namespace signet::audit {
namespace {

using crypto::MerkleHash;
using Lines = std::vector<std::string>;

constexpr const char* kOrigin = "signet.example/log";
constexpr std::size_t kEntries = 10'000;

crypto::SecretKey key_of(unsigned char seed) {
  return crypto::SecretKey::from_seed(std::array<unsigned char, 32>{seed});
}
Verifier verifier_of(const crypto::SecretKey& key) { return {kOrigin, key.public_key()}; }

// Each field of a draft is in that entry.
bool has_all(std::uint64_t number) { return number % 50 == 7 && number % 3 != 0; }

std::string entry_line(std::uint64_t number) {
  Draft draft;
  draft.event = number == 0 ? Event::kLogBegun : Event::kAdmitted;
  draft.mesh = {static_cast<std::int64_t>(number % 3)};
  if (number % 4 == 1 || has_all(number)) draft.code = "admitted";
  if (number % 10 == 7) {
    static const Pseudonyms pseudonyms(std::string(32, 'p'));
    draft.subject = pseudonyms.of_member({static_cast<std::int64_t>(number)});
    draft.by = "operator";
    draft.hash = crypto::digest32("test", {draft.subject});
  }
  if (has_all(number)) draft.count = static_cast<std::int64_t>(number);
  return encode({number, {1'795'314'600'000 + static_cast<std::int64_t>(number) * 10}, draft});
}

std::string note_over(const Lines& entries, const crypto::SecretKey& key) {
  crypto::MerkleFrontier frontier;
  for (const std::string& entry : entries) frontier.append(crypto::merkle_leaf(bytes_of(entry)));
  return sign_checkpoint({kOrigin, frontier.leaves(), frontier.root()}, key);
}

Lines some_entries(std::size_t count) {
  Lines entries;
  for (std::size_t i = 0; i < count; ++i) entries.push_back(entry_line(i));
  return entries;
}

Lines exported(const Lines& entries, const crypto::SecretKey& key) {
  Lines lines{export_head(verifier_of(key))};
  lines.insert(lines.end(), entries.begin(), entries.end());
  lines.push_back(export_end(note_over(entries, key)));
  return lines;
}

Result<Checkpoint> verify(const Lines& lines, ExportVerifier verifier) {
  for (const std::string& line : lines) {
    if (!verifier.add(line).ok()) break;
  }
  return verifier.finish();
}
Result<Checkpoint> verify(const Lines& lines) {
  return verify(lines, ExportVerifier({verifier_of(key_of(1)), {}}));
}
std::string fault_of(const Result<Checkpoint>& result) {
  return result.ok() ? "" : result.error().detail;
}

TEST(ExportVerifier, TakesAWholeLog) {
  for (const std::size_t count : {0, 1, 2, 7, 1'000}) {
    const Result<Checkpoint> result = verify(exported(some_entries(count), key_of(1)));
    ASSERT_TRUE(result.ok()) << result.error().detail;
    EXPECT_EQ(result->entries, count);
    EXPECT_EQ(result->origin, kOrigin);
  }
}

TEST(ExportVerifier, TellsWhatItSaw) {
  Lines entries = some_entries(4);
  entries[2] = encode({2, {5}, Draft{Event::kServerStarted, {}, {}, {}, {}, {}, 1}});
  ExportVerifier verifier(Expected{});
  for (const std::string& line : exported(entries, key_of(1))) EXPECT_TRUE(verifier.add(line).ok());
  EXPECT_EQ(verifier.facts().key, verifier_of(key_of(1)));
  EXPECT_EQ(verifier.facts().first, WallTime{1'795'314'600'000});
  EXPECT_EQ(verifier.facts().last, WallTime{1'795'314'600'030});
  EXPECT_EQ(verifier.facts().steps_back, 1U);
}

TEST(ExportVerifier, SaysInASentenceWhatIsWrong) {
  const crypto::SecretKey key = key_of(1);
  const Lines good = exported(some_entries(5), key);
  const auto with = [&good](std::size_t at, std::string line) {
    Lines lines = good;
    lines[at] = std::move(line);
    return lines;
  };
  Lines behind = good;
  behind.emplace_back("");
  struct Row {
    const char* name;
    Lines lines;
    ErrorCode code;
    const char* says;
  };
  Draft other;
  other.event = Event::kRefused;
  const std::string cut_note = note_over(some_entries(4), key);
  // clang-format off
  const std::vector<Row> rows = {
      {"nothing", {}, ErrorCode::kMalformed, "without its checkpoint"},
      {"head only", {good[0]}, ErrorCode::kMalformed, "ends after line 1 without"},
      {"no end", Lines(good.begin(), good.end() - 1), ErrorCode::kMalformed, "ends after line 6 without"},
      {"more behind", behind, ErrorCode::kMalformed, "Line 8: nothing may come after"},
      {"no head", Lines(good.begin() + 1, good.end()), ErrorCode::kMalformed, "Line 1: this is no export"},
      {"another version", with(0, R"({"signet-log":2,"key":""})"), ErrorCode::kMalformed, "version"},
      {"no key", with(0, R"({"signet-log":1,"key":""})"), ErrorCode::kMalformed, "the log's key"},
      {"a space in the head", with(0, good[0] + " "), ErrorCode::kMalformed, "the log's key"},
      {"another key in the head", with(0, export_head(verifier_of(key_of(2)))), ErrorCode::kUnauthorized, "another log or key"},
      {"another log in the head", with(0, export_head({"other", key.public_key()})), ErrorCode::kUnauthorized, "another log or key"},
      {"an entry with a space", with(2, good[2] + " "), ErrorCode::kMalformed, "Line 3: this is no entry"},
      {"an empty line", with(2, ""), ErrorCode::kMalformed, "Line 3: this is no entry"},
      {"a jump", with(2, good[3]), ErrorCode::kConflict, "Line 3: entry 2 is where entry 1 should be"},
      {"another entry", with(2, encode({1, {0}, other})), ErrorCode::kConflict, "Line 7: the entries are not those that were signed"},
      {"signed by another", with(6, export_end(note_over(some_entries(5), key_of(2)))), ErrorCode::kUnauthorized, "Line 7: the checkpoint is not signed"},
      {"over fewer", with(6, export_end(cut_note)), ErrorCode::kConflict, "over 4 entries, and here are 5"},
      {"of another log", with(6, export_end(sign_checkpoint({"other", 5, {}}, key))), ErrorCode::kUnauthorized, "of another log"},
      {"no note", with(6, export_end("note")), ErrorCode::kMalformed, "this is no checkpoint"},
      {"another key in the end", with(6, R"({"checkpoint":"","x":1})"), ErrorCode::kMalformed, "not written as it should be"},
      {"a line without end", with(2, std::string(kMostExportLineBytes + 1, ' ')), ErrorCode::kMalformed, "longer than any"},
  };
  // clang-format on
  for (const Row& row : rows) {
    const Result<Checkpoint> result = verify(row.lines);
    ASSERT_FALSE(result.ok()) << row.name;
    EXPECT_EQ(result.error().code, row.code) << row.name << ": " << result.error().detail;
    EXPECT_NE(result.error().detail.find(row.says), std::string::npos)
        << row.name << ": " << result.error().detail;
  }
}

TEST(ExportVerifier, AFaultStays) {
  ExportVerifier verifier(Expected{});
  EXPECT_FALSE(verifier.add("x").ok());
  for (const std::string& line : exported(some_entries(2), key_of(1))) {
    EXPECT_FALSE(verifier.add(line).ok());
  }
  EXPECT_NE(fault_of(verifier.finish()).find("Line 1:"), std::string::npos);
}

// A log of ten thousand entries and every way to touch one of them. Checking each from its first
// line would take hours; these are short cuts to the same answer:
// - A verifier holds nothing but what it read before, so the check of a file that is changed in row
//   i goes on from a copy of the verifier that has read the rows before it.
// - A changed row that still is the entry i is one other leaf under the same others. The root is
//   what the path of leaf i makes of it, so that the root differs if and only if the path does not
//   lead to it. The last line then is refused, as the full runs show.
// - Of all bytes of all rows it is the leaf alone that is looked at, and whether its path leads to
//   the root in each row at one byte and in some rows at every one.
class Tampered : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    entries_ = new Lines(some_entries(kEntries));
    lines_ = new Lines(exported(*entries_, key_of(1)));
    hashes_ = new std::vector<MerkleHash>;
    for (std::size_t i = 0; i < kEntries; ++i) {
      for (const MerkleHash& hash :
           crypto::merkle_append(i, crypto::merkle_leaf(bytes_of((*entries_)[i])), reader())) {
        hashes_->push_back(hash);
      }
    }
    root_ = crypto::merkle_root(kEntries, reader());
  }
  static void TearDownTestSuite() {
    delete entries_;
    delete lines_;
    delete hashes_;
  }
  static crypto::MerkleReader reader() {
    return [](crypto::MerklePlace place) { return hashes_->at(crypto::merkle_position(place)); };
  }
  static ExportVerifier begun() { return ExportVerifier({verifier_of(key_of(1)), {}}); }

  // `verifier` has read all rows before `row`.
  static bool takes_changed(const ExportVerifier& verifier, std::size_t row,
                            const std::string& line, const std::vector<MerkleHash>& path) {
    ExportVerifier next = verifier;
    if (!next.add(line).ok()) return false;
    const MerkleHash leaf = crypto::merkle_leaf(bytes_of(line));
    return crypto::verify_inclusion(leaf, row, kEntries, path, root_);
  }

  static Lines* entries_;
  static Lines* lines_;
  static std::vector<MerkleHash>* hashes_;
  static MerkleHash root_;
};
Lines* Tampered::entries_ = nullptr;
Lines* Tampered::lines_ = nullptr;
std::vector<MerkleHash>* Tampered::hashes_ = nullptr;
MerkleHash Tampered::root_{};

TEST_F(Tampered, NoRowCanBeTakenSwappedDoubledOrChanged) {
  std::mt19937 random(20261122);  // NOLINT: the same bytes every time
  ASSERT_TRUE(verify(*lines_).ok());
  ExportVerifier verifier = begun();
  ASSERT_TRUE(verifier.add(lines_->front()).ok());
  for (std::size_t row = 0; row < kEntries; ++row) {
    const std::string& line = (*entries_)[row];
    const std::vector<MerkleHash> path = crypto::merkle_inclusion(row, kEntries, reader());
    ASSERT_TRUE(takes_changed(verifier, row, line, path)) << row;  // or the rest shows nothing

    // Taken away, and swapped with the next: the next comes too early.
    ExportVerifier without = verifier;
    ASSERT_FALSE(without.add((*lines_)[row + 2]).ok()) << row;

    const std::size_t at = random() % line.size();
    std::string changed = line;
    changed[at] = static_cast<char>(static_cast<unsigned char>(line[at]) ^ (1 + random() % 255));
    ASSERT_FALSE(takes_changed(verifier, row, changed, path)) << row << ": " << changed;

    ASSERT_TRUE(verifier.add(line).ok()) << row;
    ExportVerifier doubled = verifier;
    ASSERT_FALSE(doubled.add(line).ok()) << row;
  }
}

// Every row that has each field, some 130 of them, read as a check reads it.
TEST_F(Tampered, NoByteOfARowCanBeChanged) {
  ExportVerifier verifier = begun();
  ASSERT_TRUE(verifier.add(lines_->front()).ok());
  std::size_t rows = 0;
  for (std::size_t row = 0; row < kEntries; ++row) {
    const std::string& line = (*entries_)[row];
    if (has_all(row)) {
      ++rows;
      const std::vector<MerkleHash> path = crypto::merkle_inclusion(row, kEntries, reader());
      for (std::size_t at = 0; at < line.size(); ++at) {
        std::string changed = line;
        // The next digit or letter, which is what most likely still is an entry.
        changed[at] = static_cast<char>(static_cast<unsigned char>(line[at]) ^ 1U);
        ASSERT_FALSE(takes_changed(verifier, row, changed, path)) << row << ": " << changed;
      }
    }
    ASSERT_TRUE(verifier.add(line).ok()) << row;
  }
  EXPECT_GT(rows, 100U);
}

TEST_F(Tampered, EveryByteOfEveryRowIsInItsLeaf) {
  for (std::size_t row = 0; row < kEntries; ++row) {
    std::string line = (*entries_)[row];
    const MerkleHash leaf = crypto::merkle_leaf(bytes_of(line));
    ASSERT_EQ(leaf, hashes_->at(crypto::merkle_position({0, row}))) << row;
    for (std::size_t at = 0; at < line.size(); ++at) {
      const char was = line[at];
      line[at] = static_cast<char>(static_cast<unsigned char>(was) ^ (1U << row % 8));
      ASSERT_NE(crypto::merkle_leaf(bytes_of(line)), leaf) << row << ": " << line;
      line[at] = was;
    }
  }
}

TEST_F(Tampered, NoByteOfTheHeadOrTheCheckpointCanBeChanged) {
  ExportVerifier before_end = begun();
  for (std::size_t i = 0; i + 1 < lines_->size(); ++i) {
    ASSERT_TRUE(before_end.add((*lines_)[i]).ok());
  }
  const std::vector<std::pair<std::string, ExportVerifier>> ends = {{lines_->front(), begun()},
                                                                    {lines_->back(), before_end}};
  for (const auto& [line, verifier] : ends) {
    ExportVerifier untouched = verifier;
    ASSERT_TRUE(untouched.add(line).ok());
    for (std::size_t at = 0; at < line.size(); ++at) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        std::string changed = line;
        changed[at] = static_cast<char>(static_cast<unsigned char>(changed[at]) ^ (1U << bit));
        ExportVerifier next = verifier;
        EXPECT_FALSE(next.add(changed).ok()) << changed;
      }
      ExportVerifier next = verifier;
      EXPECT_FALSE(next.add(line.substr(0, at)).ok()) << at;
    }
  }
}

TEST_F(Tampered, NoRowsCanBeCutOff) {
  ExportVerifier verifier = begun();
  for (std::size_t row = 0; row <= kEntries; ++row) {
    ASSERT_FALSE(verifier.finish().ok()) << row;
    ASSERT_TRUE(verifier.add((*lines_)[row]).ok());
    if (row % 10 != 0 || row == kEntries) continue;  // a signature takes its time
    ExportVerifier cut = verifier;
    ASSERT_FALSE(cut.add(lines_->back()).ok()) << row;
  }
  // Rows behind the last signed one are none of the log either.
  ASSERT_TRUE(verifier.add(entry_line(kEntries)).ok());
  ASSERT_FALSE(verifier.add(lines_->back()).ok());
}

TEST_F(Tampered, FullRunsSayTheSame) {
  std::mt19937 random(5);  // NOLINT: the same rows every time
  for (int i = 0; i < 2; ++i) {
    const std::size_t row = 1 + random() % (kEntries - 1);
    Lines changed = *lines_;
    Draft draft;
    draft.event = Event::kRefused;
    changed[row] = encode({row - 1, {i}, draft});
    const Result<Checkpoint> result = verify(changed);
    ASSERT_FALSE(result.ok()) << row;
    EXPECT_NE(result.error().detail.find("not those that were signed"), std::string::npos);
    Lines taken = *lines_;
    taken.erase(taken.begin() + static_cast<std::ptrdiff_t>(row));
    EXPECT_FALSE(verify(taken).ok()) << row;
  }
}

// What the holder of the log's key can do and nobody else.
class Rewritten : public testing::Test {
 protected:
  const Lines honest_ = some_entries(100);
  const std::string kept_ = note_over(some_entries(60), key_of(1));
  ExportVerifier witness() const { return ExportVerifier({verifier_of(key_of(1)), kept_}); }
};

TEST_F(Rewritten, AnHonestLogGoesOnFromEveryEarlierCheckpoint) {
  for (std::size_t size = 0; size <= honest_.size(); ++size) {
    const std::string note = note_over(some_entries(size), key_of(1));
    const Result<Checkpoint> result =
        verify(exported(honest_, key_of(1)), ExportVerifier({std::nullopt, note}));
    EXPECT_TRUE(result.ok()) << size << fault_of(result);
  }
}

TEST_F(Rewritten, SignedWithAnotherKeyItIsAnotherLog) {
  const Lines other = exported(honest_, key_of(2));
  EXPECT_FALSE(verify(other).ok());
  EXPECT_TRUE(verify(other, ExportVerifier(Expected{})).ok());  // it agrees with itself
  EXPECT_NE(fault_of(verify(other, ExportVerifier({std::nullopt, kept_}))).find("not signed"),
            std::string::npos);
}

TEST_F(Rewritten, SignedWithTheLogsKeyTheWitnessSees) {
  for (std::size_t row = 0; row < honest_.size(); ++row) {
    Lines changed = honest_;
    Draft draft;
    draft.event = Event::kRefused;
    changed[row] = encode({row, {0}, draft});
    const Lines lines = exported(changed, key_of(1));
    EXPECT_TRUE(verify(lines).ok());
    const Result<Checkpoint> result = verify(lines, witness());
    EXPECT_EQ(result.ok(), row >= 60) << row;
    if (!result.ok()) {
      EXPECT_NE(result.error().detail.find("history was rewritten"), std::string::npos);
    }
  }
}

TEST_F(Rewritten, CutOffAndSignedAgainTheWitnessSees) {
  for (std::size_t size = 0; size <= honest_.size(); ++size) {
    const Lines lines = exported(some_entries(size), key_of(1));
    EXPECT_TRUE(verify(lines).ok());
    const Result<Checkpoint> result = verify(lines, witness());
    EXPECT_EQ(result.ok(), size >= 60) << size;
    if (!result.ok()) {
      EXPECT_NE(result.error().detail.find("once had 60 entries"), std::string::npos);
    }
  }
}

TEST_F(Rewritten, AnEarlierCheckpointNarrowsWhereAFileWasChanged) {
  for (const auto& [row, says] :
       {std::pair(10U, "before entry 60"), {80U, "not before entry 60"}}) {
    Lines lines = exported(honest_, key_of(1));
    lines[row + 1] = encode({row, {0}, Draft{Event::kRefused, {}, {}, {}, {}, {}, 1}});
    EXPECT_NE(fault_of(verify(lines, witness())).find(std::string("it is ") + says),
              std::string::npos);
  }
}

TEST_F(Rewritten, AnEarlierCheckpointOfAnotherLogIsNone) {
  const std::string other = sign_checkpoint({"other.example", 3, {}}, key_of(1));
  for (const std::string& note : {other, std::string("x"), kept_ + "x"}) {
    EXPECT_FALSE(verify(exported(honest_, key_of(1)), ExportVerifier({std::nullopt, note})).ok());
  }
}

}  // namespace
}  // namespace signet::audit
