#include "signet/profile/profiles.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "signet/terminal/failure.h"

namespace signet::cli {
namespace {

constexpr const char* kPublic = "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
constexpr const char* kSecret = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

Profile profile(std::string mesh_id, std::string slug, std::string key = kPublic) {
  Profile profile;
  profile.mesh_id = std::move(mesh_id);
  profile.slug = std::move(slug);
  profile.member_id = "m";
  profile.public_key = std::move(key);
  profile.broker_url = "ws://localhost/ws";
  return profile;
}

Profiles two() {
  Profiles profiles;
  profiles.all = {profile("id-1", "demo"), profile("id-2", "team")};
  return profiles;
}

template <class T>
std::string code_of(const Result<T>& result) {
  return result.ok() ? "" : tell(result.error()).code;
}

TEST(Profiles, OneMeshNeedsNoName) {
  Profiles profiles;
  EXPECT_EQ(code_of(profiles.choose("")), "no_mesh");
  profiles.all = {profile("id-1", "demo")};
  EXPECT_EQ(profiles.choose("")->slug, "demo");
  EXPECT_EQ(profiles.choose("demo")->slug, "demo");
  EXPECT_EQ(profiles.choose("id-1")->slug, "demo");
  EXPECT_EQ(code_of(profiles.choose("other")), "no_such_mesh");
}

TEST(Profiles, SeveralAreListedWhereNoneIsNamed) {
  const Told told = tell(two().choose("").error());
  EXPECT_EQ(told.exit, kExitUsage);
  EXPECT_NE(told.message.find("demo, team"), std::string::npos);
}

TEST(Profiles, ForgettingOneKeepsTheOthersOfItsMeshAndKey) {
  Profiles profiles;
  profiles.all = {profile("id-1", "demo"), profile("id-1", "demo-2"), profile("id-1", "demo-3")};
  profiles.all[1].broker_url = "ws://elsewhere/ws";
  profiles.all[2].member_id = "n";
  const Profile gone = profiles.all[1];
  forget_profile(profiles, gone);
  EXPECT_EQ(profiles.slugs(), "demo, demo-3");
}

TEST(Paths, AreNotBelowARelativeHome) {
  const char* const home = std::getenv("HOME");
  const std::string before = home == nullptr ? "" : home;
  setenv("HOME", "elsewhere", 1);
  unsetenv("XDG_CONFIG_HOME");
  unsetenv("XDG_STATE_HOME");
  EXPECT_EQ(code_of(Paths::from_environment()), "no_home");
  home == nullptr ? unsetenv("HOME") : setenv("HOME", before.c_str(), 1);
}

TEST(Slug, IsAWordThatForgesNoLine) {
  const struct {
    const char* name;
    std::string text;
    bool good;
  } kRows[] = {
      {"a word", "demo-2", true},
      {"the longest", std::string(63, 'a'), true},
      {"too long", std::string(64, 'a'), false},
      {"nothing", "", false},
      {"a line end", "a\nsignet: ok", false},
      {"a space", "a b", false},
      {"an option", "-yes", false},
      {"a capital", "Demo", false},
      {"a quote", "a'b", false},
      {"another script", "d\xc3\xa9mo", false},
  };
  for (const auto& row : kRows) EXPECT_EQ(is_slug(row.text), row.good) << row.name;
}

TEST(Target, SaysItsMeshBeforeAColon) {
  const struct {
    const char* name;
    std::string_view mesh, text, want_mesh, want_target;
  } kRows[] = {
      {"plain", "", "bob", "", "bob"},
      {"of a mesh", "", "team:bob", "team", "bob"},
      {"of a mesh by id", "", "id-1:bob", "id-1", "bob"},
      {"channel of a mesh", "", "team:#ops", "team", "#ops"},
      {"tag of a mesh", "", "team:tag:x", "team", "tag:x"},
      {"everybody of a mesh", "", "team:*", "team", "*"},
      {"tag", "", "tag:x", "", "tag:x"},
      {"channel with a colon", "", "#a:b", "", "#a:b"},
      {"mesh said before", "team", "bob", "team", "bob"},
      {"mesh said twice", "team", "team:bob", "team", "bob"},
      {"name with a colon", "team", "bot:1", "team", "bot:1"},
  };
  for (const auto& row : kRows) {
    const auto target = split_target(two(), row.mesh, row.text);
    ASSERT_TRUE(target.ok()) << row.name;
    EXPECT_EQ(target->mesh, row.want_mesh) << row.name;
    EXPECT_EQ(target->target, row.want_target) << row.name;
  }
  EXPECT_EQ(code_of(split_target(two(), "", "other:bob")), "no_such_mesh");
}

TEST(Profiles, GetASlugOfTheirOwn) {
  Profiles profiles = two();
  Profile fresh = profile("id-3", "team");
  ASSERT_TRUE(add_profile(profiles, fresh).ok());
  EXPECT_EQ(fresh.slug, "team-2");
  EXPECT_EQ(profiles.slugs(), "demo, team, team-2");
}

TEST(Profiles, AreReplacedByTheSameKeyOnly) {
  Profiles profiles = two();
  Profile again = profile("id-2", "renamed");
  ASSERT_TRUE(add_profile(profiles, again).ok());
  EXPECT_EQ(again.slug, "team");
  EXPECT_EQ(profiles.all.size(), 2U);
  Profile other = profile("id-2", "team", std::string(64, 'b'));
  EXPECT_EQ(code_of(add_profile(profiles, other)), "already_joined");
}

TEST(StateFile, StaysInItsFolderWhateverTheSlug) {
  const Paths paths{"/h", "/h/c", "/h/s"};
  EXPECT_EQ(state_file(paths, profile("i", "demo")), "/h/s/demo-03a107bf.db");
  EXPECT_EQ(state_file(paths, profile("i", "../../x y")), "/h/s/______x_y-03a107bf.db");
}

class InAHome : public testing::Test {
 protected:
  InAHome() {
    std::string name = (std::filesystem::temp_directory_path() / "signet-XXXXXX").string();
    home_ = mkdtemp(name.data());
    paths_ = {home_, home_ + "/config", home_ + "/state"};
    std::filesystem::create_directory(home_ + "/.claudemesh");
  }
  ~InAHome() override { std::filesystem::remove_all(home_); }

