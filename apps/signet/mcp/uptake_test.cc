#include "signet/mcp/uptake.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>
#include <vector>

namespace signet::mcp {
namespace {

enum class Through { kPipe, kSocket, kFile };

struct Row {
  const char* name;
  Through through;
  std::vector<int> steps;  // bytes written; below zero: read
  std::uint64_t taken;
};

std::array<int, 2> open_ends(Through through) {  // to read, to write
  std::array<int, 2> ends{-1, -1};
  if (through == Through::kPipe) {
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  }
  if (through == Through::kSocket) {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  }
  if (through == Through::kFile) ends[1] = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  return ends;
}

TEST(Uptake, TellsWhatTheReaderHasTaken) {
  // clang-format off
  const std::vector<Row> rows = {
      {"a pipe, nothing written",               Through::kPipe,   {},              0},
      {"a pipe, unread",                        Through::kPipe,   {10},            0},
      {"a pipe, half read",                     Through::kPipe,   {10, -4},        4},
      {"a pipe, all read",                      Through::kPipe,   {10, -10},       10},
      {"a pipe, the second write unread",       Through::kPipe,   {10, -10, 5},    10},
      {"a pipe, both unread, then a part read", Through::kPipe,   {10, 5, -12},    12},
      {"a socket, unread",                      Through::kSocket, {10},            0},
      {"a socket, half read",                   Through::kSocket, {10, -4},        0},
      {"a socket, all read",                    Through::kSocket, {10, -10},       10},
      {"a socket, the second write unread",     Through::kSocket, {10, -10, 5},    10},
      {"a socket, all read again",              Through::kSocket, {10, 5, -15},    15},
      {"a file tells nothing",                  Through::kFile,   {10},            10},
  };
  // clang-format on
  for (const Row& row : rows) {
    const auto ends = open_ends(row.through);
    Uptake uptake(ends[1]);
    std::uint64_t written = 0;
    for (const int step : row.steps) {
      std::string bytes(static_cast<std::size_t>(std::abs(step)), 'x');
      if (step < 0) {
        EXPECT_EQ(::read(ends[0], bytes.data(), bytes.size()), -step) << row.name;
        continue;
      }
      uptake.taken_of(written);
      EXPECT_EQ(::write(ends[1], bytes.data(), bytes.size()), step) << row.name;
      written += bytes.size();
    }
    EXPECT_EQ(uptake.taken_of(written), row.taken) << row.name;
    for (const int end : ends) {
      if (end >= 0) ::close(end);
    }
  }
}

TEST(Uptake, TellsWhetherThereIsMoreToRead) {
  for (const Through through : {Through::kPipe, Through::kSocket}) {
    const auto ends = open_ends(through);
    EXPECT_FALSE(has_unread(ends[0]));
    EXPECT_EQ(::write(ends[1], "x", 1), 1);
    EXPECT_TRUE(has_unread(ends[0]));
    for (const int end : ends) ::close(end);
  }
  EXPECT_FALSE(has_unread(-1));
}

}  // namespace
}  // namespace signet::mcp
