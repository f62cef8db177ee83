// The signed text of a hello joins its fields by `|`. Two claims with one text would lend each
// other their signature, so no text may have two readings.
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "trust/hello_for_test.h"

namespace signet::trust {
namespace {

constexpr unsigned kSeed = 20'261'121;

std::vector<std::size_t> borders_in(std::string_view text) {
  std::vector<std::size_t> borders;
  for (std::size_t at = text.find('|'); at != text.npos; at = text.find('|', at + 1)) {
    borders.push_back(at);
  }
  return borders;
}

// Every way to cut a text into four fields at three of its borders.
std::vector<Hello> readings_of(const std::string& text) {
  std::vector<Hello> readings;
  const std::vector<std::size_t> at = borders_in(text);
  for (std::size_t i = 0; i < at.size(); ++i) {
    for (std::size_t j = i + 1; j < at.size(); ++j) {
      for (std::size_t k = j + 1; k < at.size(); ++k) {
        Hello hello;
        hello.mesh_id = text.substr(0, at[i]);
        hello.member_id = text.substr(at[i] + 1, at[j] - at[i] - 1);
        hello.pubkey = text.substr(at[j] + 1, at[k] - at[j] - 1);
        hello.timestamp = text.substr(at[k] + 1);
        readings.push_back(hello);
      }
    }
  }
  return readings;
}

class Texts {
 public:
  std::size_t below(std::size_t bound) { return random_() % bound; }

  // An id that may hold borders, and other keys and timestamps as fields between them.
  std::string id() {
    std::string made;
    for (std::size_t parts = 1 + below(3); parts > 0; --parts) {
      const std::size_t kind = below(8);
      if (kind == 0) made += Hello().pubkey;
      if (kind == 1) made += *Hello().timestamp;
      for (std::size_t n = below(5); n > 0; --n) made += "abZ09._-"[below(8)];
      if (parts > 1 && below(2) == 0) made += '|';
    }
    return made;
  }

 private:
  std::mt19937 random_{kSeed};
};

// Two ids joined by a border, which may hold borders themselves: what an attacker tries is another
// border as the one between them. Short ids of few letters meet most often.
TEST(HelloText, OfAMillionRandomPairsNoTwoShareAText) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  std::uint64_t random = kSeed;
  int ambiguous = 0, accepted = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    random = random * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    std::array<char, 13> text;
    std::uint64_t bits = random >> 13;  // the low bits repeat early
    for (char& c : text) c = "ab|.|c_|"[bits & 7U], bits >>= 3;
    text[1 + bits % 11] = '|';
    const std::string_view whole(text.data(), text.size());
    int borders = 0, readings = 0;
    for (std::size_t at = whole.find('|'); at != whole.npos; at = whole.find('|', at + 1)) {
      ++borders;
      readings += is_hello_id(whole.substr(0, at)) && is_hello_id(whole.substr(at + 1));
    }
    ambiguous += borders > 1;
    accepted += readings;
    ASSERT_LE(readings, 1) << whole;
  }
  EXPECT_GT(ambiguous, 100'000) << "otherwise nothing was at stake";
  EXPECT_GT(accepted, 1'000);
}

TEST(HelloText, OneSignatureProvesOneReadingOfItsText) {
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  Texts texts;
  int proven = 0, readings = 0;
  for (int i = 0; i < 1'000; ++i) {
    Hello signed_one;
    signed_one.mesh_id = texts.id();
    signed_one.member_id = texts.id();
    signed_one.sign(key_a());
    int accepted = 0;
    for (Hello& reading : readings_of(signed_one.text())) {
      reading.signature = signed_one.signature;
      const std::string_view said = answer(reading);
      ASSERT_NE(said, "bad_signature") << "every reading has the signed text";
      accepted += said == "proven";
      ++readings;
    }
    ASSERT_LE(accepted, 1) << signed_one.text();
    proven += accepted;
  }
  EXPECT_GT(proven, 100);
  EXPECT_GT(readings, 2 * proven);
}

TEST(HelloText, ThePairThatIsOneTextIsRefusedOnBothSides) {
  Hello left, right;
  left.mesh_id = "m|x", left.member_id = "y";
  right.mesh_id = "m", right.member_id = "x|y";
  ASSERT_EQ(left.text(), right.text());
  EXPECT_EQ(answer(left.sign(key_a())), "malformed");
  EXPECT_EQ(answer(right.sign(key_a())), "malformed");
}

}  // namespace
}  // namespace signet::trust
