#include "overlay/mass_denial.h"

#include <gtest/gtest.h>

namespace signet::overlay {
namespace {

constexpr std::uint32_t kThirty = 300;

struct Row {
  const char* name;
  DenialsByGroup groups;
  std::uint32_t most_permille;
  std::set<std::string, std::less<>> held;
};

// Of each group its members, and who goes of them; "" are the members by their key.
// clang-format off
const Row kRows[] = {
    {"nobody is there",               {},                                            kThirty, {}},
    {"nobody goes",                   {{"", {10, 0}}},                               kThirty, {}},
    {"exactly the bound",             {{"", {10, 3}}},                               kThirty, {}},
    {"one over it",                   {{"", {10, 4}}},                               kThirty, {""}},
    {"one of two is no mass",         {{"", {2, 1}}},                                kThirty, {}},
    {"one of three neither",          {{"", {3, 1}}},                                kThirty, {}},
    {"two of two are",                {{"", {2, 2}}},                                kThirty, {""}},
    {"two of three are",              {{"", {3, 2}}},                                kThirty, {""}},
    {"any two are, where none may go", {{"", {100, 2}}},                             0,       {""}},
    {"one goes there, too",           {{"", {100, 1}}},                              0,       {}},
    {"all go, where all may",         {{"", {10, 10}}, {"unsigned", {5, 5}}},        1'000,   {}},

    // A crowd that falls keeps nobody in but itself.
    {"a crowd of nobody's, and all members good",
                                      {{"", {7, 0}}, {"unsigned", {6, 6}}},          kThirty, {"unsigned"}},
    {"the same, and one bad member",  {{"", {7, 1}}, {"unsigned", {6, 6}}},          kThirty, {"unsigned"}},
    {"however large it is",           {{"", {7, 1}}, {"unsigned", {9'000, 9'000}}},  kThirty, {"unsigned"}},
    {"however small it is",           {{"", {7, 1}}, {"unsigned", {3, 3}}},          kThirty, {"unsigned"}},
    {"a link that leaked",            {{"", {7, 1}}, {"invite:a", {100, 100}}},      kThirty, {"invite:a"}},
    {"one that brought three",        {{"", {7, 1}}, {"invite:a", {3, 3}}},          kThirty, {"invite:a"}},
    {"a bad node of an invite of its own beside the crowd",
                                      {{"", {7, 0}}, {"invite:a", {1, 1}}, {"invite:b", {100, 100}}},
                                                                                     kThirty, {"invite:b"}},
    {"the only member beside the crowd",
                                      {{"", {1, 1}}, {"unsigned", {6, 6}}},          kThirty, {"unsigned"}},
    {"a good crowd hides no bad ones", {{"", {7, 2}}, {"unsigned", {100, 0}}},       kThirty, {}},
    {"a crowd too small for the whole just goes",
                                      {{"", {100, 1}}, {"unsigned", {6, 6}}},        kThirty, {}},

    // What many hands lose together is a fault, however it is spread.
    {"all fall, of each group",       {{"", {7, 7}}, {"list", {5, 5}}, {"unsigned", {6, 6}}},
                                                                                     kThirty, {"", "list", "unsigned"}},
    {"all fall, each of an invite of its own",
                                      {{"invite:a", {1, 1}}, {"invite:b", {1, 1}}, {"invite:c", {1, 1}}},
                                                                                     kThirty, {"invite:a", "invite:b", "invite:c"}},
    {"half of those, and none by chance",
                                      {{"invite:a", {1, 1}}, {"invite:b", {1, 0}}, {"invite:c", {1, 1}}, {"invite:d", {1, 0}}},
                                                                                     kThirty, {"invite:a", "invite:c"}},
    {"one group over the bound, one within",
                                      {{"", {10, 2}}, {"certificate", {10, 8}}},     kThirty, {"certificate"}},
    {"two groups just over it",       {{"", {10, 4}}, {"certificate", {10, 4}}},     kThirty, {"", "certificate"}},
};
// clang-format on

TEST(MassDenial, HoldsTheGroupsThatFallTogether) {
  for (const Row& row : kRows) {
    EXPECT_EQ(held_groups(row.groups, row.most_permille), row.held) << row.name;
  }
}

// Whatever the groups are: within the bound of the whole none is held, and none that is within its
// own.
TEST(MassDenial, HoldsNoneThatIsWithinTheBound) {
  for (std::uint32_t shape = 0; shape < 6 * 6 * 6 * 6; ++shape) {
    const std::size_t a = shape % 6, b = shape / 6 % 6, c = shape / 36 % 6, d = shape / 216;
    const DenialsByGroup groups{
        {"", {5, a}}, {"invite:a", {5, b}}, {"invite:b", {5, c}}, {"unsigned", {5, d}}};
    const auto held = held_groups(groups, kThirty);
    const std::size_t going = a + b + c + d;
    EXPECT_EQ(held.empty(), going * 10 <= 20 * 3) << a << b << c << d;
    for (const std::string& group : held) EXPECT_GT(groups.at(group).going, 1U) << group;
  }
}

TEST(MassDenial, ANodeIsOfWhatLetItIn) {
  Node node;
  EXPECT_EQ(group_of(node), kUnsignedGroup);
  node.key = crypto::PublicKey{};
  EXPECT_EQ(group_of(node), "");
  node.brought_by = "invite:00ff";
  EXPECT_EQ(group_of(node), "invite:00ff");
}

}  // namespace
}  // namespace signet::overlay
