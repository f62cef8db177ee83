#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "client/identity_access.h"
#include "client/state_fixture_test.h"

namespace signet {
namespace {

constexpr std::string_view kSeed =
    "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
constexpr std::string_view kPublic =
    "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";

TEST(Identity, ReadsASeedOrASecretKey) {
  const std::string seed(kSeed), full = seed + std::string(kPublic);
  std::string upper = seed, other = full;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  other.back() = '9';
  // clang-format off
  const struct { const char* name; std::string text; bool is_read; } rows[] = {
      {"a seed", seed, true},
      {"a seed in capitals", upper, true},
      {"a secret key", full, true},
      {"a secret key of two halves that are not one", other, false},
      {"a secret key whose public half is no hex", seed + std::string(64, 'x'), false},
      {"nothing", "", false},
      {"a digit too few", seed.substr(1), false},
      {"a digit too many", seed + "0", false},
      {"no hex", std::string(64, 'g'), false},
      {"a NUL within", std::string(63, '0') + '\0', false},
      {"a line feed at its end", seed + "\n", false},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto identity = Identity::from_hex(row.text);
    ASSERT_EQ(identity.ok(), row.is_read);
    if (row.is_read) {
      EXPECT_EQ(identity->public_key(), kPublic);
      EXPECT_EQ(identity->seed_hex(), kSeed);
      continue;
    }
    EXPECT_EQ(code_of(identity.error()), "bad_key");
    EXPECT_EQ(identity.error().detail.find("0001020304"), std::string::npos) << "it is a secret";
  }
}

TEST(Identity, IsAnotherOneEachTime) {
  const Identity one = Identity::generate(), two = Identity::generate();
  EXPECT_NE(one.public_key(), two.public_key());
  EXPECT_EQ(Identity::from_hex(one.seed_hex())->public_key(), one.public_key());
}

class KeyFile : public testing::Test {
 protected:
  std::string path_ = "";
  void SetUp() override { path_ = folder_.path() + "/key"; }
  void write(const std::string& text, mode_t rights = 0600) {
    std::ofstream(path_, std::ios::binary) << text;
    ASSERT_EQ(chmod(path_.c_str(), rights), 0);
  }
  std::string read() {
    const auto identity = Identity::from_file(path_);
    return identity.ok() ? identity->public_key() : std::string(code_of(identity.error()));
  }
  client::StateFolder folder_;
};

TEST_F(KeyFile, IsReadWhateverEndsItsLine) {
  const std::string seed(kSeed);
  // clang-format off
  const struct { const char* name; std::string text, read; } rows[] = {
      {"as it is", seed, std::string(kPublic)},
      {"a line feed", seed + "\n", std::string(kPublic)},
      {"spaces and line feeds", seed + " \n\n", std::string(kPublic)},
      {"a line feed of Windows", seed + "\r\n", std::string(kPublic)},
      {"empty", "", "bad_key"},
      {"only line feeds", "\n\n", "bad_key"},
      {"a space before", " " + seed, "bad_key"},
      {"two keys", seed + "\n" + seed, "bad_key"},
      {"a megabyte", std::string(1 << 20, '0'), "bad_key"},
      {"1,024 bytes, of which a key and spaces", seed + std::string(1'024, ' ') + "x", "bad_key"},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    write(row.text);
    EXPECT_EQ(read(), row.read);
  }
}

TEST_F(KeyFile, IsItsOwnersAlone) {
  // clang-format off
  const struct { const char* name; mode_t rights; bool is_read; } rows[] = {
      {"its owner reads", 0400, true},       {"its owner writes", 0600, true},
      {"its owner runs it", 0700, true},     {"the group reads", 0640, false},
      {"the group writes", 0620, false},     {"others read", 0604, false},
      {"others write", 0602, false},         {"others run it", 0601, false},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    write(std::string(kSeed), row.rights);
    EXPECT_EQ(read(), row.is_read ? std::string(kPublic) : "key_file_readable");
  }
}

TEST_F(KeyFile, IsAFileAndNothingElse) {
  EXPECT_EQ(read(), "file_missing");
  write(std::string(kSeed));
  const std::string link = folder_.path() + "/link";
  ASSERT_EQ(symlink(path_.c_str(), link.c_str()), 0);
  path_ = link;
  EXPECT_EQ(read(), "key_file_unreadable");
  path_ = folder_.path();
  EXPECT_EQ(read(), "bad_key");
  path_ = folder_.path() + "/pipe";
  ASSERT_EQ(mkfifo(path_.c_str(), 0600), 0);
  EXPECT_EQ(read(), "bad_key") << "and nobody waits for who writes into it";
}

}  // namespace
}  // namespace signet
