#include "crypto/state_box.h"

#include <gtest/gtest.h>
#include <sodium.h>

#include <cstring>
#include <memory>
#include <set>
#include <type_traits>

#include "base/encoding.h"

namespace signet::crypto {
namespace {

SecretKey identity() { return SecretKey::from_seed({1, 2, 3}); }

TEST(StateBox, OpensWhatTheSameIdentitySealed) {
  const StateBox box(identity());
  const StateBox later(identity());
  for (const std::size_t size : {0U, 1U, 32U, 40'000U}) {
    const std::string text(size, 'x');
    const std::string sealed = box.seal("outbox", "17", text);
    EXPECT_EQ(sealed.size(), 24 + size + 16);
    EXPECT_EQ(sealed.find("xxxx"), sealed.npos);
    EXPECT_EQ(later.open("outbox", "17", sealed), text);
  }
}

TEST(StateBox, OpensNowhereElse) {
  const std::string sealed = StateBox(identity()).seal("outbox", "17", "text");
  const SecretKey other = SecretKey::from_seed({1, 2, 4});
  // clang-format off
  const struct { const char* name; SecretKey key; std::string kind, row; bool opens; } rows[] = {
      {"its place", identity(), "outbox", "17", true},
      {"another row", identity(), "outbox", "18", false},
      {"another kind", identity(), "key", "17", false},
      {"the border moved", identity(), "outbox1", "7", false},
      {"no place", identity(), "", "", false},
      {"another identity", SecretKey::from_seed(other.seed()), "outbox", "17", false},
  };
  // clang-format on
  for (const auto& row : rows) {
    EXPECT_EQ(StateBox(row.key).open(row.kind, row.row, sealed).has_value(), row.opens) << row.name;
  }
}

TEST(StateBox, OpensNothingThatWasTouched) {
  const StateBox box(identity());
  const std::string sealed = box.seal("outbox", "17", "text");
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    std::string flipped = sealed;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    ASSERT_EQ(box.open("outbox", "17", flipped), std::nullopt) << bit;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size) {
    ASSERT_EQ(box.open("outbox", "17", sealed.substr(0, size)), std::nullopt) << size;
  }
  EXPECT_EQ(box.open("outbox", "17", sealed + '\0'), std::nullopt);
}

TEST(StateBox, SealsTheSameTextDifferentlyEachTime) {
  const StateBox box(identity());
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(seen.insert(box.seal("k", "r", "text")).second);
}

// The derivation that the header states, so that a file of today opens with the program of
// tomorrow.
TEST(StateBox, HasTheKeyOfItsHeader) {
  const std::string domain = std::string("\x0f\0\0\0\0\0\0\0", 8) + "signet/state/v1";
  const auto field = [](std::string_view text) {
    return std::string(1, static_cast<char>(text.size())) + std::string(7, '\0') +
           std::string(text);
  };
  const auto seed = identity().seed();
  std::array<unsigned char, 32> key;
  crypto_generichash(key.data(), key.size(), bytes_of(domain).data(), domain.size(), seed.data(),
                     seed.size());
  const std::string place = domain + field("outbox") + field("17");
  std::string sealed(24 + 4 + 16, '\0');  // a nonce of zeros
  auto* bytes = reinterpret_cast<unsigned char*>(sealed.data());
  crypto_aead_xchacha20poly1305_ietf_encrypt(bytes + 24, nullptr, bytes_of("text").data(), 4,
                                             bytes_of(place).data(), place.size(), nullptr, bytes,
                                             key.data());
  EXPECT_EQ(StateBox(identity()).open("outbox", "17", sealed), "text");
}

TEST(StateBox, LeavesNoKeyWhereItWas) {
  static_assert(!std::is_copy_constructible_v<StateBox> && !std::is_copy_assignable_v<StateBox>);
  constexpr std::array<unsigned char, sizeof(StateBox)> kZero{};
  const auto is_wiped = [&](const void* box) {
    return std::memcmp(box, kZero.data(), kZero.size()) == 0;
  };
  StateBox first(identity());
  const std::string sealed = first.seal("k", "r", "text");
  StateBox second = std::move(first);
  EXPECT_TRUE(is_wiped(&first));
  StateBox third(SecretKey::generate());
  third = std::move(second);
  EXPECT_TRUE(is_wiped(&second));
  StateBox& same = third;
  third = std::move(same);
  EXPECT_EQ(third.open("k", "r", sealed), "text");

  alignas(StateBox) std::array<unsigned char, sizeof(StateBox)> memory{};
  auto* box = new (memory.data()) StateBox(std::move(third));
  ASSERT_FALSE(is_wiped(memory.data()));
  std::destroy_at(box);
  EXPECT_TRUE(is_wiped(memory.data()));
}

}  // namespace
}  // namespace signet::crypto
