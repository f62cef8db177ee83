#include "client/directory.h"

#include <gtest/gtest.h>

#include "crypto/sign.h"

namespace signet::client {
namespace {

// A key of 64 digits that begins so.
std::string key(const std::string& begin) { return begin + std::string(64 - begin.size(), '5'); }

const std::string kAda = key("ada00001"), kBob = key("b0b00001"), kCyd = key("cafe0001"),
                  kEve = key("e4e00001"), kEve2 = key("e4e00002");

Pin pin(const std::string& name, const std::string& of) { return {name, of, false, ""}; }

class DirectoryStory : public testing::Test {
 protected:
  DirectoryStory() {
    directory_.set_members({{kBob, "bob", "member"},
                            {kCyd, "cyd", "member"},
                            {kEve, "twin", "member"},
                            {kEve2, "twin", "member"},
                            {key("0001"), "", "member"}});
  }
  // The target, or the code of the error.
  std::string found(std::string_view who) {
    const auto answer = directory_.find(who);
    if (answer.ok()) return answer->target + (answer->pin_it ? " pin" : "");
    return std::string(code_of(answer.error()));
  }
  Directory directory_;
};

TEST_F(DirectoryStory, FindsWhoIsMeant) {
  directory_.set_pins({pin("dan", kAda), pin("cyd", kCyd)});
  std::string upper = kBob;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  // clang-format off
  const struct { const char* name; std::string who, found; } rows[] = {
      {"a name that was never used", "bob", kBob + " pin"},
      {"a pinned name", "cyd", kCyd},
      {"a pinned name that nobody lists now", "dan", kAda},
      {"a name in another case is another name", "Bob", "no_such_member"},
      {"a name with a space", "bob ", "no_such_member"},
      {"nobody's name", "zoe", "no_such_member"},
      {"a name of two", "twin", "ambiguous_name"},
      {"a key", kBob, kBob},
      {"a key in capitals", upper, kBob},
      {"a key of nobody that is listed", key("77"), key("77")},
      {"a prefix of 8", "b0b00001", kBob},
      {"a prefix in capitals", "B0B00001", kBob},
      {"a prefix of 63", kBob.substr(0, 63), kBob},
      {"a prefix of a pinned key", "ada00001", kAda},
      {"a prefix of 7: a name", "b0b0000", "no_such_member"},
      {"a prefix of nobody", "00000000", "no_such_member"},
      {"65 digits", kBob + "0", "no_such_member"},
      {"everybody", "*", "*"},
      {"a channel", "#ops", "#ops"},
      {"a tag", "tag:on-call", "tag:on-call"},
      {"a channel without a name", "#", "bad_target"},
      {"a channel with a space", "#a b", "bad_target"},
      {"a tag without a name", "tag:", "bad_target"},
      {"nothing", "", "bad_target"},
      {"too long", std::string(1'025, 'x'), "bad_target"},
      {"as long as a name may be", std::string(1'024, 'x'), "no_such_member"},
      {"a line feed", "bob\n", "bad_target"},
      {"an escape", "\x1b[31mbob", "bad_target"},
      {"a delete", "bob\x7f", "bad_target"},
      {"a NUL", std::string("bob\0", 4), "bad_target"},
      {"a control character of two bytes", "bob\xc2\x9b", "bad_target"},
      {"a letter of two bytes", "b\xc3\xb6" "b", "no_such_member"},
  };
  // clang-format on
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(found(row.who), row.found);
  }
  std::cout << "finds: " << std::size(rows) << "\n";
}

TEST_F(DirectoryStory, TakesAPrefixOfTwoKeysForNeither) {
  const std::string one = key("abcdef01a"), two = key("abcdef01b");
  directory_.set_members({{one, "one", "member"}});
  directory_.set_pins({pin("two", two)});
  EXPECT_EQ(found("abcdef01"), "ambiguous_name");
  EXPECT_EQ(found("abcdef01a"), one);
  EXPECT_EQ(found("abcdef01b"), two);
}

// Who comes to a mesh chooses its name, and may call itself as Bob's key begins.
TEST_F(DirectoryStory, TakesANameThatBeginsAnothersKeyForNeither) {
  const auto members = [&](const std::string& name, const std::string& of) {
    directory_.set_members({{kBob, "bob", "member"}, {of, name, "member"}});
  };
  members("b0b00001", kEve);
  EXPECT_EQ(found("b0b00001"), "ambiguous_name");
  directory_.set_pins({pin("b0b00001", kEve)});
  EXPECT_EQ(found("b0b00001"), "ambiguous_name") << "a pin is made by the first message";
  EXPECT_EQ(found(kBob), kBob);
  directory_.set_pins({});
  members(kBob, kEve);
  EXPECT_EQ(found(kBob), kBob) << "64 digits are a key";
  members("deadbeef", kEve);
  EXPECT_EQ(found("deadbeef"), kEve + " pin") << "it begins nobody's key";
  members("e4e00001", kEve);
  EXPECT_EQ(found("e4e00001"), kEve + " pin") << "it begins its own key";
}

TEST_F(DirectoryStory, TakesANameThatLooksLikeATargetForTheTarget) {
  directory_.set_members({{kEve, "*", "m"}, {kEve2, "#ops", "m"}, {kBob, "tag:x", "m"}});
  for (const char* who : {"*", "#ops", "tag:x"}) EXPECT_EQ(found(who), who);
}

TEST_F(DirectoryStory, HoldsAPinAgainstWhatTheBrokerLists) {
  directory_.set_pins({pin("bob", kEve), pin("twin", kEve), pin("gone", kAda)});
  EXPECT_EQ(found("bob"), "peer_key_changed");
  EXPECT_EQ(found("twin"), kEve) << "one of the two is the pinned one";
  const auto changes = directory_.changes();
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].name, "bob");
  EXPECT_EQ(changes[0].pinned_key, kEve);
  EXPECT_EQ(changes[0].seen_key, kBob);
  directory_.set_pins({pin("bob", kBob)});
  EXPECT_EQ(found("bob"), kBob);
  EXPECT_TRUE(directory_.changes().empty());
}

// Were every pin compared with every member, this would take minutes.
TEST_F(DirectoryStory, IsFastWithManyPinsAndMembers) {
  std::vector<Member> members;
  std::vector<Pin> pins;
  for (int i = 0; i < 20'000; ++i) {
    members.push_back({key("a" + std::to_string(i) + "b"), std::to_string(i), "m"});
    pins.push_back(pin(std::to_string(i), members.back().key));
  }
  pins[7].key = kEve;
  directory_.set_members(members);
  directory_.set_pins(pins);
  EXPECT_EQ(directory_.changes().size(), 1U);
  for (int i = 100; i < 20'000; ++i) {
    ASSERT_EQ(directory_.name_of(members[static_cast<std::size_t>(i)].key), std::to_string(i));
  }
}

TEST_F(DirectoryStory, ShowsANameOnlyWhereItIsOneKeys) {
  directory_.set_members({{kBob, "bob", "m"},
                          {kEve, "twin", "m"},
                          {kEve2, "twin", "m"},
                          {kCyd, "dan", "m"},
                          {kAda, "ada\x1b[8m", "m"}});
  directory_.set_pins({pin("dan", key("d0"))});
  EXPECT_EQ(directory_.name_of(kBob), "bob");
  EXPECT_EQ(directory_.name_of(key("99")), "") << "nobody";
  EXPECT_EQ(directory_.name_of(kCyd), "") << "the name is pinned to another key";
  EXPECT_EQ(directory_.name_of(key("d0")), "dan") << "pinned, not listed";
  EXPECT_EQ(directory_.name_of(kAda), "") << "a terminal would not show it as it is";
  EXPECT_EQ(directory_.name_of(kEve), "") << "whose it is can't be known";
  EXPECT_EQ(directory_.name_of(kEve2), "");
  EXPECT_EQ(directory_.listed_name_of(kEve), "twin");
  directory_.set_pins({pin("twin", kEve)});
  EXPECT_EQ(directory_.name_of(kEve), "twin");
  EXPECT_EQ(directory_.name_of(kEve2), "");
}

}  // namespace
}  // namespace signet::client
