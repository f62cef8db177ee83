#include "signet/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace signet {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return Error{ErrorCode::kMalformed, "odd"};
  return n / 2;
}

Result<int> quarter(int n) {
  SIGNET_TRY(const int once, half(n));
  SIGNET_TRY(const int twice, half(once));
  return twice;
}

TEST(Result, HoldsAValueOrAnError) {
  const Result<int> good = half(4);
  ASSERT_TRUE(good.ok());
  EXPECT_EQ(*good, 2);
  const Result<int> bad = half(3);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, ErrorCode::kMalformed);
  EXPECT_EQ(bad.error().detail, "odd");
}

TEST(Result, TryHandsOnTheFirstError) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().detail, "odd");
  EXPECT_EQ(quarter(5).error().detail, "odd");
}

TEST(Result, CarriesWhatCanOnlyBeMoved) {
  Result<std::unique_ptr<int>> made = std::make_unique<int>(7);
  const std::unique_ptr<int> taken = *std::move(made);
  EXPECT_EQ(*taken, 7);
}

TEST(Result, SaysDoneWhenThereIsNothingToSay) {
  const Result<std::string> text = std::string("fine");
  EXPECT_EQ(text->size(), 4U);
  const Status done = Done{};
  EXPECT_TRUE(done.ok());
}

TEST(ResultDeathTest, BrokenPromisesEndTheProcess) {
  Result<int> bad = half(3);
  EXPECT_DEATH(static_cast<void>(*bad), "");
  EXPECT_DEATH(static_cast<void>(*std::move(bad)), "");
  const Result<int> good = half(2);
  EXPECT_DEATH(static_cast<void>(good.error()), "");
}

}  // namespace
}  // namespace signet
