#include "net/slab.h"

#include <gtest/gtest.h>

#include <set>

namespace signet::net {
namespace {

struct Thing {
  Thing(std::uint32_t slot_number, std::uint32_t use_count, int v)
      : slot(slot_number), use(use_count), value(v) {}
  Thing(const Thing&) = delete;
  const std::uint32_t slot;
  const std::uint32_t use;
  const int value;
};

TEST(Slab, FindsWhatIsThereAndNothingStale) {
  Slab<Thing> slab;
  const Thing& first = slab.add(1);
  const std::uint32_t slot = first.slot, use = first.use;
  EXPECT_EQ(slab.find(slot, use), &first);
  EXPECT_EQ(slab.find(slot, use + 1), nullptr);
  EXPECT_EQ(slab.find(slot + 1, 1), nullptr);
  EXPECT_EQ(slab.find(1'000'000, 1), nullptr);

  slab.remove(slot);
  EXPECT_EQ(slab.find(slot, use), nullptr);
  const Thing& second = slab.add(2);
  EXPECT_EQ(second.slot, slot) << "a freed slot is used again";
  EXPECT_EQ(slab.find(slot, use), nullptr) << "but not under its old name";
  EXPECT_EQ(slab.find(slot, second.use)->value, 2);
}

TEST(Slab, KeepsObjectsWhereTheyAreWhileItGrows) {
  Slab<Thing> slab;
  std::vector<Thing*> things;
  for (int i = 0; i < 1'000; ++i) things.push_back(&slab.add(i));
  std::set<int> seen;
  slab.each([&](Thing& thing) { seen.insert(thing.value); });
  EXPECT_EQ(seen.size(), 1'000u);
  for (int i = 0; i < 1'000; ++i) {
    Thing* thing = things[static_cast<std::size_t>(i)];
    EXPECT_EQ(thing->value, i);
    EXPECT_EQ(slab.find(thing->slot, thing->use), thing);
  }
  EXPECT_EQ(slab.size(), 1'000u);
}

}  // namespace
}  // namespace signet::net
