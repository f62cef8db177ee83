// How the command line says no: one sentence, what to do about it, a stable code and an exit code.
// An Error's detail is "code: sentence", and what to do follows on a line of its own; library
// errors carry code and sentence, and the advice comes from the table in failure.cc.
#pragma once

#include <string>
#include <string_view>

#include "signet/result.h"

namespace signet::cli {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitNotFound = 3;
inline constexpr int kExitDenied = 4;
inline constexpr int kExitUnavailable = 5;
inline constexpr int kExitConflict = 6;

// What a failure says to a person and to a program.
struct Told {
  std::string code;     // stable, of docs/codes.md or of this program
  std::string message;  // one sentence, without the code
  std::string advice;   // what to do; may be empty
  int exit = kExitFailed;
};
Told tell(const Error& error);

// How an advice of the table ends that sends a person to doctor, which leaves it out.
inline constexpr std::string_view kAskDoctor = " `signet doctor` looks at the whole way.";

// A failure of this program. `code` is `[a-z0-9_]+`.
Error failure(ErrorCode category, std::string_view code, std::string_view sentence,
              std::string_view advice = {});

// What finding `who` failed with; a changed key's advice then has the name in it.
Error about_peer(const Error& error, std::string_view who);

// The command line itself is wrong: exit code 2.
Error usage_error(std::string_view sentence, std::string_view advice = {});

// The command has said itself what is wrong: nothing more is printed, and the exit code is 1.
Error told_already();
bool is_told_already(const Error& error);

}  // namespace signet::cli
