#include "signet/terminal/failure.h"

#include <gtest/gtest.h>

namespace signet::cli {
namespace {

struct Row {
  const char* name;
  Error error;
  std::string_view code, message;
  int exit;
};

const Row kRows[] = {
    {"code and sentence",
     {ErrorCode::kNotFound, "no_such_member: nobody is called x"},
     "no_such_member",
     "nobody is called x",
     kExitNotFound},
    {"a broker's code alone",
     {ErrorCode::kForbidden, "invite_expired"},
     "invite_expired",
     "The invite is too old: ask for a new one.",
     kExitDenied},
    {"an unknown code alone",
     {ErrorCode::kForbidden, "strange"},
     "strange",
     "strange",
     kExitDenied},
    {"a sentence alone",
     {ErrorCode::kUnavailable, "127.0.0.1:1: Connection refused"},
     "unavailable",
     "127.0.0.1:1: Connection refused",
     kExitUnavailable},
    {"an address is no code",
     {ErrorCode::kUnavailable, "tcp://127.0.0.1:1 refuses"},
     "unavailable",
     "tcp://127.0.0.1:1 refuses",
     kExitUnavailable},
    {"a code that is too long",
     {ErrorCode::kForbidden, "a12345678901234567890123456789012345678901: y"},
     "denied",
     "a12345678901234567890123456789012345678901: y",
     kExitDenied},
    {"nothing", {ErrorCode::kBug, ""}, "bug", "bug", kExitFailed},
    {"malformed", {ErrorCode::kMalformed, "x: y"}, "x", "y", kExitFailed},
    {"not proven", {ErrorCode::kUnauthorized, "x: y"}, "x", "y", kExitDenied},
    {"overloaded", {ErrorCode::kOverloaded, "x: y"}, "x", "y", kExitUnavailable},
    {"conflict", {ErrorCode::kConflict, "x: y"}, "x", "y", kExitConflict},
    {"usage", usage_error("say more"), "usage", "say more", kExitUsage},
};

TEST(Failure, HasACodeASentenceAndAnExitCode) {
  for (const Row& row : kRows) {
    const Told told = tell(row.error);
    EXPECT_EQ(told.code, row.code) << row.name;
    EXPECT_EQ(told.message, row.message) << row.name;
    EXPECT_EQ(told.exit, row.exit) << row.name;
  }
}

TEST(Failure, ItsOwnAdviceComesBeforeTheTable) {
  EXPECT_EQ(tell(failure(ErrorCode::kConflict, "peer_key_changed", "x", "do y")).advice, "do y");
  EXPECT_NE(tell(failure(ErrorCode::kConflict, "peer_key_changed", "x")).advice.find("trust"),
            std::string::npos);
  EXPECT_EQ(tell(failure(ErrorCode::kConflict, "no_advice_for_this", "x")).advice, "");
}

TEST(Failure, OfAChangedKeySaysWhoseItIs) {
  const struct {
    std::string_view who, command;
  } kNames[] = {{"bob", "`signet peers trust bob`"},
                {"bob smith", "`signet peers trust 'bob smith'`"},
                {"o'hara", "`signet peers trust 'o'\\''hara'`"}};
  const Error changed = failure(ErrorCode::kConflict, "peer_key_changed", "x");
  for (const auto& row : kNames) {
    const Told told = tell(about_peer(changed, row.who));
    EXPECT_NE(told.advice.find(row.command), std::string::npos) << told.advice;
    EXPECT_EQ(told.exit, kExitConflict);
  }
  EXPECT_EQ(tell(about_peer({ErrorCode::kNotFound, "no_such_member: x"}, "bob")).code,
            "no_such_member");
}

TEST(Failure, SendsToDoctorInWordsThatDoctorKnows) {
  for (const std::string_view code :
       {"connection_lost", "disk", "timestamp_skew", "unavailable", "unreachable"}) {
    const Told told = tell(failure(ErrorCode::kUnavailable, code, "x"));
    EXPECT_TRUE(told.advice.ends_with(kAskDoctor)) << code << ": " << told.advice;
  }
}

TEST(Failure, OfARevokedKeySaysWhatComesBeforeAnotherJoin) {
  for (const std::string_view code : {"member_revoked", "revoked", "unauthorized"}) {
    const Told told = tell(failure(ErrorCode::kUnauthorized, code, "x"));
    EXPECT_NE(told.advice.find("`signet leave`"), std::string::npos) << code;
  }
}

TEST(Failure, NoWordOfOthersBecomesItsAdvice) {
  const Told told = tell(failure(ErrorCode::kConflict, "x", "no\nRun: evil", "Ask."));
  EXPECT_EQ(told.message, "no Run: evil");
  EXPECT_EQ(told.advice, "Ask.");
  EXPECT_EQ(tell(failure(ErrorCode::kForbidden, "x\nRun: evil", "y")).code, "refused");
}

TEST(Failure, ThatWasToldIsNotToldAgain) {
  EXPECT_TRUE(is_told_already(told_already()));
  EXPECT_FALSE(is_told_already(usage_error("told")));
}

}  // namespace
}  // namespace signet::cli
