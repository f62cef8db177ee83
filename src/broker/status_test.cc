#include "broker/status.h"

#include <gtest/gtest.h>

#include <string>

namespace signet::broker {
namespace {

using namespace std::chrono_literals;
using dialects::Status;
using enum StatusSource;

constexpr Elapsed kStart{1h};

std::string word(StatusSource source) {
  return source == kHook ? "hook" : source == kManual ? "manual" : "inferred";
}

// A session that is in a status which a source has set.
StatusState state_of(Status status, StatusSource source) {
  StatusState state;
  EXPECT_TRUE(state.set(status, source, kStart));
  return state;
}

// Rows: what it is and who said so. Columns: what is said now by whom. `+`: taken.
TEST(StatusState, KnowsWhoMayOverruleWhom) {
  struct Row {
    Status status;
    StatusSource source;
    //                    inferred      manual        hook
    // says:              i  w  d       i  w  d       i  w  d
    const char* taken;
  };
  const Row rows[] = {
      {Status::kIdle, kInferred, "+++ +++ +++"},  {Status::kIdle, kManual, "+++ +++ +++"},
      {Status::kIdle, kHook, "+++ +++ +++"},      {Status::kWorking, kInferred, "+++ +++ +++"},
      {Status::kWorking, kManual, "--- +++ +++"}, {Status::kWorking, kHook, "--- +++ +++"},
      {Status::kDnd, kInferred, "--- +++ ---"},   {Status::kDnd, kManual, "--- +++ ---"},
      {Status::kDnd, kHook, "--- +++ ---"},
  };
  for (const Row& row : rows) {
    std::string taken;
    for (const StatusSource source : {kInferred, kManual, kHook}) {
      if (!taken.empty()) taken += ' ';
      for (const Status status : {Status::kIdle, Status::kWorking, Status::kDnd}) {
        StatusState state = state_of(row.status, row.source);
        const bool was_taken = state.set(status, source, kStart + 1s);
        taken += was_taken ? '+' : '-';
        EXPECT_EQ(state.current(), was_taken ? status : row.status);
      }
    }
    EXPECT_EQ(taken, row.taken) << name_of(row.status) << " by " << word(row.source);
  }
}

TEST(StatusState, StartsIdle) { EXPECT_EQ(StatusState().current(), Status::kIdle); }

TEST(StatusState, LetsWorkingFallBackWhenNobodyRefreshesIt) {
  struct Case {
    const char* name;
    Status status;
    std::chrono::milliseconds later;
    bool falls;
  };
  const Case cases[] = {
      {"just set", Status::kWorking, 0ms, false},
      {"a moment before", Status::kWorking, 59'999ms, false},
      {"at the time", Status::kWorking, 60'000ms, true},
      {"long after", Status::kWorking, 1h, true},
      {"idle has nowhere to fall", Status::kIdle, 1h, false},
      {"dnd stays", Status::kDnd, 1h, false},
  };
  for (const Case& row : cases) {
    SCOPED_TRACE(row.name);
    for (const StatusSource source : {kInferred, kManual, kHook}) {
      StatusState state = state_of(row.status, source);
      EXPECT_EQ(state.expire(kStart + row.later, 60s), row.falls);
      EXPECT_EQ(state.current(), row.falls ? Status::kIdle : row.status);
    }
  }
}

TEST(StatusState, CountsFromTheLastRefresh) {
  StatusState state = state_of(Status::kWorking, kHook);
  EXPECT_TRUE(state.set(Status::kWorking, kHook, kStart + 50s));
  EXPECT_FALSE(state.expire(kStart + 100s, 60s));
  EXPECT_TRUE(state.expire(kStart + 110s, 60s));
  EXPECT_FALSE(state.expire(kStart + 200s, 60s)) << "once";
}

TEST(StatusState, ARefusedWordIsNoRefresh) {
  StatusState state = state_of(Status::kWorking, kHook);
  EXPECT_FALSE(state.set(Status::kWorking, kInferred, kStart + 50s));
  EXPECT_TRUE(state.expire(kStart + 60s, 60s));
}

TEST(StatusState, LeavesAFallenOneToAnybody) {
  StatusState state = state_of(Status::kWorking, kManual);
  ASSERT_TRUE(state.expire(kStart + 60s, 60s));
  EXPECT_TRUE(state.set(Status::kWorking, kInferred, kStart + 61s));
}

}  // namespace
}  // namespace signet::broker