  void put_claudemesh(mode_t mode, const std::string& more = "") const {
    std::ofstream(paths_.claudemesh_file())
        << R"({"version":1,"meshes":[{"meshId":"mesh-1","memberId":"m1","slug":"old","name":"Old",)"
        << R"("pubkey":")" << kPublic << R"(","secretKey":")" << kSecret << kPublic
        << R"(","brokerUrl":"ws://localhost:7900/ws","joinedAt":"2026-01-01T00:00:00.000Z")" << more
        << "}]}";
    chmod(paths_.claudemesh_file().c_str(), mode);
  }
  std::string home_;
  Paths paths_;
};

TEST_F(InAHome, AClaudemeshConfigurationIsTakenOverWithAllItsFields) {
  put_claudemesh(0600, R"(,"theirs":{"a":1})");
  EXPECT_EQ(*import_profiles(paths_, paths_.claudemesh_file()), 1U);
  const auto profiles = Profiles::load(paths_);
  ASSERT_TRUE(profiles.ok());
  EXPECT_TRUE(profiles->imported);
  ASSERT_EQ(profiles->all.size(), 1U);
  const auto membership = membership_of(profiles->all.front());
  ASSERT_TRUE(membership.ok());
  EXPECT_EQ(membership->identity.public_key(), kPublic);
  EXPECT_EQ(membership->mesh_slug, "old");
  std::ifstream file(paths_.config_file());
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  EXPECT_NE(text.find(R"("theirs":{"a":1})"), std::string::npos);
  EXPECT_NE(text.find(R"("name":"Old")"), std::string::npos);
  EXPECT_EQ(*import_profiles(paths_, paths_.claudemesh_file()), 0U);
}

TEST_F(InAHome, OneThatOthersReadIsNotTakenOver) {
  put_claudemesh(0644);
  EXPECT_EQ(code_of(import_profiles(paths_, paths_.claudemesh_file())), "key_file_readable");
  EXPECT_FALSE(std::filesystem::exists(paths_.config_file()));
}

TEST_F(InAHome, OneWithAWrongKeyIsNotTakenOver) {
  put_claudemesh(0600);
  std::ofstream(paths_.claudemesh_file())
      << R"({"meshes":[{"meshId":"m","memberId":"m","slug":"s",)"
      << R"("brokerUrl":"ws://h/ws","pubkey":"","secretKey":"zz"}]})";
  EXPECT_EQ(code_of(import_profiles(paths_, paths_.claudemesh_file())), "bad_key");
  EXPECT_FALSE(std::filesystem::exists(paths_.config_file()));
}

TEST_F(InAHome, ABrokenConfigurationIsLeftAsItIs) {
  std::filesystem::create_directory(paths_.config_folder);
  std::ofstream(paths_.config_file()) << "{broken";
  chmod(paths_.config_file().c_str(), 0600);
  chmod(paths_.config_folder.c_str(), 0700);
  EXPECT_EQ(code_of(Profiles::load(paths_)), "file_broken");
  const auto nothing = [](Profiles&) -> Status { return Done{}; };
  EXPECT_EQ(code_of(Profiles::change(paths_, nothing)), "file_broken");
  std::ifstream file(paths_.config_file());
  EXPECT_EQ(std::string((std::istreambuf_iterator<char>(file)), {}), "{broken");
}

TEST_F(InAHome, AChangeThatFailsWritesNothing) {
  const auto fails = [](Profiles& all) -> Status {
    all.all.push_back(profile("x", "x"));
    return Error{ErrorCode::kConflict, "no"};
  };
  EXPECT_FALSE(Profiles::change(paths_, fails).ok());
  EXPECT_FALSE(std::filesystem::exists(paths_.config_file()));
}

}  // namespace
}  // namespace signet::cli
