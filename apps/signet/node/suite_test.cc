#include "signet/node/suite.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

namespace signet::node {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using std::literals::chrono_literals::operator""ms;

constexpr milliseconds kAmple{20'000};
// A timeout that is meant to pass, behind the first words of a shell on a busy machine.
constexpr milliseconds kPasses{3'000};
constexpr std::string_view kGood = R"({"suite_version":"s 1","scores":{"overall":0.5}})";

TEST(ReadSuiteReport, KeepsVersionScoresAndNotes) {
  const auto report = read_suite_report(
      R"({"node_id":"x","notes":"caf\u00e9","scores":{"overall":92e-2,"up time":1.0,"off":null},)"
      R"("suite_version":"poc 0.1","more":{"of":["what nobody knows"]}})"
      "\n");
  ASSERT_TRUE(report.ok()) << report.error().detail;
  EXPECT_EQ(report->suite, "poc 0.1");
  EXPECT_EQ(report->notes, "café");
  ASSERT_EQ(report->scores.size(), 2U);
  EXPECT_EQ(report->scores.at("overall").millionths, 920'000);
  EXPECT_EQ(report->scores.at("up time").millionths, 1'000'000);
}

TEST(ReadSuiteReport, NotesMayBeAbsentOrNull) {
  EXPECT_EQ(read_suite_report(kGood)->notes, "");
  EXPECT_TRUE(
      read_suite_report(R"({"suite_version":"s","scores":{"overall":0},"notes":null})").ok());
}

std::string report_with_scores(std::string_view scores) {
  return std::string(R"({"suite_version":"s","scores":{)").append(scores).append("}}");
}

std::string many_scores(int count) {
  std::string scores = R"("overall":1)";
  for (int i = 1; i < count; ++i) scores += ",\"s" + std::to_string(i) + "\":0.5";
  return report_with_scores(scores);
}

std::string with_notes(std::size_t bytes) {
  return R"({"suite_version":"s","scores":{"overall":1},"notes":")" + std::string(bytes, 'n') +
         "\"}";
}

TEST(ReadSuiteReport, RefusesEveryBrokenRuleInASentence) {
  const std::pair<std::string, const char*> rows[] = {
      {"", "no strict JSON"},
      {"score: 1", "no strict JSON"},
      {"[]", "it must be an object"},
      {"1", "it must be an object"},
      {R"({"suite_version":"s","scores":{"overall":NaN}})", "NaN and Infinity are none"},
      {R"({"suite_version":"s","scores":{"overall":-Infinity}})", "NaN and Infinity are none"},
      {R"({"suite_version":"s","scores":{"overall":1},"scores":{"overall":1}})", "no strict JSON"},
      {std::string(kGood) + "x", "no strict JSON"},
      {R"({"scores":{"overall":1}})", "suite_version is missing"},
      {R"({"suite_version":7,"scores":{"overall":1}})", "suite_version: "},
      {R"({"suite_version":"","scores":{"overall":1}})", "suite_version: "},
      {R"({"suite_version":"a\nb","scores":{"overall":1}})", "suite_version: "},
      {R"({"suite_version":")" + std::string(65, 's') + R"(","scores":{"overall":1}})",
       "suite_version: "},
      {R"({"suite_version":"s"})", "scores is missing"},
      {R"({"suite_version":"s","scores":null})", "scores is missing"},
      {R"({"suite_version":"s","scores":[1]})", "scores: "},
      {report_with_scores(""), "scores.overall is missing"},
      {report_with_scores(R"("overall":null)"), "scores.overall is missing"},
      {report_with_scores(R"("overall":"1")"), "scores.overall: a number"},
      {report_with_scores(R"("overall":1.01)"), "scores.overall must be a finite number"},
      {report_with_scores(R"("overall":-0.01)"), "scores.overall must be a finite number"},
      {report_with_scores(R"("overall":1e400)"), "number"},
      {report_with_scores(R"("overall":1,"a\nb":1)"), "scores: a name"},
      {report_with_scores(R"("overall":1,"":1)"), "scores: a name"},
      {report_with_scores(R"("overall":1,")" + std::string(65, 'n') + R"(":1)"), "scores: a name"},
      {many_scores(65), "scores: at most 64"},
      {with_notes(1'025), "notes: "},
      {R"({"suite_version":"s","scores":{"overall":1},"notes":7})", "notes: "},
      {R"({"x":[[[[[[[[[1]]]]]]]]],"suite_version":"s","scores":{"overall":1}})", "no strict JSON"},
  };
  for (const auto& [json, said] : rows) {
    const auto report = read_suite_report(json);
    ASSERT_FALSE(report.ok()) << json;
    EXPECT_EQ(report.error().code, ErrorCode::kMalformed);
    EXPECT_TRUE(report.error().detail.starts_with("the benchmark's report: "));
    EXPECT_NE(report.error().detail.find(said), std::string::npos)
        << json << " → " << report.error().detail;
  }
  EXPECT_TRUE(read_suite_report(many_scores(64)).ok());
  EXPECT_TRUE(read_suite_report(with_notes(1'024)).ok());
}

// A program of a few words, for a shell that the test names itself.
std::vector<std::string> words(const std::string& script) { return {"/bin/sh", "-c", script}; }

std::string good_from(const std::string& before) {
  return before + "; printf '%s' '" + std::string(kGood) + "'";
}

class SuiteCommand : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "signet-suite-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const char* name) const { return (folder_ / name).string(); }
  static std::string text_of(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  // The process whose id a script wrote there is over, or becomes so in time.
  static bool has_gone(const std::string& pid_file) {
    const pid_t pid = std::atoi(text_of(pid_file).c_str());
    if (pid <= 1) return false;
    for (const auto end = steady_clock::now() + kAmple; steady_clock::now() < end;
         ::usleep(1'000)) {
      std::ifstream state("/proc/" + std::to_string(pid) + "/stat");
      std::string line;
      if (!std::getline(state, line)) return true;
      const std::size_t name_end = line.rfind(") ");
      if (name_end != std::string::npos && line[name_end + 2] == 'Z')
        return true;  // not ours to bury
    }
    return false;
  }

  std::filesystem::path folder_;
};

TEST_F(SuiteCommand, ReadsWhatItPrints) {
  const auto report = run_suite_command({"printf", "%s", std::string(kGood)}, kAmple);
  ASSERT_TRUE(report.ok()) << report.error().detail;
  EXPECT_EQ(report->suite, "s 1");
  EXPECT_EQ(report->scores.at("overall").millionths, 500'000);
}

TEST_F(SuiteCommand, NoShellSeesItsWords) {
  const std::string evil = R"({"suite_version":"$(id) `id` ; | & > x","scores":{"overall":1}})";
  const auto report = run_suite_command({"printf", "%s", evil}, kAmple);
  ASSERT_TRUE(report.ok()) << report.error().detail;
  EXPECT_EQ(report->suite, "$(id) `id` ; | & > x");
}

TEST_F(SuiteCommand, AFileThatIsNoProgramIsNotHandedToAShell) {
  std::ofstream(path("script")) << "printf '%s' '" << kGood << "'\n";
  std::filesystem::permissions(path("script"), std::filesystem::perms::owner_all);
  const auto report = run_suite_command({path("script")}, kAmple);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kNotFound);
}

TEST_F(SuiteCommand, SaysWhyItCanNotBeStarted) {
  const std::vector<std::string> rows[] = {
      {"no-such-benchmark-anywhere"}, {path("absent")}, {folder_.string()}};
  for (const auto& command : rows) {
    const auto report = run_suite_command(command, kAmple);
    ASSERT_FALSE(report.ok());
    EXPECT_EQ(report.error().code, ErrorCode::kNotFound);
    EXPECT_NE(report.error().detail.find(command.front() + " can't be started: "),
              std::string::npos)
        << report.error().detail;
  }
  EXPECT_EQ(run_suite_command({}, kAmple).error().code, ErrorCode::kMalformed);
  EXPECT_EQ(run_suite_command({""}, kAmple).error().code, ErrorCode::kMalformed);
}

TEST_F(SuiteCommand, AFailureHasTheLastLineOfItsComplaint) {
  const auto report = run_suite_command(
      words(good_from("echo first >&2; printf 'no \\033[31mdisk\\n\\n' >&2") + "; exit 3"), kAmple);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(report.error().detail,
            "the benchmark command failed: it exited with 3: no \\u001b[31mdisk");
}

TEST_F(SuiteCommand, ASignalThatEndedItIsNamed) {
  const auto report = run_suite_command(words("kill -9 $$"), kAmple);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().detail, "the benchmark command failed: it was ended by signal 9");
}

TEST_F(SuiteCommand, AtTheTimeoutItsWholeGroupDies) {
  const auto start = steady_clock::now();
  const auto report = run_suite_command(
      words("sh -c 'echo $$ >" + path("child") + "; sleep 60' & echo waiting >&2; sleep 60"),
      kPasses);
  EXPECT_LT(steady_clock::now() - start, kAmple);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kOverloaded);
  EXPECT_EQ(report.error().detail,
            "the benchmark command failed: it was ended after 3000 ms: waiting");
  EXPECT_TRUE(has_gone(path("child")));
}

TEST_F(SuiteCommand, AStopEndsItsWholeGroupAtOnce) {
  std::atomic<bool> stop{false};
  const auto start = steady_clock::now();
  std::thread other([&] {
    const auto end = steady_clock::now() + kAmple;
    while (text_of(path("child")).find('\n') == std::string::npos && steady_clock::now() < end) {
      ::usleep(1'000);
    }
    stop = true;
  });
  const auto report = run_suite_command(
      words("sh -c 'echo $$ >" + path("child") + "; sleep 60' & sleep 60"), 2 * kAmple, &stop);
  other.join();
  EXPECT_LT(steady_clock::now() - start, kAmple);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(report.error().detail, "the benchmark command was stopped");
  EXPECT_TRUE(has_gone(path("child")));
}

TEST_F(SuiteCommand, GainsNoRightsAndKeepsNoneOfOurs) {
  const auto report = run_suite_command(
      words(good_from("grep -E '^(NoNewPrivs|CapAmb)' /proc/$$/status >" + path("rights"))),
      kAmple);
  ASSERT_TRUE(report.ok()) << report.error().detail;
  EXPECT_EQ(text_of(path("rights")), "CapAmb:\t0000000000000000\nNoNewPrivs:\t1\n");
}

// What lies where somebody stands may be anybody's.
TEST_F(SuiteCommand, IsLookedForInAbsoluteFoldersOnly) {
  const std::string name = "signet-suite-of-a-folder";
  std::ofstream(folder_ / name) << "#!/bin/sh\nprintf '%s' '" << kGood << "'\n";
  std::filesystem::permissions(folder_ / name, std::filesystem::perms::owner_all);
  const char* path_now = std::getenv("PATH");
  const std::string path_before = path_now == nullptr ? "" : path_now;
  const auto stood = std::filesystem::current_path();
  std::filesystem::current_path(folder_);
  const auto with_path = [&](const std::string& folders) {
    ::setenv("PATH", folders.c_str(), 1);
    return run_suite_command({name}, kAmple);
  };
  const std::string relative = "../" + folder_.filename().string();
  for (const std::string& folders : {std::string("."), relative, ":." + std::string(":")}) {
    const auto report = with_path(folders);
    EXPECT_TRUE(!report.ok() && report.error().code == ErrorCode::kNotFound) << folders;
  }
  const auto found = with_path(".:" + folder_.string());
  EXPECT_TRUE(found.ok()) << found.error().detail;
  ::setenv("PATH", path_before.c_str(), 1);
  std::filesystem::current_path(stood);
}

TEST_F(SuiteCommand, WhatItLeftBehindNeitherHoldsUsNorStays) {
  const auto start = steady_clock::now();
  const auto report = run_suite_command(
      words("sleep 60 & echo $! >" + path("left") + "; " + good_from(":")), kAmple);
  EXPECT_LT(steady_clock::now() - start, kAmple) << "the one left behind holds the pipe open";
  EXPECT_TRUE(report.ok()) << report.error().detail;
  EXPECT_TRUE(has_gone(path("left")));
}

TEST_F(SuiteCommand, ClosingItsOutputIsNotItsEnd) {
  const auto report =
      run_suite_command(words(good_from(":") + "; exec >&- 2>&-; sleep 0.1; exit 4"), kAmple);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().detail, "the benchmark command failed: it exited with 4");
}

TEST_F(SuiteCommand, PrintingWithoutEndIsCutOff) {
  const auto report = run_suite_command(words("echo $$ >" + path("pid") + "; exec yes"), kAmple);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kMalformed);
  EXPECT_EQ(report.error().detail, "the benchmark's report: longer than 65536 bytes");
  EXPECT_TRUE(has_gone(path("pid")));
}

TEST_F(SuiteCommand, ComplainingWithoutEndEndsAtTheTimeout) {
  const auto report = run_suite_command(words("exec yes no disk >&2"), kPasses);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kOverloaded);
  EXPECT_NE(report.error().detail.find(": no disk"), std::string::npos) << report.error().detail;
}

TEST_F(SuiteCommand, AsMuchAsIsAllowedIsRead) {
  const std::string spaces = std::to_string(kMaxSuiteOutput - kGood.size());
  const auto report = run_suite_command(words(good_from("printf '%" + spaces + "s' ''")), kAmple);
  EXPECT_TRUE(report.ok()) << report.error().detail;
}

TEST_F(SuiteCommand, HasOurEnvironmentAndNoneOfOurDescriptors) {
  const int ours = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC, as a library may leave it
  ASSERT_GE(ours, 0);
  ::setenv("SIGNET_SUITE_TEST", "passed on", 1);
  // A shell opens the folder itself while it lists it.
  const auto report =
      run_suite_command(words(good_from("printf '%s' \"$SIGNET_SUITE_TEST\" >" + path("said") +
                                        "; cat | wc -c >" + path("input") + "; [ -e /proc/$$/fd/" +
                                        std::to_string(ours) + " ] && echo open >" + path("leak"))),
                        kAmple);
  ::unsetenv("SIGNET_SUITE_TEST");
  ::close(ours);
  ASSERT_TRUE(report.ok()) << report.error().detail;
  EXPECT_EQ(text_of(path("said")), "passed on");
  EXPECT_EQ(std::atoi(text_of(path("input")).c_str()), 0) << "its standard input is empty";
  EXPECT_FALSE(std::filesystem::exists(path("leak")));
}

TEST_F(SuiteCommand, SignalsAreAsItExpectsThem) {
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  const auto report = run_suite_command(
      words(good_from("grep '^SigIgn' /proc/$$/status >" + path("ignored"))), kAmple);
  ::signal(SIGPIPE, before);
  ASSERT_TRUE(report.ok()) << report.error().detail;
  const std::string ignored = text_of(path("ignored"));
  ASSERT_TRUE(ignored.starts_with("SigIgn:\t")) << ignored;
  // Signals 32 and 33 are the C library's: no program sets them, and some parents (make) hand them
  // on ignored.
  constexpr std::uint64_t kOfTheLibrary = 0x1'8000'0000;
  EXPECT_EQ(std::stoull(ignored.substr(8), nullptr, 16) & ~kOfTheLibrary, 0U) << ignored;
}

TEST_F(SuiteCommand, RunsWhereOurOwnStreamsAreClosed) {
  const int kept = ::dup(STDIN_FILENO);
  ::close(STDIN_FILENO);
  const auto report = run_suite_command(words(good_from("[ -e /proc/$$/fd/0 ] || exit 5")), kAmple);
  if (kept >= 0) {
    ::dup2(kept, STDIN_FILENO);
    ::close(kept);
  }
  EXPECT_TRUE(report.ok()) << report.error().detail;
}

TEST_F(SuiteCommand, DiesWithUs) {
  const pid_t us = ::fork();
  if (us == 0) {
    static_cast<void>(
        run_suite_command(words("echo $$ >" + path("pid") + "; exec sleep 60"), kAmple));
    ::_exit(0);
  }
  ASSERT_GT(us, 0);
  const auto end = steady_clock::now() + kAmple;
  while (text_of(path("pid")).empty() && steady_clock::now() < end) ::usleep(1'000);
  ::kill(us, SIGKILL);
  EXPECT_EQ(::waitpid(us, nullptr, 0), us);
  EXPECT_TRUE(has_gone(path("pid")));
}

TEST_F(SuiteCommand, LeavesNoDescriptorAndNoChildBehind) {
  const auto open_now = [] {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return std::distance(begin(all), end(all));
  };
  const auto before = open_now();
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(run_suite_command({"printf", "%s", std::string(kGood)}, kAmple).ok());
    ASSERT_FALSE(run_suite_command({"no-such-benchmark-anywhere"}, kAmple).ok());
    ASSERT_FALSE(run_suite_command({"sleep", "60"}, 20ms).ok());
    ASSERT_FALSE(run_suite_command({folder_.string()}, kAmple).ok());
  }
  EXPECT_EQ(open_now(), before);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child was not buried";
}

}  // namespace
}  // namespace signet::node
