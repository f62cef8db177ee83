// A retry that comes late is still the same message, as long as the memory of ids reaches; also
// after the message was delivered, buried or the broker restarted.
#include "store/sqlite/store_fixture_test.h"

namespace signet::store::sqlite {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

struct Row {
  const char* name;
  milliseconds after;
};
constexpr Row kRows[] = {
    {"a second", seconds(1)},
    {"ten seconds", seconds(10)},
    {"a minute", minutes(1)},
    {"two minutes, where a broker's memory of ids often ends", minutes(2)},
    {"just after that", minutes(2) + milliseconds(1)},
    {"an hour", hours(1)},
    {"a day", hours(24)},
    {"three days", hours(72)},
    {"the day before the memory ends", hours(7 * 24)},
};

TEST_F(StoreTest, ALateRetryIsTheSameMessage) {
  open();
  std::uint64_t id = 0;
  for (const bool is_confirmed : {false, true}) {
    for (const bool restarts : {false, true}) {
      for (const Row& row : kRows) {
        SCOPED_TRACE(row.name);
        const auto member = static_cast<std::int64_t>(1'000 + ++id);
        const Say say{id, {member}};
        ASSERT_EQ(publish(say).outcome, PublishOutcome::kStored);
        if (is_confirmed) {
          ASSERT_EQ(confirm(member, numbers(member)).size(), 1u);
        }
        clock_.advance(row.after);
        sweep(clock_.wall());
        if (restarts) reopen();
        EXPECT_EQ(publish(say).outcome, PublishOutcome::kDuplicate);
        EXPECT_LE(waiting(member).size(), is_confirmed ? 0u : 1u) << "never twice";
      }
    }
  }
}

TEST_F(StoreTest, ALateRetryOfADeadMessageDoesNotRaiseIt) {
  options_.message_ttl = hours(2);
  options_.dedupe_retention = hours(100);
  open();
  const Say say{1, {11}};
  publish(say);
  clock_.advance(hours(3));
  sweep(clock_.wall());
  ASSERT_EQ(dead(1).size(), 1u);
  EXPECT_EQ(publish(say).outcome, PublishOutcome::kDuplicate);
  EXPECT_TRUE(waiting(11).empty());
}

// The other side of the bound: beyond it an id is new, which is what the memory costs nothing for.
TEST_F(StoreTest, BeyondItsMemoryAnIdIsNew) {
  options_.dedupe_retention = hours(20);
  options_.message_ttl = hours(10);
  open();
  const Say say{1, {11}};
  publish(say);
  clock_.advance(hours(21));
  sweep(clock_.wall());
  EXPECT_EQ(publish(say).outcome, PublishOutcome::kStored);
}

}  // namespace
}  // namespace signet::store::sqlite
