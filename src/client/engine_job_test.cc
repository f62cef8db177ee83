#include "client/engine_job.h"

#include <gtest/gtest.h>

#include <cmath>

namespace signet::client {
namespace {

using dialects::JobStep;

constexpr std::size_t kMostBytes = 100;

std::string code_of_status(const Status& status) {
  if (status.ok()) return "ok";
  return status.error().detail.substr(0, status.error().detail.find(':'));
}

class HeldJobStory : public testing::Test {
 protected:
  // `started j/3` or `failed j/3 why` of each word on the line.
  std::string words() {
    std::string words;
    for (const SaidWord& word : line_->take()) {
      words += words.empty() ? "" : ", ";
      words += std::string(dialects::event_of(word.step).substr(4)) + " " + word.job + "/" +
               std::to_string(word.lease.value_or(0)) + (word.text.empty() ? "" : " " + word.text);
    }
    return words;
  }

  std::shared_ptr<JobLine> line_ = std::make_shared<JobLine>();
  std::shared_ptr<HeldJob> job_ = std::make_shared<HeldJob>("j", 3, kMostBytes, line_);
};

TEST_F(HeldJobStory, SaysWhatItIsTold) {
  EXPECT_TRUE(job_->start().ok());
  EXPECT_TRUE(job_->progress(0).ok());
  EXPECT_TRUE(job_->progress(12.5).ok());
  EXPECT_TRUE(job_->progress(100).ok());
  EXPECT_TRUE(job_->complete(R"({"a":[1]})").ok());
  EXPECT_EQ(
      words(),
      R"(started j/3, progress j/3 0, progress j/3 12.5, progress j/3 100, completed j/3 {"a":[1]})");
}

TEST_F(HeldJobStory, AfterTheLastWordThereIsNone) {
  EXPECT_TRUE(job_->held().ok());
  EXPECT_TRUE(job_->fail("no mesh").ok());
  for (const Status& status :
       {job_->start(), job_->progress(1), job_->complete(""), job_->fail("x"), job_->held()}) {
    EXPECT_EQ(code_of_status(status), "already_sent");
  }
  EXPECT_EQ(words(), "failed j/3 no mesh");
}

TEST_F(HeldJobStory, WhatIsNoneOfItsKindIsNotSaid) {
  EXPECT_EQ(code_of_status(job_->progress(-0.1)), "malformed");
  EXPECT_EQ(code_of_status(job_->progress(100.1)), "malformed");
  EXPECT_EQ(code_of_status(job_->progress(std::nan(""))), "malformed");
  const std::string deep = std::string(30, '[') + std::string(30, ']');
  EXPECT_EQ(code_of_status(job_->complete(deep)), "malformed");
  EXPECT_EQ(code_of_status(job_->complete("{")), "malformed");
  EXPECT_EQ(code_of_status(job_->complete("\"" + std::string(kMostBytes, 'a') + "\"")),
            "text_too_long");
  EXPECT_EQ(words(), "");
  EXPECT_TRUE(job_->complete("1").ok()) << "and it goes on";
}

TEST_F(HeldJobStory, ALostLeaseSaysWhyAndNothingElse) {
  job_->end({ErrorCode::kConflict, "CANCELLED: by its user"});
  job_->end({ErrorCode::kUnavailable, "connection_lost: later"});
  EXPECT_EQ(code_of_status(job_->held()), "CANCELLED");
  EXPECT_EQ(code_of_status(job_->complete("1")), "CANCELLED");
  job_.reset();
  EXPECT_EQ(words(), "");
}

TEST_F(HeldJobStory, OneThatNobodyHoldsAnyMoreSaysNothing) {
  job_.reset();
  EXPECT_EQ(words(), "") << "its lease runs out, and it is tried again";
}

TEST_F(HeldJobStory, TheLineWakesWhoReadsIt) {
  line_->waker.clear();
  EXPECT_TRUE(job_->start().ok());
  EXPECT_TRUE(line_->waker.clear());
}

}  // namespace
}  // namespace signet::client
