#include "base/secret_memory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

namespace signet {
namespace {

static_assert(!std::is_copy_constructible_v<SecretBytes> &&
              !std::is_copy_assignable_v<SecretBytes>);

// The kernel's flags of the mapping in which `at` lies (proc(5), VmFlags).
std::string flags_of(const void* at) {
  std::ifstream maps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<std::uintptr_t>(at);
  bool inside = false;
  for (std::string line; std::getline(maps, line);) {
    std::uintptr_t from = 0, to = 0;
    char dash = 0;
    std::istringstream words(line);
    if (words >> std::hex >> from >> dash >> to && dash == '-') {
      inside = from <= wanted && wanted < to;
    }
    if (inside && line.starts_with("VmFlags:")) return line + " ";
  }
  return {};
}

bool is_zero(const unsigned char* at, std::size_t size) {
  return std::all_of(at, at + size, [](unsigned char byte) { return byte == 0; });
}

// How many bytes of a slot that was freed are still `mark`. Its first word names the next free
// slot, and an address may well have a byte that looks like the mark: it counts only as a whole.
std::ptrdiff_t left_of(const unsigned char* was, std::size_t size, unsigned char mark) {
  constexpr std::size_t kLink = sizeof(void*);
  const auto in_link = std::count(was, was + std::min(size, kLink), mark);
  const auto behind = size > kLink ? std::count(was + kLink, was + size, mark) : 0;
  return behind + (in_link == kLink ? in_link : 0);
}

TEST(SecretMemory, IsInNoCore) {
  for (const std::size_t size : {1U, 32U, 33U, 4'096U, 4'097U, 600'000U}) {
    const SecretBytes secret(size);
    EXPECT_NE(flags_of(secret.data()).find(" dd "), std::string::npos) << size;
  }
  const std::string text(100, 's');
  EXPECT_EQ(flags_of(text.data()).find(" dd "), std::string::npos) << "the test can tell";
}

TEST(SecretMemory, IsZeroUntilItIsWrittenAndAfterItEnds) {
  for (const std::size_t size : {1U, 32U, 33U, 100U, 4'096U}) {
    const unsigned char* was = nullptr;
    {
      SecretBytes secret(size);
      ASSERT_TRUE(is_zero(secret.data(), size)) << size;
      std::fill_n(secret.data(), size, 's');
      was = secret.data();
    }
    // The slot is free; the slab is still mapped.
    EXPECT_EQ(left_of(was, size, 's'), 0) << size;
    const SecretBytes again(size);
    EXPECT_TRUE(is_zero(again.data(), size)) << size;
  }
}

TEST(SecretMemory, HoldsTheTextThatItWasGiven) {
  const SecretBytes secret(std::string_view("the heron waits"));
  EXPECT_EQ(secret.text(), "the heron waits");
  EXPECT_EQ(secret.bytes().size(), 15U);
  EXPECT_TRUE(SecretBytes().empty());
  EXPECT_EQ(SecretBytes(std::string_view()).text(), "");
}

TEST(SecretMemory, MovesWithoutACopy) {
  SecretBytes first(std::string_view("the heron waits"));
  const unsigned char* const at = first.data();
  SecretBytes second(std::move(first));
  EXPECT_EQ(second.data(), at);
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): what a move leaves is the point
  SecretBytes third(std::string(24, 'o'));
  const unsigned char* const old = third.data();
  third = std::move(second);
  EXPECT_EQ(third.text(), "the heron waits");
  EXPECT_EQ(left_of(old, 24, 'o'), 0) << "what was there is wiped";
  SecretBytes& same = third;
  third = std::move(same);
  EXPECT_EQ(third.text(), "the heron waits");
}

TEST(SecretMemory, NeverHandsOutTheSameBytesTwice) {
  std::mt19937 random(1);
  std::vector<SecretBytes> held;
  std::vector<unsigned char> marks;
  for (int i = 0; i < 20'000; ++i) {
    const std::size_t size = 1 + random() % (random() % 50 == 0 ? 9'000 : 200);
    const auto mark = static_cast<unsigned char>(1 + random() % 255);
    if (held.size() > 500) {
      const std::size_t at = random() % held.size();
      const auto bytes = held[at].bytes();
      ASSERT_EQ(std::count(bytes.begin(), bytes.end(), marks[at]),
                static_cast<std::ptrdiff_t>(bytes.size()));
      held[at] = SecretBytes(size);
      marks[at] = mark;
      std::fill_n(held[at].data(), size, mark);
      continue;
    }
    held.emplace_back(size);
    marks.push_back(mark);
    std::fill_n(held.back().data(), size, mark);
  }
}

TEST(SecretMemory, ServesThreadsThatEndEachOthersSecrets) {
  constexpr int kRounds = 2'000;
  const auto work = [](std::vector<SecretBytes>& handed) {
    for (int i = 0; i < kRounds; ++i) handed.emplace_back(std::string_view("a secret"));
  };
  std::vector<SecretBytes> first, second;
  std::thread one([&] { work(first); });
  std::thread other([&] { work(second); });
  one.join();
  other.join();
  std::thread ends_first([&] { first.clear(); });
  std::thread ends_second([&] { second.clear(); });
  ends_first.join();
  ends_second.join();
  EXPECT_TRUE(is_zero(SecretBytes(8).data(), 8));
}

}  // namespace
}  // namespace signet
