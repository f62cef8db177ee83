#include "broker/directory.h"

#include <gtest/gtest.h>

namespace signet::broker {
namespace {

constexpr net::ConnectionId kOld{0, 1, 1};
constexpr net::ConnectionId kNew{1, 1, 1};

TEST(Directory, WhoProvesANameLastHasIt) {
  Directory directory;
  EXPECT_FALSE(directory.find("sage"));
  EXPECT_FALSE(directory.claim("sage", kOld)) << "nobody had it";
  EXPECT_EQ(directory.find("sage"), kOld);
  EXPECT_EQ(directory.claim("sage", kNew), kOld);
  EXPECT_EQ(directory.find("sage"), kNew);
  EXPECT_FALSE(directory.claim("sage", kNew)) << "nobody else had it";
  EXPECT_EQ(directory.size(), 1U);
}

TEST(Directory, WhoWasReplacedReleasesNothing) {
  Directory directory;
  directory.claim("sage", kOld);
  directory.claim("sage", kNew);
  directory.release("sage", kOld);
  EXPECT_EQ(directory.find("sage"), kNew);
  directory.release("sage", kNew);
  EXPECT_FALSE(directory.find("sage"));
  directory.release("sage", kNew);
  EXPECT_EQ(directory.size(), 0U);
}

// The same slot of the same shard, used again, is another connection.
TEST(Directory, AConnectionIsMoreThanItsSlot) {
  Directory directory;
  const net::ConnectionId again{kOld.shard, kOld.slot, kOld.use + 1};
  directory.claim("sage", kOld);
  EXPECT_EQ(directory.claim("sage", again), kOld);
  directory.release("sage", kOld);
  EXPECT_EQ(directory.find("sage"), again);
}

TEST(Directory, NamesAreBytes) {
  Directory directory;
  directory.claim(std::string_view("a\0b", 3), kOld);
  EXPECT_FALSE(directory.find("a"));
  EXPECT_EQ(directory.find(std::string_view("a\0b", 3)), kOld);
}

}  // namespace
}  // namespace signet::broker
